//! One round: every witness is asked, and what each answers counts at once.

use crate::log::history::History;
use crate::store::rows::{Contradiction, HeadRow};
use crate::vault::{Error, Vault};
use crate::witness::client::{Cosigned, Lie, Witness, WitnessError};
use crate::witness::freshness::Freshness;

impl Vault {
    /// Submits the newest checkpoint to every witness once. What one of them does not do or does wrong is in the program
    /// log and does not keep the others from being asked.
    ///
    /// # Errors
    /// When a store cannot be read or written or the clock is not set.
    pub async fn ask_witnesses(&self) -> Result<Freshness, Error> {
        let head = self.store.head().await?;
        let mut note = head.checkpoint.clone();
        let mut cosigned = 0;
        for (at, witness) in self.witnessing.witnesses.iter().enumerate() {
            match self.ask_witness(at, witness, &head).await? {
                Ok(line) => {
                    note.push_str(&line);
                    cosigned += 1;
                }
                Err(error) => {
                    tracing::warn!(witness = witness.verifier().name(), %error, "a witness has not cosigned the log");
                }
            }
        }
        // Some of a quorum do not take the place of one: an older checkpoint with all of them is worth more to an outsider.
        let first = self.witnessing.cosigned().is_none();
        if cosigned >= self.witnessing.limits.quorum().max(1) || (cosigned > 0 && first) {
            self.witnessing.keep(head.size, note);
        }
        let freshness = self.freshness()?;
        if freshness != Freshness::Fresh {
            tracing::warn!(?freshness, "too few witnesses have cosigned the log lately");
        }
        Ok(freshness)
    }

    /// The line of one witness.
    async fn ask_witness(
        &self,
        at: usize,
        witness: &Witness,
        head: &HeadRow,
    ) -> Result<Result<String, WitnessError>, Error> {
        // It may remember another size than we do; once it has said which, that is where the proof begins.
        let mut old = self.witnessing.seen(at);
        let mut told = false;
        loop {
            let proof = if old == 0 || old >= head.size {
                Vec::new()
            } else {
                History(&*self.store).consistency(old, head.size).await?
            };
            match witness.submit(old, proof, &head.checkpoint, self.clock.now()?).await {
                Ok(said) => return self.cosigned_by(at, witness, said).await,
                Err(WitnessError::OtherSize(size)) if !told && size <= head.size => {
                    (old, told) = (size, true);
                }
                Err(error) => {
                    if let Some(size) = self.contradicting(&error, old).await? {
                        self.contradicted_by(at, witness, size).await;
                    }
                    return Ok(Err(error));
                }
            }
        }
    }

    /// The size that a witness has seen of a log that this one does not continue, if that is what it says.
    async fn contradicting(&self, error: &WitnessError, old: u64) -> Result<Option<u64>, Error> {
        match error {
            WitnessError::Inconsistent => Ok(Some(old)),
            // The log may have grown since, and another round have been faster.
            WitnessError::Larger(size) if self.store.head().await?.size < *size => Ok(Some(*size)),
            _ => Ok(None),
        }
    }

    /// First what is read with each request, then what survives a restart.
    async fn contradicted_by(&self, at: usize, witness: &Witness, size: u64) {
        let mut said = Contradiction {
            origin: self.log.origin().to_owned(),
            witness: witness.verifier().to_string(),
            size,
        };
        self.witnessing.contradict(at, &mut said);
        let name = witness.verifier().name();
        tracing::error!(
            witness = name,
            size,
            "a witness says that this log was cut or rewritten: no field is shown from now on"
        );
        if let Err(error) = self.keys.put_contradiction(&said).await {
            tracing::error!(witness = name, %error, "what a witness says could not be kept over a restart");
        }
    }

    /// A cosignature says that everything its witness has seen leads to this checkpoint. So it takes the witness's word
    /// against the log back, unless that was about a larger one: then it counts for nothing.
    async fn cosigned_by(
        &self,
        at: usize,
        witness: &Witness,
        said: Cosigned,
    ) -> Result<Result<String, WitnessError>, Error> {
        let key = witness.verifier().to_string();
        match self.witnessing.state().contradiction(&key) {
            Some(before) if said.size < before.size => return Ok(Err(Lie::Smaller(said.size).into())),
            Some(_) => {
                self.keys.drop_contradiction(self.log.origin(), &key).await?;
                self.witnessing.absolve(&key);
                let name = witness.verifier().name();
                tracing::warn!(witness = name, "a witness that contradicted this log has cosigned it");
            }
            None => {}
        }
        self.witnessing.took(at, &said);
        Ok(Ok(said.line))
    }
}
