//! A vault that is made once and copied.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use callervault::clock::System;
use callervault::model::key_roles::Suite;
use callervault::vault::life::open::Running;
use tokio::sync::OnceCell;

use crate::support::World;

/// What is below a directory, each directory before what is in it.
pub(crate) fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.clone());
        if path.is_dir() {
            found.extend(below(&path));
        }
    }
    found
}

/// Removes all that is in a directory.
pub(crate) fn empty(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
        removed.unwrap();
    }
}

/// Files and directories: their paths from above, their modes, and what is in a file.
pub(crate) struct Files(Vec<(PathBuf, Permissions, Option<Vec<u8>>)>);

impl Files {
    pub(crate) fn of(directory: &Path) -> Self {
        let take = |path: PathBuf| {
            let name = path.strip_prefix(directory).unwrap().to_owned();
            let content = path.is_file().then(|| std::fs::read(&path).unwrap());
            (name, path.metadata().unwrap().permissions(), content)
        };
        Self(below(directory).into_iter().map(take).collect())
    }

    /// Puts them back into their directory, in place of what is there now.
    pub(crate) fn put_back(&self, directory: &Path) {
        empty(directory);
        self.put_into(directory);
    }

    pub(crate) fn put_into(&self, directory: &Path) {
        for (name, mode, content) in &self.0 {
            let path = directory.join(name);
            match content {
                Some(content) => std::fs::write(&path, content).unwrap(),
                None => std::fs::create_dir(&path).unwrap(),
            }
            std::fs::set_permissions(&path, mode.clone()).unwrap();
        }
    }
}

/// Making a vault and its staff takes two derivations of a key from a passphrase and some sixty entries of a log: it is done once in
/// a process, and each test has a copy.
pub(crate) struct Made {
    pub(crate) files: Files,
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) ids: BTreeMap<String, String>,
}

/// One of each suite.
pub(crate) static MADE: [OnceCell<Made>; Suite::ALL.len()] = [const { OnceCell::const_new() }; Suite::ALL.len()];

impl Made {
    pub(crate) async fn new(suite: Suite) -> Self {
        let (world, app) = World::made_in(suite, Arc::new(System), Running::patient()).await;
        drop(app);
        world.settle();
        Self {
            files: Files::of(world.dir.path()),
            tokens: world.tokens,
            ids: world.ids,
        }
    }
}
