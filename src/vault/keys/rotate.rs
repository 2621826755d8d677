//! New versions of keys, while everybody works.
//!
//! The log's thread does it in this order, so that a crash leaves nothing half done: the new version is durable in the key store; a
//! transaction of the data store says that it is there ([`KeyVersionRow`], with its leaf); the key store makes it the active one; it
//! is used. A start between the second and the third finishes it, one between the first and the second forgets it
//! ([`crate::vault::life::open`]).

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::key_roles::{KeyRole, Suite};
use crate::model::purposes::Purpose;
use crate::store::Write;
use crate::store::rows::KeyVersionRow;
use crate::vault::people::approvals::{Exact, KEY, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// The word of a rotation's request and leaf.
pub(super) const VERSION: &str = "version";
/// The word for the suite of the new version.
const SUITE: &str = "suite";

/// The key that gets a new version.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// What the key is for.
    pub role: KeyRole,
    /// The suite that the new version is of. Absent: that of the version before it.
    pub suite: Option<Suite>,
}

/// A key has a new version.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Rotated {
    /// What the key is for.
    pub role: KeyRole,
    /// The version with which everything new is made from now on.
    pub version: u8,
    /// Its suite.
    pub suite: Suite,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Gives a key a new version, with a second person's approval. Everything new is made with it at once; what older versions made
    /// opens as before.
    ///
    /// # Errors
    /// [`Error::Asked`], [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Key`] after the last version that there can be.
    pub async fn rotate_key(&self, session: &Session, body: &Rotate, exact: &Exact) -> Result<Rotated, Error> {
        let done = self.rotate_key_once(session, *body, exact).await;
        if is_overtaken(&done, exact) {
            return self.rotate_key_once(session, *body, exact).await;
        }
        done
    }

    async fn rotate_key_once(&self, session: &Session, body: Rotate, exact: &Exact) -> Result<Rotated, Error> {
        let role = body.role;
        let ask = self.ask(session, Action::RotateKey, Purpose::Administer)?;
        self.may_with_two(&ask).await?;
        let version = self.keyring.next_version(role)?;
        let suite = match body.suite {
            Some(suite) => suite,
            None => self.keyring.suite(role, self.keyring.active(role)?)?,
        };
        let (made_by, made_at) = (ask.who().id(), ask.at());
        let about = [
            (KEY, role.to_string()),
            (VERSION, version.to_string()),
            (SUITE, suite.to_string()),
        ];
        let about = about.map(|(name, value)| (name.to_owned(), value)).into();
        let act = self.with_two(ask, about, exact).await?;
        let row = KeyVersionRow {
            role,
            version,
            made_by,
            made_at,
        };
        let change = Change {
            new_key: Some(self.keyring.new_version(role, version, suite, made_at)?),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let audit = self.act(act, change).await?.position().into();
        Ok(Rotated {
            role,
            version,
            suite,
            audit,
        })
    }
}
