//! Files that hold a secret: a passphrase, a token, a code, a private key. One rule says who else may have a part in them.
//!
//! A file is opened once. Its descriptor is checked and read, so that nobody can put another file in between.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getegid, geteuid, getgroups};
use zeroize::Zeroizing;

const OTHERS: u32 = 0o007;
const GROUP_WRITES: u32 = 0o020;
const GROUP_READS: u32 = 0o040;
/// The user and the group that may read everything anyway.
const ROOT: u32 = 0;
/// Longest file that is read whole, in bytes: many times a private key in PEM.
const LONGEST: u64 = 64 * 1024;

/// Whether a group may read secrets. Set once, from the command line, before the first file is opened.
static GROUP_MAY_READ: AtomicBool = AtomicBool::new(false);

/// Why a file of a secret is not used.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    /// It cannot be opened or read.
    #[error("{0}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// It is longer than any secret.
    #[error("{0} is longer than {LONGEST} bytes\n  name a file that holds the secret and nothing else")]
    TooLong(PathBuf),
    /// It belongs to somebody else than root and whoever runs the program.
    #[error("{0} belongs to another user, who can read it\n  chown it to root or to the user who runs callervault")]
    Foreign(PathBuf),
    /// Every user has a part in it.
    #[error("other users can read or write {0}\n  chmod o= it, or chmod 0600")]
    Others(PathBuf),
    /// Its group can write it.
    #[error("the group of {0} can write it\n  chmod g-w it, or chmod 0600")]
    GroupWrites(PathBuf),
    /// Its group can read it, and nobody said that this is meant.
    #[error(
        "the group of {0} can read it\n  chmod 0600 it; if this group is meant to read it, give --allow-group-secrets"
    )]
    GroupReads(PathBuf),
    /// A group can read it that is not the program's.
    #[error("the group of {0} can read it, and callervault does not run in that group\n  chgrp it, or chmod 0600")]
    ForeignGroup(PathBuf),
}

/// Lets the group of a secret's file read it from now on, if the program runs in that group.
pub fn allow_group() {
    GROUP_MAY_READ.store(true, Ordering::Relaxed);
}

/// Opens a file that only root and the user who runs the program can read, or also their group where that is allowed.
///
/// # Errors
/// [`BadSecret`] says who else can read or write it.
pub fn open(path: &Path) -> Result<File, BadSecret> {
    let unreadable = |error| BadSecret::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    let found = Found::new(&file.metadata().map_err(unreadable)?);
    found.check(&Reader::this().map_err(unreadable)?, path)?;
    Ok(file)
}

/// The bytes of such a file.
///
/// # Errors
/// As [`open`]; [`BadSecret::TooLong`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, BadSecret> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = open(path)?.take(LONGEST + 1).read_to_end(&mut bytes);
    let count = read.map_err(|error| BadSecret::Unreadable(path.to_owned(), error))?;
    if count as u64 > LONGEST {
        return Err(BadSecret::TooLong(path.to_owned()));
    }
    Ok(bytes)
}

/// Whose a file is, and who has a part in it.
struct Found {
    mode: u32,
    owner: u32,
    group: u32,
}

/// Who runs the program.
struct Reader {
    user: u32,
    groups: Vec<u32>,
    group_may_read: bool,
}

impl Reader {
    fn this() -> io::Result<Self> {
        let further = getgroups()?.into_iter();
        Ok(Self {
            user: geteuid().as_raw(),
            // A service manager's access list shows as the rights of root's group.
            groups: further
                .chain([getegid()])
                .map(|group| group.as_raw())
                .chain([ROOT])
                .collect(),
            group_may_read: GROUP_MAY_READ.load(Ordering::Relaxed),
        })
    }
}

impl Found {
    fn new(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode(),
            owner: metadata.uid(),
            group: metadata.gid(),
        }
    }

    fn check(&self, reader: &Reader, path: &Path) -> Result<(), BadSecret> {
        let has = |rights| self.mode & rights != 0;
        let bad = if self.owner != ROOT && self.owner != reader.user {
            BadSecret::Foreign
        } else if has(OTHERS) {
            BadSecret::Others
        } else if has(GROUP_WRITES) {
            BadSecret::GroupWrites
        } else if has(GROUP_READS) && !reader.group_may_read {
            BadSecret::GroupReads
        } else if has(GROUP_READS) && !reader.groups.contains(&self.group) {
            BadSecret::ForeignGroup
        } else {
            return Ok(());
        };
        Err(bad(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: u32 = 990;
    const GROUP: u32 = 107;

    /// What is said of a file to a program that runs as `USER` in `GROUP`.
    fn said(mode: u32, owner: u32, group: u32, group_may_read: bool) -> Option<String> {
        let reader = Reader {
            user: USER,
            groups: vec![GROUP, ROOT],
            group_may_read,
        };
        // As it stands in the metadata of a regular file.
        let found = Found {
            mode: 0o100_000 | mode,
            owner,
            group,
        };
        let refused = found.check(&reader, Path::new("secret")).err()?;
        Some(refused.to_string().lines().next()?.to_owned())
    }

    #[test]
    fn the_owner_alone() {
        for mode in [0o600, 0o400, 0o700] {
            for owner in [USER, ROOT] {
                for allowed in [false, true] {
                    assert_eq!(said(mode, owner, 5, allowed), None, "{mode:o} of {owner}");
                }
            }
        }
        let foreign = said(0o600, 1000, GROUP, true).unwrap();
        assert!(foreign.contains("belongs to another user"), "{foreign}");
    }

    #[test]
    fn a_group_that_the_program_runs_in_where_that_is_allowed() {
        for (mode, owner) in [(0o640, ROOT), (0o440, ROOT), (0o640, USER), (0o440, USER)] {
            assert_eq!(said(mode, owner, GROUP, true), None, "{mode:o} of {owner}");
            assert_eq!(said(mode, owner, ROOT, true), None, "{mode:o} of {owner}");
            let not_allowed = said(mode, owner, GROUP, false).unwrap();
            assert!(
                not_allowed.ends_with("the group of secret can read it"),
                "{not_allowed}"
            );
            let another = said(mode, owner, 5, true).unwrap();
            assert!(another.contains("does not run in that group"), "{another}");
        }
    }

    #[test]
    fn nobody_else_ever() {
        for others in 1..=7 {
            let words = said(0o640 | others, ROOT, GROUP, true).unwrap();
            assert!(words.starts_with("other users"), "{others}: {words}");
        }
        for group in [0o620, 0o660, 0o420] {
            let words = said(group, ROOT, GROUP, true).unwrap();
            assert!(words.contains("can write it"), "{group:o}: {words}");
        }
    }
}
