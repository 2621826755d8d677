//! Proofs that others have published, right ones and wrong ones.

use std::io::Write as _;
use std::path::Path;

use callervault::merkle::{BadProof, Hash, leaf_hash, root_from_inclusion, verify_consistency, verify_inclusion};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

use crate::merkle::proofs::of_other_length;
use crate::merkle::tree::{ENTRIES, ROOTS};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn from_hex(hex: &[&str]) -> Result<Vec<Hash>, Box<dyn std::error::Error>> {
    let decode = |hex: &&str| Ok(Hash::try_from(HEXLOWER.decode(hex.as_bytes())?.as_slice())?);
    hex.iter().map(decode).collect()
}

/// Nodes of the tree over Certificate Transparency's eight entries, by the leaves they span.
const LEAF_0: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const LEAF_6: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const LEAVES_0_1: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
const LEAVES_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const LEAVES_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const LEAVES_4_6: &str = "837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e";
const LEAVES_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const LEAVES_0_3: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const LEAVES_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

#[test]
fn known_inclusion_proofs_hold() -> TestResult {
    let known: [(u64, u64, &[&str]); 6] = [
        (0, 1, &[]),
        (0, 8, &[LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (5, 8, &[LEAF_4, LEAVES_6_7, LEAVES_0_3]),
        (2, 3, &[LEAVES_0_1]),
        (1, 5, &[LEAF_0, LEAVES_2_3, LEAF_4]),
        (6, 7, &[LEAVES_4_5, LEAVES_0_3]),
    ];
    for (index, size, proof) in known {
        let place = format!("{index} of {size}");
        let leaf = leaf_hash(&HEXLOWER.decode(ENTRIES[usize::try_from(index)?].as_bytes())?);
        let root = from_hex(&[ROOTS[usize::try_from(size)?]])?[0];
        let proof = from_hex(proof)?;
        assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()), "{place}");
        assert_eq!(root_from_inclusion(index, size, &leaf, &proof), Ok(root), "{place}");
        for other in of_other_length(&proof) {
            assert_eq!(
                verify_inclusion(index, size, &leaf, &other, &root),
                Err(BadProof::Length),
                "{place}"
            );
        }
        assert_eq!(
            verify_inclusion(index, size, &root, &proof, &leaf).is_ok(),
            size == 1,
            "{place}"
        );
    }
    Ok(())
}

#[test]
fn known_consistency_proofs_hold() -> TestResult {
    let known: [(u64, u64, &[&str]); 6] = [
        (1, 1, &[]),
        (1, 8, &[LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (6, 8, &[LEAVES_4_5, LEAVES_6_7, LEAVES_0_3]),
        (2, 5, &[LEAVES_2_3, LEAF_4]),
        (6, 7, &[LEAVES_4_5, LEAF_6, LEAVES_0_3]),
        (4, 7, &[LEAVES_4_6]),
    ];
    for (old, new, proof) in known {
        let place = format!("{old} to {new}");
        let roots = from_hex(&[ROOTS[usize::try_from(old)?], ROOTS[usize::try_from(new)?]])?;
        let proof = from_hex(proof)?;
        assert_eq!(
            verify_consistency(old, new, &proof, &roots[0], &roots[1]),
            Ok(()),
            "{place}"
        );
        for other in of_other_length(&proof) {
            let refused = verify_consistency(old, new, &other, &roots[0], &roots[1]);
            assert_eq!(refused, Err(BadProof::Length), "{place}");
        }
        let swapped = verify_consistency(old, new, &proof, &roots[1], &roots[0]);
        assert_eq!(swapped.is_ok(), old == new, "{place}");
    }
    Ok(())
}

/// The cases of a file of vectors, if it is there.
fn vectors(file: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        // Not `eprintln!`, which is silent in a test that passes.
        writeln!(std::io::stderr(), "SKIPPED: no vectors at {}", path.display()).expect("stderr");
        return None;
    };
    let cases = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    Some(cases.collect())
}

/// A vector's hash. Some cases have a few words where it does not matter which hash it is; `None` for nothing at all,
/// which no [`Hash`] can be.
fn vector_hash(value: &Value) -> Option<Hash> {
    let bytes = BASE64.decode(value.as_str()?.as_bytes()).expect("base64");
    let mut padded = [0; 32];
    padded.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    (!bytes.is_empty()).then(|| Hash::from_bytes(padded))
}

fn vector_proof(value: &Value) -> Option<Vec<Hash>> {
    match value {
        Value::Null => Some(Vec::new()),
        hashes => hashes.as_array()?.iter().map(vector_hash).collect(),
    }
}

/// Counts the cases that were verified, and checks that each came out as it should.
fn judge(cases: &[Value], verify: impl Fn(&Value) -> Option<Result<(), BadProof>>) {
    let (mut held, mut refused) = (0, 0);
    for case in cases {
        let expected = case["wantErr"].as_bool().expect("wantErr");
        let outcome = verify(case);
        assert_eq!(!matches!(outcome, Some(Ok(()))), expected, "{case}: {outcome:?}");
        match outcome {
            Some(Ok(())) => held += 1,
            Some(Err(_)) => refused += 1,
            None => {}
        }
    }
    assert!(
        held >= 6 && refused >= 70,
        "{held} held, {refused} refused of {}",
        cases.len()
    );
}

#[test]
fn published_inclusion_vectors_come_out_as_they_should() {
    let Some(cases) = vectors("merkle-inclusion.jsonl") else {
        return;
    };
    judge(&cases, |case| {
        let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
        let (leaf, root) = (vector_hash(&case["leafHash"])?, vector_hash(&case["root"])?);
        Some(verify_inclusion(
            index,
            size,
            &leaf,
            &vector_proof(&case["proof"])?,
            &root,
        ))
    });
}

#[test]
fn published_consistency_vectors_come_out_as_they_should() {
    let Some(cases) = vectors("merkle-consistency.jsonl") else {
        return;
    };
    judge(&cases, |case| {
        let (old, new) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
        let (old_root, new_root) = (vector_hash(&case["root1"])?, vector_hash(&case["root2"])?);
        Some(verify_consistency(
            old,
            new,
            &vector_proof(&case["proof"])?,
            &old_root,
            &new_root,
        ))
    });
}
