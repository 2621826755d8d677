//! E-mail addresses and WeChat names, by kind.

use super::{kept, refused, same};

#[test]
fn a_mailbox_is_compared_in_one_case_and_kept_as_written() {
    assert_eq!(
        kept("email", &["Dongsheng@QQ.com", "Dongsheng@qq.com"]),
        "Dongsheng@qq.com"
    );
    assert!(
        same("email", "Dongsheng@QQ.com", "dongsheng@qq.com") && same("email", "DONGSHENG@qq.com", "dongsheng@QQ.COM")
    );
    assert!(!same("email", "dongsheng@qq.com", "dongsheng@163.com"));
}

#[test]
fn a_domain_has_one_form() {
    let spellings = [
        "user@BÜCHER.example",
        "user@bücher.example",
        "user@xn--bcher-kva.example",
        "user@XN--BCHER-KVA.example",
        "user@bu\u{308}cher.example",
    ];
    assert_eq!(kept("email", &spellings), "user@bücher.example");
    assert_eq!(
        kept("email", &["a@例子.中国", "a@例子。中国", "a@xn--fsqu00a.xn--fiqs8s"]),
        "a@例子.中国"
    );
    assert!(same("email", "USER@BÜCHER.example", "user@xn--bcher-kva.EXAMPLE"));
}

#[test]
fn a_dot_of_a_chinese_input_method_in_an_address() {
    assert_eq!(
        kept(
            "email",
            &[
                "abc@qq。com",
                "abc@qq｡com",
                "abc＠qq．com",
                "ａｂｃ@qq.com",
                "abc@qq.com。",
                "mailto:abc@qq.com",
                "MAILTO:abc@qq.com",
                "邮箱：abc@qq.com",
                "E-mail: abc@qq.com",
                "<abc@qq.com>",
                "abc @ qq.com",
                "abc@qq.com；",
                "'abc@qq.com"
            ]
        ),
        "abc@qq.com"
    );
    assert_eq!(kept("email", &["zhang。san@qq。com"]), "zhang.san@qq.com");
}

#[test]
fn invisible_marks_in_an_address() {
    assert_eq!(
        kept(
            "email",
            &["\u{200b}abc@qq.com", "abc\u{ad}@qq.com\u{feff}", "abc@qq\u{200d}.com"]
        ),
        "abc@qq.com"
    );
    assert_eq!(
        kept("wechat", &["\u{202d}zhangsan8\u{202c}", "zhang\u{200b}san8"]),
        "zhangsan8"
    );
}

#[test]
fn what_is_no_address() {
    for bad in [
        "abc",
        "abc@",
        "@qq.com",
        "abc@qq",
        "a b@qq.com",
        "d****@126.com",
        "abc@-qq.com",
        "abc@qq_.com",
        "abc@[1.2.3.4]",
        "abc@1.2.3.4",
        "abc@qq.com,def@qq.com",
        "地址：abc@qq.com",
        "张三 <abc@qq.com>",
    ] {
        refused("email", bad);
    }
    refused("email", &format!("a@{}.com", "b".repeat(64)));
    refused(
        "email",
        &format!("{}@{}.com", "a".repeat(64), ["b".repeat(60).as_str(); 4].join(".")),
    );
}

#[test]
fn a_wechat_name_may_begin_with_an_underscore() {
    assert_eq!(kept("wechat", &["_zhangsan8"]), "_zhangsan8");
    assert_eq!(kept("wechat", &["Zhang-San_8"]), "Zhang-San_8", "kept as written");
    assert_eq!(
        kept(
            "wechat",
            &[
                "zhang-san8",
                "微信：zhang-san8",
                "微信号 :zhang-san8",
                "WX:zhang‐san8",
                "@zhang—san8",
                "'zhang-san8"
            ]
        ),
        "zhang-san8"
    );
    assert!(same("wechat", "Zhang-San_8", "zhang-san_8"));
    for bad in [
        "8zhangsan",
        "-zhangsan",
        "zhang",
        "zhangsan8zhangsan8zha",
        "张三zhang",
        "zhang san",
    ] {
        refused("wechat", bad);
    }
}
