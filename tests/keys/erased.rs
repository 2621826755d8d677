//! Erased means erased: by bytes, from backups, and whatever a crash leaves. The receipt is checked by verifiers that share no code.

use std::process::Command;
use std::sync::Arc;

use callervault::http::App;
use serde_json::json;

use crate::audit::outsiders::go;
use crate::life::restart::restarted;
use crate::support::approvals::erase;
use crate::support::copies::{Copy, copy, ours, put, python, words};
use crate::support::process::run;
use crate::support::rows::Store;
use crate::support::{Case, NAME, NUMBER, World, caller};

const OTHER: &str = "13900007777";

/// Two callers whose tickets are closed, and what is asked for the first of them.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) case: Case,
    pub(crate) other: Case,
    pub(crate) subject: String,
    pub(crate) reference: String,
}

pub(crate) async fn scene() -> (Scene, Arc<App>) {
    let (world, app) = World::unlimited().await;
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "W2", caller("李四光", OTHER)).await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    let scene = Scene {
        world,
        case,
        other,
        subject,
        reference,
    };
    (scene, app)
}

impl Scene {
    /// The ids of the records of the caller of this subject: theirs, and those of their tickets.
    pub(crate) fn records(&self, subject: &str) -> Vec<Vec<u8>> {
        let data = self.world.data();
        let mut records: Vec<Vec<u8>> = data.rows("caller").of("subject", subject).column("id");
        records.extend(data.rows("ticket").of("subject", subject).column::<Vec<u8>>("id"));
        records
    }

    /// Everything that is sealed, wrapped or indexed of these records.
    pub(crate) fn traces(&self, records: &[Vec<u8>]) -> Vec<(&'static str, Vec<u8>)> {
        let (data, keys) = (self.world.data(), self.world.keys());
        let mut traces = Vec::new();
        for id in records {
            let mut add = |what, store: &Store, table, key, column| {
                let found: Vec<Vec<u8>> = store.rows(table).of(key, &**id).column(column);
                traces.extend(found.into_iter().map(|bytes| (what, bytes)));
            };
            add("a wrapped key", &keys, "record_key", "record", "wrapped");
            add("a sealed field", &data, "sealed_field", "record", "sealed");
            add("an index value", &data, "blind_index", "caller", "value");
        }
        traces
    }

    /// Which of these bytes stand in a file of the vault. Another process reads them: to close a database would end its locks.
    pub(crate) fn found<'t>(&self, traces: &'t [(&'static str, Vec<u8>)]) -> Vec<&'t (&'static str, Vec<u8>)> {
        let files = self.world.files();
        let bytes = Command::new("cat").args(&files).output().unwrap().stdout;
        let is_there = |trace: &Vec<u8>| bytes.windows(trace.len()).any(|window| window == &trace[..]);
        traces.iter().filter(|(_, trace)| is_there(trace)).collect()
    }
}

#[tokio::test]
pub(crate) async fn no_byte_of_theirs_is_left_in_any_file() {
    let (scene, app) = scene().await;
    for n in 0..150 {
        let number = format!("137{n:08}");
        let agent = scene.world.actor(&app, "agent");
        agent.intake(caller("赵六一", &number)).await.is(201);
    }
    let records = scene.records(&scene.subject);
    let traces = scene.traces(&records);
    let of_other = scene.world.subject(&app, &scene.other).await;
    let others = scene.traces(&scene.records(&of_other));
    assert!(traces.len() > 8, "{}", traces.len());
    assert_eq!(scene.found(&traces).len(), traces.len(), "they are found before");
    scene.world.erased(&app, &scene.reference).await;
    let left: Vec<_> = scene.found(&traces).iter().map(|(what, _)| *what).collect();
    assert_eq!(left, [""; 0], "while the vault is open");
    assert_eq!(scene.found(&others).len(), others.len(), "nothing of others has gone");
    let ids: Vec<_> = records.into_iter().map(|id| ("an id", id)).collect();
    assert_eq!(scene.found(&ids[..1]).len(), 0, "the caller's own id");
    drop(app);
    assert_eq!(scene.found(&traces).len(), 0, "after it was closed");
}

/// Whoever reads a store keeps what was there in its write-ahead log. The erasure is told as unfinished until that is gone, by a later entry
/// or by the next start.
#[tokio::test]
async fn an_erasure_beside_a_reader_is_unfinished_until_it_is() {
    for starts_again in [false, true] {
        for of_keys in [false, true] {
            let (scene, app) = scene().await;
            let traces = scene.traces(&scene.records(&scene.subject));
            let store = if of_keys {
                scene.world.keys()
            } else {
                scene.world.data()
            };
            store.look();
            let [dpo, auditor] = scene.world.actors(&app, ["dpo", "auditor"]);
            let erased = dpo.with(auditor, &erase(&scene.reference)).await;
            erased.fails(503, "erasure-unfinished");
            let receipt = format!("/v1/erasures/{}", scene.subject);
            dpo.get(&receipt).await.fails(503, "erasure-unfinished");
            assert_ne!(scene.found(&traces), Vec::<&(&str, Vec<u8>)>::new());
            let app = if starts_again {
                drop(app);
                store.let_go();
                scene.world.open().await
            } else {
                store.let_go();
                app
            };
            let dpo = scene.world.actor(&app, "dpo");
            while dpo.get(&receipt).await.status != 200 {}
            assert_eq!(scene.found(&traces), Vec::<&(&str, Vec<u8>)>::new());
        }
    }
}

/// As long as somebody reads a store, a start does not finish it either; it goes on, and a later entry's writer does.
#[tokio::test]
async fn an_erasure_that_a_start_could_not_finish_is_finished_by_a_later_entry() {
    for of_keys in [false, true] {
        let (scene, app) = scene().await;
        let traces = scene.traces(&scene.records(&scene.subject));
        let reader = if of_keys {
            scene.world.keys()
        } else {
            scene.world.data()
        };
        reader.look();
        let [dpo, auditor] = scene.world.actors(&app, ["dpo", "auditor"]);
        let erased = dpo.with(auditor, &erase(&scene.reference)).await;
        erased.fails(503, "erasure-unfinished");
        drop(app);
        let app = scene.world.open().await;
        let (dpo, receipt) = (
            scene.world.actor(&app, "dpo"),
            format!("/v1/erasures/{}", scene.subject),
        );
        dpo.get(&receipt).await.fails(503, "erasure-unfinished");
        reader.let_go();
        let mut tries = 0;
        while dpo.get(&receipt).await.status != 200 {
            tries += 1;
            assert!(tries < 5_000, "nobody tries again");
        }
        assert_eq!(scene.found(&traces), Vec::<&(&str, Vec<u8>)>::new());
    }
}

/// Yesterday's data store beside today's key store: everybody else reads, the erased caller does not.
#[tokio::test]
pub(crate) async fn a_backup_brings_back_all_but_the_erased() {
    let (mut scene, app) = scene().await;
    drop(app);
    let yesterday = scene.world.backup();
    let app = scene.world.open().await;
    scene.world.erased(&app, &scene.reference).await;
    drop(app);
    scene.world.restore(&yesterday);
    assert!(scene.world.try_open().await.is_err(), "the fence holds");
    let token = restarted(&scene.world);
    assert_eq!(scene.world.fsck().await, [], "erased, and not missing");

    let app = scene.world.open().await;
    scene.world.readmitted(&app.vault().unwrap(), &token).await;
    let world = &scene.world;
    let [agent, auditor, handler, other] = world.actors(&app, ["agent", "auditor", "handler-c1", "handler-w2"]);
    other.reveal(&scene.other).clear().await.is(200);
    handler.reveal(&scene.case).clear().await.fails(410, "erased");
    assert_eq!(agent.lookup(NUMBER).await.is(200).json()["callers"], json!([]));
    let again = agent.intake(caller(NAME, NUMBER)).await.is(201);
    assert_eq!(again.at("/caller/matched"), "new");
    let found = auditor
        .get("/v1/audit/events?act=caller.erase-again")
        .await
        .is(200)
        .json();
    assert_eq!(found["entries"][0]["leaf"]["subject"], json!(scene.subject), "{found}");
    drop(app);
    assert_eq!(scene.world.fsck().await, []);
}

/// Before the next log is opened, `fsck` of such a copy tells what was erased from what is missing.
#[tokio::test]
async fn an_erased_record_is_told_from_a_missing_one() {
    let (scene, app) = scene().await;
    drop(app);
    let yesterday = scene.world.backup();
    let app = scene.world.open().await;
    scene.world.erased(&app, &scene.reference).await;
    drop(app);
    scene.world.restore(&yesterday);
    let findings = scene.world.fsck().await;
    let places: Vec<_> = findings.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["fence"], "{findings:?}");
    scene.world.keys().rows("erased_key").delete();
    scene.world.is_found("record key of caller", "is missing").await;
}

/// Rows that somebody kept and puts back: nothing opens, and it is noticed.
#[tokio::test]
async fn rows_that_are_put_back_are_noticed_and_open_nothing() {
    let (scene, app) = scene().await;
    drop(app);
    let tables = ["caller", "sealed_field", "blind_index", "reference", "ticket"];
    let kept = tables.map(|table| scene.world.data().rows(table).kept());
    let app = scene.world.open().await;
    scene.world.erased(&app, &scene.reference).await;
    drop(app);
    for rows in &kept {
        scene.world.data().put_back(rows);
    }
    scene.world.is_found("tickets of", "are not what the log says").await;
    scene
        .world
        .is_found(&format!("caller {}", scene.subject), "was never logged")
        .await;
    let app = scene.world.open().await;
    let [handler, other] = scene.world.actors(&app, ["handler-c1", "handler-w2"]);
    other.reveal(&scene.other).clear().await.is(200);
    assert_ne!(handler.reveal(&scene.case).clear().await.status, 200);
}

/// The process ended after the log had the erasure and before the keys were destroyed: the next start destroys them.
#[tokio::test]
async fn an_erasure_that_the_log_knows_is_finished() {
    let (scene, app) = scene().await;
    let records = scene.records(&scene.subject);
    let keys: Vec<_> = {
        let store = scene.world.keys();
        let of = |id: &Vec<u8>| store.rows("record_key").of("record", &**id).kept();
        records.iter().map(of).collect()
    };
    let traces = scene.traces(&records);
    scene.world.erased(&app, &scene.reference).await;
    drop(app);
    {
        let store = scene.world.keys();
        for key in &keys {
            store.insert(key);
        }
        for (id, kind) in records.iter().zip(["caller", "ticket"]) {
            store.doom(kind, id, &scene.subject);
        }
        store.rows("erased_key").delete();
    }
    let wrapped: Vec<_> = traces
        .iter()
        .filter(|(what, _)| *what == "a wrapped key")
        .cloned()
        .collect();
    assert_eq!(
        scene.found(&wrapped).len(),
        2,
        "as it was before the keys were destroyed"
    );
    let app = scene.world.open().await;
    assert_eq!(scene.found(&wrapped).len(), 0);
    assert_eq!(scene.world.keys().rows("doomed_key").count(), 0);
    assert_eq!(scene.world.keys().rows("erased_key").count(), 2);
    drop(app);
    assert_eq!(scene.world.fsck().await, []);
}

/// The process ended after the keys were put down and before the log had the erasure: nothing has happened.
#[tokio::test]
async fn an_erasure_that_the_log_does_not_know_is_forgotten() {
    let (scene, app) = scene().await;
    drop(app);
    for (id, kind) in scene.records(&scene.subject).iter().zip(["caller", "ticket"]) {
        scene.world.keys().doom(kind, id, &scene.subject);
    }
    let app = scene.world.open().await;
    assert_eq!(scene.world.keys().rows("doomed_key").count(), 0);
    let again = scene.world.actor(&app, "agent").intake(caller(NAME, NUMBER)).await;
    assert_eq!(again.is(201).at("/caller/matched"), "certain");
    drop(app);
    assert_eq!(scene.world.fsck().await, []);
}

/// The receipt alone, and beside a copy of the log, before all verifiers.
#[tokio::test]
pub(crate) async fn a_receipt_is_checked_offline_and_against_the_log() {
    let (scene, app) = scene().await;
    let receipt = scene.world.erased(&app, &scene.reference).await.at("/receipt");
    let log = copy(&scene.world, &app).await;
    let holds = |note: &str| checked(&log, note);
    assert_eq!(holds(&receipt), [Some(0), Some(0), Some(0)], "{receipt}");
    let words = told(&log, &receipt);
    assert!(
        words.contains(&scene.subject) && words.contains("was erased at"),
        "{words}"
    );

    let forged = receipt.replace("tickets 1", "tickets 2");
    assert_ne!(forged, receipt);
    assert_eq!(holds(&forged), [Some(1), Some(1), Some(1)]);
    assert!(told(&log, &forged).contains("it was changed"));
    let cut = &receipt[..receipt.len() - 20];
    assert_eq!(holds(cut), [Some(1), Some(1), Some(1)]);
    let cut = receipt.split("\n\n").next().unwrap();
    assert!(
        told(&log, cut).contains("it was cut or is no receipt"),
        "{}",
        told(&log, cut)
    );

    let (foreign, app) = World::of_its_own().await;
    let case = foreign.case(&app, "C1").await;
    let (_, reference) = foreign.closed_case(&app, &case).await;
    let foreign = foreign.erased(&app, &reference).await.at("/receipt");
    assert_eq!(holds(&foreign), [Some(1), Some(1), Some(1)]);
    assert!(told(&log, &foreign).contains("it is another vault's"));
}

/// What our verifier, Python's and Go's end with. Go, where it is not installed, agrees with Python.
fn checked(log: &Copy, receipt: &str) -> [Option<i32>; 3] {
    put(log.dir.path(), "receipts/one.erasure", receipt.as_bytes());
    let file = log.path("receipts/one.erasure").display().to_string();
    let ours = ours(log, &["--receipt", &file]).status.code();
    let python = python(log, &["--receipt", &file]).status.code();
    let go = go(log).map_or(python, |told| told.status.code());
    [ours, python, go]
}

/// What our verifier says of the receipt alone.
fn told(log: &Copy, receipt: &str) -> String {
    put(log.dir.path(), "alone", receipt.as_bytes());
    let file = log.path("alone").display().to_string();
    words(&run(&["audit", "verify", "--key", &log.key, "--receipt", &file]))
}
