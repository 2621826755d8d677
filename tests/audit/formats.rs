//! Exported lines as other people's programs read them, and what they must tell apart.

use std::path::Path;

use serde_json::{Value, json};

use super::export::{Scene, lines, scene};
use crate::support::World;
use crate::support::approvals::{new_auditor, resolve};
use crate::support::process::client;
use crate::support::tools::{succeeds, tool};

const FORMATS: [&str; 3] = ["ocsf", "cef", "syslog"];

/// A served world in which one request for approval was granted and one refused, one read shown and one refused.
async fn eventful() -> Scene {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [security, auditor, dpo] = world.actors(&app, ["security-admin", "auditor", "dpo"]);
    let [handler, other] = world.actors(&app, ["handler-c1", "handler-w2"]);
    handler.reveal(&case).clear().await.is(200);
    handler.verify(&case, "callback_number", "13900001111").await.is(200);
    other.reveal(&case).clear().await.is(403);
    let subject = world.subject(&app, &case).await;
    dpo.with(auditor, &resolve(&subject)).await.is(200);
    let id = security.ask(&new_auditor("another")).await;
    auditor.refuse(&id).await.is(200);
    drop(app);
    Scene::served(world, case, &[])
}

fn parsed(format: &str, file: &str) -> Option<std::process::Output> {
    let mut python = tool("bin/python")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/parsers.py");
    Some(python.arg(script).args([format, file]).output().unwrap())
}

/// What a reader of this format must have understood of an entry.
fn meaning(format: &str, native: &Value) -> Value {
    let leaf = &native["leaf"];
    let granted = leaf["out"] == "granted";
    let verdict = leaf["link"]["decision"].as_str().or(leaf["out"].as_str()).unwrap();
    let said = match (format, verdict) {
        ("ocsf", "granted") => "Allowed",
        ("ocsf", "denied") => "Blocked",
        ("ocsf", "approved") => "Approved",
        ("ocsf", "refused") => "Rejected",
        (_, verdict) => verdict,
    };
    json!({
        "index": native["index"], "leaf_hash": native["leaf_hash"], "act": leaf["act"], "actor": leaf["actor"],
        "node": leaf["node"], "granted": granted, "ticket": leaf["ticket"], "subject": leaf["subject"], "said": said,
    })
}

/// OCSF by the schema's own files, CEF by ArcSight's dictionary, RFC 5424 by a parser.
#[tokio::test(flavor = "multi_thread")]
async fn each_format_is_understood_by_a_parser_of_others() {
    let scene = eventful().await;
    tokio::task::block_in_place(|| {
        let native = lines(&scene.export(&["--format", "native"]));
        let native: Vec<Value> = native.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for format in FORMATS {
            let file = scene.path(format);
            scene.export(&["--format", format, "--out", &file]);
            let Some(output) = parsed(format, &file) else { return };
            succeeds(format, &output);
            let understood = lines(&output);
            assert!(understood.len() >= native.len(), "{format}");
            for (native, understood) in native.iter().zip(understood) {
                let understood: Value = serde_json::from_str(&understood).unwrap();
                assert_eq!(understood, meaning(format, native), "{format}: {native:#}");
            }
        }
    });
}

/// Otherwise the parsers above would hold nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_parser_of_others_refuses_what_its_format_has_not() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        for (format, right, wrong) in [
            ("ocsf", "\"severity_id\":1", "\"severity_id\":1,\"resources\":[]"),
            ("ocsf", "\"severity_id\":1", "\"severity_id\":\"1\""),
            ("ocsf", "\"type\":\"Database\"", "\"type\":\"Table\""),
            ("cef", " suid=", " asker="),
            ("cef", " outcome=success", " outcome=granted"),
            ("syslog", " callervault - ", " callervault "),
        ] {
            let first = lines(&scene.export(&["--format", format])).swap_remove(1);
            assert!(first.contains(right), "{first}");
            let file = scene.path("wrong");
            std::fs::write(&file, first.replacen(right, wrong, 1)).unwrap();
            let Some(output) = parsed(format, &file) else { return };
            assert!(!output.status.success(), "{format} with {wrong}");
        }
    });
}

/// In lines, whatever their format, and in what a search finds.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_refused_does_not_look_like_one_that_was_approved() {
    let scene = eventful().await;
    tokio::task::block_in_place(|| {
        let native = lines(&scene.export(&["--format", "native"]));
        let with = |decision: &str| {
            let said = format!("\"decision\":\"{decision}\"");
            native.iter().position(|line| line.contains(&said)).expect(decision)
        };
        let (approved, refused) = (with("approved"), with("refused"));
        for (format, yes, no) in [
            ("ocsf", "\"disposition\":\"Approved\"", "\"disposition\":\"Rejected\""),
            (
                "ocsf",
                "\"status_detail\":\"approved\"",
                "\"status_detail\":\"refused\"",
            ),
            ("cef", " act=approved ", " act=refused "),
            ("cef", "|approval.approve approved|", "|approval.approve refused|"),
            ("syslog", " decision=\"approved\"]", " decision=\"refused\"]"),
        ] {
            let all = lines(&scene.export(&["--format", format]));
            assert!(
                all[approved].contains(yes) && !all[approved].contains(no),
                "{}",
                all[approved]
            );
            assert!(
                all[refused].contains(no) && !all[refused].contains(yes),
                "{}",
                all[refused]
            );
        }
        let found = format!("{}/v1/audit/events?act=approval.approve", scene.server.base);
        let token = format!("Bearer {}", scene.world.token("auditor"));
        let found: Value = client()
            .get(found)
            .header("authorization", token)
            .call()
            .unwrap()
            .body_mut()
            .read_json()
            .unwrap();
        let entries = found["entries"].as_array().unwrap();
        let decision = |index: usize| {
            let entry = entries.iter().find(|entry| entry["index"] == json!(index)).unwrap();
            entry["leaf"]["link"]["decision"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (decision(approved), decision(refused)),
            ("approved".to_owned(), "refused".to_owned())
        );
    });
}

/// The name of a request is no name of a device, and who asked is not the vault that saw it.
#[tokio::test(flavor = "multi_thread")]
async fn each_key_of_a_line_has_the_meaning_that_its_format_gives_it() {
    let scene = eventful().await;
    tokio::task::block_in_place(|| {
        let native = lines(&scene.export(&["--format", "native"]));
        let reveal = native
            .iter()
            .position(|line| line.contains("\"field.reveal\""))
            .unwrap();
        let leaf = serde_json::from_str::<Value>(&native[reveal]).unwrap()["leaf"].take();
        let text = |key: &str| leaf[key].as_str().unwrap();
        let at = |format: &str| lines(&scene.export(&["--format", format])).swap_remove(reveal);
        let cef = at("cef");
        for (key, value) in [
            ("suid", text("actor")),
            ("dvchost", text("node")),
            ("externalId", text("id")),
            ("cs1Label=purpose cs2", text("ticket")),
            ("cs4", "callback_number (clear)"),
            ("cs4Label=fields cs5", "C1"),
        ] {
            assert!(cef.contains(&format!(" {key}={value} ")), "{key}: {cef}");
        }
        assert_eq!(cef.matches(text("req")).count(), 1, "{cef}");
        assert!(
            cef.contains(&format!(" msg=request: {}; role: handler", text("req"))),
            "{cef}"
        );
        let ocsf: Value = serde_json::from_str(&at("ocsf")).unwrap();
        for (pointer, value) in [
            ("/actor/user/uid", text("actor")),
            ("/actor/user/credential_uid", text("token")),
            ("/actor/user/groups/0/name", "C1"),
            ("/actor/user/groups/1/name", "handler"),
            ("/src_endpoint/uid", text("token")),
            ("/dst_endpoint/name", text("node")),
            ("/metadata/product/name", "CallerVault"),
            ("/metadata/correlation_uid", text("req")),
            ("/metadata/original_time", text("t")),
            ("/unmapped/ticket", text("ticket")),
            ("/unmapped/subject", text("subject")),
            ("/unmapped/form", "clear"),
        ] {
            assert_eq!(ocsf.pointer(pointer), Some(&json!(value)), "{pointer}");
        }
        assert_eq!(ocsf["type_id"], 1);
    });
}
