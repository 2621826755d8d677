//! What stories are told with: a vault with staff, spoken to through the router; the program as a process, clients, witnesses
//! and disks.

pub(crate) mod actors;
pub(crate) mod approvals;
pub(crate) mod backups;
pub(crate) mod cells;
pub(crate) mod copies;
pub(crate) mod dies;
pub(crate) mod imported;
pub(crate) mod invented;
pub(crate) mod load;
pub(crate) mod made;
pub(crate) mod process;
pub(crate) mod rows;
pub(crate) mod served;
pub(crate) mod session;
mod staff;
pub(crate) mod stranger;
pub(crate) mod suites;
pub(crate) mod tools;
pub(crate) mod unflushed;
pub(crate) mod unflushed_disk;
pub(crate) mod witness;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request as HttpRequest;
use callervault::clock::{Clock, System};
use callervault::http::{App, ConnectionLimits, Proxies, metrics_router};
use callervault::keyring::unlock::Passphrase;
use callervault::model::fields::FieldSet;
use callervault::model::key_roles::Suite;
use callervault::vault::life::fsck::{self, Finding};
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::{OpenError, Places, Running};
use callervault::vault::{Vault, Witnessing};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::support::made::{MADE, Made, below};
use crate::support::suites::suite;

pub(crate) use crate::support::actors::{Actor, Answer, Case, NAME, NUMBER, Request};

/// Where accounts are.
pub(crate) const PEOPLE: &str = "/v1/admin/principals";
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A directory with a vault, and the tokens of its staff.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) places: Places,
    tokens: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new(PASSPHRASE.to_owned())).unwrap()
}

impl World {
    /// A centre H0 with agent, dispatcher, data protection officer and the rest, organs C1 and W2, an enterprise E4; a handler in each.
    pub(crate) async fn new() -> (Self, Arc<App>) {
        let world = Self::closed().await;
        let app = world.open().await;
        (world, app)
    }

    /// As `new`, and nobody has opened it.
    pub(crate) async fn closed() -> Self {
        Self::closed_in(suite()).await
    }

    /// As `closed`, with keys of this suite.
    pub(crate) async fn closed_in(suite: Suite) -> Self {
        let made = MADE[suite as usize].get_or_init(|| Made::new(suite)).await;
        let dir = tempfile::tempdir().unwrap();
        made.files.put_into(dir.path());
        Self {
            places: Places::below(dir.path()),
            dir,
            tokens: made.tokens.clone(),
            ids: made.ids.clone(),
        }
    }

    /// As `new`, but no copy: a vault of its own, which has no key in common with others.
    pub(crate) async fn of_its_own() -> (Self, Arc<App>) {
        Self::made(Arc::new(System), Running::patient()).await
    }

    /// As `of_its_own`, made and opened at a time and with randomness of its own.
    pub(crate) async fn made(clock: Arc<dyn Clock>, running: Running) -> (Self, Arc<App>) {
        Self::made_in(suite(), clock, running).await
    }

    /// As `made`, with keys of this suite.
    pub(crate) async fn made_in(suite: Suite, clock: Arc<dyn Clock>, running: Running) -> (Self, Arc<App>) {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::below(dir.path());
        std::fs::create_dir_all(&places.policies).unwrap();
        let fields = format!("{}\n[id_no]\nlatest_birth_year = 2049\n", FieldSet::SHIPPED);
        std::fs::write(places.policies.join("fields.toml"), fields).unwrap();
        std::fs::write(places.policies.join("holidays.toml"), weeks()).unwrap();
        let founding = Founding {
            origin: "test.invalid/log/1".to_owned(),
            centre: "H0".parse().unwrap(),
            centre_name: "Centre".to_owned(),
            suite,
        };
        let randomness = Arc::clone(&running.randomness);
        let founded = Vault::init(&places, &passphrase(), &founding, &*clock, randomness).unwrap();
        let tokens = founded
            .keep()
            .iter()
            .map(|one| (one.account.clone(), one.token.to_string()))
            .collect();
        let mut world = Self {
            dir,
            places,
            tokens,
            ids: BTreeMap::new(),
        };
        let vault = Vault::open_with(&world.places, &passphrase(), clock, "test", running).await;
        let app = App::new(vault.unwrap());
        world.staff(&app.vault().unwrap()).await;
        (world, app)
    }

    /// As `new`, with limits that no test reaches: for one that takes more calls than an agent may.
    pub(crate) async fn unlimited() -> (Self, Arc<App>) {
        let world = Self::closed().await;
        let many = "{ minute = 1000000, hour = 1000000 }";
        let limits = format!("guesses = {many}\nintakes = {many}\n");
        std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
        let app = world.open().await;
        (world, app)
    }

    pub(crate) async fn try_open(&self) -> Result<Arc<App>, OpenError> {
        self.unlocked(Arc::new(System)).await.map(App::new)
    }

    /// What the vault says when it does not open.
    pub(crate) async fn refusal(&self) -> String {
        self.try_open().await.err().expect("refused").to_string()
    }

    /// However busy the disk is, the log takes what a test does.
    async fn unlocked(&self, clock: Arc<dyn Clock>) -> Result<Vault, OpenError> {
        Vault::open_with(&self.places, &passphrase(), clock, "test", Running::patient()).await
    }

    /// As `open`, at a time that the test sets.
    pub(crate) async fn open_at(&self, clock: Arc<dyn Clock>) -> Arc<App> {
        self.unlocked(clock).await.map(App::new).unwrap()
    }

    /// As `open`, run in another way than usual.
    pub(crate) async fn open_running(&self, running: Running) -> Arc<App> {
        Vault::open_with(&self.places, &passphrase(), Arc::new(System), "test", running)
            .await
            .map(App::new)
            .unwrap()
    }

    /// As `open_at`, with witnesses.
    pub(crate) async fn open_witnessed(&self, clock: Arc<dyn Clock>, witnessing: Witnessing) -> Arc<App> {
        self.try_open_witnessed(clock, witnessing).await.unwrap()
    }

    pub(crate) async fn try_open_witnessed(
        &self,
        clock: Arc<dyn Clock>,
        witnessing: Witnessing,
    ) -> Result<Arc<App>, String> {
        let vault = self.unlocked(clock).await.unwrap();
        let vault = vault.with_witnesses(witnessing).map_err(|error| error.to_string())?;
        Ok(App::new(vault))
    }

    pub(crate) async fn open(&self) -> Arc<App> {
        self.try_open().await.unwrap()
    }

    /// Opened with limits of its own, and at a time of its own.
    pub(crate) async fn open_with(&self, limits: ConnectionLimits, clock: Arc<dyn Clock>) -> Arc<App> {
        let vault = self.unlocked(clock).await.unwrap();
        App::with_limits(vault, limits, Proxies::default())
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    pub(crate) fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// Where an account is found.
    pub(crate) fn account(&self, name: &str) -> String {
        format!("{PEOPLE}/{}", self.id(name))
    }

    pub(crate) async fn fsck(&self) -> Vec<Finding> {
        fsck::check(&self.places, &passphrase(), &|_| {})
            .await
            .unwrap()
            .findings
    }

    /// `fsck` finds something at this place, in these words.
    pub(crate) async fn is_found(&self, place: &str, words: &str) {
        let findings = self.fsck().await;
        let is_it = |one: &Finding| one.place.contains(place) && one.what.contains(words);
        assert!(findings.iter().any(is_it), "{place} {words}: {findings:?}");
    }

    /// Everything the vault has on disk.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let all = below(self.dir.path());
        all.into_iter().filter(|path| path.is_file()).collect()
    }

    /// The metrics, as their own listener gives them.
    pub(crate) async fn metrics(&self, app: &Arc<App>) -> String {
        let request = HttpRequest::builder().uri("/metrics").body(Body::empty()).unwrap();
        let answer = metrics_router(Arc::clone(app)).oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }
}

/// Tables of working days for as long as any clock of a test may go: Monday to Friday, without holidays.
pub(crate) fn weeks() -> String {
    let years = 2020..=2120;
    let tables = years.map(|year| format!("[{year}]\nsource = \"a test\"\nholidays = []\nworked = []\n"));
    tables.collect()
}

pub(crate) fn intake(caller: Value) -> Value {
    json!({
        "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": caller,
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "楼下夜里施工。"},
    })
}

/// A confidential call.
pub(crate) fn report(caller: Value) -> Value {
    let mut report = intake(caller);
    report["ticket"]["kind"] = json!("report");
    report
}

pub(crate) fn caller(name: &str, number: &str) -> Value {
    json!({"name": name, "salutation": "女士", "caller_number": number, "callback_number": number})
}
