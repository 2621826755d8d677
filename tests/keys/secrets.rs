//! Every secret of a vault by name, as somebody with the key store and the passphrase derives it from the documented formats
//! alone, and what ciphers and codes make of it on their way.

use std::collections::BTreeSet;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use ring::{digest, hkdf};

use crate::keys::secrets_sm as sm;
use crate::support::rows::Store;
use crate::support::{PASSPHRASE, World};

type Key = Vec<u8>;

/// Something that must not be found in memory.
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// A key that an unlocked vault keeps, on locked pages. Everything else is there for moments.
    pub(crate) kept: bool,
}

/// A key by name, and what it is used for.
struct Named {
    name: String,
    key: Key,
    kept: bool,
    used: Use,
    suite: u8,
}

/// The first byte of what is sealed in the second suite.
const SM: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Cipher,
    Code,
    Signature,
}

pub(crate) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat())
        .collect()
}

/// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag`.
pub(crate) fn unwrapped(key: &[u8], aad: &[u8], sealed: &[u8]) -> Key {
    if sealed[0] == SM {
        return sm::unwrapped(key, aad, sealed);
    }
    let cipher = Aes256Gcm::new_from_slice(key).unwrap();
    let nonce = Nonce::try_from(&sealed[2..14]).unwrap();
    let msg = &sealed[14..];
    cipher.decrypt(&nonce, Payload { msg, aad }).unwrap()
}

/// Every secret of the vault.
pub(crate) fn secrets(world: &World) -> Vec<Secret> {
    let keys = world.keys();
    let data = world.data();
    let mut named = keyring(&keys);
    named.extend(record_keys(&keys, &of(&named, "kek")));
    named.extend(subkeys(&data, &origin(&keys), &named));
    let mut secrets = vec![Secret {
        name: "the passphrase".to_owned(),
        bytes: PASSPHRASE.as_bytes().to_vec(),
        kept: false,
    }];
    for named in named {
        secrets.extend(traces(&named));
        secrets.push(Secret {
            name: named.name,
            bytes: named.key,
            kept: named.kept,
        });
    }
    secrets
}

fn of(named: &[Named], name: &str) -> Key {
    named.iter().find(|named| named.name == name).unwrap().key.clone()
}

pub(crate) fn origin(keys: &Store) -> String {
    keys.rows("vault").first("origin")
}

/// The unlocking key and the root key.
pub(crate) fn root(keys: &Store, origin: &str) -> (Key, Key) {
    let ways = keys.rows("unlock");
    let mut ways = ways.read(["salt", "memory_kib", "passes", "lanes", "wrapped_root"]);
    let (salt, memory, passes, lanes, wrapped): (Vec<u8>, u32, u32, u32, Vec<u8>) = ways.remove(0);
    let params = argon2::Params::new(memory, passes, lanes, Some(32)).unwrap();
    let mut unlocking = vec![0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(PASSPHRASE.as_bytes(), &salt, &mut unlocking)
        .unwrap();
    let aad = joined(&[b"callervault/root-key/1", origin.as_bytes()]);
    let root = unwrapped(&unlocking, &aad, &wrapped);
    (unlocking, root)
}

/// The unlocking key, the root key and the keyring.
fn keyring(keys: &Store) -> Vec<Named> {
    let origin = origin(keys);
    let (unlocking, root) = root(keys, &origin);
    let key = |(role, version, wrapped): (String, u8, Vec<u8>)| {
        let aad = joined(&[b"callervault/keyring/1", origin.as_bytes(), role.as_bytes(), &[version]]);
        Named {
            key: unwrapped(&root, &aad, &wrapped),
            kept: true,
            suite: wrapped[0],
            used: match role.as_str() {
                "kek" => Use::Cipher,
                "log" => Use::Signature,
                _ => Use::Code,
            },
            name: role,
        }
    };
    let rows = keys.rows("keyring").read(["role", "version", "wrapped"]);
    let mut named: Vec<Named> = rows.into_iter().map(key).collect();
    // The passphrase's key is of the first suite in every vault; the root key wraps each key in that key's.
    let suite = named[0].suite;
    for (name, key, kept, suite) in [("unlocking", unlocking, false, 1), ("root", root, true, suite)] {
        named.push(Named {
            name: name.to_owned(),
            key,
            kept,
            used: Use::Cipher,
            suite,
        });
    }
    named
}

fn record_keys(keys: &Store, kek: &[u8]) -> Vec<Named> {
    let origin = origin(keys);
    let key = |(kind, record, generation, version, wrapped): (String, Vec<u8>, u8, u8, Vec<u8>)| {
        let label = b"callervault/record-key/1";
        let parts = [
            label,
            origin.as_bytes(),
            kind.as_bytes(),
            &record,
            &[generation],
            &[version],
        ];
        Named {
            name: format!("record key of a {kind}"),
            key: unwrapped(kek, &joined(&parts), &wrapped),
            kept: false,
            used: Use::Cipher,
            suite: wrapped[0],
        }
    };
    let columns = ["record_kind", "record", "generation", "kek", "wrapped"];
    keys.rows("record_key").read(columns).into_iter().map(key).collect()
}

/// The subkeys of codes, indexes and references, and those that seal ids and remembered answers.
fn subkeys(data: &Store, origin: &str, named: &[Named]) -> Vec<Named> {
    let (index, row, reference) = (of(named, "index"), of(named, "row"), of(named, "reference"));
    let suite = named[0].suite;
    let mut subkeys = Vec::new();
    let mut cut = |name: &str, key: &[u8], used, label: &[&[u8]]| {
        subkeys.push(Named {
            name: format!("subkey {name}"),
            key: match suite {
                SM => sm::expanded(key, &joined(label)),
                _ => expanded(key, &joined(label)),
            },
            kept: false,
            used,
            suite,
        });
    };
    let indexes: Vec<String> = data.rows("blind_index").column("idx");
    for name in BTreeSet::from_iter(indexes) {
        let label = [b"callervault/blind-index/1", name.as_bytes()];
        cut(&format!("of index {name}"), &index, Use::Code, &label);
    }
    for table in [
        "api_token",
        "blind_index",
        "caller",
        "custody",
        "department",
        "principal",
        "ticket",
    ] {
        cut(
            &format!("of rows {table}"),
            &row,
            Use::Code,
            &[b"callervault/row/1", table.as_bytes()],
        );
    }
    cut("of replay keys", &row, Use::Code, &[b"callervault/replay-key/1", b""]);
    cut("of requests", &row, Use::Code, &[b"callervault/request/1", b""]);
    cut("of answers", &row, Use::Cipher, &[b"callervault/replay-answer/1"]);
    cut("of the map", &reference, Use::Cipher, &[b"callervault/reference-map/1"]);
    for (department, kind) in ["00", "C1", "H0"]
        .iter()
        .flat_map(|code| [(code, "caller"), (code, "ticket")])
    {
        let (origin, department, kind) = (origin.as_bytes(), department.as_bytes(), kind.as_bytes());
        let name = format!("{} {}", department.escape_ascii(), kind.escape_ascii());
        let label = [&b"callervault/reference/1"[..], origin, department, kind, &[1]];
        cut(&format!("of references {name}"), &reference, Use::Code, &label);
        let label = [&b"callervault/reference-code/1"[..], origin, department, kind];
        cut(&format!("of codes of references {name}"), &reference, Use::Code, &label);
    }
    subkeys
}

/// HKDF-Expand (RFC 5869 §2.3) to 32 bytes.
fn expanded(key: &[u8], info: &[u8]) -> Key {
    struct Bytes;
    impl hkdf::KeyType for Bytes {
        fn len(&self) -> usize {
            32
        }
    }
    let mut out = vec![0; 32];
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key);
    prk.expand(&[info], Bytes).unwrap().fill(&mut out).unwrap();
    out
}

/// What work with a key leaves where it is not wiped, each as good as the key or half of it.
fn traces(named: &Named) -> Vec<Secret> {
    let key = &named.key;
    let mut traces: Vec<(&str, Key)> = vec![("first half", key[..16].to_vec()), ("second half", key[16..].to_vec())];
    match named.used {
        Use::Cipher if named.suite == SM => {
            traces.extend(sm::traces(key));
            // The cipher's key is derived with a code.
            traces.extend(pads(key));
        }
        Use::Cipher => {
            let rounds = round_keys(key);
            traces.push(("third round key", rounds[2].to_vec()));
            traces.push(("last round key", rounds[14].to_vec()));
        }
        Use::Code => traces.extend(pads(key)),
        // RFC 8032 §5.1.5: the scalar's first and last byte are changed, and what is between is not.
        Use::Signature => {
            let expanded = digest::digest(&digest::SHA512, key);
            traces.push(("scalar", expanded.as_ref()[1..31].to_vec()));
            traces.push(("prefix", expanded.as_ref()[32..].to_vec()));
        }
    }
    let trace = |(what, bytes): (&str, Key)| Secret {
        name: format!("{}, {what}", named.name),
        bytes,
        // A key that is kept holds its halves.
        kept: named.kept && what.ends_with("half"),
    };
    traces.into_iter().map(trace).collect()
}

/// What a code makes of its key (RFC 2104 §2).
fn pads(key: &[u8]) -> [(&'static str, Key); 2] {
    let with = |pad: u8| key.iter().map(|byte| byte ^ pad).collect();
    [("inner pad", with(0x36)), ("outer pad", with(0x5c))]
}

/// The round keys of AES-256 (FIPS 197 §5.2).
fn round_keys(key: &[u8]) -> Vec<[u8; 16]> {
    let mut words: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
    let mut constant = 1;
    for at in 8..60 {
        let mut word = words[at - 1];
        if at % 8 == 0 {
            word = [word[1], word[2], word[3], word[0]].map(substituted);
            word[0] ^= constant;
            constant = times(constant, 2);
        } else if at % 8 == 4 {
            word = word.map(substituted);
        }
        words.push(std::array::from_fn(|byte| words[at - 8][byte] ^ word[byte]));
    }
    words
        .chunks(4)
        .map(|round| round.concat().try_into().unwrap())
        .collect()
}

/// The S-box (FIPS 197 §5.1.1): the inverse, which is the 254th power, and an affine map.
fn substituted(byte: u8) -> u8 {
    let inverse = (0..254).fold(1, |power, _| times(power, byte));
    (0..5).fold(0x63, |sum, turn| sum ^ inverse.rotate_left(turn))
}

/// Multiplication in GF(2⁸) (FIPS 197 §4.2).
fn times(left: u8, right: u8) -> u8 {
    let (mut product, mut left) = (0, left);
    for bit in 0..8 {
        if right >> bit & 1 == 1 {
            product ^= left;
        }
        left = left << 1 ^ if left >> 7 == 1 { 0x1b } else { 0 };
    }
    product
}

/// FIPS 197, appendix A.3.
#[test]
fn the_round_keys_are_those_of_the_standard() {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let rounds = round_keys(&hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"));
    assert_eq!(rounds[2].to_vec(), hex("9ba354118e6925afa51a8b5f2067fcde"));
    assert_eq!(rounds[14].to_vec(), hex("fe4890d1e6188d0b046df344706c631e"));
}
