//! The reference relay as a process of its own: it calls by a code, reports, and writes no number anywhere.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use callervault::model::principals::Role;
use serde_json::{Value, json};

use crate::support::approvals::service;
use crate::support::process::client;
use crate::support::served::{LONG, Served};
use crate::support::{NUMBER, World};

/// The relay's program, which is built with the tests unless they are asked for by name.
fn program() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_callervault")).with_file_name("examples");
    let built = beside.join("relay");
    if !built.exists() {
        let build = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--example", "relay"])
            .status();
        assert!(build.unwrap().success(), "the example does not build");
    }
    built
}

/// A relay that runs until it is dropped.
struct Relay {
    process: Child,
    base: String,
    said: BufReader<std::process::ChildStdout>,
}

impl Relay {
    fn start(vault: &str, token: &str, outcome: &str) -> Self {
        let mut process = Command::new(program())
            .args(["--vault", vault, "--listen", "127.0.0.1:0", "--outcome", outcome])
            .env("CALLERVAULT_RELAY_TOKEN", token)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let base = format!("http://{}", listening["listening"].as_str().unwrap());
        Self { process, base, said }
    }

    fn call(&self, code: &str) -> (u16, Value) {
        let answer = client()
            .post(format!("{}/calls", self.base))
            .send_json(json!({"code": code}));
        let mut answer = answer.unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    /// Everything that it has written.
    fn ends(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut all = String::new();
        self.said.read_to_string(&mut all).unwrap();
        let mut errors = self.process.stderr.take().unwrap();
        errors.read_to_string(&mut all).unwrap();
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_calls_and_reports_and_keeps_no_number() {
    let (mut world, app) = World::new().await;
    let vault = app.vault().unwrap();
    world
        .hire(&vault, "security-admin", service("relay", Role::Relay))
        .await;
    let case = world.case(&app, "C1").await;
    drop((vault, app));
    let served = Served::of(world, LONG, false).await;
    let (world, app) = (&served.world, &served.app);
    let handler = world.actor(app, "handler-c1");
    let body = json!({"ticket": case.no, "purpose": "handle"});
    let asked = handler.post(format!("{}/contact", case.caller()), &body).await.is(201);
    let base = format!("http://{}", served.address);
    let (called, again, said) = tokio::task::block_in_place(|| {
        let relay = Relay::start(&base, world.token("relay"), "answered");
        let called = relay.call(&asked.at("/code"));
        let again = relay.call(&asked.at("/code"));
        (called, again, relay.ends())
    });
    assert_eq!(
        called,
        (200, json!({"contact": asked.at("/contact"), "outcome": "answered"}))
    );
    assert_eq!(
        (again.0, &again.1["type"]),
        (410, &json!("urn:callervault:problem:contact-over"))
    );
    assert!(said.contains(&asked.at("/contact")), "{said}");
    assert!(
        !said.contains(&NUMBER[3..]) && !said.contains(world.token("relay")),
        "{said}"
    );
    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(page["contacts"][0]["outcome"], "answered");
}
