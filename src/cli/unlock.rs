//! `callervault unlock`.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::client::{Answer, Client};
use super::passphrase::PassphraseFrom;
use super::server::Reach;
use super::{Done, Failure, say};
use crate::keyring::unlock::Passphrase;

/// How long it waits its turn while other passphrases are tried or were wrong. Each of those who guess may come before once, and makes all
/// wait for half a minute at most.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Room for the body: each byte of the longest passphrase may take six.
const LARGEST_BODY: usize = 6 * 1024 + 64;

/// It takes the passphrase and no token: nobody can be known before.
#[derive(Args)]
pub(super) struct Unlock {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    passphrase: PassphraseFrom,
}

#[derive(Serialize)]
struct Body<'p> {
    passphrase: &'p str,
}

impl Unlock {
    pub(super) fn run(self) -> Done {
        let client = self.reach.client()?;
        let answer = sent(&client, &self.passphrase.read()?)?.good(&["/index"])?;
        let index = answer.get("index").map(ToString::to_string).unwrap_or_default();
        say(format!("unlocked, log entry {index}"))?;
        Ok(())
    }
}

/// Sends it, and waits its turn.
fn sent(client: &Client, passphrase: &Passphrase) -> Result<Answer, Failure> {
    let mut body = Zeroizing::new(Vec::with_capacity(LARGEST_BODY));
    let text = passphrase.text();
    serde_json::to_writer(&mut *body, &Body { passphrase: text }).map_err(Failure::unavailable)?;
    let begun = Instant::now();
    let mut answer = client.post_secret("/v1/keys/unlock", &body)?;
    while begun.elapsed() < PATIENCE {
        let Some(wait) = waits(&answer) else { break };
        client.wait_for(wait, "other passphrases are tried, or were wrong");
        answer = client.post_secret("/v1/keys/unlock", &body)?;
    }
    Ok(answer)
}

fn waits(answer: &Answer) -> Option<Duration> {
    answer.retry_after.filter(|_| answer.status == 429)
}
