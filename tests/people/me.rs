//! What the asker is to the vault, and the purpose of a request that names none.

use serde_json::json;

use crate::support::{World, caller};

#[tokio::test]
async fn each_role_asks_for_its_own_purpose_where_it_names_none() {
    let (world, app) = World::new().await;
    let (no, _) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    for who in ["agent", "dispatcher", "handler-c1"] {
        let list = world.get(&app, who, "/v1/tickets").await;
        assert_eq!(list.status, 200, "{who}: {}", list.text);
        let read = world.get(&app, who, &format!("/v1/tickets/{no}")).await;
        assert_eq!(read.status, 200, "{who}: {}", read.text);
    }
    let named = world.get(&app, "agent", "/v1/tickets?purpose=handle").await;
    assert_eq!(named.status, 403, "a purpose that is named is taken as it is");
}

#[tokio::test]
async fn one_learns_who_one_is_and_what_is_left() {
    let (world, app) = World::new().await;
    let me = world.get(&app, "agent", "/v1/me").await;
    assert_eq!(me.status, 200, "{}", me.text);
    let me = me.json();
    assert_eq!(me["id"], json!(world.id("agent")));
    assert_eq!((&me["account"], &me["kind"]), (&json!("agent"), &json!("person")));
    assert_eq!(me["department"]["code"], json!("H0"));
    assert_eq!(me["roles"], json!(["agent"]));
    assert_eq!(me["purposes"], json!(["intake", "correct"]));
    assert_eq!(me["usual_purpose"], json!("intake"));
    let left = async |counted: &str| {
        let me = world.get(&app, "agent", "/v1/me").await.json();
        let limits = me["limits"].as_array().unwrap().clone();
        let of = limits.into_iter().find(|limit| limit["counted"] == json!(counted));
        of.unwrap()["left"].as_u64().unwrap()
    };
    let (guesses, intakes) = (left("guess").await, left("intake").await);
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    assert_eq!(left("intake").await, intakes - 1, "a call was taken");
    assert_eq!(left("guess").await, guesses - 1, "and it named somebody");

    let nobody = world.get(&app, "nobody", "/v1/me").await;
    assert_eq!((nobody.status, nobody.problem().as_str()), (401, "unauthenticated"));
}
