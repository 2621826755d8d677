//! What the keyring's parts do together, with keys that nobody had to type a passphrase for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::memory::Secret;
use super::unlocked::Held;
use super::*;
use crate::log::LogKeys;
use crate::model::approvals::{Giver, Reason};
use crate::model::claim_code::ClaimCode;
use crate::model::code::Code;
use crate::model::fields::FieldSet;
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, RecordId, RecordKind, TicketId};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::submitted::Submitted;
use crate::model::unlocking::OpensBy;
use crate::randomness::System;
use crate::store::rows::{BlindIndexRow, Row, TallyRow, WrappedKey};

fn held(suite: Suite) -> Held {
    let key = Secret::random(&System).unwrap();
    Held { suite, key }
}

/// A first version of each key, and further ones, of these suites.
fn keyring(suite: Suite, further: &[Suite]) -> Keyring {
    let keys: BTreeMap<_, _> = KeyRole::ALL.iter().map(|&role| ((role, 1), held(suite))).collect();
    let active = keys.keys().copied().collect();
    let mut unlocked = Unlocked::new(Secret::random(&System).unwrap(), keys, active)
        .ok()
        .unwrap();
    for (version, &suite) in (2..).zip(further) {
        for &role in KeyRole::ALL {
            unlocked.activate(role, version, held(suite));
        }
    }
    let opened = Opened {
        by: OpensBy::Passphrase,
        generation: 1,
        shares: Vec::new(),
        set: None,
    };
    let origin = "a.example/log/1".to_owned();
    Keyring::new(origin, Arc::new(System), Stacks::default(), (unlocked, opened))
}

#[test]
fn what_is_sealed_in_one_place_opens_in_no_other() {
    let keyring = keyring(Suite::Aes, &[]);
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let sealed = keyring.seal_address("one request", address).unwrap();
    assert_eq!(keyring.open_address("one request", &sealed), Ok(address));
    assert_eq!(keyring.open_address("another", &sealed), Err(KeyError::Broken));

    let [one, other] = [1, 2].map(|id| ApprovalId::from_bytes([id; 16]));
    let reason = Reason::new(Zeroizing::new("a reason".to_owned())).unwrap();
    let sealed = keyring.seal_reason(one, Giver::Asker, &reason).unwrap();
    assert!(keyring.open_reason(one, Giver::Asker, &sealed).is_ok());
    for (approval, giver) in [(one, Giver::Approver), (other, Giver::Asker)] {
        let moved = keyring.open_reason(approval, giver, &sealed);
        assert_eq!(moved.err(), Some(KeyError::Broken));
    }

    let sealed = keyring.seal_rejected(7, b"a line").unwrap();
    assert_eq!(keyring.open_rejected(7, &sealed).unwrap()[..], b"a line"[..]);
    assert_eq!(keyring.open_rejected(8, &sealed).err(), Some(KeyError::Broken));
}

/// Where the header of a sealed value has the version of its key.
#[test]
fn what_is_sealed_names_the_newest_key() {
    let keyring = keyring(Suite::Aes, &[Suite::Aes]);
    let reason = Reason::new(Zeroizing::new("a reason".to_owned())).unwrap();
    let sealed = [
        keyring.seal_caller(TicketId::from_bytes([1; 16]), CallerId::from_bytes([1; 16])),
        keyring.seal_address("a request", IpAddr::from([192, 0, 2, 7])),
        keyring.seal_reason(ApprovalId::from_bytes([1; 16]), Giver::Asker, &reason),
        keyring.seal_rejected(7, b"a line"),
    ];
    for sealed in sealed {
        assert_eq!(sealed.unwrap()[1], 2);
    }
    let (_, wrapped) = keyring
        .new_record_key(RecordId::Caller(CallerId::from_bytes([1; 16])))
        .unwrap();
    assert_eq!((wrapped.kek, wrapped.wrapped[1]), (2, 2));
    for code in [
        keyring.request_code(b"a request"),
        keyring.asked_value_code("phone", b"a value"),
    ] {
        assert_eq!(code.unwrap().version(), 2);
    }
}

#[test]
fn a_record_key_is_of_one_record_and_generation() {
    let keyring = keyring(Suite::Aes, &[]);
    let record = RecordId::Caller(CallerId::from_bytes([1; 16]));
    let (_, wrapped) = keyring.new_record_key(record).unwrap();
    assert!(keyring.record_key(record, &wrapped).is_ok());
    let others = [
        RecordId::Caller(CallerId::from_bytes([2; 16])),
        RecordId::Ticket(TicketId::from_bytes([1; 16])),
    ];
    for other in others {
        assert_eq!(keyring.record_key(other, &wrapped).err(), Some(KeyError::Broken));
    }
    let edited = WrappedKey {
        generation: 2,
        ..wrapped
    };
    assert_eq!(keyring.record_key(record, &edited).err(), Some(KeyError::Broken));
}

#[test]
fn a_claim_code_is_of_one_account() {
    let keyring = keyring(Suite::Aes, &[]);
    let [one, other] = [1, 2].map(|id| PrincipalId::from_bytes([id; 16]));
    let [code, wrong] = [(); 2].map(|()| ClaimCode::random(&System).unwrap());
    let known = keyring.claim_code(&one, &code).unwrap();
    assert_eq!(keyring.is_claim_code(&known, &one, &code), Ok(true));
    assert_eq!(keyring.is_claim_code(&known, &one, &wrong), Ok(false));
    assert_eq!(keyring.is_claim_code(&known, &other, &code), Ok(false));
}

/// When a version of the key-encryption key is destroyed, no field may be left that is sealed in its suite, unless the suite is in use.
#[test]
fn a_suite_is_another_one_where_no_newer_key_is_of_it() {
    use Suite::{Aes, Sm};
    let other = |keyring: &Keyring, version| {
        keyring
            .other_suite(version)
            .map(|byte| byte.and_then(suites::beginning_with))
    };
    for (further, found) in [
        (&[][..], &[None][..]),
        (&[Aes], &[None, None]),
        (&[Sm], &[Some(Aes), None]),
        (&[Aes, Sm], &[None, Some(Aes), None]),
        (&[Sm, Aes], &[None, Some(Sm), None]),
    ] {
        let keyring = keyring(Aes, further);
        for (version, &suite) in (1..).zip(found) {
            assert_eq!(other(&keyring, version), Ok(suite), "{further:?}, version {version}");
        }
    }
    assert_eq!(keyring(Aes, &[]).other_suite(2), Err(KeyError::NoSuchKey));
}

/// By that the log's thread tells a row that only got a newer code from one that was changed and got a newer code.
#[test]
fn a_code_is_of_the_columns_of_one_row() {
    let keyring = keyring(Suite::Aes, &[]);
    let subject = Reference::new(DepartmentCode::AUDITORS, RecordKind::Caller, 1, 7).unwrap();
    let [row, changed] = [1, 2].map(|count| TallyRow { subject, count });
    let code = *keyring.protect(row.clone()).unwrap().code();
    let codes = |row: &TallyRow| LogKeys::is_code(&keyring, TallyRow::table(), &row.cells(), &code);
    assert!(codes(&row) && !codes(&changed));
    keyring.lock();
    assert!(!codes(&row));
}

/// Whatever the version of the key that it is under.
#[test]
fn an_entry_of_a_blind_index_stands_for_one_value() {
    let keyring = keyring(Suite::Aes, &[Suite::Aes]);
    let fields = FieldSet::shipped().unwrap();
    let field = fields
        .iter()
        .find(|field| field.name().as_str() == "caller_number")
        .unwrap();
    let caller = CallerId::from_bytes([1; 16]);
    let (key, wrapped) = keyring.new_record_key(RecordId::Caller(caller)).unwrap();
    let value = |text: &str| Submitted::new(text.to_owned());
    let row = keyring.seal(&key, field.name(), &value("+8613900001111")).unwrap();
    for (text, stands_for_it) in [("+8613900001111", true), ("+8613900002222", false)] {
        let indexed = field.indexed(&value(text)).unwrap();
        let codes = keyring.blind_indexes(&indexed).unwrap();
        assert_eq!(codes.iter().map(Code::version).collect::<Vec<_>>(), [1, 2]);
        for value in codes {
            let entry = BlindIndexRow {
                idx: indexed.index.clone(),
                value,
                caller,
                field: field.name().as_str().to_owned(),
                certain: false,
            };
            let entry = keyring.protect(entry).unwrap();
            assert_eq!(keyring.is_among(&row, &wrapped, field, &[entry]), Ok(stands_for_it));
        }
    }
}
