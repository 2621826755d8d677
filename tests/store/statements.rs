//! What a request costs the database, counted by the stores themselves.

use std::sync::Arc;

use callervault::http::App;

use crate::people::behalf::staffed;
use crate::support::{Case, Request, World};

/// In the data store: credentials, reference, ticket, caller, sealed field; BEGIN, whether token, account and ticket are still as they
/// were and no restriction is in force (one statement), entry, head, COMMIT. In the key store: the record's key, the fence. In a group of several
/// the log's last five are shared.
const A_REVEAL: [u64; 2] = [10, 2];

/// Statements that the stores have run so far, as the metrics say.
pub(crate) async fn statements(world: &World, app: &Arc<App>) -> [u64; 2] {
    let metrics = world.metrics(app).await;
    ["data", "keys"].map(|store| {
        let name = format!("callervault_store_statements_total{{store=\"{store}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse().unwrap()
    })
}

async fn cost_of_a_reveal(world: &World, app: &Arc<App>, case: &Case) -> [u64; 2] {
    let before = statements(world, app).await;
    world.actor(app, "handler-c1").reveal(case).clear().await.is(200);
    let after = statements(world, app).await;
    [after[0] - before[0], after[1] - before[1]]
}

#[tokio::test]
async fn a_reveal_runs_the_same_few_statements_however_much_there_is() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    // The first takes a share of the day's limit ahead.
    cost_of_a_reveal(&world, &app, &case).await;
    for _ in 0..3 {
        assert_eq!(cost_of_a_reveal(&world, &app, &case).await, A_REVEAL);
    }
    for _ in 0..10 {
        world.case(&app, "C1").await;
    }
    assert_eq!(cost_of_a_reveal(&world, &app, &case).await, A_REVEAL);
}

/// The address that a request came from is one insert beside the entry.
#[tokio::test]
async fn the_address_of_a_reveal_is_one_row() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    cost_of_a_reveal(&world, &app, &case).await;
    let (path, body) = case.reveal("clear");
    let read = Request::post(path, &body).from("192.0.2.7");
    let before = statements(&world, &app).await;
    world.actor(&app, "handler-c1").send(read).await.is(200);
    let after = statements(&world, &app).await;
    assert_eq!(
        [after[0] - before[0], after[1] - before[1]],
        [A_REVEAL[0] + 1, A_REVEAL[1]]
    );
}

/// A platform that acts on behalf of a clerk costs one read more, the clerk's account. That its own is still as it was is seen with the other guards.
#[tokio::test]
async fn a_reveal_on_behalf_of_a_clerk_reads_one_row_more() {
    let (world, app) = staffed().await;
    let case = world.case(&app, "C1").await;
    cost_of_a_reveal(&world, &app, &case).await;
    let (path, body) = case.reveal("clear");
    let read = Request::post(path, &body).on_behalf_of("handler-c1");
    let platform = world.actor(&app, "platform-c1");
    // The first writes the day of the platform's token.
    platform.send(read.clone()).await.is(200);
    let before = statements(&world, &app).await;
    platform.send(read).await.is(200);
    let after = statements(&world, &app).await;
    assert_eq!(
        [after[0] - before[0], after[1] - before[1]],
        [A_REVEAL[0] + 1, A_REVEAL[1]]
    );
}
