//! The auditor's work on the log, and what clients of C2SP tlog-tiles get.

use callervault::merkle::{Frontier, Hash, decode_bundle, leaf_hash, tiles_of, verify_consistency, verify_inclusion};
use callervault::note::{Checkpoint, TlogProof, Verifier};
use serde_json::json;

use crate::support::copies::grow;
use crate::support::{Actor, NAME, NUMBER, World, caller};

async fn text(auditor: Actor<'_>, path: &str) -> String {
    auditor.get(path).await.is(200).text
}

async fn key(auditor: Actor<'_>) -> Verifier {
    text(auditor, "/v1/audit/keys").await.trim().parse().unwrap()
}

async fn checkpoint(auditor: Actor<'_>) -> Checkpoint {
    let key = key(auditor).await;
    let note = text(auditor, "/v1/audit/checkpoint").await;
    Checkpoint::parse(key.verify(&note).unwrap()).unwrap()
}

fn hash(base64: &str) -> Hash {
    let bytes = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    Hash::try_from(bytes.as_slice()).unwrap()
}

#[tokio::test]
async fn tiles_and_bundles_lead_to_the_signed_root() {
    let (world, app) = World::new().await;
    // Past a full tile.
    grow(&world, &app, 260).await;
    let auditor = world.actor(&app, "auditor");
    let signed = checkpoint(auditor).await;
    assert!(signed.size > 256);
    let mut frontier = Frontier::new();
    let mut hashes: Vec<Hash> = Vec::new();
    for path in tiles_of(signed.size).unwrap() {
        let answer = auditor.get(format!("/v1/audit/{path}")).await.is(200);
        if path.to_string().starts_with("tile/entries/") {
            for entry in decode_bundle(&answer.bytes).unwrap() {
                frontier.push(leaf_hash(entry));
                hashes.push(leaf_hash(entry));
            }
        }
    }
    assert_eq!((frontier.size(), frontier.root()), (signed.size, signed.root));
    let tile = auditor.get("/v1/audit/tile/0/000").await.is(200).bytes;
    let own: Vec<u8> = hashes[..256].iter().flat_map(|hash| *hash.as_bytes()).collect();
    assert_eq!(tile, own);
}

#[tokio::test]
async fn a_reader_holds_a_receipt_that_can_be_proved() {
    let (world, app) = World::new().await;
    grow(&world, &app, 260).await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let case = world.case_of(&app, "C1", caller("李四光", "13700002222")).await;
    let shown = handler.reveal(&case).clear().await;
    let entry = auditor.entry(&shown).await;
    assert_eq!(entry["act"], "field.reveal");
    assert_eq!(entry["ticket"], json!(case.no));
    assert_eq!(entry["role"], "handler", "under which it was permitted");

    let path = format!("/v1/audit/events/{}/proof", shown.index());
    let proof = TlogProof::parse(&text(auditor, &path).await).unwrap();
    let key = key(auditor).await;
    let signed = Checkpoint::parse(key.verify(&proof.checkpoint).unwrap()).unwrap();
    let leaf = hash(&shown.at("/audit/leaf_hash"));
    verify_inclusion(proof.index, signed.size, &leaf, &proof.hashes, &signed.root).unwrap();
    verify_inclusion(proof.index + 1, signed.size, &leaf, &proof.hashes, &signed.root).unwrap_err();

    let later = checkpoint(auditor).await;
    let path = format!("/v1/audit/consistency?old={}&new={}", signed.size, later.size);
    let hashes: Vec<Hash> = text(auditor, &path).await.lines().map(hash).collect();
    verify_consistency(signed.size, later.size, &hashes, &signed.root, &later.root).unwrap();
}

#[tokio::test]
async fn reading_the_log_is_in_the_log_and_others_may_not() {
    let (world, app) = World::new().await;
    let auditor = world.actor(&app, "auditor");
    let before = checkpoint(auditor).await.size;
    for path in [
        "/v1/audit/checkpoint",
        "/v1/audit/keys",
        "/v1/audit/tile/entries/000.p/1",
        "/v1/audit/events/0",
        "/v1/audit/events/0/proof",
        "/v1/audit/consistency?old=1&new=2",
    ] {
        auditor.get(path).await.is(200);
        for who in ["agent", "handler-c1", "security-admin", "system-admin"] {
            world.actor(&app, who).get(path).await.fails(403, "refused");
        }
    }
    // Each of the six, refused four times and answered once, and the two reads of this last look.
    assert_eq!(checkpoint(auditor).await.size, before + 6 * 5 + 2);
}

#[tokio::test]
async fn what_the_log_does_not_hold() {
    let (world, app) = World::new().await;
    let [agent, auditor, nobody] = world.actors(&app, ["agent", "auditor", "nobody"]);
    agent.take(caller(NAME, NUMBER)).await;
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
        auditor.get(path).await.fails(status, problem);
    }
    // A log is proved as far as it goes: the question itself is its last entry.
    let size = auditor.get("/v1/audit/events/0").await.index() + 2;
    let whole = format!("/v1/audit/consistency?old=1&new={size}");
    auditor.get(whole).await.is(200);
    let described = nobody.get("/openapi.json").await.json();
    assert!(described["paths"]["/v1/audit/tile/{path}"]["get"].is_object());
}
