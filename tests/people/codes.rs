//! The owner of an account fetches its token by a one-time code: the administrator who made the account never holds the token.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::claim_code::ClaimCode;
use callervault::randomness::System;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::life::restart::restarted;
use crate::people::tokens::MORNING;
use crate::support::copies::words;
use crate::support::process::{Server, run, secret_file};
use crate::support::{Answer, Request, World};

const CLAIM: &str = "/v1/tokens/claim";
pub(crate) const OWNER: &str = "handler-w2";

pub(crate) fn issue(world: &World, name: &str) -> Request {
    Request::post(format!("{}/codes", world.account(name)), &json!({}))
}

/// A code of the right form that is nobody's.
fn another() -> String {
    ClaimCode::random(&System).unwrap().to_text().to_string()
}

fn claim(account: &str, code: &str) -> Request {
    Request::post(CLAIM, &json!({"account": account, "code": code}))
}

/// A world, opened.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) app: Arc<App>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let (world, app) = World::new().await;
        Self { world, app }
    }

    /// A new code for the owner.
    pub(crate) async fn code(&self) -> String {
        let admin = self.world.actor(&self.app, "security-admin");
        admin.send(issue(&self.world, OWNER)).await.is(201).at("/code")
    }

    /// Somebody without a token claims the owner's.
    pub(crate) async fn claim(&self, code: &str) -> Answer {
        self.claim_of(OWNER, code).await
    }

    async fn claim_of(&self, account: &str, code: &str) -> Answer {
        self.world.actor(&self.app, "nobody").send(claim(account, code)).await
    }

    pub(crate) async fn is_refused(&self, code: &str) {
        self.claim(code).await.fails(403, "claim-refused");
    }

    /// The entries of claims, newest first.
    pub(crate) async fn claims(&self) -> Vec<Value> {
        let auditor = self.world.actor(&self.app, "auditor");
        let found = auditor.get("/v1/audit/events?act=token.claim").await.is(200).json();
        let entries = found["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["leaf"].clone()).collect()
    }

    /// Asks as somebody with this token.
    async fn with(&self, token: &str, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.world.actor(&self.app, "nobody").send(request).await
    }
}

#[tokio::test]
async fn the_owner_fetches_the_token_and_nobody_else_holds_it() {
    let scene = Scene::new().await;
    let admin = scene.world.actor(&scene.app, "security-admin");
    let new = json!({"label": "night-desk", "expires": "90d"});
    let issued = admin
        .post(format!("{}/codes", scene.world.account(OWNER)), &new)
        .await
        .is(201);
    assert!(!issued.text.contains("cvt_"), "{}", issued.text);
    let code = issued.at("/code");
    let random = code.replace('-', "");
    let stored = format!("{:?}", scene.world.data().everything());
    assert!(!stored.contains(&code) && !stored.contains(&random));

    let fetched = scene.claim(&random.to_lowercase()).await.is(201);
    assert_eq!(fetched.headers["cache-control"], "no-store");
    let me = scene.with(&fetched.at("/token"), "/v1/me").await.is(200);
    assert_eq!(me.at("/account"), OWNER, "{}", me.text);
    assert_eq!(fetched.at("/principal"), scene.world.id(OWNER));
    scene.is_refused(&code).await;

    let listed = admin.get(format!("{}/tokens", scene.world.account(OWNER))).await.json();
    assert_eq!(listed["items"][0]["label"], "night-desk", "{listed}");
    assert_eq!(listed["items"][0]["expires_at"], fetched.json()["expires_at"]);
    let claims = scene.claims().await;
    assert_eq!(claims.len(), 1, "{claims:?}");
    let leaf = &claims[0];
    assert_eq!(leaf["out"], "granted");
    assert_eq!(leaf["actor"], scene.world.id(OWNER));
    assert_eq!(leaf["token"], fetched.at("/id"));
    assert_eq!(leaf["link"]["issued_by"], scene.world.id("security-admin"));
    let places: Vec<_> = leaf["digest"].as_object().unwrap().keys().collect();
    assert!(places.iter().any(|place| place.starts_with("@token/")), "{leaf}");
    assert!(!leaf.to_string().contains(OWNER), "a name stays out of the log");
    let Scene { world, app } = scene;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Five others were tried: the right one is worth nothing. Each of the five is in the log, and no more than that.
#[tokio::test]
async fn five_wrong_codes_end_it() {
    let mut scene = Scene::new().await;
    let code = scene.code().await;
    // A mistyped one is told, and is none of the five.
    let (rest, last) = code.split_at(code.len() - 1);
    let mistyped = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    for _ in 0..6 {
        scene.claim(&mistyped).await.fails(422, "mistyped-code");
    }
    for _ in 0..3 {
        scene.is_refused(&another()).await;
    }
    // A restart forgets none.
    drop(scene.app);
    scene.app = scene.world.open().await;
    for _ in 0..2 {
        scene.is_refused(&another()).await;
    }
    for code in [&*code, &another(), &another()] {
        scene.is_refused(code).await;
    }
    let claims = scene.claims().await;
    assert_eq!(claims.len(), 5, "{claims:?}");
    for (leaf, failures) in claims.iter().rev().zip(1..) {
        assert_eq!((&leaf["out"], &leaf["why"]), (&json!("denied"), &json!("wrong-code")));
        assert_eq!(leaf["link"]["failures"], failures.to_string());
        assert_eq!(leaf["link"]["principal"], scene.world.id(OWNER));
        assert_eq!(leaf["actor"], "0".repeat(32), "who it was is not known");
    }
    // The administrator gives a new one.
    let code = scene.code().await;
    scene.claim(&code).await.is(201);
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_accounts_and_writes_nothing() {
    let scene = Scene::new().await;
    scene.code().await;
    let told = |answer: Answer| {
        let mut body = answer.fails(403, "claim-refused").json();
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    let wrong = told(scene.claim(&another()).await);
    let before = scene.world.data().rows("log_entry").count();
    for account in ["handler-c1", "no-such-account", "", "security-admin"] {
        assert_eq!(told(scene.claim_of(account, &another()).await), wrong, "{account}");
    }
    assert_eq!(scene.world.data().rows("log_entry").count(), before);
}

#[tokio::test]
async fn a_code_ends_with_its_day_with_the_next_code_and_with_what_the_account_was() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at(MORNING));
    let app = world.open_at(clock.clone()).await;
    let scene = Scene { world, app };
    let [admin, auditor] = scene.world.actors(&scene.app, ["security-admin", "auditor"]);
    let first = scene.code().await;
    let second = scene.code().await;
    scene.is_refused(&first).await;
    clock.set(MORNING + SignedDuration::from_hours(24));
    scene.is_refused(&second).await;

    // Barred, and let in again.
    let code = scene.code().await;
    let set = |version, roles: Value, active: bool| {
        Request::put(scene.world.account(OWNER), &json!({"roles": roles, "active": active})).version(version)
    };
    admin.send(set(1, json!(["handler"]), false)).await.is(200);
    scene.is_refused(&code).await;
    admin.send(set(2, json!(["handler"]), true)).await.is(200);
    // It gets roles that take two persons: whoever was given the code alone does not hold them.
    admin.with(auditor, &set(3, json!(["auditor"]), true)).await.is(200);
    scene.is_refused(&code).await;
    let before = scene.claims().await.len();
    assert_eq!(before, 1, "but for the replaced code, none of these was a wrong one");
}

#[tokio::test]
async fn a_code_of_before_is_void_in_the_next_log() {
    let mut scene = Scene::new().await;
    let code = scene.code().await;
    drop(scene.app);
    restarted(&scene.world);
    scene.app = scene.world.open().await;
    scene.is_refused(&code).await;
}

/// What takes two persons takes them when the code is issued.
#[tokio::test]
async fn for_an_account_of_two_persons_it_takes_two() {
    let scene = Scene::new().await;
    let [admin, auditor, agent] = scene.world.actors(&scene.app, ["security-admin", "auditor", "agent"]);
    let request = issue(&scene.world, "dpo");
    let id = admin.ask(&request).await;
    let about = auditor.get("/v1/approvals").await.json()["items"][0]["about"].clone();
    assert_eq!(about["token"], "code", "{about}");
    admin
        .send(request.clone().approved(&id))
        .await
        .fails(403, "not-approved");
    auditor.approve(&id).await.is(200);
    let code = admin.send(request.approved(&id)).await.is(201).at("/code");
    scene.claim_of("dpo", &code).await.is(201);

    admin
        .send(issue(&scene.world, "security-admin"))
        .await
        .fails(403, "own-roles");
    agent.send(issue(&scene.world, OWNER)).await.fails(403, "refused");
}

#[tokio::test]
async fn of_two_who_claim_at_once_one_gets_it() {
    let scene = Scene::new().await;
    let code = scene.code().await;
    let (one, other) = tokio::join!(scene.claim(&code), scene.claim(&code));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
    let code = scene.code().await;
    let (a, b, c) = (another(), another(), another());
    let (d, e, f) = (another(), another(), another());
    let _ = tokio::join!(
        scene.claim(&a),
        scene.claim(&b),
        scene.claim(&c),
        scene.claim(&d),
        scene.claim(&e),
        scene.claim(&f)
    );
    scene.is_refused(&code).await;
    assert_eq!(
        scene.claims().await.len(),
        6,
        "one that was right, and five that were not"
    );
}

#[tokio::test]
async fn a_counter_that_is_put_back_is_found() {
    let scene = Scene::new().await;
    scene.code().await;
    let before = scene.world.data().rows("token_code").kept();
    scene.is_refused(&another()).await;
    let Scene { world, app } = scene;
    drop(app);
    world.data().put_back(&before);
    world
        .is_found("one-time code", "is not what the log says was last written there")
        .await;
}

#[tokio::test]
async fn strangers_share_a_small_rate_and_short_bodies() {
    let scene = Scene::new().await;
    let [nobody, agent] = scene.world.actors(&scene.app, ["nobody", "agent"]);
    let long = json!({"account": "a".repeat(5000), "code": ""});
    nobody.post(CLAIM, &long).await.fails(413, "body-too-large");
    let mut held = None;
    for _ in 0..1000 {
        let answer = scene.claim(&another()).await;
        if answer.status == 429 {
            held = Some(answer);
            break;
        }
    }
    let held = held.expect("held back").fails(429, "too-many-requests");
    assert!(held.headers.contains_key("retry-after"));
    agent.get("/v1/me").await.is(200);
}

#[tokio::test]
async fn from_the_command_line() {
    let (world, app) = World::new().await;
    drop(app);
    let server = Server::start(world.dir.path());
    let (status, issued) = server.post(
        &world,
        "security-admin",
        &format!("{}/codes", world.account(OWNER)),
        &json!({}),
    );
    assert_eq!(status, 201, "{issued}");
    let path = |name: &str| world.dir.path().join(name).to_str().unwrap().to_owned();
    let (code, out) = (path("code"), path("mine.token"));
    let fetch = |out: &str| {
        let place = ["--url", &*server.base, OWNER, "--code-file", &*code, "--out", out];
        run(&[&["token", "claim"][..], &place].concat())
    };
    secret_file(code.as_ref(), issued["code"].as_str().unwrap());
    // Where the token cannot be put, the code is not used up.
    std::fs::write(&out, "somebody else's").unwrap();
    let refused = fetch(&out);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "somebody else's");
    std::fs::remove_file(&out).unwrap();
    let fetched = fetch(&out);
    assert_eq!(fetched.status.code(), Some(0), "{}", words(&fetched));
    assert!(!words(&fetched).contains("cvt_"));
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("cvt_"));
    let again = fetch(&path("second.token"));
    assert_eq!(again.status.code(), Some(4), "{}", words(&again));
    assert!(words(&again).contains("fetches no token"), "{}", words(&again));
    assert!(!std::path::Path::new(&path("second.token")).exists());
}
