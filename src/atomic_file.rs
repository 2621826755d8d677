//! Files that are written whole or not at all, for their owner only.
//!
//! The bytes go to a temporary file in the same directory, of mode 0600 from its first byte. It is flushed, then renamed, then
//! the directory is flushed. A reader sees the old file or the new one. So does the next start after a power cut; it may also
//! find the temporary file, named after the file that it was for.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use tempfile::{NamedTempFile, TempPath};

/// Puts these bytes under this name, in place of the file that is there, if one is. They are durable when this returns.
///
/// # Errors
/// Those of the file system. The old file is in its place then, unless only the last flush failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist(path)?;
    flush(directory_of(path))
}

/// Puts these bytes under a name that no file has yet. They are durable when this returns.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]; that file is left as it is. Those of the file system.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist_noclobber(path)?;
    flush(directory_of(path))
}

/// Tries whether [`create`] would do: the name is free, and a file of so many bytes can be written beside it. It is deleted again.
///
/// # Errors
/// As [`create`].
pub fn can_create(path: &Path, length: usize) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => written_beside(path, &vec![0; length])?.close(),
        Err(error) => Err(error),
    }
}

/// Makes the name of a file that is there durable.
///
/// # Errors
/// Those of the file system.
pub fn keep_name(path: &Path) -> io::Result<()> {
    flush(directory_of(path))
}

/// Makes a directory, and those above it that are missing. Their names are durable when this returns.
///
/// # Errors
/// Those of the file system.
pub fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = directory_of(path);
    create_directory(above)?;
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => flush(above),
    }
}

/// A file that gets its name once it is whole: before that, it is gone as soon as the process ends, however it ends.
pub struct NewFile {
    file: File,
    /// Where the file system has no files without a name: its temporary one.
    named: Option<TempPath>,
    path: PathBuf,
}

impl NewFile {
    /// A file for this name, which no file has yet.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`]; those of the file system.
    pub fn at(path: &Path) -> io::Result<Self> {
        match path.symlink_metadata() {
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let (file, named) = match rustix::fs::open(directory_of(path), flags, Mode::RUSR | Mode::WUSR) {
            Ok(unnamed) => (unnamed.into(), None),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let (file, name) = named_beside(path)?.into_parts();
                (file, Some(name))
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            file,
            named,
            path: path.to_owned(),
        })
    }

    /// Gives it its name. Bytes and name are durable when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`]; that file is left as it is, and this one is gone. Those of the file system.
    pub fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.named {
            Some(name) => name.persist_noclobber(&self.path)?,
            None => {
                let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, unnamed, CWD, &self.path, AtFlags::SYMLINK_FOLLOW)?;
            }
        }
        flush(directory_of(&self.path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new file for its owner only that has its name from the first byte on: where the process ends before its time, the next can find it.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]; those of the file system.
pub fn new_with_its_name(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Puts zeros in place of every byte of a file, before it is deleted. They are durable when this returns.
///
/// # Errors
/// Those of the file system.
pub fn overwrite(mut file: File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_data()
}

/// As [`overwrite`], of the file that has this name.
///
/// # Errors
/// Those of the file system.
pub fn overwrite_at(path: &Path) -> io::Result<()> {
    overwrite(OpenOptions::new().write(true).open(path)?)
}

/// Makes a directory for its owner only, and those above it that are missing.
///
/// # Errors
/// Those of the file system.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Gives a directory another name, which nothing or an empty directory has. It is durable when this returns.
///
/// # Errors
/// [`ErrorKind::DirectoryNotEmpty`]; those of the file system.
pub fn put_directory(from: &Path, to: &Path) -> io::Result<()> {
    flush(from)?;
    std::fs::rename(from, to)?;
    flush(directory_of(to))
}

/// A temporary file with these bytes, flushed. It is deleted when it is dropped before it has its name.
fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = named_beside(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// An empty temporary file, named after the one that it is for.
fn named_beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    tempfile::Builder::new().prefix(&prefix).tempfile_in(directory_of(path))
}

fn directory_of(path: &Path) -> &Path {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.unwrap_or_else(|| Path::new("."))
}

fn flush(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LENGTH: usize = 1 << 20;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// What a reader finds in the directory: each file is private, and the one that is replaced has one of its contents.
    fn read_whole(directory: &Path, path: &Path) {
        for name in names(directory) {
            if let Ok(metadata) = fs::metadata(directory.join(&name)) {
                assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
            }
        }
        let content = fs::read(path).unwrap();
        assert_eq!(content.len(), LENGTH);
        assert!(content.iter().all(|byte| *byte == content[0]));
    }

    #[test]
    fn a_reader_sees_one_content_or_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        replace(&path, &vec![0; LENGTH]).unwrap();
        let ends = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !ends.load(Ordering::Relaxed) || reads == 0 {
                    read_whole(directory.path(), &path);
                    reads += 1;
                }
            });
            for content in 1..=50 {
                replace(&path, &vec![content; LENGTH]).unwrap();
            }
            ends.store(true, Ordering::Relaxed);
            reader.join().unwrap();
        });
        assert_eq!(fs::read(&path).unwrap()[0], 50);
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn a_file_that_others_could_read_becomes_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut open = File::open(&path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(
            io::read_to_string(&mut open).unwrap(),
            "old",
            "whoever had it open reads on"
        );
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        create(&path, b"first").unwrap();
        assert_eq!(mode(&path), 0o600);
        let error = create(&path, b"second").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let (mut one, mut other) = (NewFile::at(&path).unwrap(), NewFile::at(&path).unwrap());
        one.write_all(b"first").unwrap();
        other.write_all(b"second").unwrap();
        assert!(
            names(directory.path()).is_empty(),
            "a process that ends here leaves nothing"
        );
        one.keep().unwrap();
        assert_eq!(other.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(NewFile::at(&path).err().unwrap().kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"first".to_vec(), 0o600));
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn a_directory_takes_the_place_of_an_empty_one_only() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        create_private_directory(&from.join("below")).unwrap();
        assert_eq!(mode(&from), 0o700);
        create_private_directory(&to.join("other")).unwrap();
        assert_eq!(
            put_directory(&from, &to).unwrap_err().kind(),
            ErrorKind::DirectoryNotEmpty
        );
        fs::remove_dir(to.join("other")).unwrap();
        put_directory(&from, &to).unwrap();
        assert_eq!(
            (names(directory.path()), names(&to)),
            (vec!["to".to_owned()], vec!["below".to_owned()])
        );
    }

    #[test]
    fn what_cannot_be_put_in_place_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("directory");
        create_directory(&path.join("below")).unwrap();
        create_directory(&path.join("below")).unwrap();
        assert!(replace(&path, b"bytes").is_err());
        assert_eq!(names(directory.path()), ["directory"]);
        assert_eq!(names(&path), ["below"]);
    }
}
