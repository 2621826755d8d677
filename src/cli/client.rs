//! A small client of the API, for `admin` and the demo's tour.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::Failure;

const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Speaks to one server with one token at a time.
pub(super) struct Client {
    agent: Agent,
    base: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl Client {
    /// For a server at this address. With a file of certificates (PEM), those alone vouch for it; without, the public
    /// authorities do.
    pub(super) fn new(base: &str, authorities: Option<&Path>) -> Result<Self, Failure> {
        check(base)?;
        let tls = authorities.map_or_else(|| Ok(TlsConfig::default()), trusting)?;
        // No redirect and no proxy of the environment: the token goes to the server that was named, and nowhere else.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_owned(),
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
        let unreachable = |error| Failure::unavailable(format!("{}: {error}\n  is the server running?", self.base));
        read(answer.map_err(unreachable)?)
    }

    /// Status and bytes of what stands there. Whoever copies a long log is held back now and then, and waits as told.
    pub(super) fn bytes(&self, token: &str, path: &str) -> Result<(u16, Vec<u8>), Failure> {
        let unreachable = |error| Failure::unavailable(format!("{}: {error}\n  is the server running?", self.base));
        loop {
            let request = self
                .agent
                .get(format!("{}{path}", self.base))
                .header("authorization", format!("Bearer {token}"));
            let mut answer = request.call().map_err(unreachable)?;
            if let Some(wait) = held_back(&answer) {
                std::thread::sleep(wait);
                continue;
            }
            let status = answer.status().as_u16();
            let bytes = answer.body_mut().read_to_vec().map_err(Failure::unavailable)?;
            return Ok((status, bytes));
        }
    }

    pub(super) fn get(&self, token: &str, path: &str) -> Result<Answer, Failure> {
        self.call(token, "GET", path, &[], None)
    }

    pub(super) fn post_without_token(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send("POST", path, &[], Some(body))
    }

    pub(super) fn post(&self, token: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(token, "POST", path, &[], Some(body))
    }
}

/// A token crosses a network only under TLS.
fn check(base: &str) -> Result<(), Failure> {
    let no_address = || {
        Failure::usage(format!(
            "{base} is not the address of a server\n  give https://HOST:PORT"
        ))
    };
    let address: Uri = base.parse().map_err(|_| no_address())?;
    let host = address.host().ok_or_else(no_address)?;
    let inside: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let loopback = inside.map_or(host == "localhost", |address| address.is_loopback());
    match address.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        Some("http") => Err(Failure::usage(format!(
            "refusing to send a token in clear to {host}\n  use https://, or run this on the server against 127.0.0.1"
        ))),
        _ => Err(no_address()),
    }
}

/// How long the server wants this client to wait.
fn held_back(answer: &Response<ureq::Body>) -> Option<Duration> {
    let told = answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    (answer.status().as_u16() == 429).then(|| Duration::from_secs(told).min(LONGEST_WAIT))
}

fn trusting(file: &Path) -> Result<TlsConfig, Failure> {
    let fault =
        |error: &dyn Display| Failure::usage(format!("{}: {error}\n  give certificates in PEM", file.display()));
    let pem = std::fs::read(file).map_err(|error| fault(&error))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| fault(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(fault(&"no certificate in it"));
    }
    let roots = RootCerts::new_with_certs(&certificates);
    Ok(TlsConfig::builder().root_certs(roots).build())
}

fn read(mut answer: Response<ureq::Body>) -> Result<Answer, Failure> {
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().map_err(Failure::unavailable)?;
    Ok(Answer { status, text })
}
