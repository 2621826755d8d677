//! Making a vault: both stores, the keys, the centre and those who found it.

use std::sync::Arc;

use crate::clock::Clock;
use crate::keyring::unlock::{self, Choice, Shares};
use crate::keyring::{KeyError, Keyring};
use crate::log::{Change, Node, genesis};
use crate::model::ids::{PrincipalId, TokenId, random_uuid};
use crate::model::key_roles::{KeyRole, Suite};
use crate::model::principals::{DepartmentKind, DepartmentState, PrincipalKind, Role, Roles};
use crate::model::reference::DepartmentCode;
use crate::model::reference_versions::ReferenceKeys;
use crate::randomness::Randomness;
use crate::store::rows::{DepartmentRow, EntryRow, Fence, HeadRow, One, PrincipalRow, TokenRow, VaultRow};
use crate::store::sqlite::{NewStore, SqliteData, SqliteKeys};
use crate::store::{Appended, DataWriter, StoreError, Write};
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::core::{new_token, text_hash};
use crate::vault::life::next_log::number_of;
use crate::vault::life::open::{OpenError, Places};
use crate::vault::life::rules;

/// The first department and what the log is called.
pub struct Founding {
    /// The log's origin, `<host>/log/1`.
    pub origin: String,
    /// The hotline centre's code.
    pub centre: DepartmentCode,
    /// Its name.
    pub centre_name: String,
    /// The suite of the first version of each key.
    pub suite: Suite,
}

/// A token just issued. Shown once; the vault keeps its SHA-256.
pub struct Issued {
    /// The principal's account.
    pub account: String,
    /// What it may act as.
    pub role: Role,
    /// The secret.
    pub token: zeroize::Zeroizing<String>,
}

/// A vault just made. Unless it is [kept](Self::keep), its stores are gone again afterwards: who could not be given their token
/// would have a vault that nobody gets into.
#[must_use = "what is not kept is removed again"]
pub struct Founded {
    /// The first administrators.
    pub issued: Vec<Issued>,
    /// The public key of the log, as verifiers take it (a vkey).
    pub log_key: String,
    /// The shares that open it, if it opens by shares: they are nowhere else.
    pub shares: Shares,
    stores: [NewStore; 2],
}

impl Founded {
    /// The vault stays. Its first administrators, each with a token.
    #[must_use]
    pub fn keep(self) -> Vec<Issued> {
        self.stores.into_iter().for_each(NewStore::keep);
        self.issued
    }
}

impl Vault {
    /// Makes a vault: both stores, the keys, the centre and its three administrators, each with a token.
    ///
    /// # Errors
    /// [`OpenError`]; a store that exists already is left as it is.
    pub fn init<'c>(
        places: &Places,
        choice: impl Into<Choice<'c>>,
        founding: &Founding,
        clock: &dyn Clock,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Founded, OpenError> {
        let rules = rules::load(places)?;
        // Both places are locked and taken before anything is made, and given back if anything fails.
        let (new_keys, new_data) = (NewStore::claim(&places.keys)?, NewStore::claim(&places.data)?);
        let now = clock.now().map_err(Error::from)?;
        let vault = VaultRow {
            one: One,
            vault: random_uuid(&*randomness).map_err(KeyError::from)?.into_bytes(),
            origin: founding.origin.clone(),
        };
        let choice = choice.into();
        let keys = unlock::create(&vault, choice, founding.suite, now, &*randomness)?;
        let keyring = unlock::unlock(
            &vault.origin,
            keys.root.opener(choice),
            std::slice::from_ref(&keys.root.row),
            &keys.keyring,
            Arc::clone(&randomness),
        )?;
        let (first, issued) = founders(&keyring, founding, now, &*randomness)?;
        let empty = genesis::empty_head(&vault.origin, &keyring).map_err(Error::from)?;
        let hash = rules.policy.hash();
        let node = Node {
            name: "init".to_owned(),
            randomness,
        };
        let entry = genesis::first_entry(&vault.origin, &keyring, &first, founding.centre, hash, now, &node);
        let (entry, head) = entry.map_err(Error::from)?;
        let fence = Fence {
            one: One,
            origin: vault.origin.clone(),
            size: head.size,
            root: head.root,
        };
        SqliteKeys::create(&new_keys, &vault, &keys.root.row, &keys.keyring, &fence)?;
        let writer = SqliteData::create(&new_data, &vault, &empty)?;
        write_first(writer, &first.writes, entry, &head)?;
        Ok(Founded {
            issued,
            log_key: keyring.verifier(&vault.origin)?.to_string(),
            shares: keys.root.shares,
            stores: [new_keys, new_data],
        })
    }
}

/// Writes the first rows and the first entry.
fn write_first(
    mut writer: Box<dyn DataWriter>,
    writes: &[Write],
    entry: EntryRow,
    head: &HeadRow,
) -> Result<(), StoreError> {
    writer.begin()?;
    if writer.attempt(&[], writes, 0, &|_, _, _| false)?.is_err() {
        return Err(StoreError::Corrupt("a new store"));
    }
    let added = Appended {
        entries: vec![entry],
        ..Appended::default()
    };
    writer.append(&added, head)?;
    writer.commit()
}

fn founders(
    keyring: &Keyring,
    founding: &Founding,
    now: jiff::Timestamp,
    randomness: &dyn Randomness,
) -> Result<(Change, Vec<Issued>), OpenError> {
    let department = DepartmentRow {
        code: founding.centre,
        name: founding.centre_name.clone(),
        kind: DepartmentKind::Centre,
        city_code: None,
        state: DepartmentState::Open,
        successor: None,
        reference_keys: ReferenceKeys::first(keyring.active(KeyRole::Reference)?),
        grace_until: None,
        version: 1,
    };
    let mut first = Change {
        writes: vec![Write::put(keyring.protect(department)?)],
        ..Change::default()
    };
    let mut issued = Vec::new();
    for role in [Role::SecurityAdmin, Role::SystemAdmin, Role::Auditor] {
        let account = role.as_str().replace('_', "-");
        let roles = Roles::new([role])?;
        let principal = PrincipalRow {
            id: PrincipalId::random(randomness).map_err(KeyError::from)?,
            account: account.clone(),
            department: founding.centre,
            kind: PrincipalKind::Person,
            roles,
            acts_for: false,
            active: true,
            created_by: None,
            epoch: 1,
            version: 1,
        };
        let token = new_token(randomness).map_err(KeyError::from)?;
        let row = TokenRow {
            id: TokenId::random(randomness).map_err(KeyError::from)?,
            hash: text_hash(&token),
            principal: principal.id,
            label: None,
            epoch: principal.epoch,
            log: number_of(&founding.origin, &founding.origin),
            by_two: true,
            created_at: now,
            expires_at: None,
            revoked_at: None,
            version: 1,
        };
        first.link.insert(principal.id.to_string(), roles.to_words());
        first.writes.push(Write::put(keyring.protect(principal)?));
        first.writes.push(Write::put(keyring.protect(row)?));
        issued.push(Issued { account, role, token });
    }
    Ok((first, issued))
}
