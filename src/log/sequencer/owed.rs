//! What the log says was done with keys, and the key store has still to do.

use std::time::{Duration, Instant};

use super::{Fault, Sequencer};
use crate::log::{Change, Doomed, Owing};
use crate::model::key_roles::KeyRole;
use crate::store::StoreError;
use crate::store::rows::KeyringRow;

/// How long nothing that was tried in vain is tried again: those who wait for the log wait for each try.
const AGAIN: Duration = Duration::from_secs(1);

/// Done after the group that says so is committed. Where a store has no room, or somebody reads it, it stays owed: it is tried again with a
/// later group, and done by the next start.
#[derive(Default)]
pub(super) struct Owed {
    /// New versions of keys, to be made active.
    activated: Vec<KeyringRow>,
    /// Record keys of callers who are erased, to be destroyed.
    doomed: Vec<Doomed>,
    /// Versions of keys, to be destroyed.
    destroyed: Vec<(KeyRole, u8)>,
    /// When it was last tried in vain.
    tried: Option<Instant>,
}

impl Owed {
    /// What a start could not do.
    pub(super) fn of_start(owing: Owing) -> Self {
        Self {
            doomed: owing.doomed,
            destroyed: owing.destroyed,
            ..Self::default()
        }
    }

    /// Adds what a change owes.
    pub(super) fn add(&mut self, change: Change) {
        self.activated.extend(change.new_key);
        self.doomed.extend(change.doomed);
        self.destroyed.extend(change.destroyed_key);
    }

    fn is_nothing(&self) -> bool {
        self.activated.is_empty() && self.doomed.is_empty() && self.destroyed.is_empty()
    }

    fn append(&mut self, mut other: Self) {
        self.activated.append(&mut other.activated);
        self.doomed.append(&mut other.doomed);
        self.destroyed.append(&mut other.destroyed);
    }
}

impl Sequencer {
    /// In memory keys are used, or wiped, from now on; the key store owes it, and does it if it can.
    pub(super) fn owe(&mut self, owed: Owed) -> Result<(), Fault> {
        if owed.is_nothing() {
            return Ok(());
        }
        for key in &owed.activated {
            if !self.signer.activate(key) {
                let (role, version) = (&key.role, key.version);
                tracing::error!(
                    role,
                    version,
                    "the new version of a key is used only after the next unlock"
                );
            }
        }
        for &(role, version) in &owed.destroyed {
            self.signer.forget(role, version);
        }
        self.owed.append(owed);
        self.settle()
    }

    /// Does what is owed, unless that was tried a moment ago.
    pub(super) fn settle_again(&mut self) -> Result<(), Fault> {
        let is_due = self.owed.tried.is_none_or(|tried| tried.elapsed() >= AGAIN);
        if is_due && !self.owed.is_nothing() {
            return self.settle();
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        let Self { owed, keys, writer, .. } = self;
        pay(&mut owed.activated, |key| keys.activate_key(&key.role, key.version))?;
        pay(&mut owed.doomed, |doomed| {
            keys.destroy_keys(&doomed.subject, doomed.at)?;
            writer.scrub()?;
            // Only now nothing of them is in any file.
            keys.spare_keys(&doomed.subject)
        })?;
        // A version that is not the active one in memory may still be the one in the key store, which destroys no active one.
        if owed.activated.is_empty() {
            pay(&mut owed.destroyed, |(role, version)| {
                keys.destroy_key(role.as_str(), *version)
            })?;
        }
        owed.tried = (!owed.is_nothing()).then(Instant::now);
        Ok(())
    }
}

/// One after the other, as they were owed.
fn pay<T>(owed: &mut Vec<T>, mut pay: impl FnMut(&T) -> Result<(), StoreError>) -> Result<(), Fault> {
    while let Some(first) = owed.first() {
        match pay(first) {
            Ok(()) => drop(owed.remove(0)),
            Err(fault @ (StoreError::Full | StoreError::Busy)) => {
                tracing::warn!(%fault, "the key store has not taken a change of keys yet; it is tried again");
                return Ok(());
            }
            Err(fault) => return Err(Fault::Unknown(fault)),
        }
    }
    Ok(())
}
