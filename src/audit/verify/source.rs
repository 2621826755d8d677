//! Where a log's files are read from.

use std::io::ErrorKind;
use std::path::PathBuf;

/// A file could not be read, and not because it is absent.
#[derive(Debug)]
pub struct NoFile(pub String);

/// The files of a log below its prefix (C2SP tlog-tiles).
pub trait Source: Sync {
    /// A file's bytes; nothing if there is no such file.
    ///
    /// # Errors
    /// [`NoFile`] when nobody can tell.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, NoFile>;

    /// The newest checkpoint that witnesses have cosigned; nothing if there is none.
    ///
    /// # Errors
    /// As `read`.
    fn cosigned(&self) -> Result<Option<Vec<u8>>, NoFile>;
}

/// The file of the newest cosigned checkpoint in a directory.
pub const COSIGNED: &str = "checkpoint.cosigned";

/// A log as a directory of files, as `audit export` writes it.
pub struct Directory(PathBuf);

impl Directory {
    /// The log in this directory.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self(root)
    }
}

impl Source for Directory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, NoFile> {
        let file = self.0.join(path);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            // A directory of that name is where the partial tiles are: the full one is absent.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(NoFile(format!("{}: {error}", file.display()))),
        }
    }

    fn cosigned(&self) -> Result<Option<Vec<u8>>, NoFile> {
        self.read(COSIGNED)
    }
}
