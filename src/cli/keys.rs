//! `callervault keys`.

use std::num::NonZeroU32;
use std::thread::sleep;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::opener::OpenerFrom;
use super::rekey::Rekey;
use super::server::{Asking, Call, Server};
use super::show::Column;
use super::{Done, Failure, Where, runtime, say, unlocked};
use crate::model::key_roles::{KeyRole, Suite};
use crate::vault::life::open::{OpenError, Running};

const KEYS: &str = "/v1/keys";
/// Each question is an entry of the log.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(2);

const VERSIONS: &[Column] = &[
    ("key", "/role"),
    ("version", "/version"),
    ("suite", "/suite"),
    ("active", "/active"),
    ("made at", "/made_at"),
    ("days", "/age_days"),
    ("left", "/left"),
    ("destroyed at", "/destroyed_at"),
];
const REWRAPS: &[Column] = &[
    ("rewrap of", "/role"),
    ("to version", "/version"),
    ("state", "/state"),
    ("looked at", "/seen"),
    ("of", "/total"),
    ("moved", "/moved"),
    ("broken", "/broken"),
    ("started at", "/started_at"),
    ("done at", "/ended_at"),
];
const CHANGED: &[Column] = &[("key", "/role"), ("version", "/version"), ("log entry", "/audit/index")];
const ROTATED: &[Column] = &[
    ("key", "/role"),
    ("version", "/version"),
    ("suite", "/suite"),
    ("log entry", "/audit/index"),
];

/// The vault's keys: their versions, through a running server (a system administrator's token is needed), and the public keys of the
/// log.
#[derive(Args)]
pub(super) struct Keys {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(flatten)]
    Administer(Administer),
    /// Show the public keys that check the log, while no process serves the vault: of the log in force first, then of those that
    /// it followed.
    ShowLogKey(ShowLogKey),
    /// Change what opens the vault, while no process serves it: other holders of shares, another threshold, another passphrase, or shares
    /// instead of a passphrase and back. No data is touched.
    Rekey(Box<Rekey>),
}

/// What a system administrator does with keys.
#[derive(Subcommand)]
enum Administer {
    /// List the versions of each key, what is left under them, and how far rewraps have come.
    List,
    /// Give a key a new version, with a second person's approval. Everything new is made with it.
    Rotate {
        /// What the key is for.
        #[arg(value_parser = roles())]
        role: String,
        /// The algorithms that the new version is used with [default: those of the version before it].
        #[arg(long, value_parser = suites())]
        suite: Option<Suite>,
    },
    /// Move what older versions of keys made to the newest, in the background and while everybody works.
    Rewrap {
        /// Only what was made with this key [default: with any].
        #[arg(value_parser = roles())]
        role: Option<String>,
        /// Rows a second, at most [default: as many as can be].
        #[arg(long, value_name = "N")]
        rate: Option<NonZeroU32>,
        /// Show how far it has come until it is done. Each look is a log entry.
        #[arg(long)]
        watch: bool,
    },
    /// Destroy an older version of a key that nothing is under any more, with a second person's approval.
    Destroy {
        /// What the key is for.
        #[arg(value_parser = roles())]
        role: String,
        /// Which version.
        version: u8,
    },
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(KeyRole::ALL.iter().map(|role| role.as_str()))
}

/// The words of the suites.
pub(super) fn suites() -> impl TypedValueParser<Value = Suite> {
    PossibleValuesParser::new(Suite::ALL.iter().map(|suite| suite.as_str())).try_map(|word| word.parse::<Suite>())
}

/// It takes what opens the vault: the public key is stored nowhere, but follows from the sealed private one. A stored copy could be
/// replaced by whoever writes the files, and an auditor would then trust a forger's key.
#[derive(Args)]
struct ShowLogKey {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
}

impl Keys {
    pub(super) fn run(self) -> Done {
        match self.what {
            What::Administer(verb) => verb.run(&self.asking.server()?),
            What::ShowLogKey(show) => show.run(),
            What::Rekey(rekey) => rekey.run(),
        }
    }
}

impl Administer {
    fn run(self, server: &Server) -> Done {
        let post = |verb: &str, body: Value| Call::new("POST", format!("{KEYS}/{verb}"), Some(body));
        match self {
            Self::List => {
                let keys = server.get(KEYS)?;
                server.show_all(&items(&keys, "keys"), VERSIONS)?;
                show_rewraps(server, &keys)
            }
            Self::Rotate { role, suite } => {
                let body = json!({"role": role, "suite": suite});
                server.change(&post("rotate", body), ROTATED)
            }
            Self::Destroy { role, version } => {
                let body = json!({"role": role, "version": version});
                server.change(&post("destroy", body), CHANGED)
            }
            Self::Rewrap { role, rate, watch } => {
                let started = server
                    .send(&post("rewrap", json!({"role": role, "rate": rate})), None)?
                    .good(&["/rewraps"])?;
                if watch {
                    return watched(server, &items(&started, "rewraps"));
                }
                show_rewraps(server, &started)
            }
        }
    }
}

fn items(answer: &Value, name: &str) -> Vec<Value> {
    answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn show_rewraps(server: &Server, answer: &Value) -> Done {
    server.show_all(&items(answer, "rewraps"), REWRAPS)
}

/// Shows how far these rewraps have come until none goes on.
fn watched(server: &Server, started: &[Value]) -> Done {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows {per_sec} {msg}");
    let bar = ProgressBar::new(0).with_style(style.map_err(Failure::unavailable)?);
    let is_one = |line: &Value| started.iter().any(|one| one.get("role") == line.get("role"));
    loop {
        let progress = server.get(&format!("{KEYS}/rewraps"))?;
        let lines: Vec<Value> = items(&progress, "rewraps").into_iter().filter(is_one).collect();
        let sum = |name| lines.iter().filter_map(|line| line.get(name)?.as_u64()).sum::<u64>();
        bar.set_length(sum("total"));
        bar.set_position(sum("seen"));
        let in_state = |state: &str| {
            let is = |line: &&Value| line.get("state").and_then(Value::as_str) == Some(state);
            lines.iter().find(is).and_then(|line| line.get("role")?.as_str())
        };
        if let Some(role) = in_state("running") {
            bar.set_message(role.to_owned());
            sleep(BETWEEN_QUESTIONS);
            continue;
        }
        bar.finish_and_clear();
        server.show_all(&lines, REWRAPS)?;
        return match in_state("halted") {
            Some(role) => Err(Failure::refused(format!(
                "the rewrap of {role} is halted: whoever started it may not any more\n  start it again: callervault keys rewrap {role}"
            ))),
            None => Ok(()),
        };
    }
}

impl ShowLogKey {
    fn run(self) -> Done {
        let opener = self.opener.read()?;
        let keys = runtime()?.block_on(async {
            // An unlock like any other: the log is proved with these keys, and has an entry of it.
            let vault = unlocked(&self.place.places(), &opener, ("keys", "keys"), Running::patient()).await?;
            Ok::<_, OpenError>(vault.public_log_keys().await?)
        })?;
        for key in keys.lines() {
            say(key)?;
        }
        Ok(())
    }
}
