//! The auditor's work on the log, and what clients of C2SP tlog-tiles get.

use std::sync::Arc;

use callervault::http::App;
use callervault::merkle::{
    Frontier, Hash, TilePath, decode_bundle, leaf_hash, tiles_of, verify_consistency, verify_inclusion,
};
use callervault::note::{Checkpoint, TlogProof, Verifier};
use serde_json::{Value, json};

use crate::support::{World, caller, intake};

/// A vault whose log has grown past a full tile.
async fn grown() -> (World, Arc<App>) {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    for _ in 0..260 {
        assert_eq!(
            world.reveal(&app, "handler-c1", &reference, &no, "masked").await.status,
            200
        );
    }
    (world, app)
}

async fn text(world: &World, app: &Arc<App>, path: &str) -> String {
    let answer = world.get(app, "auditor", path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

async fn checkpoint(world: &World, app: &Arc<App>) -> Checkpoint {
    let key: Verifier = text(world, app, "/v1/audit/keys").await.trim().parse().unwrap();
    let note = text(world, app, "/v1/audit/checkpoint").await;
    Checkpoint::parse(key.verify(&note).unwrap()).unwrap()
}

#[tokio::test]
async fn tiles_and_bundles_lead_to_the_signed_root() {
    let (world, app) = grown().await;
    let signed = checkpoint(&world, &app).await;
    assert!(signed.size > 256);
    let mut frontier = Frontier::new();
    let mut hashes: Vec<Hash> = Vec::new();
    for path in tiles_of(signed.size).unwrap() {
        let answer = world.bytes(&app, "auditor", &format!("/v1/audit/{path}")).await;
        if path.to_string().starts_with("tile/entries/") {
            for entry in decode_bundle(&answer).unwrap() {
                frontier.push(leaf_hash(entry));
                hashes.push(leaf_hash(entry));
            }
        }
    }
    assert_eq!((frontier.size(), frontier.root()), (signed.size, signed.root));
    let path: TilePath = "tile/0/000".parse().unwrap();
    let tile = world.bytes(&app, "auditor", &format!("/v1/audit/{path}")).await;
    let own: Vec<u8> = hashes[..256].iter().flat_map(|hash| *hash.as_bytes()).collect();
    assert_eq!(tile, own);
}

#[tokio::test]
async fn a_reader_holds_a_receipt_that_can_be_proved() {
    let (world, app) = grown().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("李四光", "13700002222")).await;
    let shown = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    let index = shown.json()["audit"]["index"].as_u64().unwrap();
    let entry = world
        .get(&app, "auditor", &format!("/v1/audit/events/{index}"))
        .await
        .json();
    assert_eq!(entry["leaf_hash"], shown.json()["audit"]["leaf_hash"]);
    assert_eq!(entry["leaf"]["act"], "field.reveal");
    assert_eq!(entry["leaf"]["ticket"], json!(no));

    let file = text(&world, &app, &format!("/v1/audit/events/{index}/proof")).await;
    let proof = TlogProof::parse(&file).unwrap();
    let key: Verifier = text(&world, &app, "/v1/audit/keys").await.trim().parse().unwrap();
    let signed = Checkpoint::parse(key.verify(&proof.checkpoint).unwrap()).unwrap();
    let leaf = data_encoding::BASE64
        .decode(entry["leaf_hash"].as_str().unwrap().as_bytes())
        .unwrap();
    let leaf = Hash::try_from(leaf.as_slice()).unwrap();
    verify_inclusion(proof.index, signed.size, &leaf, &proof.hashes, &signed.root).unwrap();
    verify_inclusion(proof.index + 1, signed.size, &leaf, &proof.hashes, &signed.root).unwrap_err();

    let later = checkpoint(&world, &app).await;
    let path = format!("/v1/audit/consistency?old={}&new={}", signed.size, later.size);
    let hashes: Vec<Hash> = text(&world, &app, &path)
        .await
        .lines()
        .map(|line| Hash::try_from(data_encoding::BASE64.decode(line.as_bytes()).unwrap().as_slice()).unwrap())
        .collect();
    verify_consistency(signed.size, later.size, &hashes, &signed.root, &later.root).unwrap();
}

#[tokio::test]
async fn reading_the_log_is_in_the_log_and_others_may_not() {
    let (world, app) = World::new().await;
    let before = checkpoint(&world, &app).await.size;
    for path in [
        "/v1/audit/checkpoint",
        "/v1/audit/keys",
        "/v1/audit/tile/entries/000.p/1",
        "/v1/audit/events/0",
        "/v1/audit/events/0/proof",
        "/v1/audit/consistency?old=1&new=2",
    ] {
        text(&world, &app, path).await;
        for who in ["agent", "handler-c1", "security-admin", "system-admin"] {
            let refused = world.get(&app, who, path).await;
            assert_eq!(
                (refused.status, refused.problem().as_str()),
                (403, "refused"),
                "{who} {path}"
            );
        }
    }
    // Each of the six, refused four times and answered once, and the two reads of this last look.
    assert_eq!(checkpoint(&world, &app).await.size, before + 6 * 5 + 2);
}

#[tokio::test]
async fn what_the_log_does_not_hold() {
    let (world, app) = World::new().await;
    world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", "13900001111")))
        .await;
    for (path, status, problem) in [
        ("/v1/audit/tile/0/000", 404, "not-found"),
        ("/v1/audit/tile/entries/000", 404, "not-found"),
        ("/v1/audit/tile/0/000.p/256", 400, "no-such-tile"),
        ("/v1/audit/tile/0/1", 400, "no-such-tile"),
        ("/v1/audit/tile/64/000", 400, "no-such-tile"),
        ("/v1/audit/tile/entries/x000/001.p/1", 400, "no-such-tile"),
        ("/v1/audit/events/1000000", 404, "not-found"),
        ("/v1/audit/events/9223372036854775808", 404, "not-found"),
        ("/v1/audit/events/18446744073709551615", 404, "not-found"),
        ("/v1/audit/events/18446744073709551615/proof", 404, "not-found"),
        ("/v1/audit/events/-1", 400, "mistyped-identifier"),
        ("/v1/audit/events/1000000/proof", 404, "not-found"),
        ("/v1/audit/consistency?old=3&new=2", 422, "beyond-the-log"),
        ("/v1/audit/consistency?old=3&new=1000000", 404, "not-found"),
        ("/v1/audit/consistency?old=0&new=1000000", 404, "not-found"),
        ("/v1/audit/consistency?old=1000000&new=1000000", 404, "not-found"),
        ("/v1/audit/consistency?old=3", 400, "bad-query"),
        (
            "/v1/audit/consistency?old=18446744073709551615&new=18446744073709551615",
            422,
            "beyond-the-log",
        ),
    ] {
        let answer = world.get(&app, "auditor", path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem),
            "{path}: {}",
            answer.text
        );
    }
    let described: Value = world.get(&app, "nobody", "/openapi.json").await.json();
    assert!(described["paths"]["/v1/audit/tile/{path}"]["get"].is_object());
}
