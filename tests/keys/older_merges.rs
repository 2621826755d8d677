//! An older copy of the data store in which callers who were erased since were merged or split otherwise: what was erased is gone, what was
//! not is there, and no call is answered by a fault.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::calls::splitting::split;
use crate::keys::older_copy::{OTHER, goes_on};
use crate::support::approvals::{merge, unmerge};
use crate::support::{Case, NAME, NUMBER, World, caller};

/// Erases the caller of a case, which is closed for it.
async fn erased(world: &World, app: &Arc<App>, case: &Case) {
    let (_, reference) = world.closed_case(app, case).await;
    world.erased(app, &reference).await;
}

async fn found(world: &World, app: &Arc<App>, number: &str) -> usize {
    let found = world.actor(app, "agent").lookup(number).await.is(200).json();
    found["callers"].as_array().unwrap().len()
}

/// A call that a department has signed for, as the agent who took it and as the department have it.
async fn sent(world: &World, app: &Arc<App>, department: &str, caller: Value) -> [Case; 2] {
    let handler = format!("handler-{}", department.to_lowercase());
    let [agent, dispatcher, handler] = world.actors(app, ["agent", "dispatcher", &handler]);
    let taken = agent.take(caller).await;
    dispatcher.dispatch(&taken.no, department).await.is(200);
    world.signed(app, &taken.no, department).await;
    let there = Case {
        no: taken.no.clone(),
        reference: handler.get(taken.ticket()).await.at("/caller/ref"),
    };
    [taken, there]
}

/// Two records that were merged when the copy was made, and were apart when one of them was erased.
#[tokio::test]
async fn records_that_were_merged_then_are_apart() {
    for erase_the_part in [false, true] {
        let (mut world, app) = World::unlimited().await;
        let [kept, home] = sent(&world, &app, "C1", caller(NAME, NUMBER)).await;
        let of_office = json!({"caller_number": OTHER, "callback_number": NUMBER, "id_no": "110108204107057338"});
        let [merged, office] = sent(&world, &app, "W2", of_office).await;
        let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
        agent.with(auditor, &merge(&kept, &merged)).await.is(200);
        drop(app);
        let yesterday = world.backup();
        let app = world.open().await;
        let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
        agent.with(auditor, &unmerge(&merged)).await.is(200);
        let (gone, stays) = if erase_the_part {
            (&office, &home)
        } else {
            (&home, &office)
        };
        erased(&world, &app, gone).await;
        drop(app);
        world.restore(&yesterday);

        let app = goes_on(&mut world).await;
        let handler_of = |case: &Case| format!("handler-{}", case.reference[..2].to_lowercase());
        let [of_gone, of_stays] = world.actors(&app, [&*handler_of(gone), &*handler_of(stays)]);
        of_gone.reveal(gone).clear().await.fails(410, "erased");
        let shown = of_stays.reveal(stays).clear().await.is(200);
        assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
        let (number_of_gone, number_of_stays) = if erase_the_part {
            (OTHER, NUMBER)
        } else {
            (NUMBER, OTHER)
        };
        assert_eq!(found(&world, &app, number_of_stays).await, 1, "{erase_the_part}");
        if erase_the_part {
            assert_eq!(found(&world, &app, number_of_gone).await, 0);
        }
        // Nor is what the other record had taken over from the one that was erased.
        let taken_over = world.data().rows("sealed_field").of("field", "id_no").count();
        assert_eq!(taken_over, usize::from(!erase_the_part));
        drop(app);
        assert_eq!(world.fsck().await, [], "{erase_the_part}");
    }
}

/// One record when the copy was made; a ticket of it went to a record of its own, and one of the two was erased.
#[tokio::test]
async fn records_that_were_split_since() {
    for erase_the_new in [false, true] {
        let (mut world, app) = World::unlimited().await;
        let both = json!({"callback_number": NUMBER, "name": NAME});
        let [own, father] = sent(&world, &app, "C1", both.clone()).await;
        let mut of_son = both.clone();
        of_son["home_address"] = json!("北京市海淀区中关村大街1号");
        let [_, son] = sent(&world, &app, "W2", of_son).await;
        drop(app);
        let yesterday = world.backup();
        let app = world.open().await;
        let [agent, auditor, handler] = world.actors(&app, ["agent", "auditor", "handler-w2"]);
        let fields = json!({"home_address": "move", "name": "copy", "callback_number": "copy"});
        agent.with(auditor, &split(&own, &[&son.no], fields)).await.is(200);
        let new = Case {
            no: son.no.clone(),
            reference: handler.get(son.ticket()).await.at("/caller/ref"),
        };
        erased(&world, &app, if erase_the_new { &new } else { &father }).await;
        drop(app);
        world.restore(&yesterday);

        let app = goes_on(&mut world).await;
        let [of_father, of_son] = world.actors(&app, ["handler-c1", "handler-w2"]);
        let (text_of_father, text_of_son) = (
            of_father.reveal_of_ticket(&father.no).clear().await,
            of_son.reveal_of_ticket(&son.no).clear().await,
        );
        if erase_the_new {
            of_father.reveal(&father).clear().await.is(200);
            text_of_father.is(200);
            text_of_son.fails(403, "refused");
            assert_eq!(of_son.get(son.ticket()).await.json()["on_file"], json!([]));
        } else {
            // Their ticket was closed before they were erased.
            of_father.reveal(&father).clear().await.fails(403, "refused");
            text_of_father.fails(403, "refused");
            assert_eq!(of_father.get(father.ticket()).await.json()["on_file"], json!([]));
            text_of_son.is(200);
            assert_eq!(found(&world, &app, NUMBER).await, 0);
        }
        let again = world.actor(&app, "agent").intake(caller(NAME, NUMBER)).await;
        again.is(201);
        drop(app);
        assert_eq!(world.fsck().await, [], "{erase_the_new}");
    }
}
