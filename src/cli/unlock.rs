//! `callervault unlock`.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::client::{Answer, Client};
use super::opener::PiecesFrom;
use super::server::Reach;
use super::{Done, Failure, say};
use crate::vault::life::gathering::Brought;

/// How long it waits its turn while other passphrases or shares are tried or were wrong. Each of those who guess may come before once, and
/// makes all wait for half a minute at most.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Room for the body: each byte of the longest passphrase may take six.
const LARGEST_BODY: usize = 6 * 1024 + 64;
const PATH: &str = "/v1/keys/unlock";

/// It takes the passphrase, one share or more, or a PIN, and no token: nobody can be known before. Each holder of a share runs it, in any order
/// and from any machine, until enough of them did. The server forgets the shares when no further one comes in time. Where several servers
/// serve one vault, each is unlocked by itself.
#[derive(Args)]
pub(super) struct Unlock {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    pieces: PiecesFrom,
    /// What is typed, or read in place of the passphrase, is the PIN of a hardware module. It is taken on the machine of the server alone.
    #[arg(long, conflicts_with_all = ["share_files", "share_fd"])]
    pin: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Body<'p> {
    Passphrase(&'p str),
    Share(&'p str),
    Pin(&'p str),
}

impl Unlock {
    pub(super) fn run(self) -> Done {
        let client = self.reach.client()?;
        let mut last = None;
        let pieces = if self.pin {
            vec![self.pieces.brought_pin()?]
        } else {
            self.pieces.pieces()?
        };
        for brought in pieces {
            let answer = sent(&client, &brought)?;
            last = waits_for_more(&answer);
            if last.is_some() {
                continue;
            }
            let answer = answer.good(&["/index"])?;
            let index = answer.get("index").map(ToString::to_string).unwrap_or_default();
            say(format!("unlocked, log entry {index}"))?;
            return Ok(());
        }
        if let Some((shares, threshold)) = last {
            say(format!(
                "{shares} of {threshold} shares are in; the vault opens when {threshold} are"
            ))?;
        }
        Ok(())
    }
}

/// How many shares are in, and how many it takes.
fn waits_for_more(answer: &Answer) -> Option<(usize, u64)> {
    let body = answer.json();
    let shares = body.get("shares_in").and_then(Value::as_array)?.len();
    let threshold = body.get("threshold").and_then(Value::as_u64)?;
    (answer.status == 202).then_some((shares, threshold))
}

/// Sends it, and waits its turn.
fn sent(client: &Client, brought: &Brought) -> Result<Answer, Failure> {
    let mut body = Zeroizing::new(Vec::with_capacity(LARGEST_BODY));
    let written = match brought {
        Brought::Passphrase(passphrase) => serde_json::to_writer(&mut *body, &Body::Passphrase(passphrase.text())),
        Brought::Pin(pin) => serde_json::to_writer(&mut *body, &Body::Pin(pin.text())),
        Brought::Share(share) => {
            let text = share.text().map_err(Failure::unavailable)?;
            serde_json::to_writer(&mut *body, &Body::Share(text.text()))
        }
    };
    written.map_err(Failure::unavailable)?;
    let begun = Instant::now();
    let mut answer = client.post_secret(PATH, &body)?;
    while begun.elapsed() < PATIENCE {
        let Some(wait) = waits(&answer) else { break };
        client.wait_for(wait, "others are tried, or were wrong");
        answer = client.post_secret(PATH, &body)?;
    }
    Ok(answer)
}

fn waits(answer: &Answer) -> Option<Duration> {
    answer.retry_after.filter(|_| answer.status == 429)
}
