//! An approval is for a request and for the state of what the request is about: whatever changes between the second person's yes
//! and the act makes it stale.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{DepartmentKind, DepartmentState, Role};
use callervault::model::reference_versions::ReferenceKeys;
use callervault::store::rows::DepartmentRow;
use serde_json::{Value, json};

use crate::audit::retention::{drop_below, drop_bodies, later};
use crate::support::approvals::{new_auditor, person, resolve};
use crate::support::rows::Store;
use crate::support::{Actor, PEOPLE, Request, World};

const STALE: &str = "has changed since you asked for it";

/// The security administrator, who asks, and an auditor, who approves.
struct Two<'w> {
    admin: Actor<'w>,
    auditor: Actor<'w>,
}

fn two<'w>(world: &'w World, app: &'w Arc<App>) -> Two<'w> {
    let [admin, auditor] = world.actors(app, ["security-admin", "auditor"]);
    Two { admin, auditor }
}

impl Two<'_> {
    /// Asked, and approved: the approval's id.
    async fn approved(&self, request: &Request) -> String {
        self.admin.approved_by(self.auditor, request).await
    }

    /// Asked, approved and done.
    async fn done(&self, request: &Request) {
        let done = self.admin.with(self.auditor, request).await;
        assert!(done.status < 300, "{}", done.text);
    }

    /// The administrator's act with this approval is stale.
    async fn stale(&self, request: &Request, id: &str) {
        self.stale_of(self.admin, request, id).await;
    }

    /// The act with this approval is refused because of what has changed, and nothing has happened; asker and approver see that the
    /// approval is stale.
    async fn stale_of(&self, asker: Actor<'_>, request: &Request, id: &str) {
        let answer = asker.send(request.clone().approved(id)).await.is(409);
        self.auditor.finds_refused(&answer, "approval-stale", STALE).await;
        let what_to_do = answer.at("/detail").contains("without `Approval`");
        assert!(what_to_do, "{}", answer.text);
        let leaf = self.auditor.entry(&answer).await;
        assert_eq!(leaf["why"], "target-changed", "{leaf}");
        assert_eq!(self.auditor.state(id).await, "stale");
        let own = asker.get(format!("/v1/approvals/{id}")).await;
        assert_eq!(own.at("/state"), "stale", "{}", own.text);
    }

    /// The tokens of an account.
    async fn tokens_of(&self, account: &str) -> Vec<Value> {
        let tokens = self.admin.get(format!("{account}/tokens")).await.json();
        tokens["items"].as_array().unwrap().clone()
    }
}

fn issue(account: &str) -> Request {
    Request::post(format!("{account}/tokens"), &json!({"expires": "1h"}))
}

fn set(account: &str, version: u64, roles: &[&str], active: bool) -> Request {
    Request::put(account, &json!({"roles": roles, "active": active})).version(version)
}

/// Roles, and whether the account may authenticate.
type Change<'c> = (&'c [&'c str], bool);

#[tokio::test]
async fn a_token_is_for_the_account_as_it_stood() {
    let (mut world, app) = World::new().await;
    for name in ["dpo-2", "dpo-3", "dpo-4", "dpo-5"] {
        world
            .hire(&app.vault().unwrap(), "security-admin", person(name, Role::Dpo))
            .await;
    }
    let two = two(&world, &app);
    // Another role that takes two persons; none that does; barred; barred and let in again.
    let changes: [(&str, &[Change<'_>]); 4] = [
        ("dpo-2", &[(&["auditor"], true)]),
        ("dpo-3", &[(&["handler"], true)]),
        ("dpo-4", &[(&["dpo"], false)]),
        ("dpo-5", &[(&["dpo"], false), (&["dpo"], true)]),
    ];
    for (name, changes) in changes {
        let account = world.account(name);
        let issue = issue(&account);
        let id = two.approved(&issue).await;
        for (version, (roles, active)) in (1..).zip(changes) {
            two.done(&set(&account, version, roles, *active)).await;
        }
        two.stale(&issue, &id).await;
        let tokens = two.tokens_of(&account).await;
        assert_eq!(tokens.len(), 1, "{name}: none was issued");
    }
    // What one may do alone by now needs no approval, and none that is stale.
    two.admin.send(issue(&world.account("dpo-3"))).await.is(201);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_change_of_an_account_is_of_the_account_as_it_stood() {
    let (world, app) = World::new().await;
    let two = two(&world, &app);
    let account = world.account("dpo");
    let rise = set(&account, 1, &["auditor"], true);
    let id = two.approved(&rise).await;
    two.done(&set(&account, 1, &["dpo"], false)).await;
    two.stale(&rise, &id).await;
    // With the new version it is another request.
    let newer = set(&account, 2, &["auditor"], true).approved(&id);
    let answer = two.admin.send(newer).await;
    two.auditor
        .finds_refused(&answer, "not-approved", "another request")
        .await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_revocation_is_of_a_token_as_it_stood() {
    let (mut world, app) = World::new().await;
    world
        .hire(&app.vault().unwrap(), "security-admin", person("dpo-2", Role::Dpo))
        .await;
    let two = two(&world, &app);
    let account = world.account("dpo-2");
    two.done(&issue(&account)).await;
    let tokens = two.tokens_of(&account).await;
    let revoke = |at: usize| Request::delete(format!("{account}/tokens/{}", tokens[at]["id"].as_str().unwrap()));
    // The token's own state: somebody else has revoked it meanwhile.
    let [first, second, other] = [revoke(0), revoke(0), revoke(1)];
    let [one, another, third] = [
        two.approved(&first).await,
        two.approved(&second).await,
        two.approved(&other).await,
    ];
    let swapped = two.admin.send(other.clone().approved(&one)).await;
    two.auditor
        .finds_refused(&swapped, "not-approved", "another request")
        .await;
    two.admin.send(first.approved(&one)).await.is(200);
    two.stale(&second, &another).await;
    // The account that it belongs to.
    two.done(&set(&account, 1, &["auditor"], true)).await;
    two.stale(&other, &third).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn bodies_are_dropped_from_where_they_were_dropped_before() {
    let (world, app, _) = later(1100).await;
    let two = two(&world, &app);
    let system = world.actor(&app, "system-admin");
    let id = system.approved_by(two.auditor, &drop_bodies(256)).await;
    drop_below(&world, &app, 256).await.is(200);
    two.stale_of(system, &drop_bodies(256), &id).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The row that a new name would make, under the vault's own key: written while the call under test is under way.
async fn renamed(world: &World, code: &str) -> impl Fn(&Store) + use<> {
    let keyring = world.keyring().await;
    let row = DepartmentRow {
        code: code.parse().unwrap(),
        name: "Another name".to_owned(),
        kind: DepartmentKind::Centre,
        city_code: None,
        state: DepartmentState::Open,
        successor: None,
        reference_keys: ReferenceKeys::first(1),
        grace_until: None,
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
    let id = two(&world, &app).approved(&make).await;
    drop(app);
    let rename = renamed(&world, "H0").await;
    rename(&world.data());
    let app = world.open().await;
    let two = two(&world, &app);
    two.stale(&make, &id).await;
    two.admin.with(two.auditor, &make).await.is(201);
}

/// It changes after the act was decided on, while the log's writer is kept waiting: the transaction of the act finds it.
#[tokio::test]
async fn what_changes_before_the_commit_is_found_by_the_commit() {
    let world = World::closed().await;
    let rename = renamed(&world, "H0").await;
    let app = world.open().await;
    let two = two(&world, &app);
    let make = new_auditor("auditor-2");
    let id = two.approved(&make).await;
    let held = world.data();
    held.hold();
    let change = async {
        all_wait().await;
        rename(&held);
        held.let_go();
    };
    let (answer, ()) = tokio::join!(two.admin.send(make.approved(&id)), change);
    two.auditor.finds_refused(&answer, "approval-stale", STALE).await;
    let people = two.admin.get(PEOPLE).await;
    assert!(!people.text.contains("auditor-2"), "{}", people.text);
}

#[tokio::test]
async fn nobody_says_yes_to_what_has_changed() {
    let (world, app) = World::new().await;
    let two = two(&world, &app);
    let account = world.account("dpo");
    let id = two.admin.ask(&issue(&account)).await;
    two.done(&set(&account, 1, &["auditor"], true)).await;
    assert_eq!(two.auditor.state(&id).await, "stale");
    let yes = two.auditor.approve(&id).await;
    two.auditor
        .finds_refused(
            &yes,
            "approval-stale",
            "Refuse the request, so that the asker can ask again",
        )
        .await;
    let no = two.auditor.refuse(&id).await.is(200);
    assert_eq!(no.at("/state"), "refused");
    let late = two.admin.send(issue(&account).approved(&id)).await;
    two.auditor
        .finds_refused(&late, "not-approved", "refused the request")
        .await;
}

/// Both are decided on before either is done: the log's writer is kept waiting until each has come to it.
#[tokio::test]
async fn of_two_changes_at_once_the_second_is_stale() {
    let (world, app) = World::new().await;
    let two = two(&world, &app);
    let account = world.account("dpo");
    let rise = set(&account, 1, &["auditor"], true);
    let bar = set(&account, 1, &["dpo"], false);
    let [first, second] = [two.approved(&rise).await, two.approved(&bar).await];
    let held = world.data();
    held.hold();
    let let_go = async {
        all_wait().await;
        held.give_up();
    };
    let (done, undone, ()) = tokio::join!(
        two.admin.send(rise.approved(&first)),
        two.admin.send(bar.approved(&second)),
        let_go,
    );
    let (won, lost) = if done.status == 200 {
        (done, undone)
    } else {
        (undone, done)
    };
    won.is(200);
    two.auditor.finds_refused(&lost, "approval-stale", STALE).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn white_space_and_the_order_of_names_do_not_matter() {
    let (world, app) = World::new().await;
    let two = two(&world, &app);
    let subject = world.subject(&app, &world.case(&app, "C1").await).await;
    let rise = set(&world.account("dpo"), 1, &["auditor"], true);
    let id = two.approved(&rise).await;
    let approved = rise.approved(&id);
    for another in [
        r#"{"roles": ["auditor"], "active": false}"#,
        r#"{"roles": ["dpo"], "active": true}"#,
    ] {
        let answer = two.admin.send(approved.clone().body(another)).await;
        two.auditor
            .finds_refused(&answer, "not-approved", "another request")
            .await;
    }
    let twice = approved
        .clone()
        .body(r#"{"roles":["auditor"],"active":true,"active":true}"#);
    two.admin.send(twice).await.fails(400, "bad-json");
    let same = approved.body("{\n  \"active\": true,\n  \"roles\": [\"\\u0061uditor\"]\n}");
    two.admin.send(same).await.is(200);

    // Officers ask, too: the one there was is an auditor by now.
    two.auditor.send(resolve(&subject)).await.is(403);
}

/// Who decides sees what they say yes to: ids, roles before and after, expiry, version.
#[tokio::test]
async fn what_is_approved_is_named() {
    let (world, app) = World::new().await;
    let two = two(&world, &app);
    let about = async |request: Request| {
        let asked = two.admin.send(request).await;
        let path = format!("/v1/approvals/{}", asked.at("/approval/id"));
        let page = two.auditor.get(path).await.json();
        let leaf = two.auditor.entry(&asked).await;
        for (word, value) in page["about"].as_object().unwrap() {
            let logged = leaf["link"].get(word);
            assert_eq!(logged, (word != "account").then_some(value), "{word}: {leaf}");
        }
        page["about"].clone()
    };
    let account = world.account("auditor");
    let token = two.tokens_of(&account).await[0].clone();
    let handle = token["id"].as_str().unwrap();
    let owner = json!({
        "account": "auditor", "principal": world.id("auditor"), "department": "H0", "version": "1", "roles": "auditor",
    });
    let with = |more: Value| {
        let mut all = owner.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(
        about(Request::delete(format!("{account}/tokens/{handle}"))).await,
        with(json!({"token": "revoke", "token_id": handle, "issued": token["created_at"], "expires": "never"}))
    );
    assert_eq!(
        about(issue(&account)).await,
        with(json!({"token": "issue", "expires": "1 hours after issue"}))
    );
    assert_eq!(
        about(set(&account, 1, &["dpo"], false)).await,
        with(json!({"roles": "dpo", "roles_before": "auditor", "active": "false", "active_before": "true"}))
    );
}

/// What was asked before stays approved when nothing changes, also over a second version of the row key and a restart.
#[tokio::test]
async fn what_has_not_changed_is_not_stale() {
    let (world, app) = World::new().await;
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    let id = world.actor(&app, "dpo").ask(&request).await;
    let issue = issue(&world.account("dpo"));
    let token = two(&world, &app).approved(&issue).await;
    // Reading, and another account's change.
    let admin = world.actor(&app, "security-admin");
    admin.get(PEOPLE).await.is(200);
    let other = set(&world.account("agent"), 1, &["agent", "dispatcher"], true);
    admin.send(other).await.is(200);
    drop(app);
    let app = world.open().await;
    let two = two(&world, &app);
    assert_eq!(two.auditor.state(&id).await, "asked");
    two.admin.send(issue.approved(&token)).await.is(201);
}
