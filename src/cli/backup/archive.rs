//! The file of a backup.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use age::stream::StreamWriter;
use age::x25519::Recipient;
use age::{Decryptor, Encryptor, IdentityFile};
use ring::digest::{Context, SHA256};
use tar::{Builder, EntryType, Header};

use crate::atomic_file::NewFile;
use crate::cli::Failure;
use crate::merkle::Hash;
use crate::model::backups::Part;
use crate::note::{BackupManifest, NoteError, Verifier, unverified_text};
use crate::secret_file;

/// The first member: the manifest.
const MANIFEST: &str = "manifest";
/// No manifest is longer.
const LONGEST_MANIFEST: u64 = 64 * 1024;
/// What an age file begins with.
const AGE: &[u8] = b"age-encryption.org/";
/// Bytes of a header, and what content is padded to a multiple of (POSIX.1-2001, ustar).
const RECORD: usize = 512;
/// Bytes of nothing at the end.
const END: u64 = 1024;
/// Bytes that are moved at once.
const BLOCK: usize = 256 * 1024;

/// The second member: the copy of a store, under the name that it has in a vault.
const fn member(part: Part) -> &'static str {
    match part {
        Part::Data => "vault.db",
        Part::Keys => "keystore.db",
    }
}

/// A manifest and the note that it stands in.
pub(in crate::cli) struct Manifest {
    pub(in crate::cli) note: String,
    pub(in crate::cli) told: BackupManifest,
}

impl Manifest {
    /// The manifest in a note, which one of these keys has signed. Without keys it is only what the note says.
    pub(in crate::cli) fn read(note: String, keys: &[Verifier]) -> Result<Self, NoteError> {
        let told = if keys.is_empty() {
            BackupManifest::parse(unverified_text(&note)?)?
        } else {
            BackupManifest::open(&note, keys)?
        };
        Ok(Self { note, told })
    }
}

/// Bytes on their way into a file.
enum Sealing {
    Plain(BufWriter<NewFile>),
    Encrypted(StreamWriter<BufWriter<NewFile>>),
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// Writes a backup into a file, whose content comes from a reader; the file, which has no name yet. The content must be what the manifest
/// says.
///
/// # Errors
/// Those of the reader and of the file system; [`io::ErrorKind::InvalidData`] for another content.
pub(super) fn written(
    file: NewFile,
    recipients: &[Recipient],
    manifest: &Manifest,
    content: &mut dyn Read,
) -> io::Result<NewFile> {
    let file = BufWriter::with_capacity(BLOCK, file);
    let sealing = if recipients.is_empty() {
        Sealing::Plain(file)
    } else {
        let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        Sealing::Encrypted(encryptor.wrap_output(file)?)
    };
    let mut builder = Builder::new(sealing);
    let told = &manifest.told;
    let note = manifest.note.as_bytes();
    builder.append(&header(MANIFEST, note.len() as u64, &told.made_at)?, note)?;
    let mut content = Hashed::new(content);
    builder.append(&header(member(told.part), told.length, &told.made_at)?, &mut content)?;
    if !content.fits(told) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file = match builder.into_inner()? {
        Sealing::Plain(file) => file,
        Sealing::Encrypted(stream) => stream.finish()?,
    };
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Bytes of nothing behind so many bytes.
const fn padding(length: u64) -> u64 {
    length.next_multiple_of(RECORD as u64) - length
}

fn header(name: &str, length: u64, made_at: &str) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(length);
    let made_at = made_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    header.set_mtime(made_at.try_into().unwrap_or_default());
    header.set_cksum();
    Ok(header)
}

/// What is read, counted and hashed.
struct Hashed<R> {
    from: R,
    digest: Context,
    length: u64,
}

impl<R> Hashed<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            digest: Context::new(&SHA256),
            length: 0,
        }
    }

    /// Whether it was all that the manifest speaks of.
    fn fits(self, told: &BackupManifest) -> bool {
        let sha256 = Hash::try_from(self.digest.finish().as_ref());
        self.length == told.length && sha256.is_ok_and(|sha256| sha256 == told.sha256)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(bytes)?;
        if let Some(read) = bytes.get(..count) {
            self.digest.update(read);
            self.length += count as u64;
        }
        Ok(count)
    }
}

/// A backup in a file.
pub(in crate::cli) struct Archive<'f> {
    /// Its file.
    pub(in crate::cli) file: &'f Path,
    /// The file with the age identities that open it, if it is encrypted.
    pub(in crate::cli) identity: Option<&'f Path>,
    /// The keys of which one must have signed its manifest, where they are known.
    pub(in crate::cli) keys: &'f [Verifier],
}

impl Archive<'_> {
    /// The manifest alone. What follows it is not looked at.
    pub(in crate::cli) fn manifest(&self) -> Result<Manifest, Failure> {
        self.first(&mut *self.opened()?)
    }

    /// All of it: the copy of the store goes to `to`, and `progress` hears how many bytes have. The file is what [`written`] makes of them
    /// and of the manifest, to the last bit, when this returns.
    pub(in crate::cli) fn unpack(&self, to: &mut dyn Write, progress: &dyn Fn(u64)) -> Result<Manifest, Failure> {
        let mut from = self.opened()?;
        let manifest = self.first(&mut *from)?;
        let told = &manifest.told;
        let expected = header(member(told.part), told.length, &told.made_at).map_err(|fault| self.damaged(&fault))?;
        if self.block(&mut *from)? != *expected.as_bytes() {
            return Err(self.wrong("its manifest speaks of another copy of a store than it holds"));
        }
        let mut content = Hashed::new((&mut from).take(told.length));
        self.moved(&mut content, to, progress)?;
        if !content.fits(told) {
            return Err(self.wrong("the copy of the store is not the one that the manifest was signed for"));
        }
        self.zeros(&mut *from, padding(told.length) + END)?;
        match from.read(&mut [0]) {
            Ok(0) => Ok(manifest),
            Ok(_) => Err(self.wrong("something follows its end")),
            Err(fault) => Err(self.damaged(&fault)),
        }
    }

    fn first(&self, from: &mut dyn Read) -> Result<Manifest, Failure> {
        let block = self.block(from)?;
        let mut first = Header::new_ustar();
        first.as_mut_bytes().copy_from_slice(&block);
        let length = first.entry_size().ok().filter(|length| *length <= LONGEST_MANIFEST);
        let length = length.filter(|_| first.path_bytes().as_ref() == MANIFEST.as_bytes());
        let length = length.ok_or_else(|| self.wrong("it does not begin with a manifest"))?;
        let mut note = String::new();
        let read = Read::take(&mut *from, length).read_to_string(&mut note);
        read.map_err(|fault| self.damaged(&fault))?;
        self.zeros(from, padding(length))?;
        let manifest = Manifest::read(note, self.keys).map_err(|fault| self.refused(fault))?;
        let length = manifest.note.len() as u64;
        let expected = header(MANIFEST, length, &manifest.told.made_at).map_err(|fault| self.damaged(&fault))?;
        if block == *expected.as_bytes() {
            Ok(manifest)
        } else {
            Err(self.wrong("it was cut or changed, or is no backup"))
        }
    }

    fn block(&self, from: &mut dyn Read) -> Result<[u8; RECORD], Failure> {
        let mut block = [0; RECORD];
        from.read_exact(&mut block).map_err(|fault| self.damaged(&fault))?;
        Ok(block)
    }

    /// So many bytes of nothing.
    fn zeros(&self, from: &mut dyn Read, count: u64) -> Result<(), Failure> {
        let mut rest = Vec::new();
        from.take(count)
            .read_to_end(&mut rest)
            .map_err(|fault| self.damaged(&fault))?;
        if rest.len() as u64 == count && rest.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(self.wrong("it was cut or changed"))
        }
    }

    /// Moves bytes: what cannot be read is damage, what cannot be written is not.
    fn moved(&self, from: &mut dyn Read, to: &mut dyn Write, progress: &dyn Fn(u64)) -> Result<(), Failure> {
        let (mut block, mut moved) = (vec![0; BLOCK], 0);
        loop {
            let read = from.read(&mut block).map_err(|fault| self.damaged(&fault))?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            to.write_all(bytes).map_err(|fault| not_written(&fault))?;
            moved += read as u64;
            progress(moved);
        }
    }

    fn opened(&self) -> Result<Box<dyn Read>, Failure> {
        let unreadable = |fault: io::Error| Failure::usage(format!("{}: {fault}", self.file.display()));
        let mut file = BufReader::with_capacity(BLOCK, File::open(self.file).map_err(unreadable)?);
        if !file.fill_buf().map_err(unreadable)?.starts_with(AGE) {
            return Ok(Box::new(file));
        }
        let Some(identity) = self.identity else {
            return Err(Failure::usage(format!(
                "{} is encrypted\n  give --identity with the file of an age identity that it was encrypted to",
                self.file.display()
            )));
        };
        let identities = identities(identity)?;
        let decryptor = Decryptor::new_buffered(file).map_err(|_| self.wrong("its age header cannot be read"))?;
        let identities = identities.iter().map(|identity| &**identity as &dyn age::Identity);
        let stream = decryptor.decrypt(identities).map_err(|fault| match fault {
            age::DecryptError::NoMatchingKeys => Failure::usage(format!(
                "{} is not encrypted to any identity in {}\n  give the identity of one of its recipients",
                self.file.display(),
                identity.display()
            )),
            _ => self.wrong("its age header was changed"),
        })?;
        Ok(Box::new(stream))
    }

    fn damaged(&self, fault: &io::Error) -> Failure {
        // A disk that cannot be read is named; what the libraries make of bad bytes is not worth telling apart.
        if fault.raw_os_error().is_some() {
            return Failure::unavailable(format!("{}: {fault}", self.file.display()));
        }
        self.wrong("it was cut or changed, or is no backup")
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::check_failed(format!(
            "TAMPERED: {}: {what}\n  use another copy; keep this one as evidence if nobody can explain it",
            self.file.display()
        ))
    }

    fn refused(&self, fault: NoteError) -> Failure {
        let remedy = match fault {
            NoteError::UnknownKey => {
                "it is another vault's, or signed by an older key of the log: give that key as --key too"
            }
            NoteError::Backup => "its manifest is of another log of this vault, or of a newer version of the program",
            _ => "use another copy; keep this one as evidence if nobody can explain it",
        };
        Failure::check_failed(format!("TAMPERED: {}: {fault}\n  {remedy}", self.file.display()))
    }
}

/// The identities in a file of mode 0600.
fn identities(path: &Path) -> Result<Vec<Box<dyn age::Identity + Send + Sync>>, Failure> {
    let file = BufReader::new(secret_file::open(path)?);
    // The library's words quote the line, which may be a secret.
    let bad = || {
        Failure::usage(format!(
            "{} holds no age identity\n  give a file as age-keygen makes it, with a line AGE-SECRET-KEY-1…",
            path.display()
        ))
    };
    let identities = IdentityFile::from_buffer(file).map_err(|_| bad())?;
    let identities = identities.into_identities().map_err(|_| bad())?;
    if identities.is_empty() {
        Err(bad())
    } else {
        Ok(identities)
    }
}

/// Why something was not written.
pub(in crate::cli) fn not_written(fault: &io::Error) -> Failure {
    Failure::unavailable(match fault.kind() {
        io::ErrorKind::StorageFull => {
            "no space is left on the device; nothing was left behind\n  free some space, then try again".to_owned()
        }
        _ => format!("{fault}; nothing was left behind"),
    })
}
