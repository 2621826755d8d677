//! What stories are told with: a vault with staff, spoken to through the router; the program as a process, clients, witnesses
//! and disks.

pub(crate) mod load;
pub(crate) mod process;
pub(crate) mod rows;
pub(crate) mod served;
pub(crate) mod unflushed;
pub(crate) mod unflushed_disk;
pub(crate) mod witness;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use callervault::clock::{Clock, System};
use callervault::http::{App, ConnectionLimits, metrics_router, router};
use callervault::keyring::unlock::Passphrase;
use callervault::model::fields::FieldSet;
use callervault::model::principals::{DepartmentKind, PrincipalKind, Role};
use callervault::vault::Asked;
use callervault::vault::Witnessing;
use callervault::vault::life::fsck::{self, Finding};
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::{OpenError, Places, Running};
use callervault::vault::people::approvals::{Decision, Exact};
use callervault::vault::people::{NewDepartment, NewPrincipal, NewToken};
use callervault::vault::{Error, Session, Vault};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use zeroize::Zeroizing;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A directory with a vault, and the tokens of its staff.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) places: Places,
    tokens: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A string somewhere in the answer.
    pub(crate) fn at(&self, pointer: &str) -> String {
        self.json()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// The name of the problem.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.text
        );
        self.at("/type")
            .trim_start_matches("urn:callervault:problem:")
            .to_owned()
    }
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new(PASSPHRASE.to_owned())).unwrap()
}

impl World {
    /// A centre H0 with agent, dispatcher, data protection officer and the rest, organs C1 and W2, an enterprise E4; a handler in each.
    pub(crate) async fn new() -> (Self, Arc<App>) {
        Self::made(Arc::new(System), Running::patient()).await
    }

    /// As `new`, made and opened at a time and with randomness of its own.
    pub(crate) async fn made(clock: Arc<dyn Clock>, running: Running) -> (Self, Arc<App>) {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::below(dir.path());
        std::fs::create_dir_all(&places.policies).unwrap();
        let fields = format!("{}\n[id_no]\nlatest_birth_year = 2049\n", FieldSet::SHIPPED);
        std::fs::write(places.policies.join("fields.toml"), fields).unwrap();
        let founding = Founding {
            origin: "test.invalid/log/1".to_owned(),
            centre: "H0".parse().unwrap(),
            centre_name: "Centre".to_owned(),
        };
        let randomness = Arc::clone(&running.randomness);
        let issued = Vault::init(&places, &passphrase(), &founding, &*clock, randomness).unwrap();
        let tokens = issued
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
        world.staff(app.vault()).await;
        (world, app)
    }

    /// As `new`, with limits that no test reaches: for one that takes more calls than an agent may.
    pub(crate) async fn unlimited() -> (Self, Arc<App>) {
        let (world, app) = Self::new().await;
        drop(app);
        let many = "{ minute = 1000000, hour = 1000000 }";
        let limits = format!("guesses = {many}\nintakes = {many}\n");
        std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
        let app = world.open().await;
        (world, app)
    }

    async fn staff(&mut self, vault: &Vault) {
        let admin = vault
            .authenticate(self.token("security-admin"), vault.new_request().unwrap())
            .await
            .unwrap();
        let departments = [
            ("C1", DepartmentKind::Organ),
            ("W2", DepartmentKind::Organ),
            ("E4", DepartmentKind::Enterprise),
        ];
        for (code, kind) in departments {
            let new = NewDepartment {
                code: code.parse().unwrap(),
                name: format!("Department {code}"),
                kind,
            };
            vault.make_department(&admin, new).await.unwrap();
        }
        let staff = [
            ("agent", "H0", Role::Agent),
            ("other-agent", "H0", Role::Agent),
            ("dispatcher", "H0", Role::Dispatcher),
            ("handler-c1", "C1", Role::Handler),
            ("handler-w2", "W2", Role::Handler),
            ("handler-e4", "E4", Role::Handler),
            ("dpo", "H0", Role::Dpo),
        ];
        for (name, department, role) in staff {
            let new = NewPrincipal {
                name: name.to_owned(),
                department: department.parse().unwrap(),
                roles: vec![role],
                kind: PrincipalKind::Person,
            };
            self.hire(vault, "security-admin", new).await;
        }
    }

    /// Makes a principal and a token for it. Where that takes two persons, the first auditor approves.
    pub(crate) async fn hire(&mut self, vault: &Vault, admin: &str, new: NewPrincipal) {
        let admin = vault
            .authenticate(self.token(admin), vault.new_request().unwrap())
            .await
            .unwrap();
        let auditor = vault
            .authenticate(self.token("auditor"), vault.new_request().unwrap())
            .await
            .unwrap();
        let approve = async |asked: Asked| {
            let id = asked.approval.id.parse().unwrap();
            vault.decide_on(&auditor, id, Decision::Approve, None).await.unwrap();
            id
        };
        let mut exact = Exact::default();
        let made = loop {
            match vault.make_principal(&admin, new.clone(), &exact).await {
                Err(Error::Asked(asked)) => exact.approval = Some(approve(asked).await),
                made => break made.unwrap().now,
            }
        };
        self.ids.insert(new.name.clone(), made.id);
        self.equip(vault, &admin, &new.name).await;
    }

    /// Issues a token for an account that was hired. Where that takes two persons, the first auditor approves.
    async fn equip(&mut self, vault: &Vault, admin: &Session, name: &str) {
        let id = self.id(name).parse().unwrap();
        let ever = NewToken { expires_in: None };
        let mut exact = Exact::default();
        let token = loop {
            match vault.issue_token(admin, id, &ever, &exact).await {
                Err(Error::Asked(asked)) => {
                    let auditor = vault
                        .authenticate(self.token("auditor"), vault.new_request().unwrap())
                        .await;
                    let id = asked.approval.id.parse().unwrap();
                    let (auditor, yes) = (auditor.unwrap(), Decision::Approve);
                    vault.decide_on(&auditor, id, yes, None).await.unwrap();
                    exact.approval = Some(id);
                }
                token => break token.unwrap().token,
            }
        };
        self.tokens.insert(name.to_owned(), token);
    }

    /// After the next log was opened: the security administrator has this token, and gives everybody who was hired a new one.
    pub(crate) async fn readmitted(&mut self, vault: &Vault, token: &str) {
        self.tokens.insert("security-admin".to_owned(), token.to_owned());
        let admin = vault.authenticate(token, vault.new_request().unwrap()).await.unwrap();
        for name in self.ids.keys().cloned().collect::<Vec<_>>() {
            self.equip(vault, &admin, &name).await;
        }
    }

    /// Asks, lets somebody else approve, and sends the same again.
    pub(crate) async fn with_second(
        &self,
        app: &Arc<App>,
        asker: &str,
        second: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let asked = self.post(app, asker, path, body).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let id = asked.at("/approval/id");
        let approved = self
            .call(app, second, "POST", &format!("/v1/approvals/{id}/approve"), &[], "")
            .await;
        assert_eq!(approved.status, 200, "{}", approved.text);
        let header = [("approval", id.as_str())];
        self.call(app, asker, "POST", path, &header, &body.to_string()).await
    }

    pub(crate) async fn try_open(&self) -> Result<Arc<App>, OpenError> {
        self.unlocked(Arc::new(System)).await.map(App::new)
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
        App::with_limits(vault, limits)
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    pub(crate) fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    pub(crate) async fn fsck(&self) -> Vec<Finding> {
        fsck::check(&self.places, &passphrase(), &|_| {})
            .await
            .unwrap()
            .findings
    }

    /// Everything the vault has on disk.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(directory: &std::path::Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found)
                } else {
                    found.push(path)
                }
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), &mut found);
        found
    }

    /// The bytes of an answer of status 200.
    pub(crate) async fn bytes(&self, app: &Arc<App>, who: &str, path: &str) -> Vec<u8> {
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", self.tokens[who]))
            .body(Body::empty())
            .unwrap();
        let answer = router(Arc::clone(app)).oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    pub(crate) async fn call(
        &self,
        app: &Arc<App>,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = self.tokens.get(who) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = router(Arc::clone(app)).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text,
        }
    }

    /// The metrics, as their own listener gives them.
    pub(crate) async fn metrics(&self, app: &Arc<App>) -> String {
        let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
        let answer = metrics_router(Arc::clone(app)).oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    pub(crate) async fn post(&self, app: &Arc<App>, who: &str, path: &str, body: &Value) -> Answer {
        self.call(app, who, "POST", path, &[], &body.to_string()).await
    }

    pub(crate) async fn get(&self, app: &Arc<App>, who: &str, path: &str) -> Answer {
        self.call(app, who, "GET", path, &[], "").await
    }

    /// A call by this caller, dispatched to a department; the ticket's number and that department's reference.
    pub(crate) async fn ticket_at(&self, app: &Arc<App>, department: &str, caller: Value) -> (String, String) {
        let taken = self.post(app, "agent", "/v1/intake", &intake(caller)).await;
        assert_eq!(taken.status, 201, "{}", taken.text);
        let no = taken.at("/ticket/no");
        let body = json!({"department": department, "reason": "请核查"});
        let sent = self
            .post(app, "dispatcher", &format!("/v1/tickets/{no}/dispatch"), &body)
            .await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let handler = format!("handler-{}", department.to_lowercase());
        let caller = self
            .get(app, &handler, &format!("/v1/tickets/{no}"))
            .await
            .at("/caller/ref");
        (no, caller)
    }

    pub(crate) async fn reveal(&self, app: &Arc<App>, who: &str, caller: &str, no: &str, form: &str) -> Answer {
        let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": form});
        self.post(app, who, &format!("/v1/callers/{caller}/reveal"), &body)
            .await
    }
}

pub(crate) fn intake(caller: Value) -> Value {
    json!({
        "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": caller,
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "楼下夜里施工。"},
    })
}

pub(crate) fn caller(name: &str, number: &str) -> Value {
    json!({"name": name, "salutation": "女士", "caller_number": number, "callback_number": number})
}
