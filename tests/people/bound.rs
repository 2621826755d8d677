//! An approval is for a request and for the state of what the request is about: whatever changes between the second person's yes
//! and the act makes it stale.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{DepartmentKind, Role};
use callervault::store::rows::DepartmentRow;
use serde_json::{Value, json};

use crate::audit::retention::{drop_below, later};
use crate::people::approvals::{RESOLVE, ask, decide, entry, id_of, person, refused, state, subject};
use crate::support::rows::Store;
use crate::support::{Answer, World};

const ADMIN: &str = "security-admin";

/// A request that takes two persons.
struct Request {
    who: &'static str,
    method: &'static str,
    path: String,
    version: Option<u64>,
    body: String,
}

impl Request {
    /// By the security administrator.
    fn new(method: &'static str, path: String, body: Value) -> Self {
        Self {
            who: ADMIN,
            method,
            path,
            version: None,
            body: if body.is_null() {
                String::new()
            } else {
                body.to_string()
            },
        }
    }

    fn issue(account: &str) -> Self {
        Self::new(
            "POST",
            format!("/v1/admin/principals/{account}/tokens"),
            json!({"expires_in": 3600}),
        )
    }

    fn set(account: &str, version: u64, roles: &[&str], active: bool) -> Self {
        Self {
            version: Some(version),
            ..Self::new(
                "PUT",
                format!("/v1/admin/principals/{account}"),
                json!({"roles": roles, "active": active}),
            )
        }
    }

    async fn send(&self, world: &World, app: &Arc<App>, approval: Option<&str>) -> Answer {
        let version = self.version.map(|version| format!("\"{version}\""));
        let mut headers = Vec::new();
        headers.extend(version.as_deref().map(|version| ("if-match", version)));
        headers.extend(approval.map(|id| ("approval", id)));
        world
            .call(app, self.who, self.method, &self.path, &headers, &self.body)
            .await
    }

    /// Asked, and approved by the auditor: the approval's id.
    async fn approved(&self, world: &World, app: &Arc<App>) -> String {
        let asked = self.send(world, app, None).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let id = asked.at("/approval/id");
        let yes = decide(world, app, "auditor", &id, "approve").await;
        assert_eq!(yes.status, 200, "{}", yes.text);
        id
    }

    /// Asked, approved and done.
    async fn done(&self, world: &World, app: &Arc<App>) {
        let id = self.approved(world, app).await;
        let done = self.send(world, app, Some(&id)).await;
        assert!(done.status < 300, "{}", done.text);
    }
}

/// The act with this approval is refused because of what has changed, and nothing has happened; asker and approver see that the
/// approval is stale.
async fn stale(world: &World, app: &Arc<App>, request: &Request, id: &str) {
    let answer = request.send(world, app, Some(id)).await;
    refused(
        world,
        app,
        &answer,
        "approval-stale",
        "has changed since it was asked for",
    )
    .await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(
        answer.at("/detail").contains("without `Approval`"),
        "what to do: {}",
        answer.text
    );
    let leaf = entry(world, app, &answer).await;
    assert_eq!(leaf["why"], "target-changed", "{leaf}");
    assert_eq!(state(world, app, id).await, "stale");
    let own = world.get(app, request.who, &format!("/v1/approvals/{id}")).await;
    assert_eq!(own.at("/state"), "stale", "{}", own.text);
}

/// Roles, and whether the account may authenticate.
type Change<'c> = (&'c [&'c str], bool);

async fn tokens_of(world: &World, app: &Arc<App>, account: &str) -> Vec<Value> {
    let path = format!("/v1/admin/principals/{account}/tokens");
    world.get(app, ADMIN, &path).await.json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_token_is_for_the_account_as_it_stood() {
    let (mut world, app) = World::new().await;
    for name in ["dpo-2", "dpo-3", "dpo-4", "dpo-5"] {
        world.hire(app.vault(), ADMIN, person(name, Role::Dpo)).await;
    }
    // Another role that takes two persons; none that does; barred; barred and let in again.
    let changes: [(&str, &[Change<'_>]); 4] = [
        ("dpo-2", &[(&["auditor"], true)]),
        ("dpo-3", &[(&["handler"], true)]),
        ("dpo-4", &[(&["dpo"], false)]),
        ("dpo-5", &[(&["dpo"], false), (&["dpo"], true)]),
    ];
    for (name, changes) in changes {
        let account = world.id(name);
        let issue = Request::issue(account);
        let id = issue.approved(&world, &app).await;
        for (version, (roles, active)) in (1..).zip(changes) {
            Request::set(account, version, roles, *active).done(&world, &app).await;
        }
        stale(&world, &app, &issue, &id).await;
        assert_eq!(
            tokens_of(&world, &app, account).await.len(),
            1,
            "{name}: none was issued"
        );
    }
    // What one may do alone by now needs no approval, and none that is stale.
    let alone = Request::issue(world.id("dpo-3")).send(&world, &app, None).await;
    assert_eq!(alone.status, 201, "{}", alone.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_change_of_an_account_is_of_the_account_as_it_stood() {
    let (world, app) = World::new().await;
    let account = world.id("dpo");
    let rise = Request::set(account, 1, &["auditor"], true);
    let id = rise.approved(&world, &app).await;
    Request::set(account, 1, &["dpo"], false).done(&world, &app).await;
    stale(&world, &app, &rise, &id).await;
    // With the new version it is another request.
    let newer = Request::set(account, 2, &["auditor"], true);
    let answer = newer.send(&world, &app, Some(&id)).await;
    refused(&world, &app, &answer, "not-approved", "another request").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_revocation_is_of_a_token_as_it_stood() {
    let (mut world, app) = World::new().await;
    world.hire(app.vault(), ADMIN, person("dpo-2", Role::Dpo)).await;
    let account = world.id("dpo-2").to_owned();
    Request::issue(&account).done(&world, &app).await;
    let tokens = tokens_of(&world, &app, &account).await;
    let revoke = |at: usize| {
        let token = tokens[at]["id"].as_str().unwrap();
        Request::new(
            "DELETE",
            format!("/v1/admin/principals/{account}/tokens/{token}"),
            Value::Null,
        )
    };
    // The token's own state: somebody else has revoked it meanwhile.
    let [first, second, other] = [revoke(0), revoke(0), revoke(1)];
    let [one, two, three] = [
        first.approved(&world, &app).await,
        second.approved(&world, &app).await,
        other.approved(&world, &app).await,
    ];
    let swapped = other.send(&world, &app, Some(&one)).await;
    refused(&world, &app, &swapped, "not-approved", "another request").await;
    let done = first.send(&world, &app, Some(&one)).await;
    assert_eq!(done.status, 200, "{}", done.text);
    stale(&world, &app, &second, &two).await;
    // The account that it belongs to.
    Request::set(&account, 1, &["auditor"], true).done(&world, &app).await;
    stale(&world, &app, &other, &three).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn bodies_are_dropped_from_where_they_were_dropped_before() {
    let (world, app, _) = later(1100).await;
    let drop_them = Request {
        who: "system-admin",
        ..Request::new("POST", "/v1/audit/retention".to_owned(), json!({"below": 256}))
    };
    let id = drop_them.approved(&world, &app).await;
    assert_eq!(drop_below(&world, &app, 256).await.status, 200);
    stale(&world, &app, &drop_them, &id).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// No call changes a department yet: the vault's own key makes the row that one would. Without its store open elsewhere.
async fn renamed(world: &World, code: &str) -> impl Fn(&Store) + use<> {
    let keyring = world.keyring().await;
    let row = DepartmentRow {
        code: code.parse().unwrap(),
        name: "Another name".to_owned(),
        kind: DepartmentKind::Centre,
        version: 2,
    };
    let mac = keyring.protect(row).unwrap().code().as_bytes().to_vec();
    let code = code.to_owned();
    move |data| {
        let row = data.rows("department").of("code", &*code);
        row.set("name", "Another name");
        row.set("version", 2);
        assert_eq!(row.set("mac", &*mac), 1);
    }
}

fn new_auditor(name: &str) -> Request {
    Request::new(
        "POST",
        "/v1/admin/principals".to_owned(),
        json!({"name": name, "department": "H0", "roles": ["auditor"], "kind": "person"}),
    )
}

/// Lets every request that was sent come to the log's writer, which waits for the database.
async fn all_wait() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_new_account_is_of_the_department_as_it_stood() {
    let (world, app) = World::new().await;
    let make = new_auditor("auditor-2");
    let id = make.approved(&world, &app).await;
    drop(app);
    let rename = renamed(&world, "H0").await;
    rename(&world.data());
    let app = world.open().await;
    stale(&world, &app, &make, &id).await;
    let anew = make.approved(&world, &app).await;
    let done = make.send(&world, &app, Some(&anew)).await;
    assert_eq!(done.status, 201, "{}", done.text);
}

/// It changes after the act was decided on, while the log's writer is kept waiting: the transaction of the act finds it.
#[tokio::test]
async fn what_changes_before_the_commit_is_found_by_the_commit() {
    let (world, app) = World::new().await;
    drop(app);
    let rename = renamed(&world, "H0").await;
    let app = world.open().await;
    let make = new_auditor("auditor-2");
    let id = make.approved(&world, &app).await;
    let held = world.data();
    held.hold();
    let change = async {
        all_wait().await;
        rename(&held);
        held.let_go();
    };
    let (answer, ()) = tokio::join!(make.send(&world, &app, Some(&id)), change);
    refused(
        &world,
        &app,
        &answer,
        "approval-stale",
        "has changed since it was asked for",
    )
    .await;
    let people = world.get(&app, ADMIN, "/v1/admin/principals").await;
    assert!(!people.text.contains("auditor-2"), "{}", people.text);
}

#[tokio::test]
async fn nobody_says_yes_to_what_has_changed() {
    let (world, app) = World::new().await;
    let account = world.id("dpo");
    let issue = Request::issue(account);
    let asked = issue.send(&world, &app, None).await;
    let id = asked.at("/approval/id");
    Request::set(account, 1, &["auditor"], true).done(&world, &app).await;
    assert_eq!(state(&world, &app, &id).await, "stale");
    let yes = decide(&world, &app, "auditor", &id, "approve").await;
    refused(
        &world,
        &app,
        &yes,
        "approval-stale",
        "Refuse it, and let it be asked for anew",
    )
    .await;
    let no = decide(&world, &app, "auditor", &id, "refuse").await;
    assert_eq!((no.status, no.at("/state").as_str()), (200, "refused"), "{}", no.text);
    let late = issue.send(&world, &app, Some(&id)).await;
    refused(&world, &app, &late, "not-approved", "was refused").await;
}

/// Both are decided on before either is done: the log's writer is kept waiting until each has come to it.
#[tokio::test]
async fn of_two_changes_at_once_the_second_is_stale() {
    let (world, app) = World::new().await;
    let account = world.id("dpo");
    let [one, two] = [
        Request::set(account, 1, &["auditor"], true),
        Request::set(account, 1, &["dpo"], false),
    ];
    let [first, second] = [one.approved(&world, &app).await, two.approved(&world, &app).await];
    let held = world.data();
    held.hold();
    let let_go = async {
        all_wait().await;
        held.give_up();
    };
    let (done, undone, ()) = tokio::join!(
        one.send(&world, &app, Some(&first)),
        two.send(&world, &app, Some(&second)),
        let_go,
    );
    let (won, lost) = if done.status == 200 {
        (done, undone)
    } else {
        (undone, done)
    };
    assert_eq!(won.status, 200, "{}", won.text);
    refused(
        &world,
        &app,
        &lost,
        "approval-stale",
        "has changed since it was asked for",
    )
    .await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn white_space_and_the_order_of_names_do_not_matter() {
    let (world, app) = World::new().await;
    let account = world.id("dpo");
    let set = Request::set(account, 1, &["auditor"], true);
    let id = set.approved(&world, &app).await;
    let with = |body: &str| Request {
        body: body.to_owned(),
        ..Request::set(account, 1, &[], true)
    };
    for another in [
        r#"{"roles": ["auditor"], "active": false}"#,
        r#"{"roles": ["dpo"], "active": true}"#,
    ] {
        let answer = with(another).send(&world, &app, Some(&id)).await;
        refused(&world, &app, &answer, "not-approved", "another request").await;
    }
    let twice = with(r#"{"roles":["auditor"],"active":true,"active":true}"#);
    let twice = twice.send(&world, &app, Some(&id)).await;
    assert_eq!(
        (twice.status, twice.problem().as_str()),
        (400, "bad-json"),
        "{}",
        twice.text
    );
    let same = with("{\n  \"active\": true,\n  \"roles\": [\"\\u0061uditor\"]\n}");
    let done = same.send(&world, &app, Some(&id)).await;
    assert_eq!(done.status, 200, "{}", done.text);

    let (body, _) = subject(&world, &app).await;
    // Officers ask, too: the one there was is an auditor by now.
    let refused_to_ask = world.post(&app, "auditor", RESOLVE, &body).await;
    assert_eq!(refused_to_ask.status, 403, "{}", refused_to_ask.text);
}

/// Who decides sees what they say yes to: ids, roles before and after, expiry, version.
#[tokio::test]
async fn what_is_approved_is_named() {
    let (world, app) = World::new().await;
    let about = async |request: Request| {
        let asked = request.send(&world, &app, None).await;
        let id = asked.at("/approval/id");
        let page = world.get(&app, "auditor", &format!("/v1/approvals/{id}")).await.json();
        let leaf = entry(&world, &app, &asked).await;
        for (word, value) in page["about"].as_object().unwrap() {
            let logged = leaf["link"].get(word);
            assert_eq!(logged, (word != "account").then_some(value), "{word}: {leaf}");
        }
        page["about"].clone()
    };
    let auditor = id_of(&world, &app, ADMIN, "auditor").await;
    let token = tokens_of(&world, &app, &auditor).await[0].clone();
    let handle = token["id"].as_str().unwrap();
    let path = format!("/v1/admin/principals/{auditor}/tokens/{handle}");
    let owner =
        json!({"account": "auditor", "principal": auditor, "department": "H0", "version": "1", "roles": "auditor"});
    let with = |more: Value| {
        let mut all = owner.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(
        about(Request::new("DELETE", path, Value::Null)).await,
        with(json!({"token": "revoke", "token_id": handle, "issued": token["created_at"], "expires": "never"}))
    );
    assert_eq!(
        about(Request::issue(&auditor)).await,
        with(json!({"token": "issue", "expires": "3600 seconds after issue"}))
    );
    assert_eq!(
        about(Request::set(&auditor, 1, &["dpo"], false)).await,
        with(json!({"roles": "dpo", "roles_before": "auditor", "active": "false", "active_before": "true"}))
    );
}

/// What was asked before stays approved when nothing changes, also over a second version of the row key and a restart.
#[tokio::test]
async fn what_has_not_changed_is_not_stale() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let id = ask(&world, &app, &body).await;
    let issue = Request::issue(world.id("dpo"));
    let token = issue.approved(&world, &app).await;
    // Reading, and another account's change.
    world.get(&app, ADMIN, "/v1/admin/principals").await;
    let other = Request::set(world.id("agent"), 1, &["agent", "dispatcher"], true);
    assert_eq!(other.send(&world, &app, None).await.status, 200);
    drop(app);
    let app = world.open().await;
    assert_eq!(state(&world, &app, &id).await, "asked");
    assert_eq!(issue.send(&world, &app, Some(&token)).await.status, 201);
}
