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
        "13812345678",
    ];
    assert_eq!(number(&spellings), "+8613812345678");
    assert_eq!(number(&["办公电话：010-62345678转8003"]), "+861062345678;ext=8003");
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
    ];
    assert_eq!(number(&spellings), "+861062345678;ext=8003");
    assert_eq!(number(&["tel:13812345678", "tel:+8613812345678"]), "+8613812345678");
}
