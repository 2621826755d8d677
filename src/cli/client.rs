//! A small client of the API, for verbs that speak to a server, `import` and the demo's tour.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};

use super::show::quiet;
use super::vouched::Vouched;
use super::{Failure, aside};
use crate::model::ids::ApprovalId;

/// The longest wait that a server may ask for, at a time.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a server may be silent. It ends a request by itself after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// A wait that nobody needs to be told of.
const MOMENT: Duration = Duration::from_secs(1);

/// Speaks to one server with one token at a time.
pub(super) struct Client {
    agent: Agent,
    base: String,
    patience: Duration,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    /// How long the server wants this client to wait.
    pub(super) retry_after: Option<Duration>,
    /// It is the answer to the same request that came before.
    pub(super) replayed: bool,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// What was asked for, with one of these members, which a vault's answer has; the server's own words where it was not done.
    pub(super) fn good(&self, has: &[&str]) -> Result<Value, Failure> {
        let body = self.json();
        let is_there = |pointer: &&str| body.pointer(pointer).is_some_and(|value| !value.is_null());
        match self.status {
            202 => Err(waits(&body).unwrap_or_else(not_a_vault)),
            200..=299 if has.iter().any(is_there) => Ok(body),
            200..=299 => Err(not_a_vault()),
            status => Err(Failure::of_status(status, told(status, &body))),
        }
    }
}

/// That a second person must approve first.
fn waits(body: &Value) -> Option<Failure> {
    let word = |pointer| body.pointer(pointer).and_then(Value::as_str);
    let id: ApprovalId = word("/approval/id")?.parse().ok()?;
    Some(Failure::waits(format!(
        "nothing has happened yet: this waits for approval {id} until {until}\n  \
         another person approves it: callervault approvals approve {id} --reason TEXT\n  \
         then send the same command again with --approval {id}",
        until = quiet(word("/approval/expires_at")?),
    )))
}

/// The words of a problem (RFC 9457), or that there are none: then a proxy may have answered, or another server.
fn told(status: u16, problem: &Value) -> String {
    let word = |name| problem.get(name).and_then(Value::as_str).map(quiet);
    match (word("title"), word("detail")) {
        (Some(title), Some(detail)) => format!("{title} ({status})\n  {detail}"),
        (Some(title), None) => format!("{title} ({status})\n  the server does not say more"),
        (None, _) => format!(
            "the server answered with status {status}, and not as a vault does\n  check --url, and that a proxy on the way reaches the vault"
        ),
    }
}

/// What answered a request with success is no vault: what became of the request is not known.
pub(super) fn not_a_vault() -> Failure {
    Failure::unavailable(
        "the answer does not come from a vault\n  check --url, and that a proxy on the way reaches the vault",
    )
}

impl Client {
    /// For a server at this address. With a file of certificates (PEM), those alone vouch for it; without, the public
    /// authorities do.
    pub(super) fn new(base: &str, authorities: Option<&Path>) -> Result<Self, Failure> {
        Self::patient(base, authorities, PATIENCE)
    }

    /// As `new`. A server that takes no connection or sends nothing for as long as `patience` is taken for one that is away.
    pub(super) fn patient(base: &str, authorities: Option<&Path>, patience: Duration) -> Result<Self, Failure> {
        check(base)?;
        let vouched = authorities.map(vouched).transpose()?;
        // No redirect and no proxy of the environment: the token goes to the server that was named, and nowhere else.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(patience))
            .timeout_send_request(Some(patience))
            .timeout_send_body(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .build();
        let agent = match vouched {
            Some(vouched) => {
                let connector = TcpConnector::default().chain(vouched);
                Agent::with_parts(config, connector, DefaultResolver::default())
            }
            None => config.new_agent(),
        };
        Ok(Self {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            patience,
        })
    }

    pub(super) fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let token = format!("Bearer {token}");
        self.send(method, path, &[&[("authorization", &*token)], headers].concat(), body)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            None => self.agent.run(request.body(()).map_err(Failure::usage)?),
            Some(body) => {
                let request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
                self.agent.run(request.map_err(Failure::usage)?)
            }
        };
        self.read(answer.map_err(|error| self.away(&error))?)
    }

    /// Posts a body that is JSON already. What the library copies of it is not wiped.
    pub(super) fn post_text(
        &self,
        token: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.read(request.send(body).map_err(|error| self.away(&error))?)
    }

    /// Posts a body in JSON that holds a secret, without a token. What the library copies of it is not wiped.
    pub(super) fn post_secret(&self, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json");
        self.read(request.send(body).map_err(|error| self.away(&error))?)
    }

    /// Waits as long as the server asks a client that it holds back, and says so if that takes more than a moment.
    pub(super) fn wait_turn(&self, wait: Duration) {
        self.wait_for(wait, "this account sent too many requests or had too many refused");
    }

    /// As `wait_turn`, for another reason.
    pub(super) fn wait_for(&self, wait: Duration, why: &str) {
        let wait = wait.min(LONGEST_WAIT);
        if wait > MOMENT {
            aside(format!(
                "{}: waiting {} s as the server asks: {why}",
                self.base,
                wait.as_secs()
            ));
        }
        std::thread::sleep(wait);
    }

    /// Status and bytes of what is there. A client that copies a long log is held back now and then, and waits its turn.
    pub(super) fn bytes(&self, token: &str, path: &str) -> Result<(u16, Vec<u8>), Failure> {
        loop {
            let request = self
                .agent
                .get(format!("{}{path}", self.base))
                .header("authorization", format!("Bearer {token}"));
            let mut answer = request.call().map_err(|error| self.away(&error))?;
            if let Some(wait) = retry_after(&answer).filter(|_| answer.status().as_u16() == 429) {
                self.wait_turn(wait);
                continue;
            }
            let bytes = answer.body_mut().read_to_vec();
            return Ok((answer.status().as_u16(), bytes.map_err(|error| self.away(&error))?));
        }
    }

    /// Bytes of what is there; the server's own words where they are not shown.
    pub(super) fn good_bytes(&self, token: &str, path: &str) -> Result<Vec<u8>, Failure> {
        match self.bytes(token, path)? {
            (200, bytes) => Ok(bytes),
            (status, problem) => {
                let problem = serde_json::from_slice(&problem).unwrap_or(Value::Null);
                Err(Failure::of_status(status, told(status, &problem)))
            }
        }
    }

    fn read(&self, mut answer: Response<ureq::Body>) -> Result<Answer, Failure> {
        let status = answer.status().as_u16();
        let retry_after = retry_after(&answer);
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let text = answer.body_mut().read_to_string();
        Ok(Answer {
            status,
            text: text.map_err(|error| self.away(&error))?,
            retry_after,
            replayed,
        })
    }

    /// Why there was no whole answer.
    fn away(&self, error: &ureq::Error) -> Failure {
        let base = &self.base;
        Failure::unavailable(match error {
            ureq::Error::Timeout(_) => format!(
                "{base}: the server did not answer for {} s\n  check that it is running and can be reached",
                self.patience.as_secs()
            ),
            ureq::Error::Io(error) if is_of_tls(error) => format!(
                "{base}: the server's certificate is not accepted: {error}\n  \
                 give --ca with a certificate that vouches for the server, for the name in --url"
            ),
            // The library's words for it lead to a page for programmers.
            ureq::Error::Io(fault) if is_closed(fault) => {
                format!("{base}: the server closed the connection\n  check that the server is running")
            }
            other => format!("{base}: {other}\n  check that the server is running"),
        })
    }

    pub(super) fn get(&self, token: &str, path: &str) -> Result<Answer, Failure> {
        self.call(token, "GET", path, &[], None)
    }

    pub(super) fn get_without_token(&self, path: &str) -> Result<Answer, Failure> {
        self.send("GET", path, &[], None)
    }

    pub(super) fn post_without_token(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send("POST", path, &[], Some(body))
    }

    pub(super) fn post(&self, token: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(token, "POST", path, &[], Some(body))
    }
}

/// Whether the peer ended a connection, in the way of TLS or not.
fn is_closed(fault: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(
        fault.kind(),
        K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe
    )
}

/// A token or a passphrase crosses a network only under TLS.
fn check(base: &str) -> Result<(), Failure> {
    let no_address = || Failure::usage(format!("{base} is not a server address\n  give https://HOST:PORT"));
    let address: Uri = base.parse().map_err(|_| no_address())?;
    let host = address.host().ok_or_else(no_address)?;
    let inside: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let loopback = inside.map_or(host == "localhost", |address| address.is_loopback());
    match address.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        Some("http") => Err(Failure::usage(format!(
            "refusing to send a token or a passphrase to {host} without TLS\n  use https://, or run this on the server against 127.0.0.1"
        ))),
        _ => Err(no_address()),
    }
}

/// How long the server wants this client to wait.
fn retry_after(answer: &Response<ureq::Body>) -> Option<Duration> {
    let told = answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(told))
}

/// Whether TLS did not come about because of a certificate.
fn is_of_tls(error: &std::io::Error) -> bool {
    let inside = error.get_ref().and_then(|inside| inside.downcast_ref());
    matches!(inside, Some(rustls::Error::InvalidCertificate(_)))
}

/// The certificates of a file, as those that vouch for a server.
fn vouched(file: &Path) -> Result<Vouched, Failure> {
    let fault =
        |error: &dyn Display| Failure::usage(format!("{}: {error}\n  give certificates in PEM", file.display()));
    let pem = std::fs::read(file).map_err(|error| fault(&error))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| fault(&error))?;
    if certificates.is_empty() {
        return Err(fault(&"no certificate in it"));
    }
    Vouched::by(certificates).map_err(|error| fault(&error))
}
