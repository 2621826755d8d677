//! Telephone numbers, by kind.

use proptest::prelude::*;

use super::{kept, normal_of, refused, shipped};

pub(super) const FIELD: &str = "callback_number";

pub(super) fn number(spellings: &[&str]) -> String {
    kept(FIELD, spellings)
}

fn masked(number: &str) -> String {
    shipped().get(FIELD).unwrap().mask(number)
}

#[test]
fn numbers_of_400_and_800_are_dialled_without_a_0() {
    let spellings = [
        "400-810-0080",
        "4008100080",
        "400 810 0080",
        "+864008100080",
        "(400)8100080",
        "0400-8100080",
    ];
    assert_eq!(number(&spellings), "+864008100080");
    assert_eq!(
        number(&["800-820-8820", "+86 800 820 8820", "0086-8008208820"]),
        "+868008208820"
    );
    refused(FIELD, "400-810-008");
}

#[test]
fn signs_of_lists_and_tables_stand_between_digits() {
    let spellings = [
        "138～1234～5678",
        "138~1234~5678",
        "138×1234×5678",
        "\u{fffc}138 1234 5678",
        "138\u{2800}1234\u{2800}5678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
    let extensions = ["010-62345678×8003", "010-62345678～8003", "010-62345678x8003"];
    assert_eq!(number(&extensions), "+861062345678;ext=8003");
    refused(FIELD, "13812345678～13912345678");
    refused(FIELD, "13812345678×13912345678");
}

#[test]
fn a_mask_invents_no_area_code() {
    assert_eq!(masked("+864008100080"), "400*****80");
    assert_eq!(masked("+868008208820"), "800*****20");
    assert_eq!(masked("+861095588"), "010*****");
    assert_eq!(masked("+8657112345"), "0571*****");
    assert_eq!(masked("+8695588"), "****");
    assert_eq!(masked("+86950131234567"), "****");
}

#[test]
fn a_mask_hides_at_least_four_digits() {
    assert_eq!(masked("+6834000"), "+683****");
    assert_eq!(masked("+442079460958"), "+442*******58");
    assert_eq!(masked("+861062345678;ext=8003"), "010******78");
}

#[test]
fn short_numbers_of_services_stand_after_their_area_code() {
    assert_eq!(
        number(&["01095588", "+861095588", "010-95588", "+86 010 95588"]),
        "+861095588"
    );
    assert_eq!(number(&["021-96110", "02196110"]), "+862196110");
    assert_eq!(number(&["0571-12345", "057112345", "+86 571 12345"]), "+8657112345");
    assert_eq!(number(&["01012315"]), "+861012315");
    assert_eq!(number(&["010-950618"]), "+8610950618");
    assert_eq!(number(&["0571110"]), "+86571110");
    // The same everywhere, and so also without one.
    assert_eq!(number(&["95588", "+8695588"]), "+8695588");
    assert_eq!(number(&["95013123456"]), "+8695013123456");
    for another_in_each_area in ["12345", "96110", "110"] {
        refused(FIELD, another_in_each_area);
    }
}

#[test]
fn a_mobile_after_the_trunk_0_or_the_code_of_a_carrier() {
    let spellings = [
        "013812345678",
        "13812345678",
        "0138 1234 5678",
        "+86013812345678",
        "8613812345678",
        "17951 13812345678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
}

#[test]
fn a_landline_needs_the_0_of_its_area_code() {
    assert_eq!(
        number(&["057185123456", "0571-85123456", "86-571-85123456"]),
        "+8657185123456"
    );
    // The last four may be a mobile without its first digit, and numbers of New York and London.
    for ambiguous in [
        "57185123456",
        "1062345678",
        "9998228823",
        "3102345678",
        "3102345678转1",
        "2125551234",
        "2079460958",
    ] {
        assert_eq!(
            refused(FIELD, ambiguous),
            "a landline has the 0 of its area code before it, or +86",
            "{ambiguous}"
        );
    }
    for no_landline in ["62345678", "99982288236", "5718512345", "23812345678"] {
        refused(FIELD, no_landline);
    }
}

#[test]
fn two_numbers_are_not_a_number_with_an_extension() {
    for two in [
        "010-62345678、62345679",
        "010-62345678、79",
        "010-62345678,010-62345679",
        "010-62345678；62345679",
        "010-62345678-62345679",
        "010-62345678（62345679）",
        "0571-8512345-8512346",
        "13812345678;13987654321",
        "13812345678，13987654321",
        "13812345678-13987654321",
        "4008100080、4008100081",
    ] {
        assert!(
            refused(FIELD, two).contains("two numbers"),
            "{two}: {}",
            refused(FIELD, two)
        );
    }
    // A word that says extension makes one of it.
    assert_eq!(number(&["010-62345678转62345679"]), "+861062345678;ext=62345679");
}

#[test]
fn an_extension_in_all_its_spellings() {
    let spellings = [
        "010-62345678转8003",
        "010-62345678分机8003",
        "010-62345678（转8003）",
        "010-62345678(转8003)",
        "010-62345678【转 8003】",
        "010-62345678（8003）",
        "010-62345678转分机8003",
        "010-62345678转8003分机",
        "010-62345678 分机号：8003",
        "010-62345678内线8003",
        "010-62345678轉8003",
        "010-62345678分機8003",
        "010-62345678x8003",
        "010-62345678 X 8003",
        "010-62345678-8003",
        "010-62345678－8003",
        "010-62345678#8003",
        "010-62345678 ext. 8003",
        "010-62345678 Extension: 8003",
        "010-62345678 extn 8003",
        "010-62345678,8003",
        "010-62345678，，8003",
        "010-62345678;8003",
        "010-62345678p8003",
        "010-62345678*8003",
        "010-62345678~8003",
        "+86-10-62345678;ext=8003",
        "+861062345678 доб. 8003",
    ];
    assert_eq!(number(&spellings), "+861062345678;ext=8003");
}

#[test]
fn any_number_may_have_an_extension() {
    assert_eq!(
        number(&["400-810-0080转123456", "4008100080,123456"]),
        "+864008100080;ext=123456"
    );
    // A number that a platform lends, with four digits that lead on.
    assert_eq!(
        number(&["13812345678转1234", "138-1234-5678-1234"]),
        "+8613812345678;ext=1234"
    );
    assert_eq!(
        number(&["+1 212-555-0100 ext. 5", "+12125550100;ext=5"]),
        "+12125550100;ext=5"
    );
    refused(FIELD, "010-62345678转");
    refused(FIELD, "010-62345678转13912345678");
    refused(FIELD, "010-62345678转800三");
    refused(FIELD, "转8003");
}

#[test]
fn signs_between_the_digits() {
    let spellings = [
        "010/62345678",
        "010-62345678",
        "(010)62345678",
        "010.6234.5678",
        "010_62345678",
        "010╱62345678",
        "010⧸62345678",
        "０１０－６２３４５６７８",
    ];
    assert_eq!(number(&spellings), "+861062345678");
    let hyphens = [
        "138−1234−5678",
        "138‐1234‑5678",
        "138–1234—5678",
        "138―1234‒5678",
        "138－1234﹣5678",
        "138ー1234─5678",
        "138⸺1234᠆5678",
        "138־1234֊5678",
    ];
    assert_eq!(number(&hyphens), "+8613812345678");
    assert_eq!(
        number(&[
            "138/1234/5678",
            "[138]12345678",
            "138·1234·5678",
            "138\u{a0}1234\u{2009}5678",
            "138\t1234\n5678"
        ]),
        "+8613812345678"
    );
    assert_eq!(number(&["13812345678。", "13812345678,"]), "+8613812345678");
    // What a table makes of a number: the 0 is no digit of it.
    for decimal in ["95588.0", "057185123456.0", "13812345678.00"] {
        refused(FIELD, decimal);
    }
    for two in [
        "010-62345678/79",
        "0571-8512345/6",
        "13812345678/13987654321",
        "13812345678、13987654321",
    ] {
        refused(FIELD, two);
    }
}

#[test]
fn invisible_marks_around_a_copied_number() {
    let spellings = [
        "\u{202d}13812345678\u{202c}",
        "\u{200e}138\u{200b}1234\u{feff}5678",
        "\u{2066}138\u{ad}12345678\u{2069}",
        "\u{0}13812345678\u{fe0f}",
        "13812345678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
}

#[test]
fn a_foreign_trunk_0_is_for_calls_inside_the_country() {
    let spellings = [
        "+44 020 7946 0958",
        "+442079460958",
        "+44 (0)20 7946 0958",
        "0044 20 7946 0958",
        "+44-(0)-20/79460958",
    ];
    assert_eq!(number(&spellings), "+442079460958");
    assert_eq!(number(&["+49 (0)30 123456", "+49 030 123456"]), "+4930123456");
    assert_eq!(number(&["+7 8 (912) 345-67-89", "+7 912 345 67 89"]), "+79123456789");
    assert_eq!(number(&["+1 1 212 555 0100", "+1 (212) 555-0100"]), "+12125550100");
    assert_eq!(number(&["+81 090-1234-5678", "+819012345678"]), "+819012345678");
    // Where the 0 belongs to the number it stays, and where there is no trunk prefix it is none.
    assert_eq!(number(&["+39 06 6982 1234", "+39 (0)6 69821234"]), "+390669821234");
    assert_eq!(
        number(&["+34 0912345678", "+34 (0) 912 345 678", "+34912345678"]),
        "+34912345678"
    );
}

#[test]
fn a_plus_sign_that_leads_to_no_country() {
    let hints = [
        "+4008100080",
        "+8008208820",
        "+13812345678",
        "+01062345678",
        "+057185123456",
    ];
    for number in hints {
        assert!(
            refused(FIELD, number).contains("+86 before it, or no plus sign"),
            "{number}"
        );
    }
    refused(FIELD, "+999 1234567");
    refused(FIELD, "+44 1");
}

#[test]
fn countries_with_short_numbers() {
    assert_eq!(number(&["+683 4000", "00683-4000"]), "+6834000");
    assert_eq!(number(&["+690 3101"]), "+6903101");
    assert_eq!(number(&["+290 8999"]), "+2908999");
    assert_eq!(number(&["+247 62889"]), "+24762889");
}

#[test]
fn what_is_no_number_at_all() {
    for bad in [
        "12",
        "1381234567",
        "138123456789",
        "0010",
        "+",
        "tel:",
        "x8003",
        "一三八一二三四五六七八",
        "138****5678",
        "0400-62345678",
    ] {
        refused(FIELD, bad);
    }
}

proptest! {
    #[test]
    fn each_spelling_of_a_landline_is_one_number(
        area in prop::sample::select(vec!["10", "21", "571", "755", "898"]),
        subscriber in "[2-8][0-9]{7}",
        before in prop::sample::select(vec!["0", "+86", "+86 0", "0086-", "86-0", "(0", "tel:+86-"]),
        between in prop::sample::select(vec!["", "-", " ", "/", ")", ".", "–", "\u{2212}", "\u{200b}"]),
        extension in prop::option::of("[0-9]{1,6}"),
        mark in prop::sample::select(vec!["转", "分机", "x", " ext. ", "#", "-", "（转", ";ext="]),
    ) {
        let fields = shipped();
        let spelling = format!("{before}{area}{between}{subscriber}");
        let (spelling, ending) = match &extension {
            Some(digits) => (format!("{spelling}{mark}{digits}"), format!(";ext={digits}")),
            None => (spelling, String::new()),
        };
        let expected = format!("+86{area}{subscriber}{ending}");
        prop_assert_eq!(normal_of(fields.get(FIELD).unwrap(), &spelling), Ok(expected), "{}", spelling);
    }

    #[test]
    fn what_is_kept_of_any_number_is_kept_of_it_again(number in "(\\+|00|0|)[0-9]{3,15}((转|x|-)[0-9]{1,6})?") {
        let fields = shipped();
        let field = fields.get(FIELD).unwrap();
        if let Ok(normal) = normal_of(field, &number) {
            prop_assert_eq!(normal_of(field, &normal), Ok(normal.clone()), "{}", number);
            let masked = field.mask(&normal);
            prop_assert!(masked.matches('*').count() >= 4, "{}", masked);
        }
    }
}
