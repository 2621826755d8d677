//! Who was given which role when, and by whom.

use std::sync::Arc;

use callervault::clock::Fixed;
use serde_json::{Value, json};

use crate::support::approvals::new_auditor;
use crate::support::{Actor, Request, World};

async fn history(auditor: Actor<'_>, query: &str) -> Vec<Value> {
    let page = auditor.get(format!("/v1/audit/roles{query}")).await.is(200);
    page.json()["items"].as_array().unwrap().clone()
}

fn set(world: &World, account: &str, version: u64, roles: &[&str]) -> Request {
    let body = json!({"roles": roles, "active": true});
    Request::put(world.account(account), &body).version(version)
}

#[tokio::test]
async fn an_account_has_a_history_of_its_roles() {
    let (world, app) = World::new().await;
    let [admin, auditor, dpo] = world.actors(&app, ["security-admin", "auditor", "dpo"]);
    let risen = admin
        .with(auditor, &set(&world, "handler-c1", 1, &["auditor"]))
        .await
        .is(200);
    let moved = json!({"department": "W2"});
    let moved = Request::post(format!("{}/move", world.account("handler-c1")), &moved).version(2);
    admin.with(auditor, &moved).await.is(200);
    let off = Request::bare("POST", format!("{}/switch-off", world.account("handler-c1")));
    admin.with(auditor, &off).await.is(200);
    let whose = format!("?principal={}", world.id("handler-c1"));
    for who in [auditor, dpo] {
        let seen = history(who, &whose).await;
        assert_eq!(seen.len(), 4, "{seen:?}");
        for one in &seen {
            assert_eq!(
                (&one["principal"], &one["account"]),
                (&json!(world.id("handler-c1")), &json!("handler-c1"))
            );
            assert_eq!(
                (&one["by"], &one["by_name"]),
                (&json!(world.id("security-admin")), &json!("security-admin"))
            );
        }
        let [off, moved, risen_, made] = <[Value; 4]>::try_from(seen).unwrap();
        assert_eq!((&off["active"], &off["roles"]), (&json!(false), &json!(["auditor"])));
        assert_eq!(
            (&moved["department"], &moved["department_name"]),
            (&json!("W2"), &json!("Department W2"))
        );
        assert_eq!(
            (&risen_["roles_before"], &risen_["roles"]),
            (&json!(["handler"]), &json!(["auditor"]))
        );
        assert_eq!(risen_["index"], risen.index());
        assert_eq!(
            (&risen_["approver"], &risen_["approver_name"]),
            (&json!(world.id("auditor")), &json!("auditor"))
        );
        assert_eq!(
            (made.get("roles_before"), made.get("approver"), made.get("active")),
            (None, None, None)
        );
        assert_eq!(
            (&made["roles"], &made["department"]),
            (&json!(["handler"]), &json!("C1"))
        );
    }
}

#[tokio::test]
async fn reading_it_is_in_the_log_and_others_may_not() {
    let (world, app) = World::new().await;
    let auditor = world.actor(&app, "auditor");
    let read = auditor.get("/v1/audit/roles").await;
    assert_eq!(auditor.entry(&read).await["act"], "log.roles");
    for who in ["agent", "security-admin", "system-admin"] {
        world
            .actor(&app, who)
            .get("/v1/audit/roles")
            .await
            .fails(403, "refused");
    }
}

/// The first accounts have roles that nobody gave them.
#[tokio::test]
async fn everybody_who_was_ever_given_a_role_is_in_it() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    // What only asks, or is refused, gives nobody a role.
    admin.ask(&new_auditor("auditor-2")).await;
    admin
        .send(set(&world, "security-admin", 1, &["auditor"]))
        .await
        .fails(403, "own-roles");
    let tokens = format!("{}/tokens", world.account("agent"));
    admin.post(tokens, &json!({})).await.is(201);
    let mut query = "?limit=3".to_owned();
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let page = auditor.get(format!("/v1/audit/roles{query}")).await.is(200).json();
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=3&after={next}"),
            None => break,
        }
    }
    let names: Vec<&str> = seen.iter().map(|one| one["account"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    for (account, role) in [
        ("security-admin", "security_admin"),
        ("system-admin", "system_admin"),
        ("auditor", "auditor"),
    ] {
        let one = seen.iter().find(|one| one["account"] == account).unwrap();
        assert_eq!((&one["index"], &one["roles"]), (&json!(0), &json!([role])));
        assert_eq!((one.get("by"), one.get("roles_before")), (None, None));
        let own = history(auditor, &format!("?principal={}", world.id(account))).await;
        assert_eq!(
            own.len(),
            1,
            "the first entry is about three, and this one is asked about"
        );
    }
    for bad in ["principal=nobody", "from=yesterday", "limit=0", "colour=red"] {
        auditor
            .get(format!("/v1/audit/roles?{bad}"))
            .await
            .fails(400, "bad-query");
    }
}

#[tokio::test]
async fn of_some_days() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at("2027-03-01T12:00:00Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    admin
        .send(set(&world, "agent", 1, &["agent", "dispatcher"]))
        .await
        .is(200);
    clock.set("2027-03-02T12:00:00Z".parse().unwrap());
    admin.send(set(&world, "agent", 2, &["agent"])).await.is(200);
    let seen = history(auditor, "?from=2027-03-01&to=2027-03-01").await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["roles"], json!(["agent", "dispatcher"]));
}
