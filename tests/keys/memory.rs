//! Secrets in the memory of a real process: while it is unlocked nowhere but on locked pages, and gone once it is locked.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use aho_corasick::AhoCorasick;
use serde_json::{Value, json};

use crate::keys::destroyed::destroy;
use crate::keys::rewrap::rewrapped;
use crate::keys::rotation::rotated;
use crate::keys::secrets::{Secret, secrets};
use crate::support::process::{Server, client, passphrase_file, run, secret_file, skipped};
use crate::support::{Case, World, caller, intake};

/// In bytes.
const PAGE: usize = 4096;
/// Pages read at a time.
const PIECE: usize = 256;

/// A part of a process's memory that can be read.
struct Mapping {
    range: Range<u64>,
    name: String,
    locked: bool,
}

fn mappings(process: u32) -> Option<Vec<Mapping>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps")).ok()?;
    let mut mappings: Vec<Mapping> = Vec::new();
    let mut readable = false;
    for line in text.lines() {
        let (first, rest) = line.split_once(' ')?;
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            let locked = flags.split(' ').any(|flag| flag == "lo");
            if let Some(mapping) = mappings.last_mut().filter(|_| readable) {
                mapping.locked = locked;
            }
        } else if let Some((from, to)) = first.split_once('-') {
            let name = line.split_whitespace().nth(5).unwrap_or("anonymous");
            // The kernel's own pages cannot be read this way and hold nothing of the process.
            readable = rest.starts_with('r') && !name.starts_with("[v");
            if readable {
                mappings.push(Mapping {
                    range: u64::from_str_radix(from, 16).ok()?..u64::from_str_radix(to, 16).ok()?,
                    name: name.to_owned(),
                    locked: false,
                });
            }
        }
    }
    Some(mappings)
}

/// A secret, where it was found.
struct Found<'s> {
    secret: &'s Secret,
    mapping: String,
    locked: bool,
}

/// As text, for the message of a test that fails.
fn told(found: &[&Found<'_>]) -> BTreeSet<String> {
    let told = |found: &&Found<'_>| {
        let page = if found.locked { "a locked page" } else { "a page" };
        format!("{} on {page} in {}", found.secret.name, found.mapping)
    };
    found.iter().map(told).collect()
}

/// The secrets that stand anywhere in the process's memory; nothing where it may not be read.
fn in_memory(process: u32, secrets: &[Secret]) -> Option<Vec<Found<'_>>> {
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let pages = File::open(format!("/proc/{process}/pagemap")).ok()?;
    let wanted = AhoCorasick::new(secrets.iter().map(|secret| &secret.bytes)).unwrap();
    let mut found = Vec::new();
    for mapping in mappings(process)? {
        for at in search(&memory, &used(&pages, &mapping.range), &wanted) {
            found.push(Found {
                secret: &secrets[at],
                mapping: mapping.name.clone(),
                locked: mapping.locked,
            });
        }
    }
    Some(found)
}

/// The pages of a range that are in memory or swapped out. The process never wrote to any other.
fn used(pages: &File, range: &Range<u64>) -> Vec<u64> {
    let all: Vec<u64> = range.clone().step_by(PAGE).collect();
    let mut entries = vec![0; all.len() * 8];
    pages
        .read_exact_at(&mut entries, range.start / PAGE as u64 * 8)
        .unwrap();
    // The two highest bits of a page's entry say so (Linux, `admin-guide/mm/pagemap`).
    let is_used = |entry: &[u8]| entry[7] >> 6 != 0;
    let used = all.into_iter().zip(entries.chunks(8));
    used.filter(|(_, entry)| is_used(entry)).map(|(page, _)| page).collect()
}

/// Which of the wanted stand in those pages, also across the border of two.
fn search(memory: &File, pages: &[u64], wanted: &AhoCorasick) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for run in pages.chunk_by(|page, next| page + PAGE as u64 == *next) {
        for at in (0..run.len()).step_by(PIECE) {
            // A page more than a piece has, so that the next piece's first bytes are in this one too.
            let piece = &run[at..run.len().min(at + PIECE + 1)];
            let mut bytes = vec![0; piece.len() * PAGE];
            let read = memory.read_at(&mut bytes, piece[0]).unwrap_or_default();
            // A page that cannot be read is passed over, never its neighbours.
            for (page, bytes) in piece.iter().zip(bytes.chunks_mut(PAGE)).skip(read / PAGE) {
                let _ = memory.read_at(bytes, *page);
            }
            found.extend(
                wanted
                    .find_overlapping_iter(&bytes)
                    .map(|found| found.pattern().as_usize()),
            );
        }
    }
    found
}

/// Uses every kind of key: fields are opened and sealed, values looked up, references and codes made, checkpoints signed.
fn work(server: &Server, world: &World, case: &Case) {
    let post = |who: &str, path: &str, body: &Value| server.post(world, who, path, body);
    let (path, reveal) = case.reveal("clear");
    for number in 0..50 {
        assert_eq!(post("handler-c1", &path, &reveal).0, 200);
        if number >= 10 {
            continue;
        }
        let call = intake(caller("李四光", &format!("137{number:08}")));
        let (status, taken) = post("agent", "/v1/intake", &call);
        assert_eq!(status, 201, "{taken}");
        let no = taken.pointer("/ticket/no").and_then(Value::as_str).unwrap();
        let to = json!({"department": "C1", "reason": "请核查"});
        assert_eq!(post("dispatcher", &format!("/v1/tickets/{no}/dispatch"), &to).0, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn keys_are_gone_after_locking() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let server = Server::start(world.dir.path());
    tokio::task::block_in_place(|| work(&server, &world, &case));
    let secrets = secrets(&world);
    // Most secrets lie in the server's memory for moments only. That the search would find each is shown on this process,
    // which holds them all.
    let here = in_memory(std::process::id(), &secrets).expect("one's own memory");
    for secret in &secrets {
        let found = here.iter().any(|found| found.secret.name == secret.name);
        assert!(found, "the search does not find {}", secret.name);
    }
    let records = secrets
        .iter()
        .filter(|secret| secret.name.starts_with("record key of a"));
    assert!(records.count() >= 2);

    let unlocked = in_memory(server.process.id(), &secrets);
    assert_eq!(server.post(&world, "system-admin", "/v1/keys/lock", &json!({})).0, 200);
    let locked = in_memory(server.process.id(), &secrets);
    drop(server);
    let (Some(unlocked), Some(locked)) = (unlocked, locked) else {
        return skipped("keys_are_gone_after_locking: only root may read the memory of such a process");
    };
    for secret in secrets.iter().filter(|secret| secret.kept) {
        let found = unlocked.iter().any(|found| found.secret.name == secret.name);
        assert!(found, "the search finds what is there: {}", secret.name);
    }
    let can_be_swapped: Vec<_> = unlocked.iter().filter(|found| !found.locked).collect();
    assert_eq!(told(&can_be_swapped), BTreeSet::new(), "not on locked pages");
    let of_a_moment: Vec<_> = unlocked.iter().filter(|found| !found.secret.kept).collect();
    assert_eq!(told(&of_a_moment), BTreeSet::new(), "longer than they are used");
    assert_eq!(
        told(&locked.iter().collect::<Vec<_>>()),
        BTreeSet::new(),
        "after locking"
    );
}

/// A server that starts locked holds no key, and none after it was unlocked over HTTP and locked again.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_gone_after_an_unlock_over_http() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let server = Server::locked(world.dir.path(), "http", &["--listen", "127.0.0.1:0"]);
    let passphrase = passphrase_file(world.dir.path());
    let unlock = [
        "unlock",
        "--url",
        &server.base,
        "--passphrase-file",
        passphrase.to_str().unwrap(),
    ];
    let started = secrets(&world);
    let started = in_memory(server.process.id(), &started).map(|found| told(&found.iter().collect::<Vec<_>>()));
    let lock = || assert_eq!(server.post(&world, "system-admin", "/v1/keys/lock", &json!({})).0, 200);
    assert!(run(&unlock).status.success());
    tokio::task::block_in_place(|| work(&server, &world, &case));
    lock();
    // What came last is in no buffer that was used again.
    assert!(run(&unlock).status.success());
    lock();
    let secrets = secrets(&world);
    let mut locked = in_memory(server.process.id(), &secrets);
    for _ in 0..60 {
        // The passphrase is overwritten when the server has seen that its connection has ended.
        if locked.as_ref().is_none_or(Vec::is_empty) {
            break;
        }
        locked = in_memory(server.process.id(), &secrets);
    }
    drop(server);
    let (Some(started), Some(locked)) = (started, locked) else {
        return skipped("keys_are_gone_after_an_unlock_over_http: only root may read the memory of such a process");
    };
    assert_eq!(started, BTreeSet::new(), "it starts without any");
    assert_eq!(
        told(&locked.iter().collect::<Vec<_>>()),
        BTreeSet::new(),
        "after locking"
    );
}

/// A version of a key that was destroyed is nowhere in a server that goes on, and nothing is there once it is locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_is_gone_from_memory() {
    const ROLES: [&str; 2] = ["kek", "index"];
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (destroyed, others): (Vec<Secret>, Vec<Secret>) = secrets(&world).into_iter().partition(|secret| {
        let of_role = |role: &&str| secret.name == **role || secret.name.starts_with(&format!("{role}, "));
        ROLES.iter().any(of_role)
    });
    for role in ROLES {
        rotated(&world, &app, role).await.is(200);
        rewrapped(&world, &app, role).await;
    }
    let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
    let mut approved = Vec::new();
    for role in ROLES {
        approved.push((role, system.approved_by(auditor, &destroy(role, 1)).await));
    }
    drop(app);
    let server = Server::start(world.dir.path());
    tokio::task::block_in_place(|| work(&server, &world, &case));
    let there = in_memory(server.process.id(), &destroyed);
    for (role, approval) in &approved {
        let request = client()
            .post(format!("{}/v1/keys/destroy", server.base))
            .header("authorization", format!("Bearer {}", world.token("system-admin")))
            .header("approval", approval);
        let answer = request.send_json(json!({"role": role, "version": 1})).unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
    tokio::task::block_in_place(|| work(&server, &world, &case));
    let gone = in_memory(server.process.id(), &destroyed);
    let root = others.iter().find(|secret| secret.name == "root").unwrap();
    let kept = in_memory(server.process.id(), &others);
    assert_eq!(server.post(&world, "system-admin", "/v1/keys/lock", &json!({})).0, 200);
    let locked = [&destroyed, &others].map(|secrets| in_memory(server.process.id(), secrets));
    drop(server);
    let (Some(there), Some(gone), Some(kept), [Some(of_destroyed), Some(of_others)]) = (there, gone, kept, locked)
    else {
        return skipped("a_destroyed_key_is_gone_from_memory: only root may read the memory of such a process");
    };
    for secret in destroyed.iter().filter(|secret| secret.kept) {
        let found = there.iter().any(|found| found.secret.name == secret.name);
        assert!(found, "the search finds what is there: {}", secret.name);
    }
    assert!(kept.iter().any(|found| found.secret.name == root.name));
    for found in [gone, of_destroyed, of_others] {
        assert_eq!(told(&found.iter().collect::<Vec<_>>()), BTreeSet::new());
    }
}

/// A share that waits for others lies on a locked page alone, and is gone when it has waited too long.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_waited_too_long_is_gone() {
    let world = World::closed().await;
    let shares = world.shared(2, 3).await;
    let file = world.dir.path().join("share");
    secret_file(&file, &shares[0]);
    let (_, bytes) = bech32::decode(&shares[0]).unwrap();
    let secret = |name: &str, bytes: &[u8], kept| Secret {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        kept,
    };
    let secrets = [
        secret("the value of a share", &bytes[14..], true),
        secret("the text of a share", shares[0].as_bytes(), false),
    ];
    let options = ["--listen", "127.0.0.1:0", "--share-timeout", "20"];
    let mut server = Server::locked(world.dir.path(), "http", &options);
    let unlock = ["unlock", "--url", &server.base, "--share-file", file.to_str().unwrap()];
    assert!(run(&unlock).status.success());
    let waiting = in_memory(server.process.id(), &secrets);
    server.says("no further one came in time");
    let gone = in_memory(server.process.id(), &secrets);
    drop(server);
    let (Some(waiting), Some(gone)) = (waiting, gone) else {
        return skipped("a_share_that_waited_too_long_is_gone: only root may read the memory of such a process");
    };
    let values = waiting.iter().filter(|found| found.secret.kept);
    let can_be_swapped: Vec<_> = values.clone().filter(|found| !found.locked).collect();
    assert!(values.count() > 0, "the search finds what is there");
    assert_eq!(told(&can_be_swapped), BTreeSet::new(), "not on locked pages");
    assert_eq!(
        told(&gone.iter().collect::<Vec<_>>()),
        BTreeSet::new(),
        "after the time"
    );
}

/// Not root, if the test may choose.
const NOBODY: u32 = 65534;

/// A process's own user may look into it, unless it is not dumpable: then its files under `/proc` are root's.
#[tokio::test(flavor = "multi_thread")]
async fn its_own_user_can_neither_read_nor_dump_it() {
    let world = World::closed().await;
    let dir = world.dir.path();
    passphrase_file(dir);
    let program = dir.join("callervault");
    std::fs::copy(env!("CARGO_BIN_EXE_callervault"), &program).unwrap();
    let run_by_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let (mut serve, mut other) = (Command::new(&program), Command::new("sleep"));
    if run_by_root {
        let owned = Command::new("chown")
            .args(["-R", &NOBODY.to_string()])
            .arg(dir)
            .status();
        assert!(owned.unwrap().success());
        serve.uid(NOBODY);
        other.uid(NOBODY);
    }
    let server = Server::start_program(serve, dir, "http", &["--listen", "127.0.0.1:0"]);
    let mut other = other.arg("60").spawn().unwrap();
    let owner = |process: u32| {
        let memory = Path::new("/proc").join(process.to_string()).join("mem");
        std::fs::metadata(memory).unwrap().uid()
    };
    let (of_server, of_other) = (owner(server.process.id()), owner(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_ne!(of_other, 0, "of a process that is dumpable it would show");
    assert_eq!(of_server, 0);

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    // The soft limit is the caller's to choose and often 0 already; the hard one is not.
    let numbers: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(numbers, ["0", "0"], "{core}");
}
