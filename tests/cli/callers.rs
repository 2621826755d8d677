//! Erasing a caller from a command line: a hold that forbids it, the second person, the receipt.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::copies::words;
use crate::support::process::{Server, run, secret_file};
use crate::support::{Case, World};

/// People with tokens, each at a terminal of their own.
pub(crate) struct Office<'w> {
    world: &'w World,
    server: Server,
}

impl<'w> Office<'w> {
    /// Serves a world.
    pub(crate) fn of(world: &'w World) -> Self {
        let server = Server::start(world.dir.path());
        Self { world, server }
    }

    /// A handler asks to see the number, over HTTP.
    pub(crate) fn reads(&self, case: &Case) -> (u16, Value) {
        let (path, body) = case.reveal("clear");
        self.server.post(self.world, "handler-c1", &path, &body)
    }

    fn token(&self, who: &str) -> PathBuf {
        let path = self.world.dir.path().join(format!("token-{who}"));
        secret_file(&path, self.world.token(who));
        path
    }

    pub(crate) fn run(&self, who: &str, arguments: &[&str]) -> Output {
        let token = self.token(who);
        let always = ["--url", &self.server.base, "--token-file", token.to_str().unwrap()];
        run(&[arguments, &always].concat())
    }

    /// What it prints, with this exit code.
    #[track_caller]
    pub(crate) fn ends(&self, who: &str, arguments: &[&str], code: i32) -> String {
        let output = self.run(who, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", words(&output));
        words(&output)
    }

    #[track_caller]
    pub(crate) fn json(&self, who: &str, arguments: &[&str], code: i32) -> Value {
        let output = self.run(who, &[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", words(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(text.lines().next().unwrap_or_default()).unwrap()
    }
}

fn office_day(office: &Office<'_>, reference: &str, subject: &str, key: &str, receipt: &Path) {
    let file = receipt.to_str().unwrap();
    let hold = ["caller", "hold", reference, "--review", "2027-05-31"];
    let without = office.ends("dpo", &hold, 2);
    assert!(without.contains("give --reason TEXT"), "{without}");
    let held = office.json("dpo", &[&hold[..], &["--reason", "court 7"]].concat(), 0);
    let id = held["id"].as_str().unwrap();
    assert!(office.ends("auditor", &["caller", "holds"], 0).contains("court 7"));
    let erase = ["caller", "erase", reference, "--reason", "asked for"];
    let refused = office.ends("dpo", &erase, 4);
    assert!(refused.contains(id), "the hold is named: {refused}");
    let lift = ["caller", "lift", id, "--reason", "the case is over"];
    office.ends("dpo", &lift, 4);
    office.ends("auditor", &lift, 0);

    office.ends("dpo", &erase, 5);
    let waiting = office.json("auditor", &["approvals", "list"], 0);
    let approval = waiting["id"].as_str().unwrap();
    assert_eq!(waiting["subject"], subject);
    office.ends("auditor", &["approvals", "approve", approval, "--reason", "seen"], 0);
    let erase = [&erase[..], &["--approval", approval, "--receipt", file]].concat();
    let done = office.ends("dpo", &erase, 0);
    assert!(done.contains(subject), "{done}");
    let again = office.ends("dpo", &erase, 2);
    assert!(again.contains("is already there"), "{again}");
    let verified = run(&["audit", "verify", "--key", key, "--receipt", file]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    assert!(
        words(&verified).contains(&format!("receipt: {subject} was erased at")),
        "{}",
        words(&verified)
    );

    let copy = receipt.with_extension("copy");
    office.ends(
        "dpo",
        &["caller", "receipt", subject, "--receipt", copy.to_str().unwrap()],
        0,
    );
    assert_eq!(std::fs::read(receipt).unwrap(), std::fs::read(copy).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_and_an_auditor_erase_a_caller() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    let keys = world.actor(&app, "auditor").get("/v1/audit/keys").await.is(200).text;
    drop(app);
    let out = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let office = Office::of(&world);
        let receipt = out.path().join("receipt");
        office_day(&office, &reference, &subject, keys.lines().next().unwrap(), &receipt);
    });
    assert_eq!(world.fsck().await, []);
}
