//! A log that outsiders check: a copy of it, whole and tampered with, before three verifiers that share no code.

use std::path::Path;
use std::process::{Command, Output};

use callervault::merkle::{Hash, TileKind, TilePath, decode_bundle, encode_bundle, leaf_hash, tiles_of};
use callervault::note::TlogProof;

use crate::support::copies::{Copy, caught, copy, grow, holds, ours, put, signed, words};
use crate::support::process::{Server, client, not_taken, run, secret_file, skipped};
use crate::support::{Case, World};

/// What was done to a copy, what ours says of it, and how it is done.
type Attack = (&'static str, &'static str, fn(&Copy));

/// The partial tile of a kind.
fn partial(copy: &Copy, kind: &str) -> String {
    let note = std::fs::read_to_string(copy.path("checkpoint")).unwrap();
    let is_it = |path: &TilePath| path.to_string().starts_with(kind) && !path.is_full();
    let mut paths = tiles_of(signed(&copy.key, &note).size).unwrap();
    paths.find(is_it).unwrap().to_string()
}

fn flip(copy: &Copy, name: &str, at: usize) {
    copy.edit(name, |bytes| bytes[at] ^= 1);
}

/// The entries of a bundle are changed.
fn in_bundle(copy: &Copy, name: &str, change: fn(&mut Vec<Vec<u8>>)) {
    copy.edit(name, |bytes| {
        let entries = decode_bundle(bytes).unwrap();
        let mut entries = entries.iter().map(|entry| entry.to_vec()).collect();
        change(&mut entries);
        *bytes = encode_bundle(&entries).unwrap();
    });
}

fn rewrite_a_leaf_and_its_tile(copy: &Copy) {
    let mut hash = None;
    copy.edit("tile/entries/000", |bytes| {
        bytes[2 + 10] ^= 1;
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        hash = Some(leaf_hash(&bytes[2..2 + length]));
    });
    copy.edit("tile/0/000", |bytes| {
        bytes[..32].copy_from_slice(hash.unwrap().as_bytes())
    });
}

const OF_TILES: [Attack; 9] = [
    ("a leaf's byte", "entry 0 ", |copy| flip(copy, "tile/entries/000", 40)),
    ("two leaves swapped", "entry 0 ", |copy| {
        in_bundle(copy, "tile/entries/000", |entries| entries.swap(0, 1));
    }),
    ("a bundle dropped in the middle", "tile/entries/001 ", |copy| {
        std::fs::remove_file(copy.path("tile/entries/001")).unwrap();
    }),
    ("the last leaf dropped from its bundle", "tile/entries/", |copy| {
        in_bundle(copy, &partial(copy, "tile/entries/"), |entries| _ = entries.pop());
    }),
    ("a byte of a full tile", "entry ", |copy| flip(copy, "tile/0/001", 100)),
    ("a byte of a partial tile", "entry ", |copy| {
        flip(copy, &partial(copy, "tile/0/"), 5);
    }),
    ("a byte of a higher tile", "tile/1/000.p/", |copy| {
        flip(copy, &partial(copy, "tile/1/"), 5);
    }),
    ("a tile cut short", "tile/0/001 ", |copy| {
        copy.edit("tile/0/001", |bytes| bytes.truncate(8000));
    }),
    ("a leaf and its tile rewritten", "tile/1/", rewrite_a_leaf_and_its_tile),
];

/// The checkpoint is changed.
fn in_note(copy: &Copy, change: impl Fn(&str) -> String) {
    copy.edit("checkpoint", |bytes| {
        *bytes = change(std::str::from_utf8(bytes).unwrap()).into_bytes();
    });
}

const OF_THE_CHECKPOINT: [Attack; 4] = [
    ("the signature", "checkpoint does not hold", |copy| {
        in_note(copy, |text| {
            let at = text.trim_end().rfind(' ').unwrap() + 20;
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        });
    }),
    ("the origin", "checkpoint does not hold", |copy| {
        in_note(copy, |text| text.replacen("test.", "best.", 1));
    }),
    ("the size", "checkpoint does not hold", |copy| {
        in_note(copy, |text| {
            let size: u64 = text.lines().nth(1).unwrap().parse().unwrap();
            text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)
        });
    }),
    ("an extension line", "checkpoint does not hold", |copy| {
        in_note(copy, |text| text.replacen("\n\n", "\nextension\n\n", 1));
    }),
];

#[tokio::test]
async fn every_tampering_is_caught_by_each_verifier() {
    let (world, app) = World::new().await;
    grow(&world, &app, 40).await;
    let young = copy(&world, &app).await;
    grow(&world, &app, 600).await;
    let whole = copy(&world, &app).await;
    let older = young.path("checkpoint");
    let older = ["--not-older-than", older.to_str().unwrap()];
    holds(&whole, &[]);
    holds(&whole, &older);
    assert!(
        words(&ours(&whole, &[])).contains("without a kept checkpoint or proof, a cut log looks like a shorter one")
    );
    for (what, words, attack) in OF_TILES.into_iter().chain(OF_THE_CHECKPOINT) {
        let copy = whole.again();
        attack(&copy);
        caught(what, &copy, &older, words);
    }
    // A log that was cut back to a younger one that was once genuine: only what was kept shows it.
    let kept = whole.path("checkpoint");
    let kept = ["--not-older-than", kept.to_str().unwrap()];
    holds(&young, &[]);
    caught("an older log replayed", &young, &kept, "the log was cut");
    // Another log with another history under another key, and the right log under the wrong key.
    let (other, other_app) = World::of_its_own().await;
    grow(&other, &other_app, 100).await;
    let fork = copy(&other, &other_app).await;
    holds(&fork, &[]);
    let mixed = Copy {
        dir: fork.again().dir,
        key: whole.key.clone(),
    };
    caught("another history", &mixed, &[], "checkpoint does not hold");
}

#[tokio::test]
async fn a_receipt_is_checked_offline() {
    let (world, app) = World::new().await;
    grow(&world, &app, 10).await;
    let index = 25;
    let auditor = world.actor(&app, "auditor");
    let proof = auditor.get(format!("/v1/audit/events/{index}/proof")).await.text;
    grow(&world, &app, 10).await;
    let whole = copy(&world, &app).await;
    put(whole.dir.path(), "receipt.tlog-proof", proof.as_bytes());
    let receipt = whole.path("receipt.tlog-proof");
    let receipt = receipt.to_str().unwrap();
    holds(&whole, &["--proof", receipt, "--not-older-than", receipt]);
    let entry = whole.path("entry");
    std::fs::write(&entry, b"{}").unwrap();
    caught(
        "another entry",
        &whole,
        &["--proof", receipt, "--entry", entry.to_str().unwrap()],
        "does not lead from entry 25",
    );
    whole.edit("receipt.tlog-proof", |bytes| {
        let text = String::from_utf8(bytes.clone())
            .unwrap()
            .replacen("index 25", "index 24", 1);
        *bytes = text.into_bytes();
    });
    caught(
        "another index",
        &whole,
        &["--proof", receipt],
        "does not lead from entry 24",
    );
}

/// Entries of the large log.
const MANY: u64 = 70_000;

/// What Go's own checksum-database code says, if it is installed.
pub(crate) fn go(copy: &Copy) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packaged = Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").exists();
    if !packaged || Command::new("go").arg("version").output().is_err() {
        return None;
    }
    let output = Command::new("go")
        .args(["run", "tests/go/verify/main.go"])
        .arg(copy.dir.path())
        .arg(&copy.key)
        .current_dir(root)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", copy.dir.path().join(".go"))
        .output();
    Some(output.unwrap())
}

/// What an auditor gets from a server.
fn got(server: &Server, world: &World, path: &str) -> Vec<u8> {
    let request = client().get(format!("{}{path}", server.base));
    let token = format!("Bearer {}", world.token("auditor"));
    let mut answer = request.header("authorization", token).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    answer.body_mut().read_to_vec().unwrap()
}

/// Handlers read at once until the log has many entries.
fn read_many(server: &Server, world: &World, case: &Case) {
    const CLIENTS: u64 = 32;
    let (path, body) = case.reveal("masked");
    let url = format!("{}{path}", server.base);
    let read = || {
        let agent = client();
        let token = format!("Bearer {}", world.token("handler-c1"));
        let mut read = 0;
        while read <= MANY / CLIENTS {
            let request = agent.post(&url).header("authorization", &token);
            let mut answer = request.send_json(&body).unwrap();
            let status = answer.status().as_u16();
            let answer: serde_json::Value = answer.body_mut().read_json().unwrap();
            if !not_taken(status, &answer) {
                assert_eq!(status, 200, "{answer}");
                read += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(read);
        }
    });
}

/// The log and some receipts, copied by a client.
fn copied_from(server: &Server, world: &World) -> Copy {
    let dir = tempfile::tempdir().unwrap();
    let text = |path: &str| String::from_utf8(got(server, world, path)).unwrap();
    // Before the copy: a receipt is of the log as it was then, or earlier.
    for index in [0, 1, 255, 256, 65_535, 65_536, MANY - 1] {
        let proof = got(server, world, &format!("/v1/audit/events/{index}/proof"));
        put(dir.path(), &format!("receipts/{index}.tlog-proof"), &proof);
    }
    let key = text("/v1/audit/keys").trim().to_owned();
    let note = text("/v1/audit/checkpoint");
    put(dir.path(), "checkpoint", note.as_bytes());
    for path in tiles_of(signed(&key, &note).size).unwrap() {
        let tile = got(server, world, &format!("/v1/audit/{path}"));
        put(dir.path(), &path.to_string(), &tile);
    }
    Copy { dir, key }
}

/// A real server writes it, a real client copies it.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_70_000_entries_before_three_verifiers() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    // As many requests as it takes entries, by one principal.
    let unbounded = ["--listen", "127.0.0.1:0", "--requests-per-minute", "4000000000"];
    let server = Server::start_with(world.dir.path(), "http", &unbounded);
    let copy = tokio::task::block_in_place(|| {
        read_many(&server, &world, &case);
        copied_from(&server, &world)
    });
    let note = std::fs::read_to_string(copy.path("checkpoint")).unwrap();
    let size = signed(&copy.key, &note).size;
    assert!(size >= MANY);
    holds(&copy, &[]);
    independent_crates(&copy, size);
    // Straight from the server, as an auditor without a copy does it.
    let token = world.dir.path().join("token");
    secret_file(&token, world.token("auditor"));
    let token = ["--token-file", token.to_str().unwrap(), "--json"];
    let key = ["audit", "verify", "--url", &server.base, "--key", &copy.key];
    let output = run(&[&key[..], &token].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    match go(&copy) {
        Some(output) => {
            assert_eq!(output.status.code(), Some(0), "{}", words(&output));
            assert!(words(&output).contains(&format!("OK n={size} ")), "{}", words(&output));
        }
        None => skipped("Go's verifier: install golang-go and golang-golang-x-mod-dev"),
    }
}

/// The checkpoint and the receipts before `signed_note` and `tlog_tiles`, which know nothing of this program.
fn independent_crates(copy: &Copy, size: u64) {
    use signed_note::{Note, StandardVerifier, VerifierList};
    let read = |name: &str| std::fs::read_to_string(copy.path(name)).unwrap();
    let verifier = StandardVerifier::new(&copy.key).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let note = Note::from_bytes(read("checkpoint").as_bytes()).unwrap();
    let (good, _) = note.verify(&known).unwrap();
    assert_eq!(good.len(), 1);
    for receipt in std::fs::read_dir(copy.path("receipts")).unwrap() {
        let text = std::fs::read_to_string(receipt.unwrap().path()).unwrap();
        let proof = TlogProof::parse(&text).unwrap();
        let note = Note::from_bytes(proof.checkpoint.as_bytes()).unwrap();
        note.verify(&known).unwrap();
        let at = signed(&copy.key, &proof.checkpoint);
        assert!(at.size <= size);
        let hash = |hash: &Hash| tlog_tiles::Hash(*hash.as_bytes());
        let path: TilePath = TilePath::within(size, TileKind::Entries, proof.index / 256).unwrap();
        let bundle = std::fs::read(copy.path(&path.to_string())).unwrap();
        let entries = decode_bundle(&bundle).unwrap();
        let entry = entries[usize::try_from(proof.index % 256).unwrap()];
        let hashes: Vec<_> = proof.hashes.iter().map(hash).collect();
        let leaf = tlog_tiles::record_hash(entry);
        tlog_tiles::check_record(&hashes, at.size, hash(&at.root), proof.index, leaf).unwrap();
    }
}
