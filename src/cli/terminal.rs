//! The terminal: whoever sits before it is asked and answers. What is shown there goes into no file and no pipe.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;

/// Longest answer, in bytes.
const LONGEST: u64 = 4096;
/// Clears the screen and what can be scrolled back to (ECMA-48 ED, with xterm's 3).
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// The terminal that this process is run from.
pub(super) struct Terminal(File);

impl Terminal {
    /// Opens it; `instead` says what to give where there is none.
    pub(super) fn open(instead: &str) -> Result<Self, Failure> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
        terminal.map(Self).map_err(|_| Failure::usage(instead.to_owned()))
    }

    /// The terminal itself.
    pub(super) const fn file(&self) -> &File {
        &self.0
    }

    /// Shows some text as it is.
    pub(super) fn show(&self, text: &str) -> Result<(), Failure> {
        (&self.0).write_all(text.as_bytes()).map_err(gone)
    }

    /// Asks, and waits for a line of what is typed.
    pub(super) fn ask(&self, prompt: &str) -> Result<String, Failure> {
        self.show(prompt)?;
        // Byte by byte: what is typed ahead is the answer to the next question.
        let (mut line, mut byte) = (Vec::new(), [0]);
        for _ in 0..LONGEST {
            if (&self.0).read(&mut byte).map_err(gone)? == 0 {
                return Err(Failure::usage("the terminal was closed before it answered"));
            }
            if byte == *b"\n" {
                let line = String::from_utf8(line).map_err(|_| Failure::usage("that is not text in UTF-8"))?;
                return Ok(line.trim().to_owned());
            }
            line.extend(byte);
        }
        Err(Failure::usage("that is too long"))
    }

    /// Shows a secret to one person, who says when to begin and when it is written down. The screen is cleared then.
    pub(super) fn show_once(&self, whose: &str, secret: &str) -> Result<(), Failure> {
        self.ask(&format!(
            "{whose}: only its owner should see what comes now. Enter shows it. "
        ))?;
        self.show(&format!("\n    {secret}\n\n"))?;
        self.ask("Enter clears the screen, once it is kept. ")?;
        self.show(CLEAR)
    }
}

fn gone(error: std::io::Error) -> Failure {
    Failure::unavailable(format!("the terminal: {error}"))
}

/// A terminal that shows nothing of what is typed but the end of the line, until this is dropped.
pub(super) struct Silent<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Silent<'t> {
    pub(super) fn new(terminal: &'t File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        // What was typed before it was asked for is not the answer.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing either.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::fd::OwnedFd;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A terminal's two ends: the person's, and the program's.
    pub(in crate::cli) fn terminal() -> (File, Terminal) {
        let person: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let mut options = OpenOptions::new();
        let program = options.read(true).write(true).open(name.to_str().unwrap()).unwrap();
        (person.into(), Terminal(program))
    }

    /// What the person sees, up to this.
    pub(in crate::cli) fn shown_until(mut screen: &File, end: &str) -> String {
        let mut shown = Vec::new();
        while !shown.ends_with(end.as_bytes()) {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap();
            shown.extend_from_slice(&byte);
        }
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_shown_to_one_person_and_cleared() {
        let (mut person, terminal) = terminal();
        std::thread::scope(|scope| {
            let showing = scope.spawn(|| terminal.show_once("auditor", "cvt_secret"));
            let before = shown_until(&person, "Enter shows it. ");
            assert!(before.starts_with("auditor:") && !before.contains("cvt_"), "{before}");
            person.write_all(b"\n").unwrap();
            let shown = shown_until(&person, "once it is kept. ");
            assert!(shown.contains("cvt_secret") && !shown.contains(CLEAR), "{shown:?}");
            person.write_all(b"\n").unwrap();
            shown_until(&person, CLEAR);
            showing.join().unwrap().ok().unwrap();
        });
    }

    #[test]
    fn what_is_typed_ahead_is_the_next_answer() {
        let (mut person, terminal) = terminal();
        person.write_all(b" one \ntwo\n").unwrap();
        let answers = ["? ", "? "].map(|prompt| terminal.ask(prompt).ok().unwrap());
        assert_eq!(answers, ["one", "two"]);
    }
}
