//! Lines and longer text, by kind.

use super::{kept, refused};

#[test]
fn invisible_marks_and_ends_of_lines_in_one_line() {
    assert_eq!(
        kept(
            "salutation",
            &[
                "张\u{200b}先生",
                "\u{feff}张先生",
                "张\u{202d}先生\u{202c}",
                "张先生\u{0}"
            ]
        ),
        "张先生"
    );
    let spellings = [
        "海淀区\n1号",
        "海淀区\r\n1号",
        "海淀区\t1号",
        "海淀区 \u{b} 1号",
        "海淀区 1号",
    ];
    assert_eq!(kept("home_address", &spellings), "海淀区 1号");
    assert_eq!(kept("home_address", &["𠂉\u{e817}路"]), "𠂉𠂉路");
    for shown_whole in [
        "张先生zhangsan@qq.com",
        "张先生wxid_abc",
        "张先生http://a.cn",
        "张先生洞幺拐八",
    ] {
        refused("salutation", shown_whole);
    }
    refused("salutation", "\u{200b}\u{200e}");
    refused("salutation", "张先生1\u{200b}3812345679");
}

#[test]
fn controls_in_spoken_text() {
    let spellings = [
        "第一段\u{b}第二段",
        "第一段\r\n第二段",
        "第一段\r第二段",
        "第一段\u{2028}第二段",
        "第一段\u{c}第二段",
        "第一段\u{85}第二段",
        "第一段\n第二段",
    ];
    assert_eq!(kept("text", &spellings), "第一段\n第二段");
    assert_eq!(kept("text", &["楼\u{0}下\u{7}夜\u{1f}里", "楼下夜里"]), "楼下夜里");
    assert_eq!(kept("text", &["3\u{1e}5号楼"]), "3-5号楼");
    assert_eq!(
        kept("text", &[" 楼下\t夜里 👨\u{200d}👩 "]),
        " 楼下\t夜里 👨\u{200d}👩 ",
        "as spoken"
    );
    refused("text", " \n\u{200b}");
}
