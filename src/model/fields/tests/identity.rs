//! Resident identity numbers as people write them, and words in place of values.

use super::{kept, normal_of, refused, shipped};
use crate::model::fields::FieldSet;
use crate::model::submitted::Submitted;

const FIELD: &str = "id_no";
/// Invented: nobody was born then.
const NUMBER: &str = "11010120310101002X";

#[test]
fn a_number_in_the_ways_that_people_write_it() {
    let fields = exercise();
    let field = fields.get(FIELD).unwrap();
    let (head, tail) = NUMBER.split_at(17);
    assert_eq!(tail, "X");
    for spelling in [
        NUMBER.to_lowercase(),
        format!("身份证号：{NUMBER}"),
        format!("公民身份号码{NUMBER}"),
        format!("（{NUMBER}）"),
        format!("'{NUMBER}"),
        format!("{NUMBER}。"),
        format!("{}–{}—{}", &NUMBER[..6], &NUMBER[6..14], &NUMBER[14..]),
        format!("{}−{}−{}", &NUMBER[..6], &NUMBER[6..14], &NUMBER[14..]),
        format!("{head}×"),
        format!("{head}Х"),
        format!("{head}Ⅹ"),
    ] {
        let normal = normal_of(field, &spelling).unwrap_or_else(|rule| panic!("{spelling}: {rule}"));
        assert_eq!(normal, NUMBER, "{spelling}");
    }
    for none in [
        format!("{head}*"),
        format!("{head}××"),
        format!("ABC{NUMBER}"),
        head.to_owned(),
    ] {
        normal_of(field, &none).expect_err(&none);
    }
}

/// The shipped fields, for people who are not born yet.
fn exercise() -> FieldSet {
    FieldSet::load(&format!("{}\n[id_no]\nlatest_birth_year = 2049\n", FieldSet::SHIPPED)).unwrap()
}

#[test]
fn a_word_or_sign_for_no_value_is_none_where_the_type_has_no_such_value() {
    let fields = shipped();
    let absent = |field: &str, value: &str| fields.get(field).unwrap().is_absent(&Submitted::new(value.to_owned()));
    for nothing in ["N/A", "-", "无", "null", "/", "？", "（匿名）"] {
        for field in ["id_no", "id_document", "email", "wechat", "plate", "name"] {
            let kept_as_a_name = field == "name" && matches!(nothing, "无" | "null");
            assert_eq!(absent(field, nothing), !kept_as_a_name, "{field} {nothing}");
        }
        for field in ["home_address", "salutation", "text"] {
            assert!(!absent(field, nothing), "{field} {nothing}");
        }
    }
    assert!(!absent("wechat", "private"), "that may be an account");
    assert!(!absent("name", "匿名"), "it is kept as it was stated");
    for withheld in [
        "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1",
        "sip:anonymous@10.0.0.1",
        "sip:unavailable@unknown.invalid;user=phone",
        "anonymous@192.0.2.1",
        "tel:anonymous",
        "隐私号码",
        "号码未显示",
        "Withheld Number",
        "P",
        "O",
        "Coverage unavailable",
        "Interaction with other service",
    ] {
        assert!(absent("caller_number", withheld), "{withheld}");
    }
    for number in ["13812345678@qq.com", "sip:@example.com", "sip:13812345678@10.0.0.1"] {
        assert!(!absent("caller_number", number), "{number}");
    }
    assert_eq!(kept("caller_number", &["sip:13812345678@10.0.0.1"]), "+8613812345678");
    refused("caller_number", "13812345678@qq.com");
}
