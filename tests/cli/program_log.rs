//! The program log: what a serving vault writes to standard error, one JSON object a line.

use serde_json::{Value, json};

use crate::support::process::{Server, client, passphrase_file, run};
use crate::support::{NAME, NUMBER, World, caller, intake};

/// A line of the program log.
fn event(line: &str) -> Value {
    let event: Value = serde_json::from_str(line).expect(line);
    assert!(event["timestamp"].is_string() && event["level"].is_string(), "{line}");
    event
}

/// The events with this message among all lines.
fn events(said: &str, message: &str) -> Vec<Value> {
    let all = said.lines().map(event);
    all.filter(|event| event["fields"]["message"] == message).collect()
}

/// A hash in base64 or hexadecimal.
fn is_hash(value: &Value) -> bool {
    value.as_str().is_some_and(|hash| hash.len() >= 43)
}

/// Everything a server says from its first line to its last.
struct Served {
    server: Server,
    world: World,
}

impl Served {
    fn start(world: World) -> Self {
        let server = Server::start(world.dir.path());
        Self { server, world }
    }

    fn status(&self, path: &str, authorization: Option<&str>) -> u16 {
        let mut request = client().get(format!("{}{path}", self.server.base));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        request.call().unwrap().status().as_u16()
    }

    fn stopped(mut self) -> String {
        self.server.terminate();
        let (code, said) = self.server.ended();
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

/// What comes before the server listens.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_says_what_is_in_force_and_that_the_vault_is_unlocked() {
    let world = World::closed().await;
    let passphrase = passphrase_file(world.dir.path());
    // It ends right after it has opened the vault: this address is no address of this machine.
    let output = run(&[
        "serve",
        "--dir",
        world.dir.path().to_str().unwrap(),
        "--passphrase-file",
        passphrase.to_str().unwrap(),
        "--behind-proxy",
        "--listen",
        "192.0.2.1:1",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    let said: Vec<&str> = said.lines().filter(|line| line.starts_with('{')).collect();
    let said = said.join("\n");
    let [rules] = &events(
        &said,
        "the rules in force: SHA-256 over policies, schema, fields, limits, words, periods of retention, deadlines and holidays",
    )[..] else {
        unreachable!("{said}")
    };
    assert!(is_hash(&rules["fields"]["policy"]), "{rules}");
    let [lists] = &events(&said, "the lists in force: SHA-256")[..] else {
        unreachable!("{said}")
    };
    assert!(is_hash(&lists["fields"]["lists"]), "{lists}");
    let [unlocked] = &events(&said, "the vault is unlocked")[..] else {
        unreachable!("{said}")
    };
    assert_eq!(unlocked["fields"]["way"], "serve");
    assert!(unlocked["fields"]["index"].is_u64(), "{unlocked}");
}

/// Checks put nothing in force, and say so by saying nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_nothing_of_what_is_in_force() {
    let world = World::closed().await;
    let dir = world.dir.path().to_str().unwrap().to_owned();
    passphrase_file(world.dir.path());
    let passphrase = world.dir.path().join("passphrase");
    let calls = world.dir.path().join("calls.jsonl");
    std::fs::write(&calls, "").unwrap();
    let lines = [
        vec!["policies", "--dir", &dir, "check"],
        vec!["fsck", "--dir", &dir, "--passphrase-file", passphrase.to_str().unwrap()],
        vec!["import", "--dir", &dir, "--dry-run", calls.to_str().unwrap()],
    ];
    for line in lines {
        let output = run(&line);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(output.status.success(), "{line:?}: {said}");
        assert!(!said.contains("in force"), "{line:?}: {said}");
    }
}

/// Nor do rules that were read again, and are bad or as they were.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_do_not_come_into_force_are_not_told_as_if_they_had() {
    let world = World::closed().await;
    let fields = world.places.policies.join("fields.toml");
    let shipped = std::fs::read_to_string(&fields).unwrap();
    let field = "[[field]]\nname = \"nickname\"\nrecord = \"caller\"\ntype = \"label\"\nzh = \"昵称\"\nen = \"Nickname\"\nclass = \"personal\"\n\
        group = \"name\"\nmask = \"name\"\n\n";
    let first = "[[field]] # 姓名";
    assert!(shipped.contains(first));
    std::fs::write(&fields, shipped.replace(first, &format!("{field}{first}"))).unwrap();
    let mut served = Served::start(world);
    served.server.signal("HUP");
    served.server.says("the rules are as they were");
    // This vault has a field `nickname` now, which these rules drop.
    std::fs::write(&fields, shipped).unwrap();
    served.server.signal("HUP");
    served.server.says("the rules are bad: the old ones go on");
    let said = served.stopped();
    assert!(!said.contains("in force"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_line_without_who_and_what() {
    let world = World::closed().await;
    let served = Served::start(world);
    let call = intake(caller(NAME, NUMBER));
    let (status, taken) = served.server.post(&served.world, "agent", "/v1/intake", &call);
    assert_eq!(status, 201, "{taken}");
    let no = taken["ticket"]["no"].as_str().unwrap().to_owned();
    let token = format!("Bearer {}", served.world.token("dispatcher"));
    assert_eq!(served.status(&format!("/v1/tickets/{no}"), Some(&token)), 200);
    assert_eq!(served.status(&format!("/no-route/{NUMBER}"), Some(&token)), 404);
    let (agent, dispatcher) = (
        served.world.id("agent").to_owned(),
        served.world.id("dispatcher").to_owned(),
    );
    let said = served.stopped();
    let told = |event: &Value| {
        let fields = &event["fields"];
        assert!(fields["micros"].is_u64() && fields["request_id"].is_string(), "{event}");
        let mut names: Vec<&String> = fields.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["message", "method", "micros", "request_id", "route", "status"]);
        assert_eq!(event["level"], "INFO");
        json!([fields["method"], fields["route"], fields["status"]])
    };
    // What a busy disk did not take in time was sent again.
    let requests = events(&said, "request").into_iter();
    let requests = requests.filter(|event| event["fields"]["status"] != 503);
    let requests: Vec<Value> = requests.map(|event| told(&event)).collect();
    let expected = json!([
        ["POST", "/v1/intake", 201],
        ["GET", "/v1/tickets/{ticket}", 200],
        ["GET", "none", 404],
    ]);
    assert_eq!(json!(requests), expected);
    for secret in [NAME, NUMBER, &no, &agent, &dispatcher, "cvt_"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_and_a_stop() {
    let mut served = Served::start(World::closed().await);
    let (status, locked) = served
        .server
        .post(&served.world, "system-admin", "/v1/keys/lock", &json!({}));
    assert_eq!(status, 200, "{locked}");
    let told = event(served.server.says("the vault is locked"));
    assert_eq!(told["fields"]["index"], locked["index"], "{told} {locked}");
    let said = served.stopped();
    assert_eq!(
        events(&said, "stopping: requests under way are answered").len(),
        1,
        "{said}"
    );
    assert_eq!(events(&said, "stopped; keys wiped").len(), 1, "{said}");
}

/// Over the API; SIGHUP is in `hangup.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_read_again() {
    let mut served = Served::start(World::closed().await);
    let (status, reloaded) = served
        .server
        .post(&served.world, "security-admin", "/v1/admin/lists/reload", &json!({}));
    assert_eq!(status, 200, "{reloaded}");
    let told = event(served.server.says("the lists in force"));
    assert_eq!(told["fields"]["lists"], reloaded["sha256"]);
    std::fs::write(served.world.places.policies.join("lists.toml"), "categories = [").unwrap();
    let (status, _) = served
        .server
        .post(&served.world, "security-admin", "/v1/admin/lists/reload", &json!({}));
    assert_eq!(status, 422);
    served.server.says("the lists cannot be used and stay as they were");
    let said = served.stopped();
    assert_eq!(events(&said, "the lists in force: SHA-256").len(), 1, "{said}");
}

/// From anywhere and with whatever token: one line for many.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_requests_without_a_valid_token() {
    const MESSAGE: &str = "many requests without a valid token within a minute";
    let served = Served::start(World::closed().await);
    for at in 0..40 {
        let token = format!("Bearer cvt_{at}");
        assert_eq!(served.status("/v1/me", (at % 2 == 0).then_some(&token)), 401);
    }
    let said = served.stopped();
    let [burst] = &events(&said, MESSAGE)[..] else {
        unreachable!("{said}")
    };
    assert_eq!(
        (&burst["level"], &burst["fields"]["count"]),
        (&json!("WARN"), &json!(30))
    );
    assert!(!said.contains("cvt_"), "{said}");
}
