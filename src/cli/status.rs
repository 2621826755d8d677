//! `callervault status`.

use clap::Args;

use super::client::not_a_vault;
use super::server::Reach;
use super::show::quiet_lines;
use super::{Done, say};

/// The server to ask. It needs no token.
#[derive(Args)]
pub(super) struct Status {
    #[command(flatten)]
    reach: Reach,
}

impl Status {
    pub(super) fn run(self) -> Done {
        let answer = self.reach.client()?.get_without_token("/readyz")?;
        if answer.status != 200 {
            return Err(answer.good(&[]).err().unwrap_or_else(not_a_vault));
        }
        // Nothing else says so, whatever it answers with status 200.
        if !answer.text.starts_with("ready") {
            return Err(not_a_vault());
        }
        say(quiet_lines(answer.text.trim_end()))?;
        Ok(())
    }
}
