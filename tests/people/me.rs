//! What the asker is to the vault, and the purpose of a request that names none.

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn each_role_asks_for_its_own_purpose_where_it_names_none() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    for who in [agent, dispatcher, handler] {
        who.get("/v1/tickets").await.is(200);
        who.get(case.ticket()).await.is(200);
    }
    // A purpose that is named is taken as it is.
    agent.get("/v1/tickets?purpose=handle").await.fails(403, "refused");
}

#[tokio::test]
async fn one_learns_who_one_is_and_what_is_left() {
    let (world, app) = World::new().await;
    let [agent, nobody] = world.actors(&app, ["agent", "nobody"]);
    let me = agent.get("/v1/me").await.is(200).json();
    assert_eq!(me["id"], json!(world.id("agent")));
    assert_eq!((&me["account"], &me["kind"]), (&json!("agent"), &json!("person")));
    assert_eq!(me["department"]["code"], json!("H0"));
    assert_eq!(me["roles"], json!(["agent"]));
    assert_eq!(me["purposes"], json!(["intake", "correct"]));
    assert_eq!(me["usual_purpose"], json!("intake"));
    let left = async |counted: &str| {
        let me = agent.get("/v1/me").await.json();
        let limits = me["limits"].as_array().unwrap().clone();
        let of = limits.into_iter().find(|limit| limit["counted"] == json!(counted));
        of.unwrap()["left"].as_u64().unwrap()
    };
    let (guesses, intakes) = (left("guess").await, left("intake").await);
    world.case(&app, "C1").await;
    assert_eq!(left("intake").await, intakes - 1, "a call was taken");
    assert_eq!(left("guess").await, guesses - 1, "and it named somebody");
    nobody.get("/v1/me").await.fails(401, "unauthenticated");
}
