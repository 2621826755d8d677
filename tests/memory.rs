//! Keys in the memory of a real process: there while unlocked, gone once locked. The keys are derived here a second
//! time, from the documented formats alone.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::process::{Server, skipped};
use crate::support::{PASSPHRASE, World, caller};

type Key = Vec<u8>;

pub(crate) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat())
        .collect()
}

/// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag` under AES-256-GCM.
pub(crate) fn unwrapped(key: &[u8], aad: &[u8], sealed: &[u8]) -> Key {
    let cipher = Aes256Gcm::new_from_slice(key).unwrap();
    let nonce = Nonce::try_from(&sealed[2..14]).unwrap();
    cipher
        .decrypt(
            &nonce,
            Payload {
                msg: &sealed[14..],
                aad,
            },
        )
        .unwrap()
}

/// Every key of the vault by name, as somebody with the key store and the passphrase derives them.
fn all_keys(world: &World) -> Vec<(String, Key)> {
    let keys = Connection::open(&world.places.keys).unwrap();
    let origin: String = keys
        .query_row("SELECT origin FROM vault", [], |row| row.get(0))
        .unwrap();
    let sql = "SELECT salt, memory_kib, passes, lanes, wrapped_root FROM unlock";
    let (salt, memory, passes, lanes, wrapped): (Vec<u8>, u32, u32, u32, Vec<u8>) = keys
        .query_row(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    let params = argon2::Params::new(memory, passes, lanes, Some(32)).unwrap();
    let mut unlocking = vec![0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(PASSPHRASE.as_bytes(), &salt, &mut unlocking)
        .unwrap();
    let root = unwrapped(
        &unlocking,
        &joined(&[b"callervault/root-key/1", origin.as_bytes()]),
        &wrapped,
    );
    let mut found = vec![("unlocking".to_owned(), unlocking)];
    let mut statement = keys.prepare("SELECT role, version, wrapped FROM keyring").unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    for row in rows {
        let (role, version, wrapped): (String, u8, Vec<u8>) = row.unwrap();
        let aad = joined(&[b"callervault/keyring/1", origin.as_bytes(), role.as_bytes(), &[version]]);
        found.push((role, unwrapped(&root, &aad, &wrapped)));
    }
    let kek = found.iter().find(|(role, _)| role == "kek").unwrap().1.clone();
    let sql = "SELECT record_kind, record, generation, kek, wrapped FROM record_key";
    let mut statement = keys.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    for row in rows {
        let (kind, record, generation, version, wrapped): (String, Vec<u8>, u8, u8, Vec<u8>) = row.unwrap();
        let label = b"callervault/record-key/1";
        let aad = joined(&[
            label,
            origin.as_bytes(),
            kind.as_bytes(),
            &record,
            &[generation],
            &[version],
        ]);
        found.push((format!("record key of a {kind}"), unwrapped(&kek, &aad, &wrapped)));
    }
    found.push(("root".to_owned(), root));
    found
}

/// Read at a time, and looked through with the end of the piece before it.
const PIECE: usize = 1 << 20;
const PAGE: u64 = 4096;

/// Names of the keys that stand anywhere in the process's memory, and in which mapping; nothing where it may not be read.
fn in_memory(process: u32, keys: &[(String, Key)]) -> Option<BTreeSet<String>> {
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut found = BTreeSet::new();
    for map in maps
        .lines()
        .filter(|map| map.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r')))
    {
        let name = map.split_whitespace().nth(5).unwrap_or("anonymous");
        // The kernel's own pages cannot be read this way and hold nothing of the process.
        if name.starts_with("[v") {
            continue;
        }
        let (from, to) = map.split_once(' ')?.0.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        for (key, place) in keys.iter().zip(search(&memory, from..to, keys)) {
            if place {
                found.insert(format!("{} in {name}", key.0));
            }
        }
    }
    Some(found)
}

/// For each key whether it stands in that range. A page that cannot be read is passed over, never its neighbours.
fn search(memory: &File, range: std::ops::Range<u64>, keys: &[(String, Key)]) -> Vec<bool> {
    let mut there = vec![false; keys.len()];
    let mut bytes = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let kept = bytes.len().saturating_sub(64);
        bytes.drain(..kept);
        let before = bytes.len();
        let piece = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
        bytes.resize(before + piece, 0);
        if let Ok(read) = memory.read_at(&mut bytes[before..], at)
            && read > 0
        {
            bytes.truncate(before + read);
            at += read as u64;
        } else {
            bytes.clear();
            at += PAGE;
            continue;
        }
        for (there, (_, key)) in there.iter_mut().zip(keys) {
            *there = *there || memchr::memmem::find(&bytes, key).is_some();
        }
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_gone_after_locking() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    let server = Server::start(world.dir.path());
    let post = |who: &str, path: &str, body: &Value| server.post(&world, who, path, body).0;
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
    let reveal = || post("handler-c1", &format!("/v1/callers/{reference}/reveal"), &body);
    for _ in 0..50 {
        assert_eq!(reveal(), 200);
    }
    let keys = all_keys(&world);
    // Record keys lie in the server's memory for moments only. That the search would find one is shown on this process,
    // which holds them all.
    let here = in_memory(std::process::id(), &keys).expect("one's own memory");
    for (name, _) in &keys {
        let found = here.iter().any(|place| place.starts_with(&format!("{name} in")));
        assert!(found, "the search does not find {name}: {here:?}");
    }
    assert!(
        keys.iter()
            .filter(|(name, _)| name.starts_with("record key of a"))
            .count()
            >= 2
    );
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");

    let unlocked = in_memory(server.process.id(), &keys);
    assert_eq!(post("system-admin", "/v1/keys/lock", &json!({})), 200);
    assert_eq!(reveal(), 503);
    let locked = in_memory(server.process.id(), &keys);
    drop(server);
    let (Some(unlocked), Some(locked)) = (unlocked, locked) else {
        return skipped("keys_are_gone_after_locking: only root may read the memory of such a process");
    };
    assert!(
        unlocked.iter().any(|name| name.starts_with("root in")),
        "the search finds what is there: {unlocked:?}"
    );
    assert_eq!(locked, BTreeSet::new());
}
