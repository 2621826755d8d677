//! Cosignatures against the standard's example and independent implementations.

use callervault::note::{Checkpoint, CosignatureVerifier, Cosigner, NoteError, Signer, Verifier, unverified_text};
use data_encoding::BASE64;
use proptest::prelude::*;
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, VerifierList};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The checkpoint and the time of tlog-cosignature.md.
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const TIME: u64 = 1_679_315_147;
const NAME: &str = "witness.example.com/w1";
/// Ed25519 seed of 32 times 0x09; key and line by Python's `cryptography`.
const SEED: [u8; 32] = [9; 32];
const VKEY: &str = "witness.example.com/w1+4bdc7eaa+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY";
const LINE: &str = "— witness.example.com/w1 \
    S9x+qgAAAABkGFDLSEwbtADY9t5XeSzDTVuiqYN5nZfoc9NQOUgkPYm4wwjIUL68Nczz1tpzCjnpmnRXttgqVVwOg3WfE7AXqa+DAg==\n";
/// The line of tlog-cosignature.md, by a key that nobody published.
const STANDARD_LINE: &str = "— witness.example.com/w1 \
    jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
/// A public witness's key, as transparency-dev/formats has it.
const PUBLIC_WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

fn witness() -> Result<Cosigner, NoteError> {
    Cosigner::from_seed(NAME, &SEED)
}

fn log_note() -> Result<String, NoteError> {
    Ok(Signer::from_seed("example.com/behind-the-sofa", &[7; 32])?.sign(EXAMPLE))
}

/// The bytes of a signature line after the key id.
fn field(line: &str) -> Vec<u8> {
    let base64 = line.trim_end().rsplit(' ').next().unwrap_or_default();
    BASE64.decode(base64.as_bytes()).expect("base64").split_off(4)
}

/// A signature line by this witness's name and key id.
fn with_field(field: &[u8]) -> String {
    let id = [0x4b, 0xdc, 0x7e, 0xaa];
    format!("— {NAME} {}\n", BASE64.encode(&[&id, field].concat()))
}

#[test]
fn the_known_answer() -> TestResult {
    assert_eq!(witness()?.verifier().to_string(), VKEY);
    assert_eq!(witness()?.cosign(EXAMPLE, TIME), LINE);
    let verifier: CosignatureVerifier = VKEY.parse()?;
    assert_eq!((verifier.name(), verifier.to_string().as_str()), (NAME, VKEY));
    let note = format!("{}{LINE}", log_note()?);
    let cosignature = verifier.verify(&note)?;
    assert_eq!(
        (cosignature.text, cosignature.time, cosignature.line),
        (EXAMPLE, TIME, LINE)
    );
    assert_eq!(unverified_text(&note)?, EXAMPLE);
    Ok(())
}

#[test]
fn the_example_of_the_standard_has_the_same_form() {
    let theirs = field(STANDARD_LINE);
    assert_eq!((theirs.len(), &theirs[..8]), (72, TIME.to_be_bytes().as_slice()));
    assert_eq!(field(LINE).len(), 72);
    let key: CosignatureVerifier = PUBLIC_WITNESS.parse().expect("a key in use");
    assert_eq!(key.to_string(), PUBLIC_WITNESS);
}

#[test]
fn a_log_key_is_no_witness_key() -> TestResult {
    let log = Signer::from_seed(NAME, &SEED)?;
    let vkey = log.verifier().to_string();
    assert_eq!(vkey.parse::<CosignatureVerifier>(), Err(NoteError::Key));
    assert_eq!(VKEY.parse::<Verifier>(), Err(NoteError::Key));
    // The same key, name and text: the type alone tells the two apart.
    let verifier: CosignatureVerifier = VKEY.parse()?;
    assert_eq!(verifier.verify(&log.sign(EXAMPLE)), Err(NoteError::UnknownKey));
    assert_eq!(
        log.verifier().verify(&format!("{EXAMPLE}\n{LINE}")),
        Err(NoteError::UnknownKey)
    );
    for bad in [
        "",
        NAME,
        &VKEY.replace("4bdc7eaa", "4bdc7eab"),
        &VKEY.replace("YY", "YY "),
    ] {
        assert_eq!(bad.parse::<CosignatureVerifier>(), Err(NoteError::Key), "{bad}");
    }
    assert_eq!(Cosigner::from_seed("a name", &SEED).err(), Some(NoteError::Name));
    Ok(())
}

#[test]
fn the_newest_counts_and_a_false_one_spoils_all() -> TestResult {
    let (witness, note) = (witness()?, log_note()?);
    let line = |time| witness.cosign(EXAMPLE, time);
    let several = format!("{note}{}{}{}", line(5), line(7), line(6));
    assert_eq!(witness.verifier().verify(&several)?.line, line(7));
    assert_eq!(witness.verifier().verify(&note), Err(NoteError::UnknownKey));
    let other_text = EXAMPLE.replace("20852163", "20852164");
    let false_ones = [
        witness.cosign(&other_text, 9),
        line(u64::MAX),
        line(1 << 63),
        // A time that was not signed.
        with_field(&[&6_u64.to_be_bytes(), &field(&line(5))[8..]].concat()),
        // Too short for a time, and for a signature.
        with_field(&[0]),
        with_field(&5_u64.to_be_bytes()),
    ];
    for spoilt in false_ones {
        let both = format!("{note}{}{spoilt}", line(5));
        assert_eq!(witness.verifier().verify(&both), Err(NoteError::Signature), "{spoilt}");
    }
    let last = i64::MAX as u64;
    assert_eq!(witness.verifier().verify(&format!("{note}{}", line(last)))?.time, last);
    Ok(())
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() -> TestResult {
    let verifier: CosignatureVerifier = VKEY.parse()?;
    let note = format!("{EXAMPLE}\n{LINE}");
    for place in 0..note.len() {
        for flip in 1..=255_u8 {
            let mut bytes = note.clone().into_bytes();
            bytes[place] ^= flip;
            let accepted = std::str::from_utf8(&bytes).is_ok_and(|note| verifier.verify(note).is_ok());
            assert!(!accepted, "byte {place} ^ {flip:#x}");
        }
    }
    Ok(())
}

/// A verifier of cosignatures made of the independent implementation's parts.
struct Theirs {
    name: String,
    id: u32,
    key: StandardVerifier,
}

impl Theirs {
    /// From this name and public key.
    fn new(name: &str, log_key: &Verifier) -> Self {
        let vkey = log_key.to_string();
        let mut public = typed_key(&vkey);
        public[0] = 4;
        Self {
            name: name.to_owned(),
            id: signed_note::key_id(name, &public),
            key: StandardVerifier::new(&vkey).expect("a vkey"),
        }
    }
}

/// The type and key of a vkey.
fn typed_key(vkey: &str) -> Vec<u8> {
    let base64 = vkey.splitn(3, '+').nth(2).unwrap_or_default();
    BASE64.decode(base64.as_bytes()).expect("base64")
}

/// What a cosignature signs.
fn signed(time: u64, text: &[u8]) -> Vec<u8> {
    let head = format!("cosignature/v1\ntime {time}\n");
    [head.as_bytes(), text].concat()
}

impl signed_note::Verifier for Theirs {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], field: &[u8]) -> bool {
        let Some((time, signature)) = field.split_first_chunk() else {
            return false;
        };
        self.key.verify(&signed(u64::from_be_bytes(*time), text), signature)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_independent_implementation_agrees_both_ways(
        seed: [u8; 32],
        name in "[a-z]{1,8}\\.example/[a-z0-9热线]{1,8}",
        time in 0..i64::MAX as u64,
        size: u64,
        root: [u8; 32],
    ) {
        let checkpoint = Checkpoint { origin: "o".to_owned(), size, root: callervault::merkle::Hash::from_bytes(root) };
        let text = checkpoint.to_string();
        let ours = Cosigner::from_seed(&name, &seed)?;
        let line = ours.cosign(&text, time);
        let log_key = Signer::from_seed(&name, &seed)?.verifier();
        let theirs = Theirs::new(&name, &log_key);
        let id = theirs.id;

        let opened = Note::from_bytes(format!("{text}\n{line}").as_bytes())?;
        let (good, unknown) = opened.verify(&VerifierList::new(vec![Box::new(theirs)]))?;
        prop_assert_eq!((good.len(), unknown.len()), (1, 0));

        let key = BASE64.encode(&[&[1], seed.as_slice()].concat());
        let log_id = signed_note::key_id(&name, &typed_key(&log_key.to_string()));
        let signer = StandardSigner::new(&format!("PRIVATE+KEY+{name}+{log_id:08x}+{key}"))?;
        let signature = signer.sign(&signed(time, text.as_bytes()))?;
        let field = [time.to_be_bytes().as_slice(), &signature].concat();
        let their_line = signed_note::Signature::new(name, id, field)?.to_bytes();
        prop_assert_eq!(their_line, line.into_bytes());
    }

    #[test]
    fn nothing_read_makes_it_fall_over(text in "\\PC{0,80}|[\n— =A-Za-z0-9+]{0,80}") {
        let verifier = witness()?.verifier();
        prop_assert!(verifier.verify(&text).is_err());
        prop_assert!(text.parse::<CosignatureVerifier>().is_err());
    }
}
