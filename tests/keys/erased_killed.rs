//! `kill -9` in the middle of erasures, a real process: each is whole or has not happened, and what was answered has happened.

use std::sync::mpsc::channel;

use crate::support::approvals::erase;
use crate::support::process::{Server, client};
use crate::support::{World, caller};

const ROUNDS: usize = 6;

/// An erasure that was approved.
struct Approved {
    subject: String,
    reference: String,
    approval: String,
    /// The ids of the caller's record and of the ticket's.
    records: [Vec<u8>; 2],
}

/// Sends both at once, and kills the server when the first is answered: what was answered.
fn killed(world: &World, both: &[Approved]) -> Vec<String> {
    let mut server = Server::start(world.dir.path());
    let (told, answers) = channel();
    let answered = std::thread::scope(|scope| {
        for one in both {
            let (told, base) = (told.clone(), server.base.clone());
            scope.spawn(move || {
                let request = client()
                    .post(format!("{base}/v1/callers/{}/erase", one.reference))
                    .header("authorization", format!("Bearer {}", world.token("dpo")))
                    .header("approval", &one.approval)
                    .header("approval-reason", "asked%20for");
                if let Ok(answer) = request.send_empty() {
                    assert_eq!(answer.status().as_u16(), 200);
                    // Nobody may listen any more.
                    let _ = told.send(one.subject.clone());
                }
            });
        }
        drop(told);
        let mut answered = Vec::new();
        for subject in answers.iter() {
            answered.push(subject);
            server.process.kill().unwrap();
        }
        answered
    });
    server.process.wait().unwrap();
    assert!(!answered.is_empty());
    answered
}

/// Whether it happened: then nothing of it is left, otherwise everything is there.
fn happened(world: &World, one: &Approved) -> bool {
    let (data, keys) = (world.data(), world.keys());
    let erased = data.rows("erased").of("subject", &*one.subject).count() == 1;
    let there = usize::from(!erased);
    assert_eq!(data.rows("caller").of("subject", &*one.subject).count(), there);
    for id in &one.records {
        assert_eq!(keys.rows("record_key").of("record", &**id).count(), there);
    }
    let fields = data.rows("sealed_field").of("record", &*one.records[0]).count();
    assert_eq!(fields > 0, !erased);
    assert_eq!(keys.rows("doomed_key").count(), 0);
    erased
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_whole_or_has_not_happened() {
    let (world, app) = World::unlimited().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let mut approved = Vec::new();
    for n in 0..2 * ROUNDS {
        let case = world.case_of(&app, "C1", caller("王小明", &format!("137{n:08}"))).await;
        let (subject, reference) = world.closed_case(&app, &case).await;
        let approval = dpo.approved_by(auditor, &erase(&reference)).await;
        let id = |table| world.data().rows(table).of("subject", &*subject).first("id");
        approved.push(Approved {
            records: [id("caller"), id("ticket")],
            subject,
            reference,
            approval,
        });
    }
    drop(app);
    for both in approved.chunks(2) {
        let answered = tokio::task::block_in_place(|| killed(&world, both));
        drop(world.open().await);
        for one in both {
            let happened = happened(&world, one);
            assert!(happened || !answered.contains(&one.subject), "it was answered");
        }
    }
    assert_eq!(world.fsck().await, []);
}
