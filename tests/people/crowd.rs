//! Nobody stops the others: what one principal may cost them is bounded.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::vault::Rates;
use callervault::vault::life::open::Running;
use jiff::{SignedDuration, Timestamp};

use crate::support::approvals::resolve;
use crate::support::process::Server;
use crate::support::{Actor, World};

const OPEN: usize = 20;

pub(crate) fn rates(requests: u32, refusals: u32) -> Running {
    Running {
        rates: Rates {
            requests: NonZeroU32::new(requests).unwrap(),
            refusals: NonZeroU32::new(refusals).unwrap(),
            ..Rates::default()
        },
        ..Running::patient()
    }
}

async fn size(auditor: Actor<'_>) -> u64 {
    auditor.get("/v1/audit/events?limit=1").await.is(200).index()
}

#[tokio::test]
async fn refusals_of_one_principal_do_not_fill_the_log() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let app = world.open_running(rates(6000, 3)).await;
    let [handler, stranger, auditor] = world.actors(&app, ["handler-c1", "handler-w2", "auditor"]);
    let before = size(auditor).await;
    // The handler of another department may not; of this one, may.
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(stranger.reveal(&case).masked().await.status);
    }
    assert_eq!(statuses[..3], [403; 3]);
    assert!(statuses[3..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_eq!(size(auditor).await, before + 4, "three refusals and the search");

    // What would be permitted is held back, too: nobody finds out without an entry what they may see.
    let own = stranger.get("/v1/tickets").await;
    let own = own.fails(429, "too-many-requests");
    let wait: u64 = own.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "one refusal in twenty seconds: {wait}");
    assert!(own.json().get("audit").is_none(), "{}", own.text);

    handler.reveal(&case).masked().await.is(200);
    let metrics = world.metrics(&app).await;
    assert!(metrics.contains("callervault_requests_held_total 18"), "{metrics}");
    assert!(!metrics.contains(world.id("handler-w2")));
}

#[tokio::test]
async fn requests_of_one_principal_are_bounded() {
    let world = World::closed().await;
    let app = world.open_running(rates(3, 3)).await;
    let [handler, other] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(handler.get("/v1/tickets").await.status);
    }
    assert_eq!(statuses[..3], [200; 3]);
    assert_eq!(statuses[3..], [429; 4]);
    other.get("/v1/tickets").await.is(200);
}

#[tokio::test]
async fn open_requests_for_approval_are_bounded_for_each_asker() {
    let (world, app) = World::new().await;
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    drop(app);
    let now = Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_at(clock.clone()).await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let mut open = Vec::new();
    for _ in 0..OPEN {
        open.push(dpo.ask(&request).await);
    }
    let crowded = async || {
        let answer = dpo.send(request.clone()).await.is(409);
        auditor
            .finds_refused(&answer, "too-many-open", "have the others decided")
            .await;
    };
    crowded().await;

    // An approved one is open until it is used; a refused one is not.
    auditor.approve(&open[0]).await.is(200);
    crowded().await;
    dpo.send(request.clone().approved(&open[0])).await.is(200);
    dpo.ask(&request).await;
    crowded().await;
    auditor.refuse(&open[1]).await.is(200);
    dpo.ask(&request).await;
    crowded().await;

    clock.set(now + SignedDuration::from_hours(24));
    dpo.ask(&request).await;
}

#[tokio::test]
async fn requests_sent_at_once_do_not_pass_the_bound_together() {
    let (world, app) = World::new().await;
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    let world = Arc::new(world);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..OPEN + 20 {
        let (world, app, request) = (Arc::clone(&world), Arc::clone(&app), request.clone());
        senders.spawn(async move { world.actor(&app, "dpo").send(request).await.status });
    }
    let statuses = senders.join_all().await;
    let asked = statuses.iter().filter(|status| **status == 202).count();
    assert_eq!(asked, OPEN, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| matches!(status, 202 | 409 | 412)),
        "{statuses:?}"
    );
}

/// A body that does not come holds memory: each principal may have so many requests under way.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_come_are_bounded_for_each_principal() {
    let (world, app) = World::new().await;
    drop(app);
    let started = ["--listen", "127.0.0.1:0", "--requests-at-once", "3"];
    let server = Server::start_with(world.dir.path(), "http", &started);
    let address = server.base.trim_start_matches("http://").to_owned();
    let begin = |who: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST /v1/intake HTTP/1.1\r\nhost: vault\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: 1000000\r\nexpect: 100-continue\r\n\r\n",
            world.token(who)
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap())
            .read_line(&mut line)
            .unwrap();
        (stream, line)
    };
    tokio::task::block_in_place(|| {
        let mut open = Vec::new();
        for _ in 0..3 {
            let (stream, line) = begin("agent");
            assert!(line.starts_with("HTTP/1.1 100"), "{line}");
            open.push(stream);
        }
        assert!(begin("agent").1.starts_with("HTTP/1.1 429"));
        assert!(
            begin("other-agent").1.starts_with("HTTP/1.1 100"),
            "nobody else is held back"
        );
    });
}
