//! The command line: one file per verb.

mod approvals;
mod audit;
mod backup;
mod caller;
mod client;
mod code;
mod config;
mod credentials;
mod demo;
mod department;
mod failure;
mod fsck;
mod hsm_to;
mod import;
mod init;
mod keys;
mod lock;
mod manual;
mod named;
mod opener;
mod passphrase;
mod policies;
mod principal;
mod recover;
mod rekey;
mod reload;
mod restore;
mod retention;
mod serve;
mod server;
mod settings;
mod shares_to;
mod show;
mod status;
mod terminal;
mod token;
mod token_to;
mod tour;
mod unlock;
mod vouched;
mod witness;
mod words;

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::failure::{EXIT_CODES, Failure};
use crate::clock::System;
use crate::keyring::unlock::Opener;
use crate::secret_file;
use crate::vault::Vault;
use crate::vault::life::open::{OpenError, Opening, Places, Running};

/// A records vault for government hotlines. It encrypts caller data field by field and logs every read before it shows a field.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = format!(
        "Every option can also be set in a file (--config), under its verb, or in the environment as CALLERVAULT_<OPTION>.\n\n\
         {EXIT_CODES}"
    )
)]
struct Arguments {
    /// Settings file [default: callervault.toml in the working directory, if there is one].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take files of secrets (passphrase, tokens, TLS key) also where their group can read them, if callervault runs in that
    /// group or the group is root.
    #[arg(long, global = true)]
    allow_group_secrets: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a vault, its keys, the hotline centre and its three administrators.
    Init(init::Init),
    /// Serve a vault's API. Without a passphrase it starts locked.
    Serve(serve::Serve),
    /// Import calls from files: JSON lines, CSV or XLSX.
    Import(Box<import::Import>),
    /// Check every row, log entry and key: of a stopped vault, or of one that is served.
    Fsck(Box<fsck::Fsck>),
    /// Back up the stores of a running server; verify a backup.
    Backup(Box<backup::Backup>),
    /// Restore stores from backups, and check them before they are put in place.
    Restore(Box<restore::Restore>),
    /// Make, name, close and merge departments.
    Department(department::Department),
    /// Make, change and find the accounts of people and programs.
    Principal(principal::Principal),
    /// Issue, list and revoke tokens; fetch your own with a one-time code.
    Token(token::Token),
    /// Issue and end one-time codes, by which owners of accounts fetch their tokens.
    Code(code::Code),
    /// Answer callers about their data; erase them; set, list and lift legal holds.
    Caller(caller::Caller),
    /// See what is past its period of retention, and have it erased.
    Retention(retention::Retention),
    /// See, approve and refuse what takes two persons.
    Approvals(approvals::Approvals),
    /// Give a security administrator whose token is lost a new one.
    RecoverAdmin(recover::RecoverAdmin),
    /// Verify, export, trace or restart the log.
    Audit(audit::Audit),
    /// List, rotate, rewrap and destroy the vault's keys; change how the root key opens; show the public keys of the log.
    Keys(keys::Keys),
    /// Unlock the vault of a running server.
    Unlock(unlock::Unlock),
    /// Lock the vault of a running server: wipe its keys.
    Lock(lock::Lock),
    /// Run a temporary vault with synthetic departments and calls.
    Demo(demo::Demo),
    /// Say whether a server is ready, and what its operator must know. Exit 3 where it is not.
    Status(status::Status),
    /// Check or show the rules that would be in force.
    Policies(policies::Policies),
    /// Write a shell's completions to standard output.
    Completions(manual::Completions),
    /// Write manual pages into a directory.
    Man(manual::Man),
    /// Check the settings file.
    Config(config::Config),
    /// Run a witness that cosigns a log only if it continues what the witness saw before.
    Witness(witness::Witness),
}

/// Where the vault lies.
#[derive(Args)]
struct Where {
    /// Directory of the vault, with `data/`, `keys/` and `policies/` in it.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Directory of the key store [default: DIR/keys]; use another volume.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Directory of the data store [default: DIR/data].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Directory of fields.toml, limits.toml, lists.toml, words.toml, need-to-know.cedar and schema.cedarschema
    /// [default: DIR/policies].
    #[arg(long)]
    policies: Option<PathBuf>,
}

impl Where {
    fn places(&self) -> Places {
        let mut places = Places::below(&self.dir);
        if let Some(keys) = &self.keys {
            places.keys = keys.join("keystore.db");
        }
        if let Some(data) = &self.data {
            places.data = data.join("vault.db");
        }
        if let Some(policies) = &self.policies {
            places.policies.clone_from(policies);
            places.policies_named = true;
        }
        places
    }
}

/// The file in which `serve` keeps the newest checkpoint that witnesses have cosigned, beside the data store.
fn cosigned(places: &Places) -> PathBuf {
    places.data.with_file_name("cosigned")
}

/// Unlocks a vault for work, and writes into its log that it was: on which node, and in which way.
async fn unlocked<'o>(
    places: &Places,
    opener: impl Into<Opener<'o>>,
    (node, way): (&str, &str),
    running: Running,
) -> Result<Vault, OpenError> {
    let opening = Opening::new(places.clone(), Arc::new(System), node, running);
    opening.open(opener, way).await
}

type Done = Result<(), Failure>;

/// All verbs with their options. Those that lead to a server may also stand in front of the verb; there they are not for every verb,
/// and [`settings::added`] passes them on to the one that has them.
fn command() -> Command {
    let is_to_server =
        |arg: &Arg| !["config", "allow_group_secrets", "help", "version"].contains(&arg.get_id().as_str());
    let verbs = Arguments::command();
    let about = verbs.get_about().cloned().unwrap_or_default();
    server::Asking::augment_args(verbs)
        .about(about)
        .mut_args(|arg| if is_to_server(&arg) { arg.global(false) } else { arg })
}

/// What was typed, with what the file and the environment add to it. It ends the program with clap's words where that is wrong.
fn arguments() -> Result<Arguments, Failure> {
    let mut command = command();
    let typed = settings::added(&command, std::env::args_os().collect())?;
    let matches = command.try_get_matches_from_mut(typed);
    let mut matches = matches.unwrap_or_else(|error| error.exit());
    Ok(Arguments::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command).exit()))
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    harden();
    let done = arguments().and_then(|arguments| {
        if arguments.allow_group_secrets {
            secret_file::allow_group();
        }
        arguments.verb.run()
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            aside(&failure);
            ExitCode::from(failure.code)
        }
    }
}

impl Verb {
    fn run(self) -> Done {
        match self {
            Self::Init(verb) => verb.run(),
            Self::Serve(verb) => verb.run(),
            Self::Import(verb) => verb.run(),
            Self::Fsck(verb) => verb.run(),
            Self::Backup(verb) => verb.run(),
            Self::Restore(verb) => verb.run(),
            Self::Department(verb) => verb.run(),
            Self::Principal(verb) => verb.run(),
            Self::Token(verb) => verb.run(),
            Self::Code(verb) => verb.run(),
            Self::Caller(verb) => verb.run(),
            Self::Retention(verb) => verb.run(),
            Self::Approvals(verb) => verb.run(),
            Self::RecoverAdmin(verb) => verb.run(),
            Self::Audit(verb) => verb.run(),
            Self::Keys(verb) => verb.run(),
            Self::Unlock(verb) => verb.run(),
            Self::Lock(verb) => verb.run(),
            Self::Demo(verb) => verb.run(),
            Self::Status(verb) => verb.run(),
            Self::Policies(verb) => verb.run(),
            Self::Completions(verb) => verb.run(),
            Self::Man(verb) => verb.run(),
            Self::Config(verb) => verb.run(),
            Self::Witness(verb) => verb.run(),
        }
    }
}

/// No core dump and no debugger: keys stay in this process. A panic tells where, not what: its message may quote a value.
fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Each of these can only fail on systems that have no such thing.
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "?".to_owned(), ToString::to_string);
        let _ = writeln!(std::io::stderr(), "callervault: internal error at {place}");
    }));
}

/// One line for people or scripts.
fn say(line: impl Display) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

/// Words for people on standard error, while the work goes on or at its end.
fn aside(words: impl Display) {
    // Where standard error is gone, nobody reads this anyway.
    let _ = writeln!(
        std::io::stderr(),
        "callervault: {}",
        show::quiet_lines(&words.to_string())
    );
}

/// The program log: JSON lines on standard error, `CALLERVAULT_LOG` as filter.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CALLERVAULT_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,refinery_core=warn"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call in one process changes nothing.
    let _ = subscriber.try_init();
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::unavailable)
}
