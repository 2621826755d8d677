//! The log at 10,000 and at a million entries, and at ten million with `cargo bench --bench log -- --full`: appending,
//! proving, verifying, searching, asking for exposure, and starting up. `cargo bench --bench log`; other sizes as numbers
//! after `--`, smallest first.
//!
//! One vault in a temporary directory grows from size to size with invented entries, a steady 100,000 in three days
//! (ten million are ten months of one hotline). They are written through the store's one writer in large transactions;
//! appending is measured apart, through the log's own thread. Rates stand beside bare SHA-256 over the same bytes, entry by
//! entry, in the same run. A million entries take 1.5 GB of disk meanwhile, ten million 13 GB and half an hour.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use callervault::audit::indexer::Indexer;
use callervault::audit::verify::{Demands, Directory, verify};
use callervault::clock::Fixed;
use callervault::keyring::Keyring;
use callervault::keyring::unlock::{Passphrase, unlock};
use callervault::log::ProvedEntry;
use callervault::log::history::History;
use callervault::log::leaf::{self, Leaf};
use callervault::log::mark::Mark;
use callervault::log::startup::prove;
use callervault::log::{Change, Log, LogKeys, Node};
use callervault::merkle::{
    Frontier, TileBuilder, decode_bundle, leaf_hash, tiles_of, verify_consistency, verify_inclusion,
};
use callervault::model::ask::{Action, Ask, RequestId};
use callervault::model::fields::FieldSet;
use callervault::model::ids::{PrincipalId, RecordKind};
use callervault::model::key_roles::Suite;
use callervault::model::purposes::Purpose;
use callervault::model::reference::{DepartmentCode, Reference};
use callervault::model::ticket_no::TicketNo;
use callervault::note::Checkpoint;
use callervault::policy::facts::Facts;
use callervault::policy::{Permit, Policy};
use callervault::randomness::System;
use callervault::store::rows::{EntryRow, Fence, HeadRow, One};
use callervault::store::sqlite::{SqliteData, SqliteKeys, SqliteLogIndex};
use callervault::store::{Appended, DataStore, KeyStore};
use callervault::vault::auditing::exposure::AskExposure;
use callervault::vault::auditing::wanted::{Search, Wanted};
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::Places;
use callervault::vault::{Session, Vault};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

const SIZES: [u64; 2] = [10_000, 1_000_000];
const FULL: u64 = 10_000_000;
/// Milliseconds from entry to entry, and when the first was made.
const PACE: u64 = 2592;
const START: &str = "2026-02-01T00:00:00Z";
/// Entries in one transaction while the vault is filled.
const BATCH: u64 = 50_000;
/// Entries appended through the log's thread, by so many who wait for their answers.
const APPENDED: usize = 32_768;
const ASKERS: usize = 2048;
const PROOFS: u64 = 2000;
const SEARCHES: usize = 31;
const ROUNDS: usize = 3;
/// Bundles in memory at a time while their entries are hashed.
const IN_MEMORY: usize = 2048;

const READERS: u64 = 2000;
const DEPARTMENTS: u64 = 60;

/// The same numbers in each run.
struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn sixteen(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }

    fn hash(&mut self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(&self.sixteen());
        hash[16..].copy_from_slice(&self.sixteen());
        hash
    }

    fn hex(&mut self) -> String {
        data_encoding::HEXLOWER.encode(&self.sixteen())
    }

    fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len() as u64) as usize]
    }
}

fn time_of(index: u64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    Timestamp::from_millisecond(start.as_millisecond() + i64::try_from(index * PACE).unwrap()).unwrap()
}

/// An entry as a hotline with two thousand readers makes them: of ten about one ticket most are near one another, and a
/// third of the callers call again.
fn invented(index: u64, dice: &mut Dice) -> Leaf {
    const FIELDS: [&str; 6] = [
        "name",
        "callback_number",
        "home_address",
        "id_no",
        "text",
        "incident_place",
    ];
    let who = dice.below(READERS);
    let reader = &mut Dice(who);
    let dept = who % DEPARTMENTS;
    let dept = format!("{}{}", ["A", "B", "C", "D", "E", "F"][(dept / 10) as usize], dept % 10);
    let ticket = index / 10 + dice.below(300);
    let caller = if ticket.is_multiple_of(3) { ticket / 2 } else { ticket };
    let (act, role, purpose) = match dice.below(100) {
        0..45 => (Action::Reveal, "handler", "handle"),
        45..70 => (Action::ReadTicket, "handler", "handle"),
        70..78 => (Action::ListTickets, "handler", "handle"),
        78..85 => (Action::Intake, "agent", "intake"),
        85..90 => (Action::Lookup, "agent", "intake"),
        90..94 => (Action::Verify, "callback", "callback"),
        94..97 => (Action::Dispatch, "dispatcher", "dispatch"),
        _ => (Action::Close, "handler", "handle"),
    };
    let denied = dice.below(33) == 0;
    let about = !matches!(act, Action::ListTickets | Action::Lookup);
    let first = dice.below(FIELDS.len() as u64) as usize;
    let fields = match act {
        Action::Reveal => Some(FIELDS[first..].iter().take(1 + index as usize % 3).copied().collect()),
        Action::Lookup | Action::Verify => Some(vec!["callback_number"]),
        _ => None,
    };
    let mut digest_of = |place: &str| (place.to_owned(), leaf::base64(&dice.hash()));
    let digest: Option<BTreeMap<String, String>> = match act {
        Action::Intake => Some(
            ["@caller", "@ticket", "callback_number", "text"]
                .map(&mut digest_of)
                .into(),
        ),
        Action::Dispatch | Action::Close => Some([digest_of("@ticket")].into()),
        _ => None,
    };
    let subject = Reference::new(
        DepartmentCode::AUDITORS,
        RecordKind::Caller,
        1,
        Dice(caller).next() >> 9,
    );
    let number = TicketNo::new(Dice(ticket).next() % TicketNo::SERIALS).unwrap();
    Leaf {
        via: None,
        client: None,
        v: 1,
        id: uuid::Builder::from_unix_timestamp_millis(
            time_of(index).as_millisecond() as u64,
            dice.sixteen()[..10].try_into().unwrap(),
        )
        .into_uuid()
        .to_string(),
        t: leaf::milliseconds(time_of(index)),
        act: act.to_string(),
        out: if denied { "denied" } else { "granted" }.to_owned(),
        why: denied.then(|| "not-with-your-department".to_owned()),
        actor: PrincipalId::from_bytes(reader.sixteen()).to_string(),
        token: Some(reader.hex()),
        dept,
        role: (!denied).then(|| role.to_owned()),
        ticket: about.then(|| number.to_string()),
        subject: about.then(|| subject.unwrap().to_string()),
        fields: fields.map(|names: Vec<&str>| names.into_iter().map(str::to_owned).collect()),
        form: (act == Action::Reveal).then(|| dice.one_of(&["clear", "masked", "masked"]).to_owned()),
        purpose: purpose.to_owned(),
        policy: "q5HG0xL6b8lVJz3m2yZ0tA==".to_owned(),
        req: dice.hex(),
        node: "node-1".to_owned(),
        nth: None,
        approver: None,
        link: None,
        digest,
    }
}

/// A vault that grows, closed between measurements.
struct Scene {
    dir: tempfile::TempDir,
    clock: Arc<Fixed>,
    auditor: Zeroizing<String>,
}

/// Both stores and the keys of the vault, without a vault around them.
struct Parts {
    store: SqliteData,
    keys: Arc<dyn KeyStore>,
    keyring: Arc<Keyring>,
}

fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new("a passphrase for a bench".to_owned())).unwrap()
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Fixed::at(time_of(0)));
        let founding = Founding {
            origin: "bench.invalid/log/1".to_owned(),
            centre: "H0".parse().unwrap(),
            centre_name: "Centre".to_owned(),
            suite: Suite::Aes,
        };
        let founded = Vault::init(
            &Places::below(dir.path()),
            &passphrase(),
            &founding,
            &*clock,
            Arc::new(System),
        )
        .unwrap();
        let auditor = founded.keep().pop().unwrap().token;
        Self { dir, clock, auditor }
    }

    fn places(&self) -> Places {
        Places::below(self.dir.path())
    }

    async fn parts(&self) -> Parts {
        let places = self.places();
        let store = SqliteData::open(&places.data).unwrap();
        let keys = SqliteKeys::open(&places.keys).unwrap();
        let origin = keys.vault().await.unwrap().origin;
        let (ways, rows) = (keys.unlocks().await.unwrap(), keys.keyring().await.unwrap());
        let keyring = unlock(&origin, &passphrase(), &ways, &rows, Arc::new(System)).unwrap();
        Parts {
            store,
            keys: Arc::new(keys),
            keyring: Arc::new(keyring),
        }
    }

    async fn vault(&self) -> (Vault, Session) {
        let vault = Vault::open(&self.places(), &passphrase(), self.clock.clone(), "bench")
            .await
            .unwrap();
        let session = vault
            .authenticate(&self.auditor, vault.new_request().unwrap())
            .await
            .unwrap();
        (vault, session)
    }

    /// Fills the log up to a size; entries a second.
    async fn fill(&self, size: u64) -> f64 {
        let Parts { store, keys, keyring } = self.parts().await;
        let head = store.head().await.unwrap();
        let mut frontier = Frontier::from_bytes(head.size, &head.frontier).unwrap();
        let mut tiles = TileBuilder::resume(head.size, store.edges(head.size).await.unwrap()).unwrap();
        let mut writer = store.writer().unwrap();
        let (send, batches) = sync_channel::<Vec<EntryRow>>(1);
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let dice = &mut Dice(head.size);
                let mut next = head.size;
                while next < size {
                    let end = size.min(next + BATCH);
                    send.send((next..end).map(|index| row(index, dice)).collect()).unwrap();
                    next = end;
                }
            });
            for entries in batches {
                let mut added = Appended::default();
                for entry in &entries {
                    frontier.push(entry.leaf_hash);
                    added.tiles.extend(tiles.push(entry.leaf_hash));
                }
                added.entries = entries;
                let checkpoint = Checkpoint {
                    origin: keyring.origin().to_owned(),
                    size: frontier.size(),
                    root: frontier.root(),
                };
                let head = HeadRow {
                    one: One,
                    size: checkpoint.size,
                    root: checkpoint.root,
                    frontier: frontier.to_bytes(),
                    checkpoint: keyring.sign(&checkpoint).unwrap(),
                };
                writer.begin().unwrap();
                writer.append(&added, &head).unwrap();
                writer.commit().unwrap();
                let Checkpoint { origin, size, root } = checkpoint;
                keys.put_fence(&Fence {
                    one: One,
                    origin,
                    size,
                    root,
                })
                .unwrap();
            }
        });
        self.clock.set(time_of(size));
        (size - head.size) as f64 / start.elapsed().as_secs_f64()
    }

    /// Brings the index up to the log; entries a second.
    async fn index(&self) -> f64 {
        let Parts { store, .. } = self.parts().await;
        let indexer = Indexer::new(Arc::new(SqliteLogIndex::open(&self.places().log_index()).unwrap()));
        let size = store.head().await.unwrap().size;
        let first = indexer.index().position().await.unwrap().size;
        let start = Instant::now();
        while indexer.advance(&store, size).await.unwrap() < size {}
        (size - first) as f64 / start.elapsed().as_secs_f64()
    }

    /// Forgets what the operating system has in memory of the vault's files.
    fn forget(&self) {
        let places = self.places();
        for path in [&places.data, &places.keys, &places.log_index()] {
            let file = std::fs::File::open(path).unwrap();
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
    }

    /// Seconds to prove head and fence, and to open the vault beyond what the passphrase takes.
    async fn start_up(&self) -> (f64, f64) {
        let (mut proving, mut opening) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            self.forget();
            let unlocking = Instant::now();
            let parts = self.parts().await;
            let unlocking = unlocking.elapsed();
            let (origin, key) = (
                parts.keyring.origin(),
                parts.keyring.verifier(parts.keyring.origin()).unwrap(),
            );
            self.forget();
            let start = Instant::now();
            prove(&parts.store, &*parts.keys, origin, std::slice::from_ref(&key))
                .await
                .unwrap();
            proving.push(start.elapsed().as_secs_f64());
            drop(parts);
            self.forget();
            let start = Instant::now();
            drop(self.vault().await);
            opening.push(start.elapsed().saturating_sub(unlocking).as_secs_f64());
        }
        (median(proving), median(opening))
    }

    /// Inclusion and consistency proofs a second, each verified, outside the time.
    async fn proofs(&self) -> (f64, f64) {
        let Parts { store, .. } = self.parts().await;
        let history = History(&store);
        let HeadRow { size, root, .. } = store.head().await.unwrap();
        let dice = &mut Dice(size);
        let (mut including, mut continuing) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..PROOFS {
            let (index, old) = (dice.below(size), 1 + dice.below(size - 1));
            let leaf = store.hashes(0, index, 1).await.unwrap()[0];
            let old_root = history.root(old).await.unwrap();
            let start = Instant::now();
            let inclusion = history.inclusion(index, size).await.unwrap();
            including += start.elapsed();
            let start = Instant::now();
            let consistency = history.consistency(old, size).await.unwrap();
            continuing += start.elapsed();
            verify_inclusion(index, size, &leaf, &inclusion, &root).unwrap();
            verify_consistency(old, size, &consistency, &old_root, &root).unwrap();
        }
        let rate = |taken: Duration| PROOFS as f64 / taken.as_secs_f64();
        (rate(including), rate(continuing))
    }

    /// Copies the log into files as `audit export` does; entries a second, and the size.
    async fn export(&self, to: &Path) -> (f64, u64) {
        let Parts { store, .. } = self.parts().await;
        let head = store.head().await.unwrap();
        let start = Instant::now();
        for path in tiles_of(head.size).unwrap() {
            let file = to.join(path.to_string());
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, History(&store).file(&path).await.unwrap()).unwrap();
        }
        std::fs::write(to.join("checkpoint"), head.checkpoint).unwrap();
        (head.size as f64 / start.elapsed().as_secs_f64(), head.size)
    }

    /// Entries a second through the log's thread, with everybody waiting for their answers, and to bare SHA-256.
    async fn append(&self) -> (f64, f64) {
        let (vault, session) = self.vault().await;
        drop(vault);
        let Parts { store, keys, keyring } = self.parts().await;
        let proved = prove(
            &store,
            &*keys,
            keyring.origin(),
            &keyring.verifiers(keyring.origin()).unwrap(),
        )
        .await
        .unwrap();
        let first = proved.size();
        let writer = store.writer().unwrap();
        let node = Node {
            name: "bench".to_owned(),
            randomness: Arc::new(System),
        };
        let log = Arc::new(Log::start(proved, writer, keys, keyring, node).unwrap());
        let policy = shipped_policy();
        let mut permits: Vec<Permit> = (0..APPENDED).map(|_| permit(&policy, &session, first)).collect();
        let start = Instant::now();
        let mut askers = Vec::new();
        while !permits.is_empty() {
            let some = permits.split_off(permits.len() - APPENDED / ASKERS);
            let log = Arc::clone(&log);
            askers.push(tokio::spawn(async move {
                for permit in some {
                    log.record(permit, Change::default()).await.unwrap();
                }
            }));
        }
        for asker in askers {
            asker.await.unwrap();
        }
        let rate = APPENDED as f64 / start.elapsed().as_secs_f64();
        drop(log);
        let entries = store.entries(first, APPENDED as u32).await.unwrap();
        let start = Instant::now();
        for entry in &entries {
            black_box(digest(&SHA256, &entry.body));
        }
        (rate, rate * start.elapsed().as_secs_f64() / entries.len() as f64)
    }
}

fn row(index: u64, dice: &mut Dice) -> EntryRow {
    let body = serde_json_canonicalizer::to_vec(&invented(index, dice)).unwrap();
    EntryRow {
        idx: index,
        leaf_hash: leaf_hash(&body),
        body,
    }
}

fn shipped_policy() -> Policy {
    let fields = FieldSet::load(FieldSet::SHIPPED).unwrap();
    let (policies, schema) = (Policy::SHIPPED_POLICIES, Policy::SHIPPED_SCHEMA);
    Policy::load(policies, schema, &fields, &[FieldSet::SHIPPED]).unwrap()
}

fn permit(policy: &Policy, session: &Session, size: u64) -> Permit {
    let (action, purpose) = (Action::ReadCheckpoint, Purpose::Audit);
    let ask = Ask::new(
        session.actor,
        action,
        purpose,
        time_of(size),
        RequestId::random(&System).unwrap(),
    );
    policy.decide(ask, Facts::default()).ok().unwrap()
}

/// Seconds to verify a copy of the log.
fn verifying(copy: &Path, key: &callervault::note::Verifier, size: u64) -> f64 {
    let source = Directory::new(copy.to_owned());
    let start = Instant::now();
    let verified = verify(&source, std::slice::from_ref(key), &Demands::default(), &|_, _| {})
        .ok()
        .unwrap();
    assert_eq!((verified.bodies, verified.checkpoint.size), (size, size));
    start.elapsed().as_secs_f64()
}

/// Seconds and bytes of SHA-256 alone over each entry of a copy, on so many threads.
fn hashing(copy: &Path, size: u64, threads: usize) -> (f64, u64) {
    let bundles: Vec<_> = tiles_of(size)
        .unwrap()
        .map(|path| path.to_string())
        .filter(|path| path.starts_with("tile/entries/"))
        .collect();
    let (mut taken, mut bytes) = (Duration::ZERO, 0);
    for some in bundles.chunks(IN_MEMORY) {
        let files: Vec<Vec<u8>> = some
            .iter()
            .map(|path| std::fs::read(copy.join(path)).unwrap())
            .collect();
        let entries: Vec<&[u8]> = files.iter().flat_map(|file| decode_bundle(file).unwrap()).collect();
        bytes += entries.iter().map(|entry| entry.len() as u64).sum::<u64>();
        let start = Instant::now();
        std::thread::scope(|scope| {
            for part in entries.chunks(entries.len().div_ceil(threads)) {
                scope.spawn(move || {
                    for entry in part {
                        black_box(digest(&SHA256, entry));
                    }
                });
            }
        });
        taken += start.elapsed();
    }
    (taken.as_secs_f64(), bytes)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What is searched for, taken from entries that are there.
struct Known {
    leaf: Leaf,
    at: Timestamp,
    mark: Mark,
}

/// Reads spread over the whole log.
async fn known(store: &dyn DataStore) -> Vec<Known> {
    let size = store.head().await.unwrap().size;
    let dice = &mut Dice(size);
    let mut known = Vec::new();
    while known.len() < SEARCHES {
        let entry = store.entries(dice.below(size), 1).await.unwrap().remove(0);
        let entry = ProvedEntry::new(entry).unwrap();
        let leaf = entry.leaf().unwrap();
        if leaf.form.is_some() && leaf.out == "granted" {
            let at = leaf.t.parse().unwrap();
            let mark = Mark::of(entry.hash());
            known.push(Known { leaf, at, mark });
        }
    }
    known
}

/// Searches, by name.
fn searches(known: &Known) -> [(&'static str, Search); 7] {
    let Leaf {
        actor,
        dept,
        ticket,
        subject,
        form,
        ..
    } = known.leaf.clone();
    let actor = Some(actor);
    let hour = jiff::SignedDuration::from_hours(1);
    let none = Search::default;
    [
        (
            "one actor",
            Search {
                actor: actor.clone(),
                ..none()
            },
        ),
        ("one ticket", Search { ticket, ..none() }),
        ("one caller", Search { subject, ..none() }),
        (
            "one actor, one form",
            Search {
                actor,
                form: form.clone(),
                ..none()
            },
        ),
        (
            "one department, one form",
            Search {
                dept: Some(dept),
                form,
                ..none()
            },
        ),
        (
            "refusals of one act",
            Search {
                act: Some(known.leaf.act.clone()),
                out: Some("denied".to_owned()),
                ..none()
            },
        ),
        (
            "one hour",
            Search {
                from: Some(known.at.to_string()),
                to: Some((known.at + hour).to_string()),
                ..none()
            },
        ),
    ]
}

/// Milliseconds of one question: with nothing of the vault's files in the system's memory (the process keeps its own pages
/// of the index's writer), and asked again at once.
struct Taken {
    name: &'static str,
    from_disk: Vec<f64>,
    again: Vec<f64>,
}

/// Median milliseconds of a question at one size.
#[derive(Clone, Copy)]
struct Found {
    name: &'static str,
    from_disk: f64,
    again: f64,
}

/// Asks a question twice, the first time with the files forgotten.
async fn twice<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(
    scene: &Scene,
    name: &'static str,
    all: &mut Vec<Taken>,
    ask: impl Fn() -> F,
) -> T {
    scene.forget();
    let start = Instant::now();
    ask().await.unwrap();
    let from_disk = start.elapsed().as_secs_f64() * 1000.0;
    let start = Instant::now();
    let answer = ask().await.unwrap();
    let again = start.elapsed().as_secs_f64() * 1000.0;
    let place = all.iter().position(|taken| taken.name == name).unwrap_or_else(|| {
        all.push(Taken {
            name,
            from_disk: Vec::new(),
            again: Vec::new(),
        });
        all.len() - 1
    });
    all[place].from_disk.push(from_disk);
    all[place].again.push(again);
    answer
}

/// How long each search and each question of exposure takes.
async fn finding(scene: &Scene) -> Vec<Found> {
    let known = known(&scene.parts().await.store).await;
    let (vault, session) = scene.vault().await;
    let mut taken = Vec::new();
    for known in &known {
        for (name, search) in searches(known) {
            let wanted = Wanted::new(&search, &FieldSet::shipped().unwrap(), vault.hours()).unwrap();
            let found = twice(scene, name, &mut taken, || vault.search(&session, &wanted)).await;
            assert!(!found.entries.is_empty(), "{name}");
        }
        let traced = twice(scene, "trace of one mark", &mut taken, || {
            vault.trace(&session, known.mark)
        })
        .await;
        assert_eq!(traced.entries.len(), 1);
        for (name, asked) in exposures(known) {
            let answer = twice(scene, name, &mut taken, || vault.exposure(&session, &asked)).await;
            assert!(answer.reads > 0, "{name}");
        }
    }
    let found = |taken: Taken| Found {
        name: taken.name,
        from_disk: median(taken.from_disk),
        again: median(taken.again),
    };
    taken.into_iter().map(found).collect()
}

/// Questions of exposure, by name.
fn exposures(known: &Known) -> [(&'static str, AskExposure); 2] {
    let none = || AskExposure {
        ticket: None,
        subject: None,
        actor: None,
        from: None,
        to: None,
    };
    let (ticket, subject) = (known.leaf.ticket.clone(), known.leaf.subject.clone());
    let ticket = ticket.map(|no| no.parse().unwrap());
    [
        ("exposure of one ticket", AskExposure { ticket, ..none() }),
        ("exposure of one caller", AskExposure { subject, ..none() }),
    ]
}

async fn verified(scene: &Scene) {
    let copy = tempfile::tempdir().unwrap();
    let (exported, size) = scene.export(copy.path()).await;
    let keyring = scene.parts().await.keyring;
    let key = keyring.verifier(keyring.origin()).unwrap();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut rates, mut to_one, mut to_all) = (Vec::new(), Vec::new(), Vec::new());
    let mut length = 0;
    for _ in 0..ROUNDS {
        let spent = verifying(copy.path(), &key, size);
        let (one, bytes) = hashing(copy.path(), size, 1);
        let (all, _) = hashing(copy.path(), size, cores);
        length = bytes / size;
        rates.push(size as f64 / spent);
        to_one.push(one / spent);
        to_all.push(all / spent);
    }
    println!("  export {exported:.0} entries/s, {length} bytes each");
    println!(
        "  verify {:.0} entries/s; to bare SHA-256 on one core {:.2}, on {cores} {:.2}",
        median(rates),
        median(to_one),
        median(to_all)
    );
}

async fn at_size(scene: &Scene, size: u64) -> Vec<Found> {
    println!("{size} entries");
    println!("  filled {:.0} entries/s", scene.fill(size).await);
    println!("  index filled {:.0} entries/s", scene.index().await);
    let bytes = |path: &Path| std::fs::metadata(path).unwrap().len() / 1_000_000;
    let places = scene.places();
    println!(
        "  data store {} MB, index {} MB",
        bytes(&places.data),
        bytes(&places.log_index())
    );
    let (proving, opening) = scene.start_up().await;
    println!("  start-up, nothing in memory: head and fence {proving:.3} s, all but the passphrase {opening:.3} s");
    let found = finding(scene).await;
    for Found { name, from_disk, again } in &found {
        println!("  {name} {from_disk:.2} ms from disk, {again:.2} ms again");
    }
    let (inclusion, consistency) = scene.proofs().await;
    println!("  inclusion {inclusion:.0} proofs/s, consistency {consistency:.0} proofs/s");
    verified(scene).await;
    let (appended, ratio) = scene.append().await;
    println!("  append {appended:.0} entries/s; to bare SHA-256 on one core {ratio:.4}");
    found
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut sizes: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    if arguments.iter().any(|argument| argument == "--full") {
        sizes.push(FULL);
    }
    tokio::runtime::Runtime::new().unwrap().block_on(compare(&sizes));
}

async fn compare(sizes: &[u64]) {
    let scene = Scene::new();
    let mut before: Option<(u64, Vec<Found>)> = None;
    for &size in sizes {
        let found = at_size(&scene, size).await;
        if let Some((smaller, times)) = before {
            println!("  times at {size} to those at {smaller}");
            for (now, then) in found.iter().zip(&times) {
                let (from_disk, again) = (now.from_disk / then.from_disk, now.again / then.again);
                println!("    {} {from_disk:.2} from disk, {again:.2} again", now.name);
            }
        }
        before = Some((size, found));
    }
}
