//! Keys in the memory of a real process: there while unlocked, gone once locked. The keys are derived here a second
//! time, from the documented formats alone.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Command, Stdio};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, caller};

type Key = Vec<u8>;

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat())
        .collect()
}

/// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag` under AES-256-GCM.
fn unwrapped(key: &[u8], aad: &[u8], sealed: &[u8]) -> Key {
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

/// Names of the keys that stand anywhere in the process's memory, and in which mapping.
fn in_memory(process: u32, keys: &[(String, Key)]) -> Option<Vec<String>> {
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut found = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split_once(' ')?.0.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        memory.seek(SeekFrom::Start(from)).ok()?;
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for (name, key) in keys {
            if bytes.windows(key.len()).any(|window| window == key) {
                found.push(format!(
                    "{name} in {}",
                    map.split_whitespace().last().unwrap_or_default()
                ));
            }
        }
    }
    Some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_gone_after_locking() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    let passphrase = world.dir.path().join("passphrase");
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    std::fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .args(["serve", "--listen", "127.0.0.1:0", "--dir"])
        .arg(world.dir.path())
        .arg("--passphrase-file")
        .arg(&passphrase)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
        line.pointer("/fields/address")
            .and_then(Value::as_str)
            .map(str::to_owned)
    });
    let base = format!("http://{}", address.expect("the server starts"));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |who: &str, path: &str, body: &Value| {
        let request = agent.post(format!("{base}{path}"));
        let answer = request
            .header("authorization", format!("Bearer {}", world.token(who)))
            .send_json(body);
        answer.unwrap().status().as_u16()
    };
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
    let reveal = || post("handler-c1", &format!("/v1/callers/{reference}/reveal"), &body);
    for _ in 0..50 {
        assert_eq!(reveal(), 200);
    }
    let keys = all_keys(&world);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");

    let unlocked = in_memory(process.id(), &keys);
    assert_eq!(post("system-admin", "/v1/keys/lock", &json!({})), 200);
    assert_eq!(reveal(), 503);
    let locked = in_memory(process.id(), &keys);
    process.kill().unwrap();
    process.wait().unwrap();
    let (Some(unlocked), Some(locked)) = (unlocked, locked) else {
        use std::io::Write;
        writeln!(
            std::io::stderr(),
            "SKIPPED: only root may read the memory of a process that is not dumpable"
        )
        .unwrap();
        return;
    };
    assert!(
        unlocked.iter().any(|name| name.starts_with("root in")),
        "the search finds what is there: {unlocked:?}"
    );
    assert_eq!(locked, Vec::<String>::new());
}
