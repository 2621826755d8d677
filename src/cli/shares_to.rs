//! Where new shares go: each to another person, once.

use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use clap::Args;
use zeroize::Zeroizing;

use super::terminal::Terminal;
use super::{Done, Failure, aside, say};
use crate::atomic_file;
use crate::keyring::unlock::{Scheme, Share, Shares};

#[derive(Args)]
pub(super) struct SharesTo {
    /// Open by shares and not by a passphrase: this many, 2 to 255, each for another person.
    #[arg(long, value_name = "N", requires = "threshold")]
    shares: Option<u8>,
    /// How many of the shares open the vault together: 2 to all.
    #[arg(long, value_name = "K", requires = "shares")]
    threshold: Option<u8>,
    /// age public key (age1…) of a person who gets a share. Repeat, once for each share: share 1 is for the first.
    #[arg(long = "custodian", value_name = "AGE-KEY", requires = "shares")]
    custodians: Vec<String>,
    /// Write each share into a new file of its own in this directory (mode 0600). Without it, shares for custodians are printed, encrypted;
    /// others are shown on the terminal, one after the other.
    #[arg(long, value_name = "DIR", requires = "shares")]
    shares_dir: Option<PathBuf>,
}

impl SharesTo {
    /// How they are handed out, once it is clear that they can be; nothing where no shares are wanted.
    pub(super) fn ready(&self) -> Result<Option<HandingOut<'_>>, Failure> {
        let (Some(shares), Some(threshold)) = (self.shares, self.threshold) else {
            return Ok(None);
        };
        let scheme = Scheme::new(threshold, shares).map_err(Failure::usage)?;
        let custodians = recipients(&self.custodians)?;
        if !custodians.is_empty() && custodians.len() != usize::from(shares) {
            return Err(Failure::usage(format!(
                "{} shares and {} custodians\n  give --custodian once for each share, or not at all",
                shares,
                custodians.len()
            )));
        }
        let to = match &self.shares_dir {
            Some(directory) => To::Files(directory),
            None if custodians.is_empty() => To::Terminal(Terminal::open(
                "no terminal to show the shares on\n  give --custodian for each share, or --shares-dir",
            )?),
            None => To::Output,
        };
        Ok(Some(HandingOut { scheme, custodians, to }))
    }
}

/// Public keys, each of another person. What is none is not repeated: somebody may have taken the secret one for it.
fn recipients(keys: &[String]) -> Result<Vec<Recipient>, Failure> {
    let mut recipients = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (number, key) in (1..).zip(keys) {
        let recipient: Recipient = key.trim().parse().map_err(|_| {
            Failure::usage(format!(
                "custodian {number}: not an age public key\n  it begins with age1; `age-keygen -y` shows that of a secret key"
            ))
        })?;
        let canonical = recipient.to_string();
        if let Some(first) = seen.iter().position(|other| *other == canonical) {
            return Err(Failure::usage(format!(
                "custodians {} and {number} are the same\n  each share is for another person",
                first + 1
            )));
        }
        seen.push(canonical);
        recipients.push(recipient);
    }
    Ok(recipients)
}

/// Shares that are about to be handed out.
pub(super) struct HandingOut<'p> {
    pub(super) scheme: Scheme,
    custodians: Vec<Recipient>,
    to: To<'p>,
}

enum To<'p> {
    /// A directory, a file for each.
    Files(&'p Path),
    /// The terminal, one after the other.
    Terminal(Terminal),
    /// Standard output: they are encrypted.
    Output,
}

/// Files of shares. They are overwritten and removed again unless they are [kept](Self::keep): shares that open nothing are only mistaken for
/// others.
#[must_use = "what is not kept is removed again"]
pub(super) struct HandedOut(Vec<PathBuf>);

impl HandedOut {
    /// They open the vault, or may do so.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for HandedOut {
    fn drop(&mut self) {
        for file in &self.0 {
            let overwritten = atomic_file::overwrite_at(file);
            if overwritten.and(std::fs::remove_file(file)).is_err() {
                aside(format!("{} is left, and opens nothing: destroy it", file.display()));
            }
        }
    }
}

impl HandingOut<'_> {
    /// Hands them out. Nobody has them otherwise.
    pub(super) fn hand_out(&self, shares: &Shares) -> Result<HandedOut, Failure> {
        let mut files = HandedOut(Vec::new());
        if let To::Files(directory) = &self.to {
            atomic_file::create_directory(directory)
                .map_err(|error| Failure::unavailable(format!("{}: {error}", directory.display())))?;
        }
        for (at, share) in shares.iter().enumerate() {
            let encrypted = self.custodians.get(at).map(|to| encrypted(share, to)).transpose()?;
            match (&self.to, encrypted) {
                (To::Files(directory), encrypted) => {
                    let kind = if encrypted.is_some() { "age" } else { "txt" };
                    let file = directory.join(format!("share-{}.{kind}", share.number()));
                    write(&file, share, encrypted.as_deref())?;
                    files.0.push(file);
                }
                (To::Output, encrypted) => {
                    say(format!("share {} of {}:", share.number(), self.scheme.shares()))?;
                    say(encrypted.unwrap_or_default())?;
                }
                (To::Terminal(terminal), _) => self.show(terminal, share)?,
            }
        }
        Ok(files)
    }

    fn show(&self, terminal: &Terminal, share: &Share) -> Done {
        let (number, scheme) = (share.number(), self.scheme);
        let whose = format!(
            "Share {number} of {}, any {} of which open the vault",
            scheme.shares(),
            scheme.threshold()
        );
        terminal.show_once(&whose, share.grouped().map_err(Failure::unavailable)?.text())
    }

    /// Says what was handed out.
    pub(super) fn tell(&self) -> Done {
        let (threshold, shares) = (self.scheme.threshold(), self.scheme.shares());
        if let To::Files(directory) = &self.to {
            say(format!(
                "shares:     {}  (hand each file to another person)",
                directory.display()
            ))?;
        }
        say(format!(
            "any {threshold} of the {shares} shares open the vault: callervault unlock"
        ))?;
        Ok(())
    }
}

/// A share that only the holder of this key can read, as a text file of age.
fn encrypted(share: &Share, to: &Recipient) -> Result<String, Failure> {
    let text = share.text().map_err(Failure::unavailable)?;
    let line = Zeroizing::new(format!("{}\n", text.text()));
    age::encrypt_and_armor(to, line.as_bytes()).map_err(|error| Failure::unavailable(error.to_string()))
}

/// Writes a share into a new file that only its owner may read.
fn write(file: &Path, share: &Share, encrypted: Option<&str>) -> Done {
    let text = share.text().map_err(Failure::unavailable)?;
    let plain = Zeroizing::new(format!("{}\n", text.text()));
    let bytes = encrypted.unwrap_or(&plain).as_bytes();
    atomic_file::create(file, bytes).map_err(|error| Failure::unavailable(format!("{}: {error}", file.display())))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keyring::unlock::{Choice, create};
    use crate::model::key_roles::Suite;
    use crate::randomness::System;
    use crate::store::rows::{One, VaultRow};

    /// Shares of a vault of its own.
    pub(in crate::cli) fn made(threshold: u8, count: u8) -> Shares {
        let vault = VaultRow {
            one: One,
            vault: [threshold; 16],
            origin: "a.example/log/1".to_owned(),
        };
        let choice = Choice::Shares(Scheme::new(threshold, count).unwrap());
        let keys = create(&vault, choice, Suite::Aes, jiff::Timestamp::UNIX_EPOCH, &System);
        keys.ok().unwrap().root.shares
    }

    #[test]
    fn a_custodian_is_named_once_and_by_an_age_key() {
        let [one, other] = [(); 2].map(|()| age::x25519::Identity::generate().to_public().to_string());
        let refused = |keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            recipients(&keys).err().map(|failure| failure.words)
        };
        assert_eq!(refused(&[&one, &other]), None);
        let twice = refused(&[&one, &other, &one.to_uppercase()]).unwrap();
        assert!(twice.starts_with("custodians 1 and 3 are the same"), "{twice}");
        for bad in ["", "age1", "zhang.wei@example.cn", &one[..40], "AGE-SECRET-KEY-1ABCDEF"] {
            let words = refused(&[&one, bad]).unwrap();
            assert!(words.starts_with("custodian 2: not an age public key"), "{words}");
            assert!(bad.is_empty() || bad == "age1" || !words.contains(bad), "{words}");
        }
    }

    /// By another name of each file it can be seen what becomes of its bytes.
    #[test]
    fn shares_that_are_not_kept_are_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let [given, other] = ["given", "other"].map(|name| directory.path().join(name));
        std::fs::create_dir(&other).unwrap();
        let out = HandingOut {
            scheme: Scheme::new(2, 3).unwrap(),
            custodians: Vec::new(),
            to: To::Files(&given),
        };
        let names = ["share-1.txt", "share-2.txt", "share-3.txt"];
        let handed = out.hand_out(&made(2, 3)).ok().unwrap();
        for name in names {
            std::fs::hard_link(given.join(name), other.join(name)).unwrap();
        }
        drop(handed);
        assert_eq!(std::fs::read_dir(&given).unwrap().count(), 0);
        for name in names {
            let bytes = std::fs::read(other.join(name)).unwrap();
            assert!(bytes.len() > 80 && bytes.iter().all(|byte| *byte == 0), "{name}");
        }
        out.hand_out(&made(2, 3)).ok().unwrap().keep();
        assert!(std::fs::read(given.join(names[0])).unwrap().starts_with(b"cvshare1"));
    }

    #[test]
    fn a_custodian_reads_their_share_and_nobody_else_does() {
        let shares = made(2, 2);
        let share = shares.iter().next().unwrap();
        let [holder, other] = [(); 2].map(|()| age::x25519::Identity::generate());
        let text = encrypted(share, &holder.to_public()).ok().unwrap();
        assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !text.contains("cvshare"));
        let read = age::decrypt(&holder, text.as_bytes()).unwrap();
        let read = Share::read(std::str::from_utf8(&read).unwrap()).ok().unwrap();
        assert_eq!(read.number(), 1);
        assert!(age::decrypt(&other, text.as_bytes()).is_err());
    }
}
