//! What an attacker with the passphrase and the whole memory of a serving process finds once it is locked.
//!
//! The derivation is written here a second time, from its description, with no code of the vault.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::crash::{DemoVault, call_from};

const NUMBER: &str = "19899990001";
const CHUNK: usize = 1024 * 1024;
/// The longest needle, so that none hides between two chunks.
const OVERLAP: usize = 64;

/// Needles by what they are.
type Secrets = Vec<(String, Vec<u8>)>;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

/// `suite(1) ‖ generation(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`.
fn unwrap(key: &[u8], aad: &[u8], wrapped: &[u8]) -> Vec<u8> {
    let (nonce, msg) = wrapped[2..].split_at(12);
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::try_from(key).unwrap());
    let nonce = Nonce::try_from(nonce).unwrap();
    cipher.decrypt(&nonce, Payload { msg, aad }).unwrap()
}

/// Every key of the vault, from its key store and the passphrase.
fn derive(key_store: &Path, passphrase: &str) -> Secrets {
    let store = Connection::open_with_flags(key_store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let origin: String = store
        .query_row("SELECT origin FROM vault", [], |row| row.get(0))
        .unwrap();
    let sql = "SELECT salt, memory_kib, passes, lanes, wrapped_root FROM unlock";
    let (salt, memory, passes, lanes, wrapped): (Vec<u8>, u32, u32, u32, Vec<u8>) = store
        .query_row(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    let mut unlocking = vec![0; 32];
    let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &salt, &mut unlocking)
        .unwrap();
    let root = unwrap(
        &unlocking,
        &join(&[b"callervault/root-key/1", origin.as_bytes()]),
        &wrapped,
    );

    let mut secrets = vec![
        ("passphrase".to_owned(), passphrase.as_bytes().to_vec()),
        ("unlocking key".to_owned(), unlocking),
    ];
    let mut keyring = store.prepare("SELECT role, version, wrapped FROM keyring").unwrap();
    let rows = keyring.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let mut kek = Vec::new();
    for row in rows.unwrap() {
        let (role, version, wrapped): (String, u8, Vec<u8>) = row.unwrap();
        let aad = join(&[
            b"callervault/keyring/1",
            origin.as_bytes(),
            role.as_bytes(),
            &[version],
        ]);
        let key = unwrap(&root, &aad, &wrapped);
        if role == "kek" {
            kek.clone_from(&key);
        }
        if role == "log" {
            // RFC 8032 §5.1.5: what signing makes of the seed.
            let expanded = ring::digest::digest(&ring::digest::SHA512, &key);
            let (scalar, prefix) = expanded.as_ref().split_at(32);
            let mut clamped = scalar.to_vec();
            clamped[0] &= 248;
            clamped[31] = (clamped[31] & 127) | 64;
            secrets.push(("log signing scalar, unclamped".to_owned(), scalar.to_vec()));
            secrets.push(("log signing scalar".to_owned(), clamped));
            secrets.push(("log signing prefix".to_owned(), prefix.to_vec()));
        }
        secrets.push((role, key));
    }
    secrets.push(("root".to_owned(), root));

    let sql = "SELECT record_kind, record, kek, generation, wrapped FROM record_key";
    let mut records = store.prepare(sql).unwrap();
    let rows = records.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    });
    for (at, row) in rows.unwrap().enumerate() {
        let (kind, record, version, generation, wrapped): (String, Vec<u8>, u8, u8, Vec<u8>) = row.unwrap();
        let aad = join(&[
            b"callervault/record-key/1",
            origin.as_bytes(),
            kind.as_bytes(),
            &record,
            &[generation],
            &[version],
        ]);
        secrets.push((format!("{kind} record key {at}"), unwrap(&kek, &aad, &wrapped)));
    }
    secrets
}

/// The mappings each secret lies in.
fn scan(pid: u32, secrets: &Secrets) -> std::io::Result<Vec<(String, String)>> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    // Two bytes tell nearly every place where no secret starts.
    let mut starts: HashMap<[u8; 2], Vec<&(String, Vec<u8>)>> = HashMap::new();
    let mut likely = vec![false; 1 << 16];
    for secret in secrets {
        let start = [secret.1[0], secret.1[1]];
        starts.entry(start).or_default().push(secret);
        likely[usize::from(u16::from_be_bytes(start))] = true;
    }
    let mut found = Vec::new();
    let mut scanned = 0;
    for line in maps.lines().filter(|line| !line.contains("[vvar") && !line.contains("[vsyscall]")) {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with('r') {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut bytes = vec![0; CHUNK + OVERLAP];
        while at < to {
            let want = usize::try_from(to - at).unwrap().min(bytes.len());
            // A mapping may be gone by now, and the end of a file's mapping may hold nothing.
            let Ok(got) = memory.read_at(&mut bytes[..want], at) else {
                break;
            };
            if got == 0 {
                break;
            }
            scanned += got;
            let bytes = &bytes[..got];
            for (offset, pair) in bytes.windows(2).enumerate() {
                let start = [pair[0], pair[1]];
                if likely[usize::from(u16::from_be_bytes(start))] {
                    let here = starts[&start].iter().filter(|secret| bytes[offset..].starts_with(&secret.1));
                    found.extend(here.map(|secret| (secret.0.clone(), format!("{line} +{:x}", at + offset as u64))));
                }
            }
            at += got.min(CHUNK) as u64;
        }
    }
    assert!(scanned > CHUNK, "a process has more memory than that");
    Ok(found)
}

#[test]
fn keys_are_gone_after_locking() {
    let vault = DemoVault::make();
    let passphrase = std::fs::read_to_string(vault.dir.join("passphrase")).unwrap();
    let server = vault.serve();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let core: Vec<&str> = core.split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"], "no core dumps");

    let held = server.ticket_at_c1(NUMBER);
    for form in ["clear", "masked"].repeat(20) {
        let mut ask = held.ask.clone();
        ask["form"] = json!(form);
        assert_eq!(server.post("handler-c1", &held.path, &ask).status, 200);
    }
    for number in 0..20 {
        let call = call_from(&format!("198800000{number:02}"));
        assert_eq!(server.post("agent", "/v1/intake", &call).status, 201);
    }

    let secrets = derive(&vault.dir.join("keys").join("keystore.db"), passphrase.trim_end());
    assert!(secrets.len() > 400, "a key for each caller and ticket");
    let unlocked = match scan(server.pid(), &secrets) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            eprintln!("SKIPPED: reading another process's memory takes root; key wiping is NOT checked in this run");
            return;
        }
        found => found.unwrap(),
    };
    for key in ["root", "kek", "index", "reference", "log"] {
        assert!(
            unlocked.iter().any(|(name, _)| name == key),
            "the search finds {key} while unlocked"
        );
    }

    let locked = server.post("system-admin", "/v1/keys/lock", &json!({}));
    assert_eq!(locked.status, 200, "{}", locked.body);
    let left = scan(server.pid(), &secrets).unwrap();
    assert!(left.is_empty(), "left after locking:\n{left:#?}\nbefore:\n{unlocked:#?}");

    assert_eq!(server.get("system-admin", "/readyz").status, 503);
    assert_eq!(server.post("handler-c1", &held.path, &held.ask).status, 503);
    assert!(scan(server.pid(), &secrets).unwrap().is_empty(), "nor does asking bring a key back");
}
