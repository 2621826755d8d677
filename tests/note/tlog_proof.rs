//! Proof files: what is written is read back, anything else is refused, and the whole leads from a key to an entry.

use callervault::merkle::{Frontier, Hash, empty_root, leaf_hash, verify_inclusion};
use callervault::note::{Checkpoint, MAX_PROOF_BYTES, MAX_PROOF_HASHES, NoteError, Signer, TlogProof};
use proptest::prelude::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const ORIGIN: &str = "vault.example/audit/1";

fn signer() -> Result<Signer, NoteError> {
    Signer::from_seed(ORIGIN, &[7; 32])
}

/// The proof that `second` is in the log of `first`, `second`, `third`.
fn proof() -> Result<TlogProof, NoteError> {
    let mut frontier = Frontier::new();
    for entry in ["first", "second", "third"] {
        frontier.push(leaf_hash(entry.as_bytes()));
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 3,
        root: frontier.root(),
    };
    Ok(TlogProof {
        extra: None,
        index: 1,
        hashes: vec![leaf_hash(b"first"), leaf_hash(b"third")],
        checkpoint: signer()?.sign(&checkpoint.to_string()),
    })
}

/// The file as the standard describes it, put together by hand.
fn file() -> Result<String, NoteError> {
    let proof = proof()?;
    let hashes = format!("{}\n{}\n", proof.hashes[0], proof.hashes[1]);
    Ok(format!(
        "c2sp.org/tlog-proof@v1\nindex 1\n{hashes}\n{}",
        proof.checkpoint
    ))
}

#[test]
fn a_proof_leads_from_the_log_s_key_to_an_entry() -> TestResult {
    let read = TlogProof::parse(&file()?)?;
    let checkpoint = Checkpoint::parse(signer()?.verifier().verify(&read.checkpoint)?)?;
    let included = |entry: &[u8]| {
        verify_inclusion(
            read.index,
            checkpoint.size,
            &leaf_hash(entry),
            &read.hashes,
            &checkpoint.root,
        )
    };
    assert!(included(b"second").is_ok());
    assert!(included(b"first").is_err());
    Ok(())
}

#[test]
fn the_file_is_the_one_of_the_standard() -> TestResult {
    let proof = proof()?;
    assert_eq!(proof.to_string(), file()?);
    assert_eq!(TlogProof::parse(&file()?)?, proof);

    let extra = file()?.replacen("index 1\n", "extra AAECAw==\nindex 18446744073709551615\n", 1);
    let read = TlogProof::parse(&extra)?;
    assert_eq!(
        (read.extra.as_deref(), read.index),
        (Some([0, 1, 2, 3].as_slice()), u64::MAX)
    );
    assert_eq!(read.to_string(), extra);

    let alone = format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{}", proof.checkpoint);
    let read = TlogProof::parse(&alone)?;
    assert_eq!((read.index, read.hashes.len()), (0, 0));
    assert_eq!(read.checkpoint, proof.checkpoint);
    assert_eq!(read.to_string(), alone);
    Ok(())
}

#[test]
fn extra_data_of_no_bytes_is_none() -> TestResult {
    let empty = TlogProof {
        extra: Some(Vec::new()),
        ..proof()?
    };
    assert_eq!(empty.to_string(), file()?);
    let spelt = file()?.replacen("index", "extra \nindex", 1);
    assert_eq!(TlogProof::parse(&spelt), Err(NoteError::Proof));
    Ok(())
}

#[test]
fn any_other_file_is_refused() -> TestResult {
    let good = file()?;
    let change = |from: &str, to: &str| {
        assert!(good.contains(from), "{from:?}");
        good.replacen(from, to, 1)
    };
    let hash = leaf_hash(b"third").to_string();
    let others = [
        String::new(),
        "\n\n".to_owned(),
        change("c2sp.org/tlog-proof@v1\n", ""),
        change("tlog-proof@v1", "tlog-proof@v2"),
        change("c2sp", " c2sp"),
        change("c2sp", "\nc2sp"),
        change("@v1\n", "@v1\n\n"),
        change("@v1\n", "@v1\r\n"),
        change("index 1\n", ""),
        change("index 1\n", "index 1\n\n"),
        change("index 1\n", "index 1\nindex 1\n"),
        change("index 1", "index"),
        change("index 1", "index "),
        change("index 1", "index  1"),
        change("index 1", "index 1 "),
        change("index 1", "index 01"),
        change("index 1", "index +1"),
        change("index 1", "index -1"),
        change("index 1", "index 0x1"),
        change("index 1", "index 18446744073709551616"),
        change("index 1", "Index 1"),
        change("index", "extra\nindex"),
        change("index", "extra AAECAw\nindex"),
        change("index", "extra AAECAx==\nindex"),
        change("index", "extra  AAECAw==\nindex"),
        change("index", "extra AAECAw==\nextra AAECAw==\nindex"),
        change("index", "extra AQI=BA==\nindex"),
        change("index", "extra AA==\n\nindex"),
        change("index", "comment\nindex"),
        change("index 1", "index 1\nextra AAECAw=="),
        change(&hash, &hash[1..]),
        change(&hash, &hash[..43]),
        change(&hash, &format!("{hash} ")),
        change(&hash, &format!(" {hash}")),
        change(&hash, "AAAA"),
        change(&hash, &format!("{hash}{hash}")),
        change("\n\n", "\n"),
    ];
    for other in &others {
        assert!(TlogProof::parse(other).is_err(), "{other:?}");
    }
    Ok(())
}

/// Refused for the place where the checkpoint is missing, not for the rest.
#[test]
fn a_file_without_a_checkpoint_is_refused() -> TestResult {
    for checkpoint in [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name AAAA",
        "te\txt\n\n— name AAAA\n",
    ] {
        let other = format!("c2sp.org/tlog-proof@v1\nindex 1\n\n{checkpoint}");
        assert_eq!(TlogProof::parse(&other), Err(NoteError::Malformed), "{other:?}");
    }
    for text in ["text\n", "\n1\n2\n", "origin\n3\nAAAA\n"] {
        let other = format!("c2sp.org/tlog-proof@v1\nindex 1\n\n{}", signer()?.sign(text));
        assert_eq!(TlogProof::parse(&other), Err(NoteError::Checkpoint), "{other:?}");
    }
    Ok(())
}

#[test]
fn a_proof_is_bounded() -> TestResult {
    let of = |count| -> Result<_, NoteError> {
        let hashes = vec![empty_root(); count];
        TlogProof::parse(&TlogProof { hashes, ..proof()? }.to_string())
    };
    assert_eq!(of(MAX_PROOF_HASHES)?.hashes.len(), 64);
    assert_eq!(of(MAX_PROOF_HASHES + 1), Err(NoteError::ProofSize));

    let line = "— other.example AAAAAAA=\n";
    let room = MAX_PROOF_BYTES - file()?.len();
    let full = file()? + &line.repeat(room / line.len());
    assert!(TlogProof::parse(&full).is_ok());
    let over = full + line;
    assert!(over.len() > MAX_PROOF_BYTES);
    assert_eq!(TlogProof::parse(&over), Err(NoteError::ProofSize));
    Ok(())
}

#[test]
fn a_changed_byte_is_another_proof_or_none() -> TestResult {
    let good = TlogProof {
        extra: Some(vec![1, 2, 3, 4]),
        ..proof()?
    };
    let file = good.to_string();
    let (mut refused, mut other) = (0, 0);
    for place in 0..file.len() {
        for flip in 1..=255_u8 {
            let mut bytes = file.clone().into_bytes();
            bytes[place] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            match TlogProof::parse(&changed) {
                Ok(read) => {
                    assert_eq!(read.to_string(), changed, "byte {place} ^ {flip:#x}");
                    assert_ne!(read, good);
                    other += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1_000 && other > 1_000, "{refused} {other}");
    Ok(())
}

#[test]
fn a_cut_proof_never_verifies() -> TestResult {
    let file = file()?;
    for cut in (0..file.len()).filter(|&at| file.is_char_boundary(at)) {
        let read = TlogProof::parse(&file[..cut]);
        assert!(read.is_err(), "{cut}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read_back(
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 1..100)),
        index: u64,
        hashes in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..=64),
        size: u64,
        origin in "[^\\x00-\\x1f]{1,20}",
    ) {
        let checkpoint = Checkpoint { origin, size, root: empty_root() }.to_string();
        let proof = TlogProof { extra, index, hashes, checkpoint: signer()?.sign(&checkpoint) };
        prop_assert_eq!(TlogProof::parse(&proof.to_string())?, proof);
    }

    #[test]
    fn nothing_read_makes_it_fall_over(text in "\\PC{0,80}|c2sp.org/tlog-proof@v1\n[\n— =A-Za-z0-9+]{0,80}") {
        if let Ok(read) = TlogProof::parse(&text) {
            prop_assert_eq!(read.to_string(), text);
        }
    }
}
