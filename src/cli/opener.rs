//! What opens a vault, as people bring it: the passphrase, shares, or the PIN of a hardware module.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::passphrase::{PassphraseFrom, named, pin, terminal, typed, typed_pin};
use super::terminal::Terminal;
use crate::keyring::KeyError;
use crate::keyring::unlock::{Hsm, Means, Passphrase, Pin, Share, Shares};
use crate::vault::life::gathering::Brought;

/// One prompt for both: a share begins like no passphrase.
const PROMPT: &str = "Passphrase, or a share: ";

#[derive(Args)]
pub(super) struct OpenerFrom {
    #[command(flatten)]
    pieces: PiecesFrom,
    /// The vault opens by a hardware module: the path of its PKCS #11 library. Its PIN is read in place of the passphrase.
    #[arg(long, value_name = "LIBRARY", conflicts_with_all = ["share_files", "share_fd"])]
    pkcs11: Option<PathBuf>,
}

impl OpenerFrom {
    /// What is in the files and behind the descriptors that are named, if any are. Nobody is asked.
    pub(super) fn given(&self) -> Result<Option<Means>, Failure> {
        let Some(module) = self.module() else {
            return self.pieces.given();
        };
        Ok(self.pieces.pin()?.map(|pin| Means::Hsm(Hsm { module, pin })))
    }

    /// What opens a vault that exists. Where nothing is named, it is asked for on the terminal: the passphrase, one share after the
    /// other, or the PIN.
    pub(super) fn read(&self) -> Result<Means, Failure> {
        match (self.given()?, self.module()) {
            (Some(means), _) => Ok(means),
            (None, None) => asked(&terminal()?),
            (None, Some(module)) => Ok(Means::Hsm(Hsm {
                module,
                pin: typed_pin()?,
            })),
        }
    }

    /// The library of the hardware module.
    pub(super) fn module(&self) -> Option<PathBuf> {
        self.pkcs11.clone()
    }
}

/// A passphrase, a share or a PIN, for a server or for a vault that is opened here.
#[derive(Args)]
pub(super) struct PiecesFrom {
    #[command(flatten)]
    passphrase: PassphraseFrom,
    /// Read a share from this file, mode 0600. Repeat for more.
    #[arg(long = "share-file", value_name = "FILE", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    share_files: Vec<PathBuf>,
    /// Read a share from this open file descriptor; 0 is standard input.
    #[arg(long, value_name = "N", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    share_fd: Option<u32>,
}

impl PiecesFrom {
    fn given(&self) -> Result<Option<Means>, Failure> {
        let mut pieces = self.named()?.into_iter();
        let Some(first) = pieces.next() else { return Ok(None) };
        let mut shares = Shares::default();
        match first {
            Brought::Passphrase(passphrase) => return Ok(Some(Means::Passphrase(passphrase))),
            Brought::Share(share) => drop(shares.add(share).map_err(Failure::usage)?),
            Brought::Pin(_) => return Err(Failure::usage(KeyError::ModuleNotNamed)),
        }
        for piece in pieces {
            if let Brought::Share(share) = piece {
                shares.add(share).map_err(Failure::usage)?;
            }
        }
        if !shares.are_enough() {
            return Err(Failure::usage(KeyError::TooFewShares));
        }
        Ok(Some(Means::Shares(shares)))
    }

    /// The PIN in a file or behind a descriptor, if one is named.
    fn pin(&self) -> Result<Option<Pin>, Failure> {
        pin(&self.passphrase)
    }

    /// The PIN that is brought now.
    pub(super) fn brought_pin(&self) -> Result<Brought, Failure> {
        self.pin()?.map_or_else(typed_pin, Ok).map(Brought::Pin)
    }

    /// What is brought now: all that is named, or one secret that is typed.
    pub(super) fn pieces(&self) -> Result<Vec<Brought>, Failure> {
        let named = self.named()?;
        if named.is_empty() {
            return Ok(vec![brought(typed(&terminal()?, PROMPT)?).map_err(Failure::usage)?]);
        }
        Ok(named)
    }

    fn named(&self) -> Result<Vec<Brought>, Failure> {
        if let Some(passphrase) = self.passphrase.given()? {
            return Ok(vec![brought(passphrase).map_err(Failure::usage)?]);
        }
        let mut pieces = Vec::new();
        let files = self.share_files.iter().map(|file| (Some(file.as_path()), None));
        let descriptor = self.share_fd.map(|number| (None, Some(number)));
        for (file, descriptor) in files.chain(descriptor) {
            if let Some(text) = named(file, descriptor)? {
                let place = file.map_or_else(|| "the descriptor".to_owned(), |file| file.display().to_string());
                let share = Share::read(text.text()).map_err(|error| Failure::usage(format!("{place}: {error}")))?;
                pieces.push(Brought::Share(share));
            }
        }
        Ok(pieces)
    }
}

fn brought(text: Passphrase) -> Result<Brought, KeyError> {
    if Share::is_meant(text.text()) {
        return Share::read(text.text()).map(Brought::Share);
    }
    Ok(Brought::Passphrase(text))
}

/// Asks for the passphrase, or for shares until there are enough. One that was mistyped, or is in already, is asked for again.
fn asked(terminal: &Terminal) -> Result<Means, Failure> {
    let mut shares = Shares::default();
    let mut prompt = PROMPT.to_owned();
    loop {
        let share = match brought(typed(terminal, &prompt)?) {
            Ok(Brought::Passphrase(passphrase)) if shares.is_empty() => return Ok(Means::Passphrase(passphrase)),
            Ok(Brought::Passphrase(_) | Brought::Pin(_)) | Err(KeyError::BadShare) => {
                terminal.show(&format!("{}\n", KeyError::BadShare))?;
                continue;
            }
            Ok(Brought::Share(share)) => share,
            Err(error) => return Err(Failure::unavailable(error)),
        };
        match shares.add(share) {
            Ok(progress) => {
                terminal.show(&format!("{progress} shares are in.\n"))?;
                prompt = "Next share: ".to_owned();
            }
            Err(error) => terminal.show(&format!("{error}\n"))?,
        }
        if shares.are_enough() {
            return Ok(Means::Shares(shares));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::cli::shares_to::tests::made;
    use crate::cli::terminal::tests::{shown_until, terminal};

    /// Shares as they are shown to people, of a vault of its own.
    fn shares(threshold: u8, count: u8) -> Vec<String> {
        let shares = made(threshold, count);
        let texts = shares
            .iter()
            .map(|share| share.grouped().unwrap().text().replace("\n    ", " "));
        texts.collect()
    }

    #[test]
    fn several_people_type_their_shares_in_any_order() {
        let (mut person, program) = terminal();
        let [mine, others] = [shares(3, 5), shares(2, 2)];
        let mistyped = mine[1].replace(&mine[1][20..21], if &mine[1][20..21] == "q" { "p" } else { "q" });
        let means = std::thread::scope(|scope| {
            let asking = scope.spawn(|| asked(&program));
            assert_eq!(shown_until(&person, "share: "), PROMPT);
            let mut type_in = |text: &str, said: &str| {
                person.write_all(format!("{text}\n").as_bytes()).unwrap();
                let shown = shown_until(&person, "share: ");
                assert!(shown.contains(said) && !shown.contains("cvsh"), "{shown}");
            };
            type_in(&mine[4], "1 of 3");
            type_in(&mistyped, "mistyped");
            type_in("correct horse battery staple", "mistyped");
            type_in(&mine[4].to_uppercase(), "share 5 is in already");
            type_in(&others[0], "does not belong");
            type_in(&mine[0], "2 of 3");
            person.write_all(format!("{}\n", mine[2]).as_bytes()).unwrap();
            asking.join().unwrap().ok().unwrap()
        });
        assert!(matches!(means, Means::Shares(shares) if shares.are_enough()));
    }
}
