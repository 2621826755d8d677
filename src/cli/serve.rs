//! `callervault serve`.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use tokio::signal::unix::SignalKind;
use tokio::sync::Notify;

use super::opener::OpenerFrom;
use super::{Done, Failure, Where, cosigned, log_to_stderr, reload, runtime};
use crate::audit::watch::hours::{FromUtc, Hours, Span};
use crate::causes::with_causes;
use crate::clock::System;
use crate::http::{self, App, ForwardedIn, Listen, Proxies, Tls};
use crate::keyring::unlock::Means;
use crate::vault::Retention;
use crate::vault::Witnessing;
use crate::vault::life::door::{Door, OpenVault};
use crate::vault::life::open::{Opening, Places, Running};
use crate::vault::{Rates, Watching};
use crate::witness::client::Witness;
use crate::witness::freshness::SilenceLimits;

/// How long the process waits, at its end, for work that was begun.
const LEEWAY: Duration = Duration::from_secs(2);
/// Descriptors that are not for clients' connections: stores, the way to the witnesses, files.
const OTHER_DESCRIPTORS: u64 = 128;

/// Serve a vault's API until SIGTERM or SIGINT. Without a passphrase or shares it starts locked; `callervault unlock` unlocks it. SIGUSR1 locks it.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// Seconds for which shares that are in wait for a further one; then they are wiped.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..))]
    share_timeout: u64,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8440")]
    listen: SocketAddr,
    #[command(flatten)]
    tls: TlsFrom,
    #[command(flatten)]
    proxies: ProxiesFrom,
    /// Serve metrics on this address. Anyone who reaches it can read them. Loopback has no TLS; other addresses use the API's
    /// TLS. Off by default.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:8442")]
    metrics: Option<SocketAddr>,
    /// On SIGHUP read only the certificate again, not the rules.
    #[arg(long)]
    keep_rules: bool,
    /// Name of this node in the log.
    #[arg(long, default_value = "1")]
    node: String,
    /// A witness for the log, as `URL=VKEY`: its URL and its public key. Repeat for more.
    #[arg(long = "witness", value_name = "URL=VKEY")]
    witnesses: Vec<String>,
    /// Number of witnesses that must have cosigned recently [default: all].
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
    /// Seconds between two submissions to the witnesses.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    witness_every: u64,
    /// Days for which the bodies of log entries must be kept.
    #[arg(long, value_name = "DAYS", default_value_t = Retention::USUAL_DAYS,
        value_parser = clap::value_parser!(u32).range(i64::from(Retention::LEAST_DAYS)..))]
    log_retention_days: u32,
    #[command(flatten)]
    watch: Watch,
    /// Requests per minute for each principal; more are answered 429.
    #[arg(long, value_name = "N", default_value_t = Rates::default().requests)]
    requests_per_minute: NonZeroU32,
    /// Refusals per minute for each principal; each is a log entry. Its further requests are answered 429.
    #[arg(long, value_name = "N", default_value_t = Rates::default().refusals)]
    refusals_per_minute: NonZeroU32,
    /// Concurrent requests for each principal; more are answered 429. Each may hold a body of up to 1 MiB in memory.
    #[arg(long, value_name = "N", default_value_t = Rates::default().at_once)]
    requests_at_once: NonZeroU32,
}

/// How the readers are watched.
#[derive(Args)]
struct Watch {
    /// Reveals in clear per day for each principal, however many fields each one shows [default: no limit].
    #[arg(long, value_name = "N")]
    reveal_limit: Option<u64>,
    /// Working hours, for the report on readers.
    #[arg(long, default_value = "08:00-20:00")]
    working_hours: Span,
    /// Offset of local time from UTC. Days in reports, searches and the reveal limit begin at local midnight.
    #[arg(long, default_value = "+08:00", allow_hyphen_values = true)]
    utc_offset: FromUtc,
}

impl Watch {
    fn rules(&self) -> Watching {
        Watching {
            hours: Hours {
                opens: self.working_hours.opens,
                closes: self.working_hours.closes,
                offset: self.utc_offset.0,
            },
            limit: self.reveal_limit,
        }
    }
}

/// Who names clients.
#[derive(Args)]
struct ProxiesFrom {
    /// A proxy to believe where it names the client's address, as ADDR or ADDR/PREFIX. Repeat for more.
    #[arg(long = "trusted-proxy", value_name = "ADDR/PREFIX", value_parser = network)]
    trusted_proxies: Vec<IpNet>,
    /// Header in which these proxies name the client. The other one is not read.
    #[arg(long, value_enum, default_value_t = Header::XForwardedFor, requires = "trusted_proxies")]
    forwarded_in: Header,
}

#[derive(Clone, Copy, ValueEnum)]
enum Header {
    /// X-Forwarded-For
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
}

impl ProxiesFrom {
    fn proxies(self) -> Proxies {
        Proxies {
            trusted: self.trusted_proxies,
            named_in: match self.forwarded_in {
                Header::XForwardedFor => ForwardedIn::XForwardedFor,
                Header::Forwarded => ForwardedIn::Forwarded,
            },
        }
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, &'static str> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse()
        .ok()
        .or_else(one)
        .ok_or("expected an address, or an address and the length of its prefix: 10.0.0.0/8")
}

/// Who does TLS.
#[derive(Args)]
pub(super) struct TlsFrom {
    /// TLS certificate chain, PEM.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS private key, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy does TLS, so listen on other addresses than loopback without TLS.
    #[arg(long)]
    behind_proxy: bool,
}

impl TlsFrom {
    pub(super) fn listen(self, address: SocketAddr) -> Result<Listen, Failure> {
        let both = self.tls_cert.zip(self.tls_key);
        Ok(Listen {
            address,
            tls: both.map(|(certificate, key)| Tls::read(certificate, key)).transpose()?,
            behind_proxy: self.behind_proxy,
        })
    }
}

impl Serve {
    pub(super) fn run(self) -> Done {
        log_to_stderr();
        let opener = self.opener.given()?;
        let opening = self.opening()?;
        let proxies = self.proxies.proxies();
        let listen = self.tls.listen(self.listen)?;
        if listen.behind_proxy && proxies.trusted.is_empty() {
            tracing::warn!("no --trusted-proxy: the log has the proxy's address in place of the clients'");
        }
        let metrics = self.metrics.map(|address| beside(&listen, address));
        let witnesses = (!self.witnesses.is_empty()).then_some(Duration::from_secs(self.witness_every));
        let keep_rules = self.keep_rules;
        let places = opening.places.clone();
        let runtime = runtime()?;
        let done = runtime.block_on(async {
            // From the first moment on: the signal would end the program otherwise.
            let asked = Arc::new(Notify::new());
            let ask = Arc::clone(&asked);
            reload::on_each(SignalKind::user_defined1(), move || {
                ask.notify_one();
                std::future::ready(())
            });
            let app = App::behind(door(opening, opener).await?, limits(), proxies);
            if let Some(every) = witnesses {
                tokio::spawn(submit(Arc::clone(&app), every));
            }
            let places = (!keep_rules).then_some(places);
            let (again, tls) = (Arc::clone(&app), listen.tls.clone());
            reload::on_hangup(move || reread(Arc::clone(&again), places.clone(), tls.clone()));
            tokio::spawn(lock_when(asked, Arc::clone(app.door())));
            let ready = |address: SocketAddr, metrics: Option<SocketAddr>| {
                let version = env!("CARGO_PKG_VERSION");
                tracing::info!(version, %address, metrics = metrics.map(tracing::field::display), "serving");
            };
            http::serve(app, listen, metrics, ready, stop()).await?;
            tracing::info!("stopped; keys wiped");
            Ok(())
        });
        // Long work on a thread of its own does not keep the process from ending.
        runtime.shutdown_timeout(LEEWAY);
        done
    }

    /// How the vault is opened, now or later.
    fn opening(&self) -> Result<Opening, Failure> {
        let places = self.place.places();
        let witnessing = witnessing(&self.witnesses, self.quorum, cosigned(&places))?;
        let running = Running {
            watching: self.watch.rules(),
            rates: Rates {
                requests: self.requests_per_minute,
                at_once: self.requests_at_once,
                refusals: self.refusals_per_minute,
            },
            pkcs11: self.opener.module(),
            gather_for: Duration::from_secs(self.share_timeout),
            ..Running::default()
        };
        Ok(Opening {
            witnessing: Arc::new(witnessing),
            retention: Retention::days(self.log_retention_days).unwrap_or_default(),
            ..Opening::new(places, Arc::new(System), &self.node, running)
        })
    }
}

/// The vault, unlocked where there is something to unlock it with.
async fn door(opening: Opening, opener: Option<Means>) -> Result<Arc<Door>, Failure> {
    if let Some(opener) = opener {
        return Ok(Door::of(opening.open(&opener, "serve").await?));
    }
    let door = Door::locked(opening).await?;
    tracing::warn!("the vault is locked; unlock it: `callervault unlock`");
    Ok(door)
}

/// Locks each time that it is asked for, also where that was before the vault was open.
async fn lock_when(asked: Arc<Notify>, door: Arc<Door>) {
    loop {
        asked.notified().await;
        door.lock_at_signal().await;
    }
}

/// The usual limits, with as many connections as there are descriptors for: one for each that is served and one for each
/// that waits.
fn limits() -> http::ConnectionLimits {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let usual = http::ConnectionLimits::default();
    let allowed = getrlimit(Resource::Nofile);
    // Up to the hard limit a process may help itself. Where it may not after all, the soft one stands.
    let raised = Rlimit {
        current: allowed.maximum,
        ..allowed
    };
    let all = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed.maximum,
        Err(_) => allowed.current,
    };
    let room = all.map_or(u64::MAX, |all| all.saturating_sub(OTHER_DESCRIPTORS) / 2);
    let connections = usual
        .connections
        .min(usize::try_from(room).unwrap_or(usize::MAX))
        .max(1);
    if connections < usual.connections {
        tracing::warn!(
            connections,
            "few descriptors: fewer clients at once; raise `ulimit -n` or LimitNOFILE"
        );
    }
    http::ConnectionLimits { connections, ..usual }
}

/// A second listener: on loopback in clear, elsewhere with the same TLS or proxy as the first.
fn beside(first: &Listen, address: SocketAddr) -> Listen {
    if address.ip().is_loopback() {
        Listen::plain(address)
    } else {
        Listen {
            address,
            ..first.clone()
        }
    }
}

/// The witnesses as named on the command line.
fn witnessing(named: &[String], quorum: Option<usize>, file: PathBuf) -> Result<Witnessing, Failure> {
    let quorum = quorum.unwrap_or(named.len());
    if quorum == 0 && !named.is_empty() {
        return Err(Failure::usage(
            "--quorum must be at least 1\n  leave out --witness to run without witnesses",
        ));
    }
    if quorum > named.len() {
        return Err(Failure::usage("--quorum is larger than the number of witnesses"));
    }
    let witness = |named: &String| {
        // A key in base64 may end in an equals sign; a URL of a witness holds none.
        let parts = named.split_once('=');
        let (url, key) = parts.ok_or_else(|| Failure::usage("--witness must be URL=VKEY"))?;
        let key = key
            .parse()
            .map_err(|error| Failure::usage(format!("the key of {url}: {error}")))?;
        Ok(Witness::new(url, key))
    };
    let witnesses: Vec<Witness> = named.iter().map(witness).collect::<Result<_, Failure>>()?;
    let twice = |(at, one): (usize, &Witness)| {
        let mut before = witnesses.iter().take(at);
        before.any(|other| other.verifier().shares_key(one.verifier()))
    };
    if witnesses.iter().enumerate().any(twice) {
        return Err(Failure::usage(
            "two witnesses have the same key\n  name each witness once",
        ));
    }
    let file = (!witnesses.is_empty()).then_some(file);
    Ok(Witnessing::new(witnesses, SilenceLimits::usual(quorum), file))
}

/// Reads the rules and the certificate again. One that is bad is named in the program log, and the old one goes on.
async fn reread(app: Arc<App>, places: Option<Places>, tls: Option<Arc<Tls>>) {
    reload::certificate(tls).await;
    let Some(places) = places else { return };
    let Ok(vault) = app.vault() else {
        tracing::info!("the vault is locked: the rules are read when it is unlocked");
        return;
    };
    match vault.reread_rules(&places).await {
        Ok(true) => tracing::info!("other rules are in force"),
        Ok(false) => tracing::info!("the rules are as they were"),
        Err(error) => tracing::error!(error = with_causes(&error), "the rules are bad: the old ones go on"),
    }
}

/// Submits the log's checkpoint to the witnesses, for as long as the program serves and the vault is open.
async fn submit(app: Arc<App>, every: Duration) -> Infallible {
    app.door().while_open(|vault| submit_each(vault, every)).await
}

/// At a fixed cadence.
async fn submit_each(vault: Arc<OpenVault>, every: Duration) -> Infallible {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = vault.ask_witnesses().await {
            tracing::warn!(error = with_causes(&error), "the witnesses could not be asked");
        }
    }
}

/// Resolves on SIGINT or SIGTERM. Both are caught from the call on, whenever it is first waited for.
pub(super) fn stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let both = signal(SignalKind::terminate()).and_then(|one| Ok((one, signal(SignalKind::interrupt())?)));
    async {
        // Without handlers a signal ends the process at once, and there is nothing to wait for.
        let Ok((mut terminate, mut interrupt)) = both else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
