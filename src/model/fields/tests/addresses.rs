//! Telephone numbers in addresses and behind labels.

use super::phone::{FIELD, number};
use super::refused;

#[test]
fn a_label_before_the_number() {
    let spellings = [
        "电话：13812345678",
        "联系电话 13812345678",
        "手机号码:13812345678",
        "手机13812345678",
        "Tel. 138 1234 5678",
        "TEL:+86 138-1234-5678",
        "Mobile: 13812345678",
        "移动电话：13812345678",
        "本人电话:13812345678",
        "T: 13812345678",
        "Phone number: 13812345678",
        "tel://13812345678",
        "callto:+8613812345678",
        "☎13812345678",
        "13812345678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
    assert_eq!(number(&["办公电话：010-62345678转8003"]), "+861062345678;ext=8003");
    assert_eq!(
        number(&["传真：010-62345678", "Fax: 010-62345678", "固定电话 010-62345678"]),
        "+861062345678"
    );
    for none in ["电话", "电话：", "电话：张三", "三姨电话13812345678"] {
        refused(FIELD, none);
    }
}

#[test]
fn an_address_of_sip() {
    let spellings = [
        "sip:+8613812345678@ims.mnc000.mcc460.3gppnetwork.org;user=phone",
        "SIP:13812345678@10.0.0.1",
        "sips:%2B8613812345678@example.com:5061",
        "sip:013812345678@example.com",
        "\"张三\" <sip:+8613812345678@ims.example;user=phone>;tag=9",
        "<sip:13812345678@10.0.0.1>",
        "<tel:+8613812345678>",
        "13812345678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
    assert_eq!(
        number(&["sip:+86-10-62345678;ext=8003@example.com;user=phone"]),
        "+861062345678;ext=8003"
    );
    for none in [
        "sip:zhangsan@example.com",
        "sip:@example.com",
        "sip:",
        "13812345678@qq.com",
    ] {
        refused(FIELD, none);
    }
}

#[test]
fn an_address_of_rfc_3966() {
    let spellings = [
        "tel:+86-10-62345678;ext=8003",
        "TEL:+861062345678;ext=8003;isub=7",
        "tel:62345678;ext=8003;phone-context=+86-10",
        "tel:+86(10)6234.5678;ext=8003;phone-context=example.com",
        "tel:+86-10-62345678;ext=80-03",
        "tel:+861062345678;extension=8003",
    ];
    assert_eq!(number(&spellings), "+861062345678;ext=8003");
    assert_eq!(number(&["tel:13812345678", "tel:+8613812345678"]), "+8613812345678");
}

#[test]
fn marks_that_a_table_puts_around_a_number() {
    let spellings = [
        "'13812345678",
        "=\"13812345678\"",
        "\"13812345678\"",
        "`13812345678",
        "“13812345678”",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
}

#[test]
fn two_numbers_are_called_two_and_words_are_no_extension() {
    for two in [
        "13812345678 13987654321",
        "13812345678/13987654321",
        "13812345678或13987654321",
        "13812345678\n13987654321",
        "010-62345678 和 13812345678",
    ] {
        assert!(
            refused(FIELD, two).contains("two numbers"),
            "{two}: {}",
            refused(FIELD, two)
        );
    }
    for words in ["13812345678（王女士）", "13812345678微信同号"] {
        assert!(
            refused(FIELD, words).contains("has digits"),
            "{words}: {}",
            refused(FIELD, words)
        );
    }
    assert_eq!(
        number(&["010-62345678接8003", "010-62345678按8003"]),
        "+861062345678;ext=8003"
    );
}
