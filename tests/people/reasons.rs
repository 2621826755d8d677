//! Why somebody asks for an approval, and why another gives or refuses it: shown to those two sides, sealed at rest, and held to
//! the log by digests.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::Role;
use callervault::vault::life::fsck::Finding;
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::approvals::{new_auditor, person, resolve};
use crate::support::process::{Server, run, secret_file};
use crate::support::rows;
use crate::support::{Actor, Answer, Request, World};

const ASKED: &str = "来电人要求查询其个人信息被谁看过";
const ASKED_SHORTLY: &str = "a letter came";
const DECIDED: &str = "核对过书面申请 no. 7, all in order";
const NONE: &str = "/v1/approvals/00000000000000000000000000000000";
const MINE: &str = "/v1/approvals/mine";
const NOT_YOURS: &str = "Your role does not allow this";

/// As a header has it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Who the usual caller is, to be asked for.
async fn request(world: &World, app: &Arc<App>) -> Request {
    let case = world.case(app, "C1").await;
    resolve(&world.subject(app, &case).await)
}

fn because(request: &Request, reason: &str) -> Request {
    request.clone().header("approval-reason", reason)
}

impl Actor<'_> {
    async fn decide_because(self, id: &str, what: &str, body: &Value) -> Answer {
        self.post(format!("/v1/approvals/{id}/{what}"), body).await
    }
}

fn sealed(world: &World, id: &str, column: &str) -> Vec<u8> {
    world.data().rows("approval").of("id", rows::id(id)).first(column)
}

fn sha256(bytes: &[u8]) -> Value {
    json!(BASE64.encode(digest(&SHA256, bytes).as_ref()))
}

fn shows_a_reason(answer: &Answer) -> bool {
    answer.text.contains(ASKED) || answer.text.contains(DECIDED)
}

#[tokio::test]
async fn both_reasons_are_shown_to_both_sides_and_to_nobody_else() {
    let (mut world, app) = World::new().await;
    world
        .hire(&app.vault().unwrap(), "security-admin", person("dpo-2", Role::Dpo))
        .await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let request = request(&world, &app).await;
    let id = dpo.ask(&because(&request, &encoded(ASKED))).await;
    let one = &*format!("/v1/approvals/{id}");
    let before = auditor.get(one).await;
    let reason = before.at("/asker_reason");
    assert_eq!(reason, ASKED, "who decides reads it first: {}", before.text);
    assert!(before.json().get("approver_reason").is_none(), "{}", before.text);
    let why = json!({"reason": DECIDED});
    auditor.decide_because(&id, "approve", &why).await.is(200);

    // Another officer may decide on such requests as well.
    for (who, path) in [
        ("dpo", one),
        ("auditor", one),
        ("dpo-2", one),
        ("dpo", MINE),
        ("auditor", "/v1/approvals"),
    ] {
        let shown = world.actor(&app, who).get(path).await.is(200);
        let both = shown.text.contains(ASKED) && shown.text.contains(DECIDED);
        assert!(both, "{who} {path}: {}", shown.text);
        let act = auditor.entry(&shown).await["act"].clone();
        let own = who == "dpo";
        assert_eq!(act, if own { "approval.own" } else { "approval.read" }, "{who} {path}");
    }
    for who in ["agent", "dispatcher", "handler-c1", "security-admin", "system-admin"] {
        let stranger = world.actor(&app, who);
        let hidden = stranger.get(one).await;
        auditor.finds_refused(&hidden, "refused", NOT_YOURS).await;
        for path in [one, "/v1/approvals", MINE] {
            assert!(!shows_a_reason(&stranger.get(path).await), "{who} {path}");
        }
    }
    for act in ["approval.ask", "approval.approve"] {
        let found = auditor.get(format!("/v1/audit/events?act={act}")).await.is(200);
        assert!(found.text.contains("_reason") && !shows_a_reason(&found), "{act}");
    }
}

#[tokio::test]
async fn reasons_are_sealed_and_the_log_has_their_digests() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let request = request(&world, &app).await;
    let asked = dpo.send(because(&request, &encoded(ASKED))).await.is(202);
    let id = asked.at("/approval/id");
    let why = json!({"reason": DECIDED});
    let decided = auditor.decide_because(&id, "approve", &why).await;
    // The reason is not part of what is compared.
    let done = dpo.send(request.approved(&id)).await.is(200);

    let [one, other] = ["asker_reason", "approver_reason"].map(|column| sha256(&sealed(&world, &id, column)));
    let leaf = auditor.entry(&asked).await;
    assert_eq!(leaf["link"]["asker_reason"], one);
    assert_eq!(leaf["link"].get("approver_reason"), None);
    for answer in [&decided, &done] {
        let leaf = auditor.entry(answer).await;
        assert_eq!(leaf["link"]["asker_reason"], one, "{leaf}");
        assert_eq!(leaf["link"]["approver_reason"], other, "{leaf}");
    }
    drop(app);
    world.settle();
    for path in world.files() {
        let bytes = std::fs::read(&path).unwrap();
        for text in [ASKED, DECIDED, &encoded(ASKED)] {
            let there = memchr::memmem::find(&bytes, text.as_bytes()).is_some();
            assert!(!there, "{} shows a reason", path.display());
        }
    }
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_reason_that_was_moved_does_not_open() {
    let (world, app) = World::new().await;
    let dpo = world.actor(&app, "dpo");
    let request = request(&world, &app).await;
    let asked = dpo.ask(&because(&request, "one")).await;
    let other = dpo.ask(&because(&request, "two")).await;
    drop(app);
    let reason = sealed(&world, &other, "asker_reason");
    let data = world.data();
    let approval = data.rows("approval").of("id", rows::id(&asked));
    assert_eq!(approval.set("asker_reason", &*reason), 1);
    drop(data);
    let app = world.open().await;
    let auditor = world.actor(&app, "auditor");
    let read = auditor.get(format!("/v1/approvals/{asked}")).await;
    read.fails(500, "integrity");
    drop(app);
    let findings = world.fsck().await;
    for what in [
        "was edited: its code does not fit",
        "has a reason that does not open where it stands",
    ] {
        let named = |one: &Finding| one.place.contains(&asked) && one.what == what;
        assert!(findings.iter().any(named), "{what}: {findings:?}");
    }
}

#[tokio::test]
async fn what_is_no_reason_is_refused_and_an_approval_has_one() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let request = request(&world, &app).await;
    let long = "x".repeat(201);
    for bad in ["", "  ", "%0A", "two%0Alines", "%FF", long.as_str()] {
        let answer = dpo.send(because(&request, bad)).await.fails(400, "bad-reason");
        assert!(answer.at("/detail").contains("1 to 200 characters"), "{}", answer.text);
    }
    let twice = because(&because(&request, "one"), "two");
    dpo.send(twice).await.fails(400, "bad-reason");
    let longest = "查".repeat(200);
    let id = dpo.ask(&because(&request, &encoded(&longest))).await;
    let own = dpo.get(format!("/v1/approvals/{id}")).await;
    assert_eq!(own.at("/asker_reason"), longest);

    for (what, bad, problem) in [
        ("approve", json!({"reason": ""}), "bad-reason"),
        ("approve", json!({"reason": long}), "bad-reason"),
        ("approve", json!({"reason": "two\nlines"}), "bad-reason"),
        ("approve", json!({"reason": "two\u{2028}lines"}), "bad-reason"),
        ("approve", json!({"reason": "two\u{2029}lines"}), "bad-reason"),
        ("refuse", json!({"because": "x"}), "bad-json"),
    ] {
        let answer = auditor.decide_because(&id, what, &bad).await;
        answer.fails(400, problem);
    }
    for body in ["", "{}"] {
        let bare =
            Request::bare("POST", format!("/v1/approvals/{id}/approve")).header("content-type", "application/json");
        auditor.send(bare.body(body)).await.fails(422, "reason-required");
    }
    assert_eq!(auditor.state(&id).await, "asked");
    auditor.refuse(&id).await.is(200);
    let shown = dpo.get(format!("/v1/approvals/{id}")).await.json();
    assert!(shown.get("approver_reason").is_none(), "{shown}");
    assert_eq!(shown["state"], "refused");
}

/// Who asks reads their own requests, all and one, and nobody else's.
#[tokio::test]
async fn askers_read_their_own_requests() {
    let (world, app) = World::new().await;
    let [dpo, admin] = world.actors(&app, ["dpo", "security-admin"]);
    let request = request(&world, &app).await;
    let mut ids = Vec::new();
    for name in ["auditor-2", "auditor-3", "auditor-4"] {
        ids.push(admin.ask(&new_auditor(name)).await);
        dpo.ask(&because(&request, "between")).await;
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = admin.get(format!("{MINE}?limit=2{after}")).await.is(200).json();
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["asker"]["account"], "security-admin", "{item}");
            assert!(item["expires_at"].is_string() && item["state"].is_string(), "{item}");
            seen.push(item["id"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // Before these, the same administrator asked for the officer's account and token.
    assert_eq!(seen.len(), 5, "each once");
    assert_eq!(seen[..3], ids, "newest first");
    let one = admin.get(format!("/v1/approvals/{}", ids[0])).await.is(200);
    assert_eq!(one.at("/about/account"), "auditor-4");
}

#[tokio::test]
async fn nobody_reads_anothers_request_without_the_right_to_approve() {
    let (world, app) = World::new().await;
    let [dpo, admin, auditor] = world.actors(&app, ["dpo", "security-admin", "auditor"]);
    let request = request(&world, &app).await;
    let id = dpo.ask(&because(&request, ASKED_SHORTLY)).await;
    assert_eq!(dpo.get(MINE).await.at("/items/0/id"), id);
    let foreign = format!("/v1/approvals/{id}");
    for path in [&*foreign, NONE] {
        let answer = admin.get(path).await;
        auditor.finds_refused(&answer, "refused", NOT_YOURS).await;
    }
    auditor.get(NONE).await.fails(404, "not-found");
    // Agents ask too, and see no requests but their own.
    let own = world.actor(&app, "agent").get(MINE).await.is(200);
    assert_eq!(own.json()["items"], json!([]));
    for who in ["dispatcher", "handler-c1"] {
        let none = world.actor(&app, who).get(MINE).await;
        auditor.finds_refused(&none, "refused", NOT_YOURS).await;
    }
}

/// From the command line: asked with a reason, seen, approved by somebody else, done with the same command.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_asks_from_the_command_line() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let server = Server::start(world.dir.path());
        let as_whom = |who: &str, arguments: &[&str], code: i32| {
            let token = world.dir.path().join("token");
            secret_file(&token, world.token(who));
            let always = ["--url", &server.base, "--token-file", token.to_str().unwrap(), "--json"];
            let done = run(&[&always, arguments].concat());
            let told = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(code), "{told}");
            let lines = String::from_utf8(done.stdout).unwrap();
            let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
            (lines.collect::<Vec<Value>>(), told)
        };
        let issue = ["token", "issue", "dpo"];
        let (asked, told) = as_whom("security-admin", &[&issue[..], &["--reason", ASKED]].concat(), 5);
        let id = asked[0].pointer("/approval/id").and_then(Value::as_str).unwrap();
        assert!(told.contains(&format!("callervault approvals approve {id} ")), "{told}");
        let (mine, _) = as_whom("security-admin", &["approvals", "mine"], 0);
        assert_eq!(
            (&mine[0]["id"], &mine[0]["asker_reason"]),
            (&json!(id), &json!(ASKED)),
            "{mine:?}"
        );
        // Too early, and not by the asker.
        as_whom("security-admin", &[&issue[..], &["--approval", id]].concat(), 4);
        as_whom("security-admin", &["approvals", "approve", id, "--reason", DECIDED], 4);
        let (_, told) = as_whom("auditor", &["approvals", "approve", id], 2);
        assert!(told.contains("--reason"), "{told}");
        let (waiting, _) = as_whom("auditor", &["approvals", "list"], 0);
        assert_eq!((waiting.len(), &waiting[0]["id"]), (1, &json!(id)));
        let (decided, _) = as_whom("auditor", &["approvals", "approve", id, "--reason", DECIDED], 0);
        assert_eq!(decided[0]["state"], "approved");
        assert_eq!(as_whom("auditor", &["approvals", "list"], 0).0, [] as [Value; 0]);
        let (shown, _) = as_whom("auditor", &["approvals", "show", id], 0);
        assert_eq!(shown[0]["approver_reason"], DECIDED);
        let (issued, _) = as_whom("security-admin", &[&issue[..], &["--approval", id]].concat(), 0);
        assert!(issued[0]["token"].as_str().unwrap().starts_with("cvt_"));
        // Refused, it is not done either.
        let (asked, _) = as_whom("security-admin", &["principal", "switch-off", "dpo"], 5);
        let id = asked[0].pointer("/approval/id").and_then(Value::as_str).unwrap();
        let (refused, _) = as_whom("auditor", &["approvals", "refuse", id], 0);
        assert_eq!(refused[0]["state"], "refused");
        as_whom(
            "security-admin",
            &["principal", "switch-off", "dpo", "--approval", id],
            4,
        );
        let (all, _) = as_whom("auditor", &["approvals", "list", "--all"], 0);
        assert_eq!([&all[0]["state"], &all[1]["state"]], ["refused", "used"]);
    });
}
