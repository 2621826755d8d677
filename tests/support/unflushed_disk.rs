//! A disk that loses what was not flushed, mounted by FUSE: the kernel brings it every write and every flush of every process,
//! whichever library they come from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use rustix::mount::UnmountFlags;

use crate::support::unflushed::{Change, Medium};

/// How long the kernel may remember what it was told of a file. Only the kernel changes any.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// A directory on such a disk, until it is taken off.
pub(crate) struct Disk {
    session: BackgroundSession,
    directory: PathBuf,
    medium: Arc<Mutex<Medium>>,
}

impl Disk {
    /// Mounts one over a directory with all that is in it; none where that is not allowed or there is no FUSE.
    pub(crate) fn over(directory: &Path) -> std::io::Result<Self> {
        let medium = Arc::new(Mutex::new(Medium::of(directory)));
        let mounted = Mounted(Arc::clone(&medium));
        let session = fuser::spawn_mount(mounted, directory, &Config::default())?;
        Ok(Self {
            session,
            directory: directory.to_owned(),
            medium,
        })
    }

    /// How much has happened to it.
    pub(crate) fn moment(&self) -> usize {
        self.medium.lock().unwrap().moment()
    }

    /// Unmounts it. What is there when nobody has a file of it open any more is what was there at the last one's end.
    pub(crate) fn taken_off(self) -> Medium {
        // At once for those who look for it, and in the end when the last file is closed: a process that another test is just
        // starting may hold copies of this one's descriptors for a moment.
        rustix::mount::unmount(&*self.directory, UnmountFlags::DETACH).unwrap();
        // Where the last file is closed while a request waits to be read, the kernel says that it has dropped the connection.
        if let Err(ended) = self.session.join() {
            assert_eq!(ended.kind(), std::io::ErrorKind::ConnectionAborted, "{ended}");
        }
        let medium = Arc::into_inner(self.medium).expect("the file system has ended");
        medium.into_inner().unwrap()
    }
}

struct Mounted(Arc<Mutex<Medium>>);

impl Mounted {
    fn medium(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().unwrap()
    }
}

fn attributes(medium: &Medium, number: u64, asked: &Request) -> Option<FileAttr> {
    let node = medium.now.nodes.get(&number)?;
    let size = node.file.as_ref().map_or(0, Vec::len) as u64;
    let names = medium.now.names.values().filter(|named| **named == number).count();
    Some(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: kind(node.file.is_none()),
        perm: node.mode,
        nlink: if node.file.is_some() {
            u32::try_from(names).unwrap()
        } else {
            2
        },
        uid: asked.uid(),
        gid: asked.gid(),
        rdev: 0,
        flags: 0,
        blksize: 4096,
    })
}

const fn kind(directory: bool) -> FileType {
    if directory {
        FileType::Directory
    } else {
        FileType::RegularFile
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// What is not here (`mkdir`, links, other attributes) the kernel is told is not implemented.
impl Filesystem for Mounted {
    fn lookup(&self, asked: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let medium = self.medium();
        let found = medium.now.names.get(&(parent.0, name.to_owned()));
        match found.and_then(|number| attributes(&medium, *number, asked)) {
            Some(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, asked: &Request, number: INodeNo, _open: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&self.medium(), number.0, asked) {
            Some(attributes) => reply.attr(&REMEMBERED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        asked: &Request,
        number: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _accessed: Option<TimeOrNow>,
        _modified: Option<TimeOrNow>,
        _changed: Option<SystemTime>,
        _open: Option<FileHandle>,
        _made: Option<SystemTime>,
        _changed_too: Option<SystemTime>,
        _backed_up: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut medium = self.medium();
        let file = number.0;
        if let Some(mode) = mode {
            medium.chmod(file, u16::try_from(mode & 0o7777).unwrap());
        }
        if let Some(length) = size.map(place) {
            medium.change(Change::Cut { file, length });
        }
        match attributes(&medium, file, asked) {
            Some(attributes) => reply.attr(&REMEMBERED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn create(
        &self,
        asked: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mut medium = self.medium();
        let mode = u16::try_from(mode & !umask & 0o7777).unwrap();
        let number = medium.make(parent.0, name, mode);
        match attributes(&medium, number, asked) {
            Some(attributes) => reply.created(
                &REMEMBERED,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::empty(),
            ),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn read(
        &self,
        _asked: &Request,
        number: INodeNo,
        _open: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let medium = self.medium();
        let Some(bytes) = medium.now.nodes.get(&number.0).and_then(|node| node.file.as_ref()) else {
            return reply.error(Errno::EISDIR);
        };
        let from = place(offset).min(bytes.len());
        let to = (from + size as usize).min(bytes.len());
        reply.data(&bytes[from..to]);
    }

    fn write(
        &self,
        _asked: &Request,
        number: INodeNo,
        _open: FileHandle,
        offset: u64,
        data: &[u8],
        _how: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.medium().change(Change::Written {
            file: number.0,
            at: place(offset),
            bytes: data.to_vec(),
        });
        reply.written(u32::try_from(data.len()).unwrap());
    }

    fn fsync(&self, _asked: &Request, number: INodeNo, _open: FileHandle, _only_data: bool, reply: ReplyEmpty) {
        self.medium().flush(number.0);
        reply.ok();
    }

    fn fsyncdir(&self, _asked: &Request, number: INodeNo, _open: FileHandle, _only_data: bool, reply: ReplyEmpty) {
        self.medium().flush(number.0);
        reply.ok();
    }

    fn unlink(&self, _asked: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.medium().change(Change::Unnamed {
            directory: parent.0,
            name: name.to_owned(),
        });
        reply.ok();
    }

    fn rename(
        &self,
        _asked: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        new: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        // Neither from one directory to another nor by exchange: the vault does not do so.
        if parent != to || !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        self.medium().change(Change::Renamed {
            directory: parent.0,
            from: name.to_owned(),
            to: new.to_owned(),
        });
        reply.ok();
    }

    fn readdir(&self, _asked: &Request, number: INodeNo, _open: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let medium = self.medium();
        for (at, (name, node)) in medium.now.within(number.0).enumerate().skip(place(offset)) {
            let kind = kind(medium.now.nodes[&node].file.is_none());
            if reply.add(INodeNo(node), at as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }
}
