//! Starting a vault with 10,000 and with a million callers, as a ratio measured in one run. `cargo bench --bench start`; another
//! number of callers for the large one after `--`.
//!
//! One vault grows, and a copy of it does not. Its callers are made as intake makes them: each with a record key, two sealed fields, entries of blind
//! indexes, a reference, and an entry of the log in the same transaction, through the log's own thread. `fsck` finds nothing in
//! the small one. A million callers take some 3 GB of disk meanwhile.
//!
//! A start is what `serve` does before it listens: it opens both stores, unlocks the keys, proves the log, writes that it was
//! unlocked, and asks whether a field may be shown. Nothing of the files is in the system's memory before it. What the passphrase
//! takes is the same for both and is measured beside it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[expect(dead_code, reason = "of the staff only the agent works here")]
mod scene;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callervault::clock::System;
use callervault::keyring::Keyring;
use callervault::keyring::unlock::unlock;
use callervault::log::startup::prove;
use callervault::log::{Change, Log, Node, Pace};
use callervault::model::ask::{Action, Ask, RequestId};
use callervault::model::fields::{FieldSet, MatchStrength};
use callervault::model::ids::{CallerId, RecordId};
use callervault::model::purposes::Purpose;
use callervault::model::reference::DepartmentCode;
use callervault::model::submitted::Submitted;
use callervault::policy::Policy;
use callervault::policy::facts::Facts;
use callervault::randomness;
use callervault::refs;
use callervault::store::rows::{BlindIndexRow, CallerRow};
use callervault::store::sqlite::{SqliteData, SqliteKeys};
use callervault::store::{DataStore, KeyStore, Write};
use callervault::vault::life::fsck;
use callervault::vault::life::open::{Places, Running};
use callervault::vault::{Session, Vault};
use jiff::Timestamp;

use self::scene::{Scene, passphrase, scene};

const SMALL: u64 = 10_000;
const LARGE: u64 = 1_000_000;
/// Callers that are made at once: they share commits.
const AT_ONCE: usize = 1024;
const ROUNDS: usize = 11;

/// The stores and keys of a vault, without a vault around them.
struct Parts {
    store: Arc<SqliteData>,
    keys: Arc<dyn KeyStore>,
    keyring: Arc<Keyring>,
}

async fn parts(places: &Places) -> Parts {
    let store = SqliteData::open(&places.data).unwrap();
    let keys = SqliteKeys::open(&places.keys).unwrap();
    let origin = keys.vault().await.unwrap().origin;
    let (ways, rows) = (keys.unlocks().await.unwrap(), keys.keyring().await.unwrap());
    let keyring = unlock(&origin, &passphrase(), &ways, &rows, Arc::new(randomness::System)).unwrap();
    Parts {
        store: Arc::new(store),
        keys: Arc::new(keys),
        keyring: Arc::new(keyring),
    }
}

/// What makes callers.
struct Maker {
    store: Arc<SqliteData>,
    keyring: Arc<Keyring>,
    log: Log,
    fields: FieldSet,
    policy: Policy,
    agent: Session,
}

impl Maker {
    async fn new(scene: &Scene) -> Self {
        let places = Places::below(scene.dir.path());
        let vault = Vault::open(&places, &passphrase(), Arc::new(System), "bench")
            .await
            .unwrap();
        let agent = vault.authenticate(&scene.agent, vault.new_request().unwrap()).await;
        drop(vault);
        let Parts { store, keys, keyring } = parts(&places).await;
        let verifiers = keyring.verifiers(keyring.origin()).unwrap();
        let proved = prove(&*store, &*keys, keyring.origin(), &verifiers).await.unwrap();
        let node = Node {
            name: "bench".to_owned(),
            randomness: Arc::new(randomness::System),
        };
        let signer = Arc::clone(&keyring);
        // However slow the disk is.
        let pace = Pace {
            deadline: Duration::from_secs(600),
            ..Pace::default()
        };
        let log = Log::start_with(proved, store.writer().unwrap(), keys, signer, node, pace).unwrap();
        let fields = FieldSet::load(FieldSet::SHIPPED).unwrap();
        let (policies, schema) = (Policy::SHIPPED_POLICIES, Policy::SHIPPED_SCHEMA);
        Self {
            policy: Policy::load(policies, schema, &fields, &[FieldSet::SHIPPED]).unwrap(),
            agent: agent.unwrap(),
            store,
            keyring,
            log,
            fields,
        }
    }

    /// Takes a new caller, and answers once the log has it.
    async fn make(&self, number: u64) {
        let now = Timestamp::now();
        let request = RequestId::random(&randomness::System).unwrap();
        let ask = Ask::new(self.agent.actor, Action::Intake, Purpose::Intake, now, request);
        let permit = self.policy.decide(ask, Facts::default()).ok().unwrap();
        let change = self.caller(number, now).await;
        self.log.record(permit, change).await.unwrap();
    }

    async fn caller(&self, number: u64, now: Timestamp) -> Change {
        let values = [
            ("callback_number", format!("+861390{number:07}")),
            ("name", format!("测试{number}")),
        ];
        let id = CallerId::random(&randomness::System).unwrap();
        let record = RecordId::Caller(id);
        let (key, wrapped) = self.keyring.new_record_key(record).unwrap();
        let auditors = DepartmentCode::AUDITORS;
        let minted = refs::mint(&self.keyring, &*self.store, auditors, record).await.unwrap();
        let mut row = CallerRow {
            id,
            subject: minted.reference,
            created_at: now,
            fields: Vec::new(),
            indexed: true,
            merged_into: None,
            merged: 0,
            joined_at: None,
            corrected_by: Vec::new(),
            holds: 0,
            version: 1,
        };
        row.put_on_file(values.iter().map(|(name, _)| *name));
        let mut change = Change {
            keys: vec![wrapped],
            subject: Some(row.subject),
            ..Change::default()
        };
        change.writes.extend(minted.new.map(Write::put));
        change.writes.push(Write::put(self.keyring.protect(row).unwrap()));
        for (name, value) in values {
            let field = self.fields.get(name).unwrap();
            let value = Submitted::new(value);
            change
                .writes
                .push(Write::put(self.keyring.seal(&key, field.name(), &value).unwrap()));
            for entry in field.entries(&value) {
                let itself = field.index() == Some(entry.index.as_str());
                let row = BlindIndexRow {
                    value: self.keyring.blind_index(&entry).unwrap(),
                    idx: entry.index,
                    caller: id,
                    field: name.to_owned(),
                    certain: itself && field.matching() == Some(MatchStrength::Certain),
                };
                change.writes.push(Write::put(self.keyring.protect(row).unwrap()));
            }
        }
        change
    }
}

/// Makes the callers from one number to another.
async fn grow(scene: &Scene, from: u64, to: u64) {
    let begun = Instant::now();
    let maker = Arc::new(Maker::new(scene).await);
    let next = Arc::new(AtomicU64::new(from));
    let mut makers = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (maker, next) = (Arc::clone(&maker), Arc::clone(&next));
        makers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to {
                    return;
                }
                maker.make(number).await;
            }
        });
    }
    makers.join_all().await;
    println!("{to} callers, {} of them made in {:.0?}", to - from, begun.elapsed());
}

/// Forgets what the operating system has in memory of the vault's files.
fn forget(places: &Places) {
    for path in [&places.data, &places.keys, &places.log_index()] {
        let file = File::open(path).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    }
}

/// Seconds of starts, and of what the passphrase takes of them.
#[derive(Default)]
struct Started {
    whole: Vec<f64>,
    passphrase: Vec<f64>,
}

impl Started {
    async fn once(&mut self, places: &Places) {
        let begun = Instant::now();
        drop(parts(places).await);
        self.passphrase.push(begun.elapsed().as_secs_f64());
        forget(places);
        let begun = Instant::now();
        let running = Running::default();
        let vault = Vault::open_with(places, &passphrase(), Arc::new(System), "bench", running).await;
        let vault = vault.unwrap();
        vault.note_unlock("serve").await.unwrap();
        assert!(vault.shows_nothing().unwrap().is_none());
        self.whole.push(begun.elapsed().as_secs_f64());
    }

    /// Medians: of the whole, and of what is not the passphrase's.
    fn told(self, callers: u64) -> (f64, f64) {
        let (whole, passphrase) = (median(self.whole), median(self.passphrase));
        println!("start with {callers} callers: {whole:.3} s, of which the passphrase takes {passphrase:.3} s");
        (whole, whole - passphrase)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Copies a vault that nobody has open.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            std::fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn run(callers: u64) {
    let scene = scene().await;
    grow(&scene, 0, SMALL).await;
    let kept = tempfile::tempdir().unwrap();
    copy(scene.dir.path(), kept.path());
    let small = Places::below(kept.path());
    let checked = fsck::check(&small, &passphrase(), &|_| {}).await.unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings.first());
    grow(&scene, SMALL, callers).await;
    let large = Places::below(scene.dir.path());
    // In turn: what else the machine does falls on both.
    let (mut of_small, mut of_large) = (Started::default(), Started::default());
    for _ in 0..ROUNDS {
        of_small.once(&small).await;
        of_large.once(&large).await;
    }
    let (small, small_rest) = of_small.told(SMALL);
    let (large, large_rest) = of_large.told(callers);
    println!("ratio of the whole start: {:.2}", large / small);
    println!("ratio without the passphrase: {:.2}", large_rest / small_rest);
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        let large = std::env::args().find_map(|argument| argument.parse().ok());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(run(large.unwrap_or(LARGE)));
    }
}
