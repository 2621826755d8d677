//! Callers in any number, made as intake makes them.

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
use callervault::model::submitted::Submitted;
use callervault::policy::Policy;
use callervault::policy::facts::Facts;
use callervault::randomness;
use callervault::refs;
use callervault::store::rows::{BlindIndexRow, CallerRow};
use callervault::store::sqlite::{SqliteData, SqliteKeys};
use callervault::store::{DataStore, KeyStore, Write};
use callervault::vault::life::open::Places;
use callervault::vault::{Session, Vault};
use jiff::Timestamp;

use crate::scene::{Scene, passphrase};

/// Callers that are made at once: they share commits.
const AT_ONCE: usize = 1024;

/// The stores and keys of a vault, without a vault around them.
pub(crate) struct Parts {
    store: Arc<SqliteData>,
    keys: Arc<dyn KeyStore>,
    keyring: Arc<Keyring>,
}

pub(crate) async fn parts(places: &Places) -> Parts {
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
        let of_log = self.keyring.references_of_log().unwrap();
        let minted = refs::mint(&self.keyring, &*self.store, &of_log, record).await.unwrap();
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
            restricted: false,
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
pub(crate) async fn grow(scene: &Scene, from: u64, to: u64) {
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
