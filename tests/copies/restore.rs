//! Restoring: elsewhere and whole, into empty places only, and an older data store beside today's keys.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use callervault::model::ask::RequestId;
use callervault::randomness::System;
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::life::restart::{restart_with, token_in};
use crate::support::backups::{Desk, apart, ends, names, restored, text, verified};
use crate::support::copies::words;
use crate::support::process::{Server, client, not_taken, secret_file};
use crate::support::rows::Store;
use crate::support::served::Served;
use crate::support::{NUMBER, World, caller, intake};

const CLIENTS: usize = 8;

/// Takes calls and reveals a number in turn, until it is told to stop: how many of both were answered.
fn works(world: &World, base: &str, number: usize, reveal: &(String, Value), stop: &AtomicBool) -> usize {
    let agent = client();
    let mut done = 0;
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let call = intake(caller("王小明", &format!("137{number}{n:07}")));
        let (who, path, body) = match n % 2 {
            0 => ("agent", "/v1/intake", &call),
            _ => ("handler-c1", reveal.0.as_str(), &reveal.1),
        };
        let mut request = agent
            .post(format!("{base}{path}"))
            .header("authorization", format!("Bearer {}", world.token(who)));
        if who == "agent" {
            request = request.header("idempotency-key", RequestId::random(&System).unwrap().as_str());
        }
        let mut answer = request.send_json(body).unwrap();
        let status = answer.status().as_u16();
        let answer: Value = answer.body_mut().read_json().unwrap_or_default();
        assert!(status < 300 || not_taken(status, &answer), "{path}: {status} {answer}");
        done += 1;
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_while_everybody_works_is_whole_elsewhere() {
    let (world, app) = World::unlimited().await;
    drop(app);
    let desk = Desk::of(world).await;
    let world = desk.world();
    let case = world.case(&desk.served.app, "C1").await;
    let (base, reveal, stop) = (desk.base(), case.reveal("masked"), AtomicBool::new(false));
    let backup = tokio::runtime::Handle::current();
    let [data, keys] = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (base, reveal, stop) = (&base, &reveal, &stop);
                scope.spawn(move || works(world, base, number, reveal, stop))
            })
            .collect();
        let files = tokio::task::block_in_place(|| backup.block_on(desk.both("data", "keys")));
        stop.store(true, Ordering::SeqCst);
        let done: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(done > CLIENTS, "they worked: {done}");
        files
    });
    let told = verified(&data, &desk.key().await, &[]);
    desk.lock().await;

    let output = desk.restore("elsewhere", &[&data, &keys], &["--json"]);
    ends(&output, 0, "\"behind\":null");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["restored"], &report["report"]["findings"]),
        (&json!(["data", "keys"]), &json!([]))
    );
    let elsewhere = desk.file("elsewhere");
    let head = Store::open_to_read(&elsewhere.join("data/vault.db"));
    let root: Vec<u8> = head.rows("log_head").first("root");
    assert_eq!(BASE64.encode(&root), told["root"].as_str().unwrap());
    drop(head);
    assert_eq!(names(&elsewhere), ["data", "keys"], "nothing is left of the work");
    for directory in ["data", "keys"] {
        assert_eq!(mode(&elsewhere.join(directory)), 0o700);
    }
    assert_eq!(mode(&elsewhere.join("keys/keystore.db")), 0o600);

    let policies = ["--listen", "127.0.0.1:0", "--policies", text(&world.places.policies)];
    tokio::task::block_in_place(|| {
        let server = Server::start_with(&elsewhere, "http", &policies);
        let (path, body) = case.reveal("clear");
        let (status, shown) = server.post(world, "handler-c1", &path, &body);
        assert_eq!(
            (status, &shown["fields"]["callback_number"]),
            (200, &json!(format!("+86{NUMBER}")))
        );
    });
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_data_store_beside_todays_keys_brings_back_all_but_the_erased() {
    let desk = Desk::new().await;
    let world = desk.world();
    let gone = world
        .case_of(&desk.served.app, "C1", caller("李四光", "13700002222"))
        .await;
    let stays = world.case(&desk.served.app, "C1").await;
    let (_, reference) = world.closed_case(&desk.served.app, &gone).await;
    let old = desk.data("data");
    world.erased(&desk.served.app, &reference).await;
    desk.lock().await;
    let Desk { served, files: _files } = desk;
    let Served { mut world, .. } = served;
    let today = world.dir.path().join("data-today");
    std::fs::rename(world.dir.path().join("data"), &today).unwrap();

    let output = restored(&world, world.dir.path(), &[&old], &[]);
    ends(&output, 0, "callervault audit restart");
    assert!(words(&output).contains("0 findings"), "{}", words(&output));
    assert!(world.try_open().await.is_err(), "the fence holds");
    let readmit = ["--readmit", "security-admin"];
    let done = restart_with(&world, "system-admin", "auditor", "restored", &readmit);
    ends(&done, 0, "the new log is ");
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token_in(&done)).await;
    let handler = world.actor(&app, "handler-c1");
    let shown = handler.reveal(&stays).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
    handler.reveal(&gone).clear().await.fails(410, "erased");
    let again = world.actor(&app, "agent").lookup("13700002222").await;
    assert!(!again.text.contains(&gone.reference), "{}", again.text);
}

/// The keys of one who is erased are in no copy that is made after the receipt.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_keys_after_the_receipt_has_none_of_the_erased() {
    let desk = Desk::new().await;
    let world = desk.world();
    let case = world.case(&desk.served.app, "C1").await;
    let (subject, reference) = world.closed_case(&desk.served.app, &case).await;
    let record: Vec<u8> = world.data().rows("caller").of("subject", &*subject).first("id");
    let wrapped: Vec<u8> = world.keys().rows("record_key").of("record", &*record).first("wrapped");
    let holds = |file: &Path| {
        let bytes = std::fs::read(file).ok()?;
        Some(bytes.windows(wrapped.len()).any(|window| window == wrapped))
    };
    let [_, before] = desk.both("data-1", "keys-1").await;
    world.erased(&desk.served.app, &reference).await;
    let [_, after] = desk.both("data-2", "keys-2").await;
    let found = "an older copy of the keys has it: it must be destroyed";
    assert_eq!((holds(&before), holds(&after)), (Some(true), Some(false)), "{found}");
    desk.lock().await;
    for file in world.files() {
        // What SQLite keeps beside the index of the log, which is closed last, may be gone meanwhile.
        assert_ne!(holds(&file), Some(true), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_not_written_over_and_what_does_not_fit_is_named() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    let [data, keys] = desk.both("data", "keys").await;
    let (older, key) = (desk.data("older"), desk.key().await);
    desk.lock().await;
    let world = desk.world();

    let before = std::fs::read(&world.places.data).unwrap();
    let output = restored(world, world.dir.path(), &[&data, &keys], &[]);
    ends(&output, 2, "is not empty");
    assert_eq!(std::fs::read(&world.places.data).unwrap(), before);
    ends(&desk.restore("new", &[&data, &older], &[]), 2, "hold the same store");
    ends(&desk.restore("new", &[&data], &[]), 2, "there is no key store at");
    ends(&desk.restore("new", &[&keys], &[]), 2, "there is no data store at");
    ends(&desk.restore("new", &[&world.places.data, &keys], &[]), 1, "TAMPERED");
    assert!(!desk.file("new").exists(), "nothing was made");

    // A directory that is empty takes it.
    std::fs::create_dir_all(desk.file("new/data")).unwrap();
    ends(
        &desk.restore("new", &[&keys, &data], &["--key", &key]),
        0,
        "restored: the data store",
    );
    ends(&desk.restore("new", &[&data, &keys], &[]), 2, "is not empty");
    assert_eq!(names(&desk.file("new")), ["data", "keys"]);
}

/// Data of one vault and keys of another, by their manifests or beside each other.
#[tokio::test(flavor = "multi_thread")]
async fn stores_of_two_vaults_do_not_go_together() {
    let desk = Desk::new().await;
    let [data, keys] = desk.both("data", "keys").await;
    let (other, app) = World::of_its_own().await;
    drop(app);
    let others = Desk::of(other).await;
    let [_, their_keys] = others.both("data", "keys").await;
    desk.lock().await;
    others.lock().await;
    let other = others.world();
    ends(&desk.restore("new", &[&data, &their_keys], &[]), 1, "of another");
    // Beside the stores of the other one.
    let place = other.dir.path();
    std::fs::rename(place.join("data"), place.join("data-today")).unwrap();
    ends(&restored(other, place, &[&data], &[]), 3, "another vault");
    std::fs::rename(place.join("data-today"), place.join("data")).unwrap();
    // A key that has not signed it.
    let key = other
        .keyring()
        .await
        .verifier("test.invalid/log/1")
        .unwrap()
        .to_string();
    ends(
        &desk.restore("new", &[&data, &keys], &["--key", &key]),
        1,
        "not signed by the known key",
    );
    assert!(!desk.file("new").exists());
}

/// A backup that was put together again around an edited store: its manifest is not signed.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_passphrase_and_a_damaged_store_restore_nothing() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    // What `fsck` finds in the store itself is in its copy.
    let world = desk.world();
    world.data().rows("ticket").set("kind", "inquiry");
    let [data, keys] = desk.both("data", "keys").await;
    desk.lock().await;
    let output = desk.restore("new", &[&data, &keys], &[]);
    ends(&output, 1, "nothing was restored");
    assert!(words(&output).contains("was edited"), "{}", words(&output));
    let left: Vec<String> = names(&desk.file("new"));
    assert_eq!(left, [""; 0]);
    let place = desk.file("new");
    let wrong = desk.file("wrong");
    secret_file(&wrong, "another passphrase altogether");
    let wrong = [
        "restore",
        text(&data),
        text(&keys),
        "--dir",
        text(&place),
        "--passphrase-file",
        text(&wrong),
    ];
    ends(&apart(&wrong), 3, "passphrase");
    assert_eq!(names(&desk.file("new")), [""; 0]);
    ends(
        &desk.restore("new", &[&data, &keys], &["--accept-findings"]),
        0,
        "was edited",
    );
    assert_eq!(names(&desk.file("new")), ["data", "keys"]);
}
