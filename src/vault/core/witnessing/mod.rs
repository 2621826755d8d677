//! Witnesses: others who remember how far the log had come, and say so under every checkpoint (C2SP tlog-witness).
//!
//! At a fixed cadence, so that the growth a witness sees does not tell of single calls, the newest checkpoint goes to
//! each ([`round`]). What comes back is kept under that checkpoint. Without a fresh quorum the vault grows careful, never
//! silently; one witness that has seen more of the log, or another log, stops fields at once.

mod round;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use crate::atomic_file;
use crate::model::actions::{Action, Silence};
use crate::model::problems;
use crate::note::{Checkpoint, Verifier};
use crate::policy::Why;
use crate::store::rows::Contradiction;
use crate::vault::{Error, Vault};
use crate::witness::client::{Cosigned, Witness};
use crate::witness::freshness::{Freshness, SilenceLimits, freshness};

/// The witnesses of a vault's log, and what they have said. None unless they are configured.
pub struct Witnessing {
    witnesses: Vec<Witness>,
    limits: SilenceLimits,
    /// Where the newest cosigned checkpoint is kept over a restart. Worth nothing but for its signatures.
    file: Option<PathBuf>,
    /// Written as each witness answers, by the task that submits; read by everybody.
    state: RwLock<State>,
}

#[derive(Clone, Default)]
struct State {
    /// For each witness the largest size it is known to have cosigned or named, and when it last cosigned.
    seen: Vec<(u64, Option<Timestamp>)>,
    /// The newest checkpoint that any witness has cosigned, with all cosignatures on it.
    cosigned: Option<(u64, String)>,
    /// What witnesses have said against this log, also those that are not asked any more. The key store holds the same.
    contradictions: Vec<Contradiction>,
}

impl State {
    fn contradiction(&self, witness: &str) -> Option<&Contradiction> {
        self.contradictions.iter().find(|said| said.witness == witness)
    }
}

impl Witnessing {
    /// No witnesses: nothing is asked for.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Vec::new(), SilenceLimits::usual(0), None)
    }

    /// These witnesses, of whom the limits ask for a quorum.
    #[must_use]
    pub fn new(witnesses: Vec<Witness>, limits: SilenceLimits, file: Option<PathBuf>) -> Self {
        let state = State {
            seen: vec![(0, None); witnesses.len()],
            ..State::default()
        };
        Self {
            witnesses,
            limits,
            file,
            state: RwLock::new(state),
        }
    }

    /// No witness is asked, and the log is held to what those have cosigned who were asked before.
    #[must_use]
    pub fn kept(file: PathBuf) -> Self {
        Self::new(Vec::new(), SilenceLimits::usual(0), Some(file))
    }

    /// The same witnesses, who have said nothing yet.
    #[must_use]
    pub(in crate::vault) fn anew(&self) -> Self {
        Self::new(self.witnesses.clone(), self.limits, self.file.clone())
    }

    /// Holds the log to what was said against it, whoever is asked from now on.
    #[must_use]
    pub(in crate::vault) fn held_to(self, contradictions: Vec<Contradiction>) -> Self {
        self.change(|state| state.contradictions = contradictions);
        self
    }

    /// Takes up what was kept: the log's signature and each cosignature are checked anew.
    fn resume(&self, log: &[Verifier]) {
        let Some(note) = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else {
            return;
        };
        let text = log.iter().find_map(|key| key.verify(&note).ok());
        let checkpoint = text.and_then(|text| Checkpoint::parse(text).ok());
        let Some(checkpoint) = checkpoint else { return };
        let seen = self.witnesses.iter().map(|witness| {
            let said = witness.verifier().verify(&note).ok();
            let time = said.and_then(|said| Timestamp::from_second(i64::try_from(said.time).ok()?).ok());
            (time.map_or(0, |_| checkpoint.size), time)
        });
        let mut seen: Vec<_> = seen.collect();
        let state = self.state();
        for (witness, (_, time)) in self.witnesses.iter().zip(&mut seen) {
            // What it signed before it contradicted the log confirms nothing.
            if state.contradiction(&witness.verifier().to_string()).is_some() {
                *time = None;
            }
        }
        self.change(|state| {
            state.seen = seen;
            state.cosigned = Some((checkpoint.size, note.clone()));
        });
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The newest cosigned checkpoint and its size.
    pub(in crate::vault) fn cosigned(&self) -> Option<(u64, String)> {
        self.state().cosigned
    }

    /// What the witnesses' silence leaves to be done now.
    fn freshness(&self, now: Timestamp) -> Freshness {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let times: Vec<Option<Timestamp>> = state.seen.iter().map(|(_, time)| *time).collect();
        freshness(&times, &self.limits, now)
    }

    fn contradictions(&self) -> usize {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.contradictions.len()
    }

    /// Why the witnesses bar this action now, if they do: one contradicts the log, or too many have been silent for too
    /// long. There is no break-glass yet, so in the last stage of silence no field is shown.
    pub(in crate::vault) fn bar(&self, action: Action, now: Timestamp) -> Option<Why> {
        let barred_from = match action.kind().silence {
            Silence::Passes => return None,
            Silence::BarsBulk => Freshness::NoBulkExport,
            Silence::BarsFields => Freshness::EmergencyOnly,
        };
        if self.contradictions() > 0 {
            Some(Why::Contradicted)
        } else {
            (self.freshness(now) >= barred_from).then_some(Why::Unwitnessed)
        }
    }

    /// The largest size that a witness is known to have cosigned.
    fn seen(&self, at: usize) -> u64 {
        self.state().seen.get(at).map_or(0, |(seen, _)| *seen)
    }

    /// A witness has cosigned.
    fn took(&self, at: usize, said: &Cosigned) {
        self.change(|state| {
            if let Some(seen) = state.seen.get_mut(at) {
                *seen = (said.size, Some(said.time));
            }
        });
    }

    /// A witness contradicts the log: what it confirmed before counts no more. Of two sizes that it named the larger stays.
    fn contradict(&self, at: usize, said: &mut Contradiction) {
        self.change(|state| {
            if let Some((_, time)) = state.seen.get_mut(at) {
                *time = None;
            }
            if let Some(before) = state.contradiction(&said.witness) {
                said.size = said.size.max(before.size);
            }
            state.contradictions.retain(|old| old.witness != said.witness);
            state.contradictions.push(said.clone());
        });
    }

    /// A witness has taken its word against the log back.
    fn absolve(&self, witness: &str) {
        self.change(|state| state.contradictions.retain(|said| said.witness != witness));
    }

    /// Keeps a checkpoint with the cosignatures on it.
    fn keep(&self, size: u64, note: String) {
        if let Some(file) = &self.file
            && let Err(error) = atomic_file::replace(file, note.as_bytes())
        {
            tracing::warn!(%error, "the cosigned checkpoint could not be kept; the next start asks the witnesses anew");
        }
        self.change(|state| state.cosigned = Some((size, note)));
    }
}

impl Vault {
    /// This vault with witnesses for its log.
    ///
    /// # Errors
    /// When locked; [`Error::Bad`] when witnesses have cosigned more entries than there are.
    pub fn with_witnesses(mut self, witnessing: Witnessing) -> Result<Self, Error> {
        self.opening.witnessing = Arc::new(witnessing.anew());
        let witnessing = witnessing.held_to(self.witnessing.state().contradictions);
        witnessing.resume(&self.keyring.verifiers(self.log.origin())?);
        if witnessing.cosigned().is_some_and(|(size, _)| size > self.log.size()) {
            return Err(Error::Bad(problems::ROLLED_BACK));
        }
        self.witnessing = witnessing;
        Ok(self)
    }

    /// How fresh the witnesses' word is.
    ///
    /// # Errors
    /// Without a clock.
    pub fn freshness(&self) -> Result<Freshness, Error> {
        Ok(self.witnessing.freshness(self.clock.now()?))
    }

    /// How many witnesses say that the log was cut or rewritten.
    pub fn contradictions(&self) -> usize {
        self.witnessing.contradictions()
    }

    /// Why no field is shown to anybody now, if the witnesses bar that.
    ///
    /// # Errors
    /// Without a clock.
    pub fn shows_nothing(&self) -> Result<Option<Why>, Error> {
        Ok(self.witnessing.bar(Action::Reveal, self.clock.now()?))
    }
}
