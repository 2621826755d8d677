//! What a disk holds, what of it has been flushed, and what a power cut may leave of the rest.
//!
//! As POSIX has it and no kinder: `fsync` of a file makes its content durable and not its name; a name is durable once its
//! directory was flushed. Whatever was not flushed may be lost, and any part of it may have reached the disk in any order.
//! Not shown: modes and times (they count as durable at once), and damage to what was flushed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::support::made::empty;

/// The number of the directory that everything is below.
pub(crate) const ROOT: u64 = 1;

/// A file or directory; its mode, for a file its bytes.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) mode: u16,
    pub(crate) file: Option<Vec<u8>>,
}

/// Files and directories by number, and their numbers by directory and name.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) nodes: BTreeMap<u64, Node>,
    pub(crate) names: BTreeMap<(u64, OsString), u64>,
}

/// One change that is not durable before what it is of has been flushed.
#[derive(Clone)]
pub(crate) enum Change {
    Written {
        file: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: u64,
        length: usize,
    },
    Named {
        directory: u64,
        name: OsString,
        node: u64,
    },
    Unnamed {
        directory: u64,
        name: OsString,
    },
    Renamed {
        directory: u64,
        from: OsString,
        to: OsString,
    },
}

impl Change {
    /// The file or directory whose flush makes it durable.
    const fn of(&self) -> u64 {
        match self {
            Self::Written { file, .. } | Self::Cut { file, .. } => *file,
            Self::Named { directory, .. } | Self::Unnamed { directory, .. } | Self::Renamed { directory, .. } => {
                *directory
            }
        }
    }

    /// Only its first half, as when the power fails in the middle of it.
    fn half(&self) -> Self {
        let mut half = self.clone();
        if let Self::Written { bytes, .. } = &mut half {
            bytes.truncate(bytes.len() / 2);
        }
        half
    }
}

impl State {
    /// Everything in a directory, under new numbers.
    fn of(directory: &Path) -> Self {
        let mut state = Self::default();
        state.nodes.insert(ROOT, Node::read(directory));
        state.read(directory, ROOT);
        state
    }

    fn read(&mut self, directory: &Path, number: u64) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let node = self.add(Node::read(&entry.path()));
            self.names.insert((number, entry.file_name()), node);
            if entry.path().is_dir() {
                self.read(&entry.path(), node);
            }
        }
    }

    fn add(&mut self, node: Node) -> u64 {
        let number = self.nodes.keys().next_back().map_or(ROOT, |last| last + 1);
        self.nodes.insert(number, node);
        number
    }

    fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::Written { file, at, bytes } => {
                let content = self.bytes(file);
                content.resize(content.len().max(at + bytes.len()), 0);
                content[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            Change::Cut { file, length } => self.bytes(file).resize(length, 0),
            Change::Named { directory, name, node } => {
                self.names.insert((directory, name), node);
            }
            Change::Unnamed { directory, name } => {
                self.names.remove(&(directory, name));
            }
            Change::Renamed { directory, from, to } => {
                if let Some(node) = self.names.remove(&(directory, from)) {
                    self.names.insert((directory, to), node);
                }
            }
        }
    }

    fn bytes(&mut self, file: u64) -> &mut Vec<u8> {
        let node = self.nodes.get_mut(&file).unwrap();
        node.file.as_mut().unwrap()
    }

    /// What is in a directory, by name.
    pub(crate) fn within(&self, directory: u64) -> impl Iterator<Item = (&OsStr, u64)> {
        let names = self.names.iter().filter(move |((of, _), _)| *of == directory);
        names.map(|((_, name), node)| (name.as_os_str(), *node))
    }

    /// Puts it into a directory, in place of what is there.
    pub(crate) fn put_into(&self, directory: &Path) {
        empty(directory);
        self.write(directory, ROOT);
    }

    fn write(&self, directory: &Path, number: u64) {
        for (name, node) in self.within(number) {
            let path = directory.join(name);
            let Node { mode, file } = &self.nodes[&node];
            if let Some(bytes) = file {
                let mut options = OpenOptions::new();
                let file = options.write(true).create_new(true).mode((*mode).into()).open(&path);
                file.unwrap().write_all(bytes).unwrap();
            } else {
                fs::create_dir(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode((*mode).into())).unwrap();
                self.write(&path, node);
            }
        }
    }
}

impl Node {
    fn read(path: &Path) -> Self {
        let metadata = fs::metadata(path).unwrap();
        Self {
            mode: u16::try_from(metadata.permissions().mode() & 0o7777).unwrap(),
            file: metadata.is_file().then(|| fs::read(path).unwrap()),
        }
    }
}

/// What a power cut leaves of the changes that were not flushed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Left {
    Nothing,
    /// Of each file and directory all but the last.
    AllButLast,
    /// Of each file and directory the last.
    OnlyLast,
    EverySecond,
    /// Of each write the first half of its bytes.
    Halves,
    /// All of what is in the directory of this name, nothing elsewhere.
    Within(&'static str),
    /// As when only the process dies.
    Everything,
}

/// What happened to a disk.
enum Event {
    Changed(Change),
    /// This file or directory.
    Flushed(u64),
}

/// A disk: as it was, as it looks while there is power, and all that happened in between, in its order.
pub(crate) struct Medium {
    pub(crate) now: State,
    first: State,
    events: Vec<Event>,
}

impl Medium {
    /// A disk with all that is in a directory, flushed.
    pub(crate) fn of(directory: &Path) -> Self {
        let first = State::of(directory);
        Self {
            now: first.clone(),
            first,
            events: Vec::new(),
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.now.apply(&change);
        self.events.push(Event::Changed(change));
    }

    /// Makes a file under a name.
    pub(crate) fn make(&mut self, directory: u64, name: &OsStr, mode: u16) -> u64 {
        let empty = Node {
            mode,
            file: Some(Vec::new()),
        };
        let node = self.now.add(empty.clone());
        // Without a name nobody finds it.
        self.first.nodes.insert(node, empty);
        let name = name.to_owned();
        self.change(Change::Named { directory, name, node });
        node
    }

    pub(crate) fn chmod(&mut self, node: u64, mode: u16) {
        for state in [&mut self.now, &mut self.first] {
            state.nodes.get_mut(&node).unwrap().mode = mode;
        }
    }

    /// `fsync` or `fdatasync` of a file, or of a directory.
    pub(crate) fn flush(&mut self, node: u64) {
        self.events.push(Event::Flushed(node));
    }

    /// How much has happened.
    pub(crate) fn moment(&self) -> usize {
        self.events.len()
    }

    /// The file of this name.
    pub(crate) fn file(&self, name: &str) -> u64 {
        let mut names = self.now.names.iter();
        let found = names.find(|((_, other), _)| other == name);
        *found.expect("a file of this name").1
    }

    /// The moments at which this file was about to be flushed.
    pub(crate) fn before_flushes_of(&self, file: u64) -> Vec<usize> {
        let events = self.events.iter().enumerate();
        let flushes = events.filter(|(_, event)| matches!(event, Event::Flushed(of) if *of == file));
        flushes.map(|(at, _)| at).collect()
    }

    /// The power fails at this moment.
    pub(crate) fn cut_at(&self, moment: usize) -> Cut {
        let mut cut = Cut {
            flushed: self.first.clone(),
            pending: Vec::new(),
        };
        for event in &self.events[..moment] {
            match event {
                Event::Changed(change) => cut.pending.push(change.clone()),
                Event::Flushed(node) => {
                    for change in cut.pending.extract_if(.., |change| change.of() == *node) {
                        cut.flushed.apply(&change);
                    }
                }
            }
        }
        cut
    }
}

/// A disk at the moment when the power failed.
pub(crate) struct Cut {
    flushed: State,
    pending: Vec<Change>,
}

impl Cut {
    /// Whether something that was written to this file was not flushed.
    pub(crate) fn is_amid_writes_to(&self, file: u64) -> bool {
        self.pending.iter().any(|change| change.of() == file)
    }

    /// What is there afterwards.
    pub(crate) fn after(&self, left: Left) -> State {
        let mut state = self.flushed.clone();
        for (at, change) in self.pending.iter().enumerate() {
            let is_last = || self.pending[at + 1..].iter().all(|later| later.of() != change.of());
            let survives = match left {
                Left::Nothing => false,
                Left::AllButLast => !is_last(),
                Left::OnlyLast => is_last(),
                Left::EverySecond => at % 2 == 1,
                Left::Within(directory) => self.is_within(change.of(), directory),
                Left::Halves | Left::Everything => true,
            };
            if survives && left == Left::Halves {
                state.apply(&change.half());
            } else if survives {
                state.apply(change);
            }
        }
        state
    }

    /// Whether it is the directory of this name, or in it once all that is pending has been done.
    fn is_within(&self, node: u64, directory: &str) -> bool {
        let above = self.flushed.names[&(ROOT, directory.into())];
        let made = |change: &Change| match change {
            Change::Named {
                directory, node: made, ..
            } => *directory == above && *made == node,
            _ => false,
        };
        node == above || self.flushed.within(above).any(|(_, within)| within == node) || self.pending.iter().any(made)
    }
}
