//! What a follower of the log waits for, and what ends its waiting.

use callervault::model::principals::Role;

use super::follower::each_once;
use crate::support::World;
use crate::support::approvals::person;
use crate::support::process::{run, secret_file};
use crate::support::served::{LONG, Served};

/// Each delivery is an entry. Two followers do not wake each other with theirs for ever.
#[tokio::test]
async fn the_delivery_to_another_follower_is_no_news() {
    let (mut world, app) = World::new().await;
    let auditor = person("second-auditor", Role::Auditor);
    world.hire(&app.vault().unwrap(), "security-admin", auditor).await;
    let case = world.case(&app, "C1").await;
    let [one, other, handler] = world.actors(&app, ["auditor", "second-auditor", "handler-c1"]);
    let delivery = other.get("/v1/audit/follow?from=0").await.is(200).index();
    let waiting = one.get(format!("/v1/audit/follow?from={delivery}"));
    // It is asked first, and could be answered with the delivery alone.
    let (page, _) = tokio::join!(waiting, handler.reveal(&case).masked());
    let page = page.is(200).json();
    let acts: Vec<_> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["leaf"]["act"])
        .collect();
    assert_eq!(acts, ["log.export", "field.reveal"], "{page:#}");
}

/// Followers have time without bounds here: one that waits is not answered before there is news.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_to_the_end_does_not_wait_for_news() {
    let served = Served::plain(LONG).await;
    let (file, token) = (
        served.world.dir.path().join("vault.log"),
        served.world.dir.path().join("token"),
    );
    secret_file(&token, served.world.token("auditor"));
    let url = format!("http://{}", served.address);
    // The first one's deliveries are all that is new to the second.
    for times in 1..=2 {
        let arguments = [
            "audit",
            "export",
            "--url",
            &url,
            "--format",
            "native",
            "--patience",
            "20",
        ];
        let paths = ["--token-file", token.to_str().unwrap(), "--out", file.to_str().unwrap()];
        let ended = run(&[&arguments[..], &paths].concat());
        assert!(
            ended.status.success(),
            "{times}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    each_once(&[file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_lets_its_followers_go() {
    let served = Served::plain(LONG).await;
    let auditor = served.world.actor(&served.app, "auditor");
    let delivery = auditor.get("/v1/audit/follow?from=0").await.is(200).index();
    let mut wire = served.connect();
    let (from, token) = (delivery + 1, served.world.token("auditor"));
    let request = format!(
        "GET /v1/audit/follow?from={from} HTTP/1.1\r\nhost: vault\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    wire.write_all(request.as_bytes()).unwrap();
    served.comes_to(1, 0).await;
    served.stops().await;
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"entries\":[]"),
        "{answer}"
    );
}
