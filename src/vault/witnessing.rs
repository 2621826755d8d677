//! Witnesses: others who remember how far the log had come, and say so under every checkpoint (C2SP tlog-witness).
//!
//! At a fixed cadence, so that the growth a witness sees does not tell of single calls, the newest checkpoint goes to
//! each. What comes back is kept under that checkpoint. Without a fresh quorum the vault grows careful, never silently.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;

use super::{Error, Vault};
use crate::audit::history::History;
use crate::model::actions::{Action, Silence};
use crate::note::{Checkpoint, Verifier};
use crate::store::rows::HeadRow;
use crate::witness::client::{Witness, WitnessError};
use crate::witness::freshness::{Freshness, Limits, freshness};

/// The witnesses of a vault's log, and what they have said. None unless they are configured.
pub struct Witnessing {
    witnesses: Vec<Witness>,
    limits: Limits,
    /// Where the newest cosigned checkpoint is kept over a restart. Worth nothing but for its signatures.
    file: Option<PathBuf>,
    /// Written after each round, by the task that submits; read by everybody.
    state: RwLock<State>,
}

#[derive(Clone, Default)]
struct State {
    /// For each witness the largest size it is known to have cosigned or named, and when it last cosigned.
    seen: Vec<(u64, Option<Timestamp>)>,
    /// The newest checkpoint that any witness has cosigned, with all cosignatures on it.
    cosigned: Option<(u64, String)>,
}

impl Witnessing {
    /// No witnesses: nothing is asked for.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Vec::new(), Limits::usual(0), None)
    }

    /// These witnesses, of whom the limits ask for a quorum.
    #[must_use]
    pub fn new(witnesses: Vec<Witness>, limits: Limits, file: Option<PathBuf>) -> Self {
        let state = State {
            seen: vec![(0, None); witnesses.len()],
            cosigned: None,
        };
        Self {
            witnesses,
            limits,
            file,
            state: RwLock::new(state),
        }
    }

    /// Takes up what was kept: the log's signature and each cosignature are checked anew.
    pub(super) fn resume(&self, log: &[Verifier]) {
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
        let state = State {
            seen: seen.collect(),
            cosigned: Some((checkpoint.size, note.clone())),
        };
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest cosigned checkpoint and its size.
    pub(super) fn cosigned(&self) -> Option<(u64, String)> {
        self.state().cosigned
    }

    /// What may be done now.
    pub(super) fn freshness(&self, now: Timestamp) -> Freshness {
        let times: Vec<Option<Timestamp>> = self.state().seen.iter().map(|(_, time)| *time).collect();
        freshness(&times, &self.limits, now)
    }

    /// Whether the witnesses' silence bars this. There is no break-glass yet, so in the last stage no field is shown.
    pub(super) fn bars(&self, action: Action, now: Timestamp) -> bool {
        match action.kind().silence {
            Silence::Passes => false,
            Silence::BarsBulk => self.freshness(now) >= Freshness::NoBulkExport,
            Silence::BarsFields => self.freshness(now) >= Freshness::EmergencyOnly,
        }
    }

    fn keep(&self, state: State) {
        if let (Some(file), Some((_, note))) = (&self.file, &state.cosigned)
            && let Err(error) = put(file, note)
        {
            tracing::warn!(%error, "the cosigned checkpoint could not be kept; the next start asks the witnesses anew");
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Whole or not at all.
fn put(file: &std::path::Path, note: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let new = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut to = options.open(&new)?;
    to.write_all(note.as_bytes())?;
    to.sync_all()?;
    std::fs::rename(&new, file)
}

impl Vault {
    /// This vault with witnesses for its log.
    ///
    /// # Errors
    /// When locked; [`Error::Bad`] when witnesses have cosigned more entries than there are.
    pub fn with_witnesses(mut self, witnessing: Witnessing) -> Result<Self, Error> {
        witnessing.resume(&self.keyring.verifiers(self.log.origin())?);
        if witnessing.cosigned().is_some_and(|(size, _)| size > self.log.size()) {
            return Err(Error::Bad(
                "rolled-back",
                "the witnesses have cosigned more entries than the log has: it was cut; keep this copy as evidence and restore \
                 from a backup",
            ));
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

    /// Submits the newest checkpoint to every witness once. What one of them does not do or does wrong is in the program
    /// log and does not keep the others from being asked.
    ///
    /// # Errors
    /// When the log cannot be read or the clock is not set.
    pub async fn ask_witnesses(&self) -> Result<Freshness, Error> {
        let head = self.store.head().await?;
        let mut state = self.witnessing.state();
        let mut note = head.checkpoint.clone();
        let mut cosigned = 0;
        for (witness, seen) in self.witnessing.witnesses.iter().zip(&mut state.seen) {
            let name = witness.verifier().name();
            match self.ask_witness(witness, seen, &head).await? {
                Ok(line) => {
                    note.push_str(&line);
                    cosigned += 1;
                }
                Err(error) => tracing::warn!(witness = name, %error, "a witness has not cosigned the log"),
            }
        }
        // Some of a quorum do not take the place of one: an older checkpoint with all of them is worth more to an outsider.
        if cosigned >= self.witnessing.limits.quorum().max(1) || (cosigned > 0 && state.cosigned.is_none()) {
            state.cosigned = Some((head.size, note));
        }
        self.witnessing.keep(state);
        let freshness = self.freshness()?;
        if freshness != Freshness::Fresh {
            tracing::warn!(?freshness, "too few witnesses have cosigned the log lately");
        }
        Ok(freshness)
    }

    async fn ask_witness(
        &self,
        witness: &Witness,
        seen: &mut (u64, Option<Timestamp>),
        head: &HeadRow,
    ) -> Result<Result<String, WitnessError>, Error> {
        // It may remember another size than we do; once it has said which, that is where the proof begins.
        let mut old = seen.0;
        let mut told = false;
        loop {
            let proof = if old == 0 || old >= head.size {
                Vec::new()
            } else {
                History(&*self.store).consistency(old, head.size).await?
            };
            match witness.submit(old, proof, &head.checkpoint, self.clock.now()?).await {
                Ok(said) => {
                    *seen = (said.size, Some(said.time));
                    return Ok(Ok(said.line));
                }
                Err(WitnessError::OtherSize(size)) if !told && size <= head.size => {
                    (old, told) = (size, true);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}
