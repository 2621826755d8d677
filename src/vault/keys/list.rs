//! Which versions the vault's keys have, and what is under each.

use jiff::Timestamp;
use serde::Serialize;

use crate::keyring::KeyError;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::key_roles::{KeyRole, Suite};
use crate::model::purposes::Purpose;
use crate::store::rows::{DestroyedKeyRow, Genuine, KeyringRow, destroyed_key};
use crate::vault::keys::rewrap::{RewrapLine, of_fields};
use crate::vault::{Audit, Error, Session, Vault};

const SECONDS_A_DAY: i64 = 86_400;

/// The keys of the vault.
#[derive(Serialize, utoipa::ToSchema)]
pub struct KeyVersions {
    /// Every version of every key, by role and version.
    pub keys: Vec<KeyVersion>,
    /// The newest rewrap of each role, as far as there was one.
    pub rewraps: Vec<RewrapLine>,
    /// The log entry of this act.
    pub audit: Audit,
}

/// How far rewraps have come.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The newest rewrap of each role, as far as there was one.
    pub rewraps: Vec<RewrapLine>,
    /// The log entry of this act.
    pub audit: Audit,
}

/// A version of a key. The key itself is never shown.
#[derive(Serialize, utoipa::ToSchema)]
pub struct KeyVersion {
    /// What the key is for.
    pub role: KeyRole,
    /// From 1.
    pub version: u8,
    /// The suite that it is of. Absent where it is not in use any more, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// Whether everything new is made with it. Other versions open what was made with them.
    pub active: bool,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// Days since it was made.
    pub age_days: u64,
    /// How much was made with it and is still there: record keys as they are now; anything else as the newest rewrap has counted it, for
    /// `kek` also fields in its suite where the newest version is of another.
    /// Absent for the active version, for one that no rewrap has counted, and for the log key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// When it was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroyed_at: Option<String>,
}

impl Vault {
    /// The versions of every key, what is left under each, and how far rewraps have come.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_keys(&self, session: &Session) -> Result<KeyVersions, Error> {
        let ask = self.ask(session, Action::ReadKeys, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let now = permit.ask().at();
        let audit = self.note(permit).await?;
        let destroyed = self.genuine(self.store.all(&destroyed_key::ALL, &[]).await?)?;
        let rows = self.keys.keyring().await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            keys.push(self.key_version(&row, &destroyed, now).await?);
        }
        Ok(KeyVersions {
            keys,
            rewraps: self.rewrap_lines().await?,
            audit,
        })
    }

    /// How far rewraps have come. Nothing is counted for it: for those who ask again and again.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_rewraps(&self, session: &Session) -> Result<Progress, Error> {
        let ask = self.ask(session, Action::ReadKeys, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let rewraps = self.rewrap_lines().await?;
        Ok(Progress { rewraps, audit })
    }

    async fn key_version(
        &self,
        row: &KeyringRow,
        destroyed: &[Genuine<DestroyedKeyRow>],
        now: Timestamp,
    ) -> Result<KeyVersion, Error> {
        let (role, version) = (KeyRole::from_word(&row.role).ok_or(KeyError::Broken)?, row.version);
        let destroyed = destroyed.iter().find(|row| (row.role, row.version) == (role, version));
        let age = now.duration_since(row.created_at).as_secs() / SECONDS_A_DAY;
        Ok(KeyVersion {
            role,
            version,
            suite: self.keyring.suite(role, version).ok(),
            active: row.active,
            made_at: milliseconds(row.created_at),
            // A clock that was set back shows a time before it.
            age_days: u64::try_from(age).unwrap_or_default(),
            left: match destroyed {
                None if !row.active => self.known_left(role, version).await?,
                _ => None,
            },
            destroyed_at: destroyed.map(|row| milliseconds(row.destroyed_at)),
        })
    }

    /// What is left under an older version, as far as it is known without looking at every row.
    async fn known_left(&self, role: KeyRole, version: u8) -> Result<Option<u64>, Error> {
        let counted = self.rewrap_row(role).await?.filter(|row| row.ended_at.is_some());
        let counted = |word: String| -> Option<u64> { counted.as_ref()?.remains.get(&word)?.parse().ok() };
        if role == KeyRole::Kek {
            let record_keys = self.keys.count_record_keys(version).await?;
            return Ok(Some(record_keys + counted(of_fields(version)).unwrap_or_default()));
        }
        Ok(counted(version.to_string()))
    }
}
