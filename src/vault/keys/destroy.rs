//! The end of a key's version that nothing is under any more ([0038](../../../docs/decisions/0038-a-key-version-is-destroyed.md)).
//!
//! Nothing is written with the version from before it is counted what is under it, so that nothing comes in between. The log's thread
//! does the rest in this order: a transaction of the data store says that it is destroyed ([`DestroyedKeyRow`], with its leaf); memory
//! is wiped; the key store overwrites the key. A start after a crash in between does what is missing.

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::key_roles::KeyRole;
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::store::Write;
use crate::store::rows::{DestroyedKeyRow, KeyringRow};
use crate::vault::keys::rotate::VERSION;
use crate::vault::people::approvals::{Exact, KEY, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// The version of a key that is to be destroyed.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Destroy {
    /// What the key is for.
    pub role: KeyRole,
    /// Which version.
    pub version: u8,
}

/// A version of a key was destroyed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Destroyed {
    /// What the key is for.
    pub role: KeyRole,
    /// Which version. No copy of anything that was made with it can be opened any more.
    pub version: u8,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Destroys an older version of a key, with a second person's approval, if nothing is under it.
    ///
    /// # Errors
    /// [`Error::Bad`] for a version that is in use, [`Error::NotFound`] for one that is not there; [`Error::Asked`],
    /// [`Error::Refused`], [`Error::RefusedBecause`].
    pub async fn destroy_key(&self, session: &Session, body: &Destroy, exact: &Exact) -> Result<Destroyed, Error> {
        let done = self.destroy_key_once(session, *body, exact).await;
        if is_overtaken(&done, exact) {
            return self.destroy_key_once(session, *body, exact).await;
        }
        done
    }

    async fn destroy_key_once(&self, session: &Session, body: Destroy, exact: &Exact) -> Result<Destroyed, Error> {
        let Destroy { role, version } = body;
        let ask = self.ask(session, Action::DestroyKey, Purpose::Administer)?;
        self.may_with_two(&ask).await?;
        self.is_older(role, version)?;
        // Without an approval it only asks for one.
        let bar = match exact.approval {
            Some(_) => Some(self.log.bar(role, version).await?),
            None => None,
        };
        // Where it could not write yet that another one is: what moves to the active one may still come under it.
        let there = self.keys.keyring().await?;
        let is_it = |key: &KeyringRow| (&*key.role, key.version) == (role.as_str(), version);
        if there.iter().any(|key| key.active && is_it(key)) {
            return Err(Error::Bad(problems::KEY_IN_USE));
        }
        if self.left_under(role, version).await? > 0 {
            return Err(Error::Bad(match role {
                KeyRole::Reference => problems::KEY_OF_REFERENCES,
                _ => problems::KEY_NEEDED,
            }));
        }
        let (destroyed_by, destroyed_at) = (ask.who().id(), ask.at());
        let about = [(KEY, role.to_string()), (VERSION, version.to_string())];
        let about = about.map(|(name, value)| (name.to_owned(), value)).into();
        let act = self.with_two(ask, about, exact).await?;
        let row = DestroyedKeyRow {
            role,
            version,
            destroyed_by,
            destroyed_at,
        };
        let change = Change {
            destroyed_key: Some((role, version)),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let done = self.act(act, change).await;
        // Also where it is not known what came of it.
        if let Some(bar) = bar
            && !matches!(done, Err(Error::Stale | Error::Refused(_) | Error::RefusedBecause(..)))
        {
            bar.keep();
        }
        let audit = done?.position().into();
        // Copies that were made for somebody to fetch, or to check, still have it.
        self.copies.forget();
        Ok(Destroyed { role, version, audit })
    }

    /// An older version that is there, of a key of which versions end.
    fn is_older(&self, role: KeyRole, version: u8) -> Result<(), Error> {
        if self.keyring.active(role)? == version {
            return Err(Error::Bad(problems::KEY_IN_USE));
        }
        if !self.keyring.older(role)?.contains(&version) {
            return Err(Error::NotFound(Thing::KeyVersion));
        }
        match role {
            KeyRole::Log => Err(Error::Bad(problems::KEY_OF_CHECKPOINTS)),
            _ => Ok(()),
        }
    }
}
