//! A reference relay: it takes contact codes, exchanges them at a vault for a number, and would put the call through. This one writes a line
//! instead of dialling, without the number, and reports the outcome. A city's telephone exchange or a platform of relay numbers takes its
//! place; [docs/relay.md](../docs/relay.md) has the contract.
//!
//! ```text
//! CALLERVAULT_RELAY_TOKEN=cvt_… cargo run --example relay -- --vault http://127.0.0.1:8311 --listen 127.0.0.1:8312
//! curl http://127.0.0.1:8312/calls -H 'Content-Type: application/json' -d '{"code": "cvc_…"}'
//! ```
#![expect(clippy::print_stdout, reason = "it writes what it does")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use clap::Parser;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Where the token of the relay's service account is found: never in an argument, which others on the machine can see.
const TOKEN: &str = "CALLERVAULT_RELAY_TOKEN";

/// Takes contact codes and puts calls through, without showing a number to anybody.
#[derive(Parser)]
struct Options {
    /// Where the vault is.
    #[arg(long, default_value = "http://127.0.0.1:8311")]
    vault: String,
    /// Where handlers' telephones bring their codes.
    #[arg(long, default_value = "127.0.0.1:8312")]
    listen: SocketAddr,
    /// What to report of each call.
    #[arg(long, default_value = "answered")]
    outcome: String,
}

/// A relay and its way to the vault.
struct Relay {
    agent: ureq::Agent,
    options: Options,
    token: Zeroizing<String>,
}

impl Relay {
    /// Asks the vault: the status and the answer.
    fn ask(&self, path: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let url = format!("{}{path}", self.options.vault);
        let bearer = Zeroizing::new(format!("Bearer {}", *self.token));
        let answer = self
            .agent
            .post(url)
            .header("authorization", bearer.as_str())
            .send_json(body);
        let mut answer = answer?;
        let status = answer.status().as_u16();
        Ok((status, answer.body_mut().read_json().unwrap_or(Value::Null)))
    }

    /// Exchanges a code, dials, and reports. What goes wrong at the vault goes back as it is.
    fn call(&self, code: &str) -> Result<(u16, Value), ureq::Error> {
        let (status, mut answer) = self.ask("/v1/contacts/exchange", &json!({"code": code}))?;
        if status != 200 {
            return Ok((status, answer));
        }
        let contact = answer["contact"].as_str().unwrap_or_default().to_owned();
        let number = dialled(&mut answer);
        // Here an exchange dials. The number goes to the line and nowhere else. A caller may have left none.
        let outcome = match number {
            Some(_) => &*self.options.outcome,
            None => "failed",
        };
        println!("{}", json!({"contact": contact, "outcome": outcome}));
        let (status, reported) = self.ask(&format!("/v1/contacts/{contact}/outcome"), &json!({"outcome": outcome}))?;
        match status {
            200 => Ok((200, json!({"contact": contact, "outcome": outcome}))),
            _ => Ok((status, reported)),
        }
    }
}

/// The number, taken out of the answer and wiped when the call is over.
fn dialled(answer: &mut Value) -> Option<Zeroizing<String>> {
    let fields = answer.get_mut("fields")?.as_object_mut()?;
    let (_, number) = std::mem::take(fields).into_iter().next()?;
    match number {
        Value::String(number) => Some(Zeroizing::new(number)),
        _ => None,
    }
}

async fn calls(State(relay): State<Arc<Relay>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let called = tokio::task::spawn_blocking(move || relay.call(&code)).await;
    match called {
        Ok(Ok((status, answer))) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, Json(answer))
        }
        _ => (
            StatusCode::BAD_GATEWAY,
            Json(json!({"title": "the vault does not answer"})),
        ),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let token =
        Zeroizing::new(std::env::var(TOKEN).map_err(|_| format!("{TOKEN} holds no token of a relay's account"))?);
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    println!("{}", json!({"listening": listener.local_addr()?}));
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into();
    let relay = Arc::new(Relay { agent, options, token });
    let routes = Router::new().route("/calls", post(calls)).with_state(relay);
    axum::serve(listener, routes).await?;
    Ok(())
}
