//! `callervault lock`.

use clap::Args;

use super::Done;
use super::server::{Asking, Call};
use super::show::Column;

const COLUMNS: &[Column] = &[("locked, log entry", "/index")];

/// It takes the token of a system administrator. SIGUSR1 locks a server without one.
#[derive(Args)]
pub(super) struct Lock {
    #[command(flatten)]
    asking: Asking,
}

impl Lock {
    pub(super) fn run(self) -> Done {
        let server = self.asking.server()?;
        server.change(&Call::new("POST", "/v1/keys/lock", None), COLUMNS)
    }
}
