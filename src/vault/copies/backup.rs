//! A backup: copies of one store or of both, each with a manifest that the log's key has signed.
//!
//! Who asks for it stands in the log before the first byte is copied, and the copy begins with the commit of that entry. The copy is a
//! file beside the store, for the server's account only, and is deleted once it was fetched, when the vault is locked, or by the next
//! start.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::keyring::Keyring;
use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::merkle::Hash;
use crate::model::ask::Action;
use crate::model::backups::{Part, WorkState};
use crate::model::ids::BackupId;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::note::BackupManifest;
use crate::store::StoreError;
use crate::store::snapshot::StoreCopy;
use crate::vault::copies::copying::{Snapshots, copied, in_background};
use crate::vault::core::{Backup, CopiedPart, Parts};
use crate::vault::people::approvals::{Act, Exact, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// The word of a backup's request and leaf.
const PARTS: &str = "parts";
/// Bytes that are hashed at once.
const BLOCK: usize = 256 * 1024;

/// What is to be backed up.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackUp {
    /// The stores, each named once. Copies of both are of one moment. The key store takes a second person's approval.
    pub parts: Vec<Part>,
}

/// A backup.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BackupLine {
    /// By which its files are fetched. Its owner alone can use it.
    pub id: String,
    /// Whether it can be fetched yet.
    pub state: WorkState,
    /// Bytes copied so far.
    pub copied: u64,
    /// Bytes there are to copy; 0 before that is known.
    pub total: u64,
    /// One for each store, once it is done.
    pub files: Vec<BackupFile>,
    /// The log entry of who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
}

/// The copy of one store.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BackupFile {
    /// Which store.
    pub part: Part,
    /// Bytes of the copy, a SQLite database.
    pub bytes: u64,
    /// What it holds: a signed note (C2SP signed-note).
    pub manifest: String,
}

/// What goes into a manifest besides what the copy says itself.
struct Stamp {
    keyring: Arc<Keyring>,
    made_at: String,
    entry: u64,
    keys: Vec<String>,
}

impl Vault {
    /// Begins a backup. It is made in the background, while everybody works.
    ///
    /// # Errors
    /// [`Error::Asked`], [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] while somebody else's is made or fetched.
    pub async fn back_up(&self, session: &Session, body: &BackUp, exact: &Exact) -> Result<BackupLine, Error> {
        let done = self.back_up_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.back_up_once(session, body, exact).await;
        }
        done
    }

    async fn back_up_once(&self, session: &Session, body: &BackUp, exact: &Exact) -> Result<BackupLine, Error> {
        let parts = distinct(&body.parts)?;
        let words: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let about: BTreeMap<String, String> = [(PARTS.to_owned(), words.join(","))].into();
        let act = self.may_back_up(session, &parts, &about, exact).await?;
        let (owner, at) = (act.permit().ask().who().id(), act.permit().ask().at());
        if self.copies.is_taken(owner, at) {
            return Err(Error::Bad(problems::BACKUP_UNDER_WAY));
        }
        let id = BackupId::random(&*self.randomness)?;
        let (between, moment) = self.moment(&parts)?;
        let change = Change {
            link: about,
            between: Some(between),
            ..Change::default()
        };
        let position = self.act(act, change).await?.position();
        let snapshots = moment.begun().await?;
        let backup = Backup::new(id, owner, at);
        let stamp = Stamp {
            keyring: Arc::clone(&self.keyring),
            made_at: milliseconds(at),
            entry: position.index,
            keys: self.key_versions().await?,
        };
        self.copies.put_backup(Arc::clone(&backup));
        let work = move |backup: &Arc<Backup>| made(snapshots, backup, &stamp);
        in_background("backup", Arc::clone(&backup), |backup| &backup.work, work)?;
        let audit = Some(position.into());
        Ok(BackupLine {
            audit,
            ..line(&backup)?
        })
    }

    async fn may_back_up(
        &self,
        session: &Session,
        parts: &[Part],
        about: &BTreeMap<String, String>,
        exact: &Exact,
    ) -> Result<Act, Error> {
        if parts.contains(&Part::Keys) {
            let ask = self.ask(session, Action::BackupKeys, Purpose::Administer)?;
            self.may_with_two(&ask).await?;
            return self.with_two(ask, about.clone(), exact).await;
        }
        let ask = self.ask(session, Action::BackupData, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        Ok(Act::alone(self.decide(ask, facts).await?))
    }

    /// Every version of every key that is there.
    async fn key_versions(&self) -> Result<Vec<String>, Error> {
        let rows = self.keys.keyring().await?;
        let there = rows.iter().filter(|row| !row.is_destroyed());
        Ok(there.map(|row| format!("{}/{}", row.role, row.version)).collect())
    }
}

/// The parts, in a fixed order.
fn distinct(parts: &[Part]) -> Result<Vec<Part>, Error> {
    let mut distinct = parts.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.is_empty() || distinct.len() != parts.len() {
        return Err(Error::Bad(problems::BACKUP_OF_NOTHING));
    }
    Ok(distinct)
}

/// How far a backup has come.
///
/// # Errors
/// Why it came to nothing.
pub(super) fn line(backup: &Backup) -> Result<BackupLine, Error> {
    let parts = backup.work.result()?;
    let (copied, total) = backup.work.reached();
    let file = |(part, copy): (&Part, &CopiedPart)| BackupFile {
        part: *part,
        bytes: copy.length,
        manifest: copy.manifest.clone(),
    };
    Ok(BackupLine {
        id: backup.id.to_string(),
        state: match parts {
            Some(_) => WorkState::Done,
            None => WorkState::Running,
        },
        copied,
        total,
        files: parts.iter().flat_map(|parts| parts.iter().map(file)).collect(),
        audit: None,
    })
}

/// The copies with their manifests; nothing when nobody waits for them.
fn made(snapshots: Snapshots, backup: &Backup, stamp: &Stamp) -> Result<Option<Parts>, Error> {
    let Some(copies) = copied(snapshots, &|done, of| backup.work.reach(done, of))? else {
        return Ok(None);
    };
    let mut parts = Parts::new();
    for (part, copy) in copies {
        parts.insert(part, stamp.stamped(part, copy)?);
    }
    Ok(Some(parts))
}

impl Stamp {
    fn stamped(&self, part: Part, copy: StoreCopy) -> Result<CopiedPart, Error> {
        let content = copy.file.open().map_err(|fault| unreadable(&fault))?;
        let (length, sha256) = hashed(&content)?;
        let (log, size, root) = copy.log;
        let manifest = BackupManifest {
            log,
            vault: HEXLOWER.encode(&copy.vault.vault),
            part,
            made_at: self.made_at.clone(),
            entry: self.entry,
            size,
            root,
            schema: copy.schema,
            rows: copy
                .rows
                .into_iter()
                .map(|(table, count)| (table.to_owned(), count))
                .collect(),
            keys: self.keys.clone(),
            length,
            sha256,
        };
        Ok(CopiedPart {
            manifest: self.keyring.sign_backup(&manifest)?,
            length,
            content,
            file: copy.file,
        })
    }
}

fn unreadable(fault: &std::io::Error) -> Error {
    StoreError::Database(format!("a copy of a store: {fault}")).into()
}

/// Bytes of a file, and SHA-256 over them.
fn hashed(mut file: &std::fs::File) -> Result<(u64, Hash), Error> {
    let (mut digest, mut length) = (Context::new(&SHA256), 0);
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block).map_err(|fault| unreadable(&fault))?;
        let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        digest.update(bytes);
        length += bytes.len() as u64;
    }
    let sha256 = Hash::try_from(digest.finish().as_ref()).map_err(|_| StoreError::Corrupt("a hash"))?;
    Ok((length, sha256))
}
