//! Signed notes and checkpoints against the standard's examples and an independent implementation.

use callervault::merkle::{Frontier, empty_root, leaf_hash};
use callervault::note::{Checkpoint, MAX_SIGNATURES, NoteError, Signer, Verifier};
use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The example of signed-note.md, v1.0.0.
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The example of Go's `golang.org/x/mod/sumdb/note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const GO_SIGNATURE: &str = "— PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// Ed25519 seed of 32 times 0x07.
const VAULT: &str = "vault.example/audit/1";
const VAULT_KEY: &str = "vault.example/audit/1+442f169d+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";

fn vault() -> Result<Signer, NoteError> {
    Signer::from_seed(VAULT, &[7; 32])
}

fn checkpoint() -> Checkpoint {
    let mut frontier = Frontier::new();
    frontier.push(leaf_hash(b"first"));
    frontier.push(leaf_hash(b"second"));
    Checkpoint {
        origin: VAULT.to_owned(),
        size: frontier.size(),
        root: frontier.root(),
    }
}

/// The signature lines of a note with one paragraph of text.
fn lines(note: &str) -> &str {
    note.rsplit_once("\n\n").map_or("", |(_, lines)| lines)
}

#[test]
fn the_examples_of_the_standard_and_of_go_verify() -> TestResult {
    let example: Verifier = EXAMPLE_KEY.parse()?;
    assert_eq!(example.verify(EXAMPLE)?, "This is an example message.\n");
    assert_eq!(example.to_string(), EXAMPLE_KEY);
    assert_eq!(example.name(), "example.com/foo");

    let go: Verifier = GO_KEY.parse()?;
    assert_eq!(go.verify(&format!("{GO_TEXT}\n{GO_SIGNATURE}"))?, GO_TEXT);
    assert_eq!(go.to_string(), GO_KEY);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_key_and_bytes() -> TestResult {
    assert_eq!(vault()?.verifier().to_string(), VAULT_KEY);
    assert_eq!(vault()?.name(), VAULT);
    let seed = BASE64.decode(GO_SEED.as_bytes())?;
    let go = Signer::from_seed("PeterNeumann", seed[1..].try_into()?)?;
    assert_eq!(go.verifier().to_string(), GO_KEY);
    assert_eq!(go.sign(GO_TEXT), format!("{GO_TEXT}\n{GO_SIGNATURE}"));
    Ok(())
}

#[test]
fn text_may_hold_empty_lines_and_unicode() -> TestResult {
    for text in ["\n", "a\n\nb\n", "a\n\n", "\n\na\n", "热线\n", "— not a signature\n"] {
        assert_eq!(vault()?.verifier().verify(&vault()?.sign(text))?, text);
    }
    Ok(())
}

#[test]
fn a_note_of_a_malformed_text_is_accepted_by_nobody() -> TestResult {
    for text in [
        "",
        "no newline",
        "a\n\nno newline",
        "a tab\t\n",
        "a return\r\n",
        "a null\0\n",
    ] {
        assert_eq!(
            vault()?.verifier().verify(&vault()?.sign(text)),
            Err(NoteError::Malformed),
            "{text:?}"
        );
    }
    Ok(())
}

#[test]
fn unknown_keys_are_ignored_even_with_the_same_name_or_id() -> TestResult {
    let known = vault()?;
    let text = checkpoint().to_string();
    let note = known.sign(&text);
    let namesake = Signer::from_seed(VAULT, &[8; 32])?.sign(&text);
    let same_id = lines(&note).replace(VAULT, "else.example");
    let verifier = known.verifier();
    assert_eq!(verifier.verify(&format!("{note}{}{same_id}", lines(&namesake)))?, text);
    assert_eq!(verifier.verify(&format!("{namesake}{}", lines(&note)))?, text);
    assert_eq!(verifier.verify(&namesake), Err(NoteError::UnknownKey));
    let strangers = format!("{namesake}{same_id}");
    assert_eq!(verifier.verify(&strangers), Err(NoteError::UnknownKey));
    Ok(())
}

#[test]
fn a_failing_signature_by_the_known_key_spoils_a_good_one() -> TestResult {
    let known = vault()?;
    let verifier = known.verifier();
    let note = known.sign("one\n");
    let other = known.sign("two\n");
    let (good, failing) = (lines(&note), lines(&other));
    for order in [[good, failing], [failing, good], [failing, failing]] {
        let both = format!("one\n\n{}", order.concat());
        assert_eq!(verifier.verify(&both), Err(NoteError::Signature), "{both}");
    }
    // The same good signature twice is no harm.
    assert_eq!(verifier.verify(&format!("{note}{good}"))?, "one\n");
    // Nor is a signature of the wrong length ever taken for good.
    let id = HEXLOWER.decode(b"442f169d")?;
    for length in [1, 63, 65, 2420] {
        let line = BASE64.encode(&[id.as_slice(), &vec![0; length]].concat());
        let short = format!("one\n\n— {VAULT} {line}\n");
        assert_eq!(verifier.verify(&short), Err(NoteError::Signature), "{length}");
    }
    Ok(())
}

#[test]
fn many_signatures_are_accepted_up_to_the_limit() -> TestResult {
    let known = vault()?;
    let text = checkpoint().to_string();
    let other = Signer::from_seed("witness.example/w", &[9; 32])?.sign(&text);
    for (others, accepted) in [(15, true), (MAX_SIGNATURES - 1, true), (MAX_SIGNATURES, false)] {
        let note = format!("{text}\n{}{}", lines(&other).repeat(others), lines(&known.sign(&text)));
        let expected = accepted.then_some(text.as_str()).ok_or(NoteError::TooManySignatures);
        assert_eq!(known.verifier().verify(&note), expected, "{others}");
    }
    Ok(())
}

#[test]
fn malformed_notes_are_refused() -> TestResult {
    let verifier: Verifier = EXAMPLE_KEY.parse()?;
    let signature = lines(EXAMPLE);
    let malformed = [
        String::new(),
        "\n\n".to_owned(),
        "text\n\n".to_owned(),
        "text\n".to_owned(),
        EXAMPLE.trim_end().to_owned(),
        EXAMPLE.replace("\n\n", "\n"),
        EXAMPLE.replace('—', "-"),
        EXAMPLE.replace("— ", "—"),
        EXAMPLE.replace("foo ", "foo  "),
        EXAMPLE.replace("example.com/foo", ""),
        EXAMPLE.replace("example.com/foo", "a+b"),
        EXAMPLE.replace("example.com/foo", "a\u{3000}b"),
        EXAMPLE.replace("aQM=", "aQM"),
        EXAMPLE.replace("aQM=", "aQN="),
        EXAMPLE.replace("Uw2QOkn8", "Uw2QOg==kn8A"),
        EXAMPLE.replace('\n', "\r\n"),
        format!("{EXAMPLE}\n"),
        format!("{EXAMPLE}junk\n"),
        format!("{EXAMPLE}\n{signature} "),
        format!("{EXAMPLE}— else.example Uw2QOg==\n"),
    ];
    for note in &malformed {
        assert_eq!(verifier.verify(note), Err(NoteError::Malformed), "{note:?}");
    }
    Ok(())
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() -> TestResult {
    let known = vault()?;
    let text = checkpoint().to_string();
    let alone = known.sign(&text);
    let other = Signer::from_seed("witness.example/w", &[9; 32])?.sign(&text);
    let beside = alone.clone() + lines(&other);
    let mut harmless = 0;
    for place in 0..beside.len() {
        for flip in 1..=255_u8 {
            let mut bytes = beside.clone().into_bytes();
            bytes[place] ^= flip;
            let accepted = std::str::from_utf8(&bytes)
                .ok()
                .and_then(|note| known.verifier().verify(note).ok());
            if let Some(signed) = accepted {
                // Only the line of the other key is free to change, and never what is signed.
                assert!(place >= alone.len() && signed == text, "byte {place} ^ {flip:#x}");
                harmless += 1;
            }
        }
    }
    assert!(harmless > 0);
    Ok(())
}

#[test]
fn a_cut_or_longer_note_never_changes_the_text() -> TestResult {
    let known = vault()?;
    let text = checkpoint().to_string();
    let note = known.sign(&text);
    for cut in (0..note.len()).filter(|&at| note.is_char_boundary(at)) {
        assert!(known.verifier().verify(&note[..cut]).is_err(), "{cut}");
        assert!(cut == 0 || known.verifier().verify(&note[cut..]).is_err(), "{cut}");
        for inserted in ["\n", " ", "0", "\n\n"] {
            let longer = format!("{}{inserted}{}", &note[..cut], &note[cut..]);
            assert!(known.verifier().verify(&longer).is_err(), "{cut} {inserted:?}");
        }
    }
    Ok(())
}

#[test]
fn bad_names_and_keys_are_refused() {
    for name in ["", " ", "a b", "a+b", "a\u{3000}b", "a\n", "a\0"] {
        let refused = Signer::from_seed(name, &[7; 32]).err();
        assert_eq!(refused, Some(NoteError::Name), "{name:?}");
        assert!(VAULT_KEY.replace(VAULT, name).parse::<Verifier>().is_err(), "{name:?}");
    }
    let bad = [
        "",
        VAULT,
        "vault.example/audit/1+442f169d",
        "vault.example/audit/2+442f169d+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
        "vault.example/audit/1+442f169e+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
        "vault.example/audit/1+442F169D+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
        "vault.example/audit/1+442f169d+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtI=",
        "vault.example/audit/1+442f169d+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
        "vault.example/audit/1+442f169d+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs ",
        "vault.example/audit/1+442f169d+AQ==6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
    ];
    for vkey in bad {
        assert_eq!(vkey.parse::<Verifier>().err(), Some(NoteError::Key), "{vkey}");
    }
}

#[test]
fn a_checkpoint_is_three_lines() -> TestResult {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let text = format!("example.com/behind-the-sofa\n20852163\n{root}\n");
    let parsed = Checkpoint::parse(&text)?;
    assert_eq!(parsed.origin, "example.com/behind-the-sofa");
    assert_eq!(parsed.size, 20_852_163);
    assert_eq!(parsed.root.to_string(), root);
    assert_eq!(parsed.to_string(), text);
    let largest = Checkpoint {
        size: u64::MAX,
        ..parsed
    };
    assert_eq!(Checkpoint::parse(&largest.to_string())?, largest);
    let empty = Checkpoint {
        origin: VAULT.to_owned(),
        size: 0,
        root: empty_root(),
    };
    assert_eq!(Checkpoint::parse(&empty.to_string())?, empty);
    Ok(())
}

#[test]
fn any_other_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let sizes = "|-1|+1|01|00| 1|1 |1.0|0x1|18446744073709551616|１".split('|');
    let mut bad: Vec<String> = sizes.map(|size| format!("o\n{size}\n{root}\n")).collect();
    bad.extend([
        String::new(),
        format!("o\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("o\r\n1\n{root}\n"),
        format!("\no\n1\n{root}\n"),
        format!("o\n1\n{root}\n\n"),
        format!("o\n1\n{root}\nextension\n"),
        format!("o\n1\n{}\n", root.trim_end_matches('=')),
        format!("o\n1\n{}\n", root.replace("2I=", "2J=")),
        // 32 bytes too, with the padding somewhere else.
        format!("o\n1\nCsU={}AAAA\n", &root[4..40]),
        format!("o\n1\n{root} \n"),
        "o\n1\n\n".to_owned(),
        "o\n1\nAAAA\n".to_owned(),
        "o\n1\n".to_owned(),
    ]);
    for text in &bad {
        assert_eq!(Checkpoint::parse(text), Err(NoteError::Checkpoint), "{text:?}");
    }
}

/// The independent implementation's form of a private key.
fn their_signer(name: &str, seed: &[u8; 32], ours: &Verifier) -> Result<StandardSigner, signed_note::SignerError> {
    let vkey = ours.to_string();
    let id = vkey.strip_prefix(name).map_or("", |rest| &rest[1..9]);
    let key = BASE64.encode(&[&[1], seed.as_slice()].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id}+{key}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_independent_implementation_agrees_both_ways(
        seed: [u8; 32],
        name in "[a-z]{1,8}\\.example/[a-z0-9热线]{1,8}",
        text in "([^\\x00-\\x1f]{0,20}\n){1,5}",
    ) {
        let ours = Signer::from_seed(&name, &seed)?;
        let note = ours.sign(&text);
        let theirs = StandardVerifier::new(&ours.verifier().to_string())?;
        let opened = Note::from_bytes(note.as_bytes())?;
        let (signed, unknown) = opened.verify(&VerifierList::new(vec![Box::new(theirs)]))?;
        prop_assert_eq!((signed.len(), unknown.len(), opened.text()), (1, 0, text.as_bytes()));

        let mut written = Note::new(text.as_bytes(), &[])?;
        written.add_sigs(&[&their_signer(&name, &seed, &ours.verifier())?])?;
        let bytes = written.to_bytes();
        prop_assert_eq!(ours.verifier().verify(std::str::from_utf8(&bytes)?)?, &text);
        prop_assert_eq!(bytes, note.into_bytes());
    }

    #[test]
    fn an_independent_parser_reads_our_checkpoints(size: u64, root: [u8; 32], origin in "[!-~]{1,30}") {
        let ours = Checkpoint { origin, size, root: callervault::merkle::Hash::from_bytes(root) };
        let theirs = tlog_tiles::Checkpoint::from_bytes(ours.to_string().as_bytes());
        let theirs = theirs.map_err(|_| TestCaseError::fail("refused"))?;
        prop_assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (ours.origin.as_str(), size, root));
        prop_assert_eq!(Checkpoint::parse(&ours.to_string())?, ours);
    }

    #[test]
    fn nothing_read_makes_it_fall_over(text in "\\PC{0,80}|[\n— =A-Za-z0-9+]{0,80}") {
        let verifier = vault()?.verifier();
        prop_assert!(verifier.verify(&text).is_err());
        prop_assert!(text.parse::<Verifier>().is_err());
        prop_assert!(Checkpoint::parse(&text).is_err());
    }
}
