//! Backups: who may make one, what it holds, and what is told of it.

use std::path::Path;

use serde_json::json;

use crate::support::backups::{Desk, apart, copies, ends, forgotten, names, text, verified};
use crate::support::copies::words;
use crate::support::process::{passphrase_file, secret_file};
use crate::support::{PASSPHRASE, Request, World};

const BACKUPS: &str = "/v1/backups";

fn of(parts: &[&str]) -> Request {
    Request::post(BACKUPS, &json!({"parts": parts}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_says_what_it_holds_and_the_log_says_who_made_it() {
    let desk = Desk::new().await;
    let world = desk.world();
    let auditor = world.actor(&desk.served.app, "auditor");
    world.case(&desk.served.app, "C1").await;
    let [data, keys] = desk.both("data", "keys").await;
    let key = desk.key().await;
    let (of_data, of_keys) = (verified(&data, &key, &[]), verified(&keys, &key, &[]));
    for (told, part) in [(&of_data, "data"), (&of_keys, "keys")] {
        assert_eq!(
            (&told["holds"], &told["log"]),
            (&json!(part), &json!("test.invalid/log/1"))
        );
        // Both are of the moment at which the entry of who asked was committed.
        let entry = told["entry"].as_u64().unwrap();
        assert_eq!(told["size"].as_u64().unwrap(), entry + 1);
        assert_eq!((&told["root"], &told["vault"]), (&of_data["root"], &of_data["vault"]));
        assert_eq!(
            told["keys"],
            json!(["index/1", "kek/1", "log/1", "reference/1", "row/1"])
        );
        let leaf = auditor.entry_at(entry).await;
        assert_eq!(
            (&leaf["act"], &leaf["link"]["parts"]),
            (&json!("backup.keys"), &json!("data,keys"))
        );
        assert_eq!(leaf["actor"], world.id("system-admin"));
        assert_eq!(leaf["approver"], world.id("auditor"));
    }
    assert_eq!(
        (&of_data["rows"]["caller"], &of_data["rows"]["ticket"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(of_keys["rows"]["record_key"], 2);
    let fetched = auditor.get("/v1/audit/events?act=backup.fetch").await.json();
    assert_eq!(
        fetched["entries"].as_array().map(Vec::len),
        Some(2),
        "one for each file: {fetched}"
    );
    assert_eq!(copies(world), [""; 0], "what was fetched is deleted");

    // Any tool for archives opens it.
    let listed = std::process::Command::new("tar")
        .args(["-tf", text(&data)])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "manifest\nvault.db\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_gets_no_key_and_nobody_else_gets_anything() {
    let desk = Desk::new().await;
    let (world, app) = (desk.world(), &desk.served.app);
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    for name in ["agent", "dispatcher", "handler-c1", "auditor", "security-admin", "dpo"] {
        let other = world.actor(app, name);
        for parts in [&["data"][..], &["keys"], &["data", "keys"]] {
            other.send(of(parts)).await.fails(403, "refused");
        }
    }
    for parts in [&["keys"][..], &["data", "keys"]] {
        let id = system.ask(&of(parts)).await;
        let alone = system.send(of(parts).approved(&id)).await;
        auditor.finds_refused(&alone, "not-approved", "").await;
    }
    // An approval is for these parts alone.
    let id = system.approved_by(auditor, &of(&["data", "keys"])).await;
    system.send(of(&["keys"]).approved(&id)).await.is(403);
    for parts in [&[][..], &["data", "data"]] {
        system.send(of(parts)).await.fails(422, "backup-parts");
    }
    assert_eq!(copies(world), [""; 0]);

    let made = system.send(of(&["data"])).await.is(200);
    let path = format!("{BACKUPS}/{}", made.at("/id"));
    for name in ["auditor", "security-admin", "agent"] {
        world.actor(app, name).get(&*path).await.fails(403, "refused");
    }
    for path in [format!("{path}/keys?from=0"), format!("{BACKUPS}/{}", "0".repeat(32))] {
        system.get(path).await.fails(404, "not-found");
    }
    // From the second byte on as well, the entry comes first.
    let part = format!("{path}/data?from=1");
    while system.get(&*part).await.status == 404 {
        tokio::task::yield_now().await;
    }
    let fetched = auditor
        .get("/v1/audit/events?act=backup.fetch&out=granted")
        .await
        .is(200)
        .json();
    assert_eq!(fetched["entries"].as_array().map(Vec::len), Some(1), "{fetched}");
    // What is not fetched goes when the keys go.
    desk.lock().await;
    forgotten(world);
}

/// A receipt says that the keys are gone: they are not in a copy that waits to be fetched, either.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_waits_is_gone_when_a_caller_is_erased() {
    let desk = Desk::new().await;
    let (world, app) = (desk.world(), &desk.served.app);
    let case = world.case(app, "C1").await;
    let (_, reference) = world.closed_case(app, &case).await;
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    let made = system.with(auditor, &of(&["keys"])).await.is(200);
    let path = format!("{BACKUPS}/{}", made.at("/id"));
    while system.get(format!("{path}/keys?from=0")).await.status == 404 {
        tokio::task::yield_now().await;
    }
    world.erased(app, &reference).await;
    system.get(&*path).await.fails(404, "not-found");
    system.get(format!("{path}/keys?from=0")).await.fails(404, "not-found");
    assert_eq!(copies(world), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_stays_as_it_is() {
    let desk = Desk::new().await;
    let file = desk.file("data");
    std::fs::write(&file, "mine").unwrap();
    let before = desk.world().data().rows("log_entry").count();
    let backup = ["backup", "--data", text(&file)];
    ends(&desk.run("system-admin", &backup), 2, "is there already");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    let nowhere = desk.file("missing/data");
    ends(
        &desk.run("system-admin", &["backup", "--data", text(&nowhere)]),
        2,
        "make it first",
    );
    let same = desk.file("same");
    let both = ["backup", "--data", text(&same), "--keys", text(&same)];
    ends(&desk.run("system-admin", &both), 2, "the same file");
    ends(&desk.run("system-admin", &["backup"]), 2, "--data");
    assert_eq!(
        desk.world().data().rows("log_entry").count(),
        before,
        "nothing was asked of the server"
    );
    assert_eq!(names(desk.files.path()), ["data"]);
}

/// Each of these bytes, changed in one bit.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[at] ^= 1 << (at % 8);
    flipped
}

/// Whatever is done to the file is found: a bit, an end that is missing, something behind it.
fn nothing_else_holds(desk: &Desk, file: &Path, key: &str, more: &[&str]) {
    let bytes = std::fs::read(file).unwrap();
    let other = desk.file("tampered");
    let caught = |what: &str, bytes: &[u8]| {
        std::fs::write(&other, bytes).unwrap();
        let arguments = [&["backup", "verify", text(&other), "--key", key], more].concat();
        let output = apart(&arguments);
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{what}: {}",
            words(&output)
        );
    };
    // Header, note, padding, header of the copy, the copy, its end, the end of all.
    let places = (0..2048)
        .step_by(61)
        .chain((2048..bytes.len()).step_by(bytes.len() / 24))
        .chain([bytes.len() - 1]);
    for at in places {
        caught(&format!("bit of byte {at}"), &flipped(&bytes, at));
    }
    for left in [
        0,
        1,
        511,
        512,
        1500,
        bytes.len() / 2,
        bytes.len() - 1024,
        bytes.len() - 512,
        bytes.len() - 1,
    ] {
        caught(&format!("cut to {left}"), &bytes[..left]);
    }
    for more in [&b"\0"[..], b"more", &[0; 512]] {
        caught("appended", &[&bytes, more].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_does_not_hold() {
    let desk = Desk::new().await;
    let (data, key) = (desk.data("data"), desk.key().await);
    verified(&data, &key, &[]);
    nothing_else_holds(&desk, &data, &key, &[]);
    let (other, app) = World::of_its_own().await;
    let keys = other.actor(&app, "auditor").get("/v1/audit/keys").await.text;
    let output = apart(&["backup", "verify", text(&data), "--key", keys.trim()]);
    ends(&output, 1, "not signed by the known key");
    let output = apart(&["backup", "verify", text(&desk.world().places.data), "--key", &key]);
    ends(&output, 1, "TAMPERED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_backup_opens_for_its_recipients_alone() {
    use age::secrecy::ExposeSecret;
    let desk = Desk::new().await;
    let identities = [(); 3].map(|()| age::x25519::Identity::generate());
    let files = [0, 1, 2].map(|n| {
        let path = desk.file(&format!("identity-{n}"));
        secret_file(&path, identities[n].to_string().expose_secret());
        path
    });
    let file = desk.file("data.age");
    let recipients = [0, 1].map(|n| identities[n].to_public().to_string());
    let [first, second] = recipients.each_ref().map(|one| ["--recipient", one.as_str()]);
    let backup = [&["backup", "--data", text(&file)], &first[..], &second[..]].concat();
    ends(&desk.run("system-admin", &backup), 0, "data store");
    let bytes = std::fs::read(&file).unwrap();
    for clear in [&b"SQLite format 3"[..], b"callervault/backup/1", b"test.invalid"] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear));
    }
    let key = desk.key().await;
    for identity in &files[..2] {
        assert_eq!(verified(&file, &key, &["--identity", text(identity)])["holds"], "data");
    }
    let verify = ["backup", "verify", text(&file), "--key", &key];
    ends(&apart(&verify), 2, "is encrypted");
    ends(
        &apart(&[&verify[..], &["--identity", text(&files[2])]].concat()),
        2,
        "not encrypted to any identity",
    );
    let passphrase = passphrase_file(desk.files.path());
    let output = apart(&[&verify[..], &["--identity", text(&passphrase)]].concat());
    ends(&output, 2, "holds no age identity");
    assert!(!words(&output).contains(PASSPHRASE));
    nothing_else_holds(&desk, &file, &key, &["--identity", text(&files[0])]);
    let output = desk.run(
        "system-admin",
        &["backup", "--data", text(&desk.file("x")), "--recipient", "age1nobody"],
    );
    ends(&output, 2, "--recipient");
}
