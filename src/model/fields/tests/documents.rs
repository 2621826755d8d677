//! Identity documents, by kind.

use proptest::prelude::*;

use super::{kept, normal_of, refused, same, shipped};
use crate::model::submitted::Submitted;

const FIELD: &str = "id_document";

#[test]
fn documents_have_a_kind_and_a_number() {
    let spellings = [
        "passport:E12345678",
        "passport E12345678",
        "护照 E12345678",
        "护照E12345678",
        "护照号：e1234 5678",
        "Passport No. E12345678",
        "E12345678（护照）",
        "护照号码 E-1234-5678",
        "\u{200b}护照\u{200b}E12345678",
        "護照 E12345678",
        "护照编号E12345678",
        "美国护照 E12345678",
        "因公普通护照号：E12345678",
    ];
    assert_eq!(kept(FIELD, &spellings), "passport:E12345678");
    assert_eq!(
        kept(
            FIELD,
            &[
                "回乡证 H12345678",
                "港澳居民来往内地通行证H12345678",
                "hk_macao_permit:H12345678",
                "回鄉證 H12345678"
            ]
        ),
        "hk_macao_permit:H12345678"
    );
    assert_eq!(kept(FIELD, &["台胞证01234567"]), "taiwan_permit:01234567");
    assert_eq!(kept(FIELD, &["往来港澳通行证 CA1234567"]), "travel_permit:CA1234567");
    assert_eq!(
        kept(FIELD, &["外国人永久居留身份证 CAN110012345678"]),
        "residence_permit:CAN110012345678"
    );
}

#[test]
fn documents_of_residents_and_of_services() {
    // The number is that of a resident identity card, invented, of a year to come.
    assert_eq!(
        kept(
            FIELD,
            &[
                "港澳居住证 810000203101010015",
                "港澳台居民居住证号810000203101010015",
                "居住證 810000203101010015"
            ]
        ),
        "residence_permit:810000203101010015"
    );
    assert_eq!(
        kept(FIELD, &["绿卡 CAN110012345678", "外国人永居证CAN110012345678"]),
        "residence_permit:CAN110012345678"
    );
    assert_eq!(
        kept(FIELD, &["士官证 12345678", "军人证号：12345678"]),
        "military:12345678"
    );
    assert_eq!(
        kept(FIELD, &["台湾通行证 T12345678", "大通证T12345678"]),
        "travel_permit:T12345678"
    );
    assert_eq!(kept(FIELD, &["军官证 军字第2001988号"]), "military:军字第2001988号");
    assert_eq!(
        kept(FIELD, &["出生医学证明 A123456789"]),
        "birth_certificate:A123456789"
    );
    assert_eq!(
        kept(FIELD, &["E12345678", "other:E12345678", "其他证件：E12345678"]),
        "other:E12345678"
    );
}

#[test]
fn what_is_no_document() {
    for bad in [
        "",
        "护照",
        "passport:",
        "护照 E1",
        "回乡证 X12345678",
        "回乡证 H1234567",
        "台胞证 1234567",
        "张三",
        "passport:ABCDEFGH",
    ] {
        refused(FIELD, bad);
    }
}

#[test]
fn check_digits_of_cards() {
    assert_eq!(
        kept(
            FIELD,
            &[
                "香港身份证 A123456(3)",
                "HKID: a1234563",
                "香港身分證 A123456（3）",
                "香港永久居民身份证A1234563"
            ]
        ),
        "hong_kong_id:A1234563"
    );
    assert_eq!(kept(FIELD, &["香港身份证 G123456(A)"]), "hong_kong_id:G123456A");
    assert_eq!(kept(FIELD, &["香港身份证 AB987654(3)"]), "hong_kong_id:AB9876543");
    assert_eq!(kept(FIELD, &["台湾身份证 A123456789"]), "taiwan_id:A123456789");
    assert_eq!(kept(FIELD, &["澳门身份证 1234567(8)"]), "macao_id:12345678");
    for bad in [
        "香港身份证 A123456(4)",
        "香港身份证 A12345(3)",
        "台湾身份证 A123456788",
        "台湾身份证 A323456789",
        "澳门身份证 22345678",
    ] {
        refused(FIELD, bad);
    }
}

#[test]
fn a_number_under_another_kind_is_alike_and_not_the_same() {
    assert!(!same(FIELD, "passport:H12345678", "hk_macao_permit:H12345678"));
    let fields = shipped();
    let field = fields.get(FIELD).unwrap();
    let shared = |value: &str| {
        let normal = Submitted::new(normal_of(field, value).unwrap());
        let second = field.entries(&normal).pop().unwrap();
        (second.index, second.value.expose().to_owned())
    };
    assert_eq!(shared("护照 H12345678"), shared("回乡证 H12345678"));
    assert_eq!(
        shared("驾驶证 H12345678"),
        shared("护照 H12345678"),
        "its kind is no part of its number"
    );
    assert_ne!(shared("军官证 军字第2001988号"), shared("其他证件 2001988号"));
}

#[test]
fn masks_of_documents() {
    let fields = shipped();
    let field = fields.get(FIELD).unwrap();
    for (clear, masked) in [
        ("passport:E12345678", "passport:****"),
        ("other:12A4", "other:****"),
        ("hong_kong_id:A1234563", "hong_kong_id:****"),
        ("军字", "****"),
    ] {
        assert_eq!(field.mask(clear), masked);
    }
    assert!(field.may_be_compared_masked(), "nothing of the number is shown");
}

proptest! {
    #[test]
    fn what_is_kept_of_any_document_is_kept_of_it_again(kind in "(passport|护照|台胞证|其他证件|)", number in "[A-Za-z0-9 ()-]{4,20}") {
        let fields = shipped();
        let field = fields.get(FIELD).unwrap();
        if let Ok(normal) = normal_of(field, &format!("{kind}{number}")) {
            prop_assert_eq!(normal_of(field, &normal), Ok(normal.clone()), "{} {}", kind, number);
        }
    }
}
