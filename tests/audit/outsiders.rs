//! A log that outsiders check: a copy of it, whole and tampered with, before three verifiers that share no code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use callervault::http::App;
use callervault::merkle::{TileKind, TilePath, leaf_hash, tiles_of};
use callervault::note::{Checkpoint, Verifier};
use serde_json::json;

use crate::support::process::{Server, client, not_taken, run, skipped};
use crate::support::{World, caller};

/// A copy of a log in files, and the key that checks it.
pub(crate) struct Copy {
    pub(crate) dir: tempfile::TempDir,
    key: String,
}

impl Copy {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Changes a file's bytes.
    fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(self.path(name)).unwrap();
        let before = bytes.clone();
        change(&mut bytes);
        assert_ne!(before, bytes, "the attack did not happen: {name}");
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn again(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = format!("{}/.", self.dir.path().display());
        let copied = Command::new("cp").args(["-r", &from]).arg(dir.path()).status().unwrap();
        assert!(copied.success());
        Self {
            dir,
            key: self.key.clone(),
        }
    }
}

pub(crate) fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}

fn signed(key: &str, note: &str) -> Checkpoint {
    Checkpoint::parse(key.parse::<Verifier>().unwrap().verify(note).unwrap()).unwrap()
}

/// Copies the log as any client of C2SP tlog-tiles would.
pub(crate) async fn copy(world: &World, app: &Arc<App>) -> Copy {
    copy_from(world, app, 0).await
}

/// As `copy`, of the log as it was when this checkpoint was signed.
pub(crate) async fn copy_of(world: &World, app: &Arc<App>, note: &str) -> Copy {
    copied(world, app, 0, note).await
}

/// As `copy`, of a log that has dropped the bodies of entries below that index.
pub(crate) async fn copy_from(world: &World, app: &Arc<App>, below: u64) -> Copy {
    let note = world.get(app, "auditor", "/v1/audit/checkpoint").await.text;
    copied(world, app, below, &note).await
}

async fn copied(world: &World, app: &Arc<App>, below: u64, note: &str) -> Copy {
    let key = world.get(app, "auditor", "/v1/audit/keys").await.text.trim().to_owned();
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "checkpoint", note.as_bytes());
    for path in tiles_of(signed(&key, note).size).unwrap() {
        if path.kind() == TileKind::Entries && path.first() < below {
            continue;
        }
        let bytes = world.bytes(app, "auditor", &format!("/v1/audit/{path}")).await;
        put(dir.path(), &path.to_string(), &bytes);
    }
    Copy { dir, key }
}

pub(crate) fn ours(copy: &Copy, more: &[&str]) -> Output {
    let directory = copy.dir.path().to_str().unwrap();
    run(&[&["audit", "verify", directory, "--key", &copy.key], more].concat())
}

pub(crate) fn python(copy: &Copy, more: &[&str]) -> Output {
    Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify.py"))
        .arg(copy.dir.path())
        .args(["--key", &copy.key])
        .args(more)
        .output()
        .unwrap()
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// Both verifiers accept.
pub(crate) fn holds(copy: &Copy, more: &[&str]) {
    for output in [ours(copy, more), python(copy, more)] {
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert!(words(&output).contains("verified: "), "{}", words(&output));
    }
}

/// Both verifiers refuse; ours in these words.
pub(crate) fn caught(what: &str, copy: &Copy, more: &[&str], our_words: &str) {
    let output = ours(copy, more);
    assert_eq!(output.status.code(), Some(1), "{what}: {}", words(&output));
    assert!(
        words(&output).contains("TAMPERED") && words(&output).contains(our_words),
        "{what}: {}",
        words(&output)
    );
    let output = python(copy, more);
    assert_eq!(output.status.code(), Some(1), "{what}: {}", words(&output));
    assert!(words(&output).contains("TAMPERED"), "{what}: {}", words(&output));
}

pub(crate) async fn grow(world: &World, app: &Arc<App>, entries: usize) {
    let (no, reference) = world.ticket_at(app, "C1", caller("王小明", "13900001111")).await;
    for _ in 0..entries {
        assert_eq!(
            world.reveal(app, "handler-c1", &reference, &no, "masked").await.status,
            200
        );
    }
}

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
    assert!(words(&ours(&whole, &[])).contains("cannot be told from a younger one"));
    let size = signed(&whole.key, &std::fs::read_to_string(whole.path("checkpoint")).unwrap()).size;
    let last = |kind: &str| {
        let of_kind = |path: &TilePath| path.to_string().starts_with(kind) && !path.is_full();
        tiles_of(size).unwrap().find(of_kind).unwrap().to_string()
    };
    let tampered = |what: &str, words: &str, change: &dyn Fn(&Copy)| {
        let copy = whole.again();
        change(&copy);
        caught(what, &copy, &older, words);
    };
    let flip = |at: usize| move |bytes: &mut Vec<u8>| bytes[at] ^= 1;

    tampered("a leaf's byte", "entry 0 ", &|copy| {
        copy.edit("tile/entries/000", flip(40))
    });
    tampered("two leaves swapped", "entry 0 ", &|copy| {
        copy.edit("tile/entries/000", |bytes| {
            let entries: Vec<Vec<u8>> = callervault::merkle::decode_bundle(bytes)
                .unwrap()
                .iter()
                .map(|entry| entry.to_vec())
                .collect();
            let mut swapped = entries.clone();
            swapped.swap(0, 1);
            *bytes = callervault::merkle::encode_bundle(&swapped).unwrap();
        });
    });
    tampered("a bundle dropped in the middle", "tile/entries/001 ", &|copy| {
        std::fs::remove_file(copy.path("tile/entries/001")).unwrap();
    });
    tampered("the last leaf dropped from its bundle", "tile/entries/", &|copy| {
        copy.edit(&last("tile/entries/"), |bytes| {
            let entries = callervault::merkle::decode_bundle(bytes).unwrap();
            *bytes = callervault::merkle::encode_bundle(&entries[..entries.len() - 1]).unwrap();
        });
    });
    tampered("a byte of a full tile", "entry ", &|copy| {
        copy.edit("tile/0/001", flip(100))
    });
    tampered("a byte of a partial tile", "entry ", &|copy| {
        copy.edit(&last("tile/0/"), flip(5))
    });
    tampered("a byte of a higher tile", "tile/1/000.p/", &|copy| {
        copy.edit(&last("tile/1/"), flip(5))
    });
    tampered("a tile cut short", "tile/0/001 ", &|copy| {
        copy.edit("tile/0/001", |bytes| bytes.truncate(8000))
    });
    tampered("a leaf and its tile rewritten", "tile/1/", &|copy| {
        let mut hash = None;
        copy.edit("tile/entries/000", |bytes| {
            bytes[2 + 10] ^= 1;
            let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            hash = Some(leaf_hash(&bytes[2..2 + length]));
        });
        copy.edit("tile/0/000", |bytes| {
            bytes[..32].copy_from_slice(hash.unwrap().as_bytes())
        });
    });
    let note = |copy: &Copy, change: &dyn Fn(&str) -> String| {
        copy.edit("checkpoint", |bytes| {
            *bytes = change(std::str::from_utf8(bytes).unwrap()).into_bytes()
        });
    };
    tampered("the signature", "checkpoint does not hold", &|copy| {
        note(copy, &|text| {
            let at = text.trim_end().rfind(' ').unwrap() + 20;
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        });
    });
    tampered("the origin", "checkpoint does not hold", &|copy| {
        note(copy, &|text| text.replacen("test.", "best.", 1))
    });
    tampered("the size", "checkpoint does not hold", &|copy| {
        note(copy, &|text| {
            text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)
        });
    });
    tampered("an extension line", "checkpoint does not hold", &|copy| {
        note(copy, &|text| text.replacen("\n\n", "\nextension\n\n", 1));
    });
    // A log that was cut back to a younger one that was once genuine: only what was kept shows it.
    let kept = whole.path("checkpoint");
    holds(&young, &[]);
    caught(
        "an older log replayed",
        &young,
        &["--not-older-than", kept.to_str().unwrap()],
        "the log was cut",
    );
    // Another log with another history under another key, and the right log under the wrong key.
    let (other, other_app) = World::new().await;
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
    let proof = world
        .get(&app, "auditor", &format!("/v1/audit/events/{index}/proof"))
        .await
        .text;
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
fn go(copy: &Copy) -> Option<Output> {
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

/// A real server writes it, a real client copies it.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_70_000_entries_before_three_verifiers() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    // As many requests as it takes entries, by one principal.
    let unbounded = ["--listen", "127.0.0.1:0", "--requests-per-minute", "4000000000"];
    let server = Server::start_with(world.dir.path(), "http", &unbounded);
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "masked"});
    let get = |path: &str| {
        let answer = client()
            .get(format!("{}{path}", server.base))
            .header("authorization", format!("Bearer {}", world.token("auditor")))
            .call();
        let mut answer = answer.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.body_mut().read_to_vec().unwrap()
    };
    let text = |path: &str| String::from_utf8(get(path)).unwrap();
    let key = text("/v1/audit/keys").trim().to_owned();
    let copy = tokio::task::block_in_place(|| {
        let url = format!("{}/v1/callers/{reference}/reveal", server.base);
        let clients = 32;
        std::thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    let agent = client();
                    let token = format!("Bearer {}", world.token("handler-c1"));
                    let mut read = 0;
                    while read <= MANY / clients {
                        let request = agent.post(&url).header("authorization", &token);
                        let mut answer = request.send_json(&body).unwrap();
                        let status = answer.status().as_u16();
                        let answer: serde_json::Value = answer.body_mut().read_json().unwrap();
                        if !not_taken(status, &answer) {
                            assert_eq!(status, 200, "{answer}");
                            read += 1;
                        }
                    }
                });
            }
        });
        let dir = tempfile::tempdir().unwrap();
        // Before the copy: a receipt is of the log as it was then, or earlier.
        for index in [0, 1, 255, 256, 65_535, 65_536, MANY - 1] {
            let proof = get(&format!("/v1/audit/events/{index}/proof"));
            put(dir.path(), &format!("receipts/{index}.tlog-proof"), &proof);
        }
        let note = text("/v1/audit/checkpoint");
        put(dir.path(), "checkpoint", note.as_bytes());
        for path in tiles_of(signed(&key, &note).size).unwrap() {
            put(dir.path(), &path.to_string(), &get(&format!("/v1/audit/{path}")));
        }
        Copy { dir, key: key.clone() }
    });
    let size = signed(&key, &std::fs::read_to_string(copy.path("checkpoint")).unwrap()).size;
    assert!(size >= MANY);
    holds(&copy, &[]);
    independent_crates(&copy, size);
    // Straight from the server, as an auditor without a copy does it.
    let token = world.dir.path().join("token");
    crate::support::process::secret_file(&token, world.token("auditor"));
    let output = run(&[
        "audit",
        "verify",
        &server.base,
        "--key",
        &key,
        "--token-file",
        token.to_str().unwrap(),
        "--json",
    ]);
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
        let proof = callervault::note::TlogProof::parse(&text).unwrap();
        let note = Note::from_bytes(proof.checkpoint.as_bytes()).unwrap();
        note.verify(&known).unwrap();
        let at = signed(&copy.key, &proof.checkpoint);
        assert!(at.size <= size);
        let hash = |hash: &callervault::merkle::Hash| tlog_tiles::Hash(*hash.as_bytes());
        let path: TilePath = TilePath::within(size, callervault::merkle::TileKind::Entries, proof.index / 256).unwrap();
        let bundle = std::fs::read(copy.path(&path.to_string())).unwrap();
        let entries = callervault::merkle::decode_bundle(&bundle).unwrap();
        let entry = entries[usize::try_from(proof.index % 256).unwrap()];
        let hashes: Vec<_> = proof.hashes.iter().map(hash).collect();
        let leaf = tlog_tiles::record_hash(entry);
        tlog_tiles::check_record(&hashes, at.size, hash(&at.root), proof.index, leaf).unwrap();
    }
}
