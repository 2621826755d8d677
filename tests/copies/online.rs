//! A vault is checked while it serves.

use serde_json::{Value, json};

use crate::support::backups::{Desk, copies, ends, forgotten};
use crate::support::copies::words;
use crate::support::{Request, World};

const CHECKS: &str = "/v1/checks";

fn check(rate: Value) -> Request {
    Request::post(CHECKS, &json!({"rate": rate}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_found_while_everybody_works() {
    let desk = Desk::new().await;
    let (world, app) = (desk.world(), &desk.served.app);
    world
        .actor(app, "system-admin")
        .get(CHECKS)
        .await
        .fails(404, "not-found");
    let case = world.case(app, "C1").await;
    let online = ["fsck", "--online"];
    ends(&desk.run("system-admin", &online), 0, "0 findings");
    forgotten(world);

    world.data().rows("ticket").set("kind", "inquiry");
    let found = desk.run("system-admin", &[&online[..], &["--json"]].concat());
    ends(&found, 1, "keep this copy as evidence");
    let report: Value = serde_json::from_slice(&found.stdout).unwrap();
    // The very words of a check at rest.
    let there = world.actor(app, "system-admin").get(CHECKS).await.is(200).json();
    assert_eq!((&there["state"], &there["report"]), (&json!("done"), &report));
    let [auditor, handler] = world.actors(app, ["auditor", "handler-c1"]);
    let entries = auditor.get("/v1/audit/events?act=vault.check").await.json();
    assert_eq!(entries["entries"][0]["leaf"]["actor"], world.id("system-admin"));
    handler.get(case.caller()).await;
    desk.lock().await;
    let at_rest: Vec<Value> = world.fsck().await.into_iter().map(|one| json!(one)).collect();
    assert_eq!(report["findings"], json!(at_rest));
    assert!(words(&found).contains("was edited"), "{}", words(&found));
}

/// Rows change all the time, and a check that looked at the stores themselves would find them in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_changes_meanwhile_is_no_finding() {
    let (world, app) = World::unlimited().await;
    drop(app);
    let desk = Desk::of(world).await;
    let (world, app) = (desk.world(), &desk.served.app);
    let case = world.case(app, "C1").await;
    let agent = world.actor(app, "agent");
    let works = async {
        for n in 0..200 {
            agent
                .take(crate::support::caller("王小明", &format!("137{n:08}")))
                .await;
            world.actor(app, "handler-c1").reveal(&case).masked().await.is(200);
        }
    };
    let checks = async {
        let system = world.actor(app, "system-admin");
        for _ in 0..3 {
            system.send(check(json!(null))).await.is(200);
            let done = loop {
                let line = system.get(CHECKS).await.is(200).json();
                if line["state"] == "done" {
                    break line;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(done["report"]["findings"], json!([]));
        }
    };
    tokio::join!(works, checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_check_at_a_time_goes_as_slowly_as_told_and_ends_with_the_keys() {
    let (world, app) = World::unlimited().await;
    let agent = world.actor(&app, "agent");
    for n in 0..120 {
        agent
            .take(crate::support::caller("王小明", &format!("137{n:08}")))
            .await;
    }
    drop(app);
    let desk = Desk::of(world).await;
    let (world, app) = (desk.world(), &desk.served.app);
    let system = world.actor(app, "system-admin");
    for name in ["agent", "auditor", "security-admin", "handler-c1"] {
        world.actor(app, name).send(check(json!(1))).await.fails(403, "refused");
    }
    system.send(check(json!(0))).await.fails(400, "bad-json");
    let begun = system.send(check(json!(1))).await.is(200);
    assert_eq!(begun.at("/state"), "running");
    // Another administrator's question finds the same one.
    let again = system.send(check(json!(null))).await.is(200);
    assert_eq!(begun.at("/started_at"), again.at("/started_at"));
    loop {
        let line = system.get(CHECKS).await.is(200).json();
        assert_eq!(line["state"], "running");
        // At one row a second, the first thousand take longer than any test.
        if line["seen"].as_u64().unwrap() == 0 && line["total"].as_u64().unwrap() > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(!copies(world).is_empty());
    desk.lock().await;
    forgotten(world);
    assert_eq!(world.fsck().await, []);
}
