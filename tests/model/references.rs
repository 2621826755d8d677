//! References, department codes and ticket numbers: what is accepted, and that what is misread is found.

use callervault::model::ids::RecordKind;
use callervault::model::reference::{BadDepartmentCode, BadReference, DepartmentCode, Reference};
use callervault::model::ticket_no::{BadTicketNo, TicketNo};
use proptest::prelude::*;
use std::collections::BTreeSet;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const EXAMPLE: &str = "H7C4-H9KX-M3T8-VN8Z";

/// Every text that differs from `text` in one place, by a character of `alphabet`.
fn substitutions<'a>(text: &'a [u8], alphabet: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    (0..text.len()).flat_map(move |place| {
        alphabet
            .iter()
            .filter(move |&&other| other != text[place])
            .map(move |&other| {
                let mut changed = text.to_vec();
                changed[place] = other;
                String::from_utf8_lossy(&changed).into_owned()
            })
    })
}

/// Every text with two different characters swapped, `distance` apart.
fn swaps(text: &[u8], distance: usize) -> impl Iterator<Item = String> + '_ {
    (distance..text.len())
        .filter(move |&place| text[place] != text[place - distance])
        .map(move |place| {
            let mut changed = text.to_vec();
            changed.swap(place, place - distance);
            String::from_utf8_lossy(&changed).into_owned()
        })
}

fn plain(reference: &Reference) -> String {
    reference.to_string().replace('-', "")
}

fn any_reference() -> impl Strategy<Value = Reference> {
    let code = prop::sample::select(ALPHABET.as_slice());
    let kind = prop_oneof![Just(RecordKind::Caller), Just(RecordKind::Ticket)];
    (code.clone(), code, kind, 1_u8..=15, 0_u64..1 << 55).prop_filter_map("parts", |(d1, d2, kind, version, body)| {
        let department = std::str::from_utf8(&[d1, d2]).ok()?.parse().ok()?;
        Reference::new(department, kind, version, body)
    })
}

#[test]
fn the_design_s_example_holds() -> TestResult {
    let reference: Reference = EXAMPLE.parse()?;
    assert_eq!(reference.department().as_str(), "H7");
    assert_eq!(reference.kind(), RecordKind::Caller);
    assert_eq!(reference.version(), 12);
    // 4H9KXM3T8VN, five bits each.
    let body = [4, 17, 9, 19, 29, 20, 3, 26, 8, 27, 21]
        .iter()
        .fold(0, |body, value| body << 5 | value);
    assert_eq!(reference.body(), body);
    assert_eq!(reference.to_string(), EXAMPLE);
    assert_eq!(format!("{reference:?}"), "Reference(H7C4-H9KX-M3T8-VN8Z)");
    assert_eq!(
        Reference::new("H7".parse()?, RecordKind::Caller, 12, body),
        Some(reference)
    );
    Ok(())
}

#[test]
fn a_reference_is_read_as_people_type_it() -> TestResult {
    let expected: Reference = EXAMPLE.parse()?;
    for typed in ["h7c4-h9kx-m3t8-vn8z", "H7C4H9KXM3T8VN8Z", "h7c4h9kx-m3t8vn8z"] {
        assert_eq!(typed.parse(), Ok(expected), "{typed}");
    }
    let one = Reference::new(DepartmentCode::AUDITORS, RecordKind::Ticket, 1, 1).ok_or("parts")?;
    let text = one.to_string();
    assert_eq!(one.department(), DepartmentCode::AUDITORS);
    assert!(text.starts_with("00H0-0000-0000-01"), "{text}");
    for (right, typed) in [('1', "I"), ('1', "i"), ('1', "L"), ('1', "l"), ('0', "O"), ('0', "o")] {
        assert_eq!(text.replace(right, typed).parse(), Ok(one), "{typed}");
    }
    Ok(())
}

#[test]
fn what_is_no_reference_is_refused() {
    let refused = |text: &str, why| assert_eq!(text.parse::<Reference>(), Err(why), "{text:?}");
    for text in [
        "",
        "H7C4",
        "H7C4-",
        "H7C4-H9KX-M3T8-VN8",
        "H7C4-H9KX-M3T8-VN8ZZ",
        "H7C4-H9KX-M3T8-",
    ] {
        refused(text, BadReference::Length);
    }
    let misplaced = [
        "-H7C4H9KXM3T8VN8Z",
        "H7-C4H9KXM3T8VN8Z",
        "H7C4--H9KXM3T8VN8Z",
        "H7C4-H9KX-M3T8-VN8Z-",
    ];
    for text in misplaced {
        refused(text, BadReference::Character);
    }
    for other in ["U", "u", " ", "_", "\0", "Ｈ", "７", "é", "\u{2011}"] {
        refused(&EXAMPLE.replace('X', other), BadReference::Character);
    }
    refused("H7C4-H9KX-M3T8-VN8Y", BadReference::Check);
    // Version 0 is never issued, though the check characters of all zeros are zeros.
    refused("0000-0000-0000-0000", BadReference::Character);
}

#[test]
fn parts_out_of_range_make_no_reference() {
    let new = |version, body| Reference::new(DepartmentCode::AUDITORS, RecordKind::Caller, version, body);
    assert!(new(1, 0).is_some() && new(15, (1 << 55) - 1).is_some());
    assert!(new(0, 0).is_none() && new(16, 0).is_none() && new(1, 1 << 55).is_none() && new(1, u64::MAX).is_none());
}

#[test]
fn any_two_misread_characters_are_found() -> TestResult {
    let text = EXAMPLE.replace('-', "");
    for once in substitutions(text.as_bytes(), ALPHABET) {
        assert_eq!(once.parse::<Reference>(), Err(BadReference::Check), "{once}");
        for twice in substitutions(once.as_bytes(), ALPHABET).filter(|twice| *twice != text) {
            assert!(twice.parse::<Reference>().is_err(), "{twice}");
        }
    }
    for distance in 1..text.len() {
        for swapped in swaps(text.as_bytes(), distance) {
            assert_eq!(swapped.parse::<Reference>(), Err(BadReference::Check), "{swapped}");
        }
    }
    Ok(())
}

#[test]
fn department_codes() -> TestResult {
    assert_eq!(DepartmentCode::AUDITORS.as_str(), "00");
    assert_eq!("oO".parse(), Ok(DepartmentCode::AUDITORS));
    let code: DepartmentCode = "hl".parse()?;
    assert_eq!(
        (code.as_str(), code.as_bytes(), code.to_string()),
        ("H1", b"H1", "H1".to_owned())
    );
    assert_eq!(format!("{code:?}"), "DepartmentCode(H1)");
    for text in ["", "H", "H77", "HU", "H-", "H ", "Ｈ", "é"] {
        assert_eq!(text.parse::<DepartmentCode>(), Err(BadDepartmentCode), "{text:?}");
    }
    let pairs = ALPHABET
        .iter()
        .flat_map(|a| ALPHABET.iter().map(|b| format!("{}{}", *a as char, *b as char)));
    let all = pairs
        .map(|pair| pair.parse())
        .collect::<Result<BTreeSet<DepartmentCode>, _>>()?;
    assert_eq!(all.len(), 1024);
    assert!(all.iter().map(|code| code.to_string()).is_sorted());
    Ok(())
}

#[test]
fn known_ticket_numbers() -> TestResult {
    // 794 44 is the worked example of ISO 7064; the others are 98 − (serial · 100 mod 97).
    for (serial, number) in [
        (0, "00000000000098"),
        (794, "00000000079444"),
        (123_456_789_012, "12345678901244"),
    ] {
        let ours = TicketNo::new(serial).ok_or("serial")?;
        assert_eq!(ours.to_string(), number);
        assert_eq!(number.parse::<u64>()? % 97, 1);
        assert_eq!(number.parse(), Ok(ours));
    }
    let number = TicketNo::new(123_456_789_012).ok_or("serial")?;
    assert_eq!(number.as_str(), "12345678901244");
    assert_eq!(number.grouped(), "1234 5678 9012 44");
    assert_eq!(format!("{number:?}"), "TicketNo(12345678901244)");
    assert!(TicketNo::new(TicketNo::SERIALS - 1).is_some());
    assert!(TicketNo::new(TicketNo::SERIALS).is_none() && TicketNo::new(u64::MAX).is_none());
    for typed in [
        "1234 5678 9012 44",
        "1234-5678-9012-44",
        "12345678 901244",
        "1234-5678 901244",
    ] {
        assert_eq!(typed.parse(), Ok(number), "{typed}");
    }
    Ok(())
}

#[test]
fn what_is_no_ticket_number_is_refused() {
    let refused = |text: &str, why| assert_eq!(text.parse::<TicketNo>(), Err(why), "{text:?}");
    for text in ["", "1234567890120", "123456789012441", "1234 5678 9012 ", "98"] {
        refused(text, BadTicketNo::Length);
    }
    let misplaced = [
        " 12345678901244",
        "123 45678901244",
        "1234  5678 9012 44",
        "12345678901244 ",
        "1234567890120O",
    ];
    for text in misplaced
        .into_iter()
        .chain(["+2345678901244", "1234.5678.9012.44", "１２３４５６７８９０１２０６"])
    {
        refused(text, BadTicketNo::Character);
    }
    refused("12345678901245", BadTicketNo::Check);
    // 01 also leaves 1 where 98 does; only one of them is the number.
    refused("00000000000001", BadTicketNo::Check);
}

#[test]
fn errors_and_bodies_never_repeat_what_was_sent() -> TestResult {
    let reference: Reference = EXAMPLE.parse()?;
    let number = TicketNo::new(7).ok_or("serial")?;
    let code: DepartmentCode = "H7".parse()?;
    let body = serde_json::to_string(&(reference, number, code))?;
    assert_eq!(body, format!(r#"["{EXAMPLE}","{number}","H7"]"#));
    assert_eq!(
        serde_json::from_str::<(Reference, TicketNo, DepartmentCode)>(&body)?,
        (reference, number, code)
    );

    for sent in [
        r#""SECRET13812345678""#,
        "13812345678",
        "-13812345678",
        "13812345678.5",
        r#"{"13812345678":1}"#,
    ] {
        let errors = [
            serde_json::from_str::<Reference>(sent)
                .err()
                .map(|error| error.to_string()),
            serde_json::from_str::<TicketNo>(sent)
                .err()
                .map(|error| error.to_string()),
            serde_json::from_str::<DepartmentCode>(sent)
                .err()
                .map(|error| error.to_string()),
        ];
        for error in errors {
            let error = error.ok_or("accepted")?;
            assert!(!error.contains("138") && !error.contains("SECRET"), "{error}");
        }
    }
    let mistyped = serde_json::from_str::<Reference>(r#""H7C4-H9KX-M3T8-VN8Y""#)
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        mistyped.as_deref(),
        Some("the check characters do not fit: a character was misread or mistyped")
    );
    Ok(())
}

proptest! {
    #[test]
    fn references_survive_text(reference in any_reference()) {
        prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        prop_assert_eq!(plain(&reference).to_lowercase().parse(), Ok(reference));
        let (department, kind) = (reference.department(), reference.kind());
        prop_assert_eq!(Reference::new(department, kind, reference.version(), reference.body()), Some(reference));
    }

    #[test]
    fn references_sort_as_their_text(a in any_reference(), b in any_reference()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
    }

    #[test]
    fn a_misread_or_swapped_character_is_found(reference in any_reference()) {
        let text = plain(&reference);
        for changed in substitutions(text.as_bytes(), ALPHABET).chain(swaps(text.as_bytes(), 1)).chain(swaps(text.as_bytes(), 2)) {
            prop_assert_eq!(changed.parse::<Reference>(), Err(BadReference::Check), "{}", changed);
        }
    }

    #[test]
    fn a_misheard_or_swapped_digit_is_found(serial in 0..TicketNo::SERIALS) {
        let number = TicketNo::new(serial).ok_or_else(|| TestCaseError::fail("serial"))?;
        let text = number.as_str();
        prop_assert_eq!(text.parse(), Ok(number));
        prop_assert_eq!(number.grouped().parse(), Ok(number));
        prop_assert_eq!(text[..12].parse::<u64>()?, serial);
        prop_assert_eq!(text.parse::<u64>()? % 97, 1);
        for changed in substitutions(text.as_bytes(), b"0123456789").chain(swaps(text.as_bytes(), 1)).chain(swaps(text.as_bytes(), 2)) {
            prop_assert_eq!(changed.parse::<TicketNo>(), Err(BadTicketNo::Check), "{}", changed);
        }
    }

    #[test]
    fn nothing_typed_makes_it_fall_over(text in "\\PC{0,24}|[0-9A-Za-z \\-]{0,24}") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(reference.to_string().len(), 19);
        }
        if let Ok(number) = text.parse::<TicketNo>() {
            prop_assert_eq!(number.as_str().len(), 14);
        }
    }
}
