//! Names, by kind, and words that name nobody.

use proptest::prelude::*;

use super::{kept, normal_of, refused, same, shipped};
use crate::model::fields::{FieldSet, Words};
use crate::model::submitted::Submitted;

const FIELD: &str = "name";

fn identifies(fields: &FieldSet, name: &str) -> bool {
    let field = fields.get(FIELD).unwrap();
    field.identifies(&Submitted::new(normal_of(field, name).unwrap()))
}

#[test]
fn a_name_has_one_letter_or_up_to_a_hundred() {
    assert_eq!(kept(FIELD, &["李"]), "李");
    let long = "Wickramasinghe Mudiyanselage Nuwan Chathuranga";
    assert_eq!(kept(FIELD, &[long]), long);
    let longest = "ab ".repeat(33) + "c";
    assert_eq!(kept(FIELD, &[&longest]), longest);
    refused(FIELD, &(longest + "d"));
    refused(FIELD, "");
    for one in ["李", "A"] {
        assert_eq!(
            shipped().get(FIELD).unwrap().mask(one),
            "****",
            "one letter is all there is"
        );
    }
}

#[test]
fn a_private_use_character_of_gbk_has_its_place() {
    assert_eq!(kept(FIELD, &["刘\u{e863}", "刘䶮", "刘\u{4dae}"]), "刘䶮");
    assert_eq!(kept(FIELD, &["\u{e82d}国强"]), "㭎国强");
    assert_eq!(kept(FIELD, &["王\u{e817}"]), "王𠂉");
    for nth in 0..80 {
        let private = char::from_u32(0xE815 + nth).unwrap();
        kept(FIELD, &[&format!("刘{private}")]);
    }
    refused(FIELD, "刘\u{e900}");
}

#[test]
fn an_apostrophe_is_no_accent() {
    for mark in [
        '\u{b4}', '`', '\u{2018}', '\u{2019}', '\u{201b}', '\u{2032}', '\u{ff07}',
    ] {
        assert_eq!(kept(FIELD, &[&format!("D{mark}Angelo"), "D'Angelo"]), "D'Angelo");
    }
    // Letters of their own stay as they are written, and equal what others write for them.
    assert_eq!(kept(FIELD, &["Kaʻiulani"]), "Kaʻiulani");
    assert!(same(FIELD, "Kaʻiulani", "Ka'iulani") && same(FIELD, "O'Neill", "ONEILL"));
    assert_eq!(kept(FIELD, &["'t Hooft"]), "'t Hooft");
}

#[test]
fn nothing_of_a_name_is_altered() {
    for name in [
        "Mª José",
        "Łukasz Żółć",
        "İsmail Işık",
        "Nguyễn Văn Hùng",
        "Griﬃn",
        "Jean-Luc O’Brien",
        "𠮷野家子",
        "葛\u{e0100}飾子",
        "ශ්\u{200d}රී ලංකා",
        "علی\u{200c}رضا",
        "John Smith Jr.",
        // A letter of the Cree that looks like a dot.
        "ᒪᓂᑐᐧ",
    ] {
        assert_eq!(kept(FIELD, &[name]), name.replace('’', "'"));
    }
    assert_eq!(kept(FIELD, &["Ｊｏｈｎ　Ｓｍｉｔｈ", "John  Smith"]), "John Smith");
    assert_eq!(kept(FIELD, &["ﾔﾏﾀﾞ", "ヤマダ"]), "ヤマダ");
    assert_eq!(kept(FIELD, &["张 三", "张　三", "⽟"][..2]), "张三");
    assert_eq!(kept(FIELD, &["⽟", "玉"]), "玉");
    assert_eq!(kept(FIELD, &["Jose\u{301}", "José"]), "José");
    refused(FIELD, "Mu\u{a8}ller");
    refused(FIELD, "张三13812345678");
}

#[test]
fn invisible_marks_in_a_name() {
    let spellings = [
        "\u{200b}张三",
        "张\u{200d}三",
        "\u{feff}张三\u{200e}",
        "张\u{ad}三",
        "\u{202a}张三\u{202c}",
        "张\u{0}三\u{fe0f}",
        "张\u{2060}三",
        "张\u{2800}三",
        "张\u{fffc}三",
    ];
    assert_eq!(kept(FIELD, &spellings), "张三");
    refused(FIELD, "\u{200b}");
}

#[test]
fn dots_in_a_name_are_written_in_many_ways() {
    let written = "古丽米热·艾比布力";
    let usual = ['•', '‧', '・', '･', '∙', '⋅', '●', '。', '｡', '\u{387}', '\u{2024}'];
    for dot in usual.into_iter().chain(['˙', '᛫', '▪', '⦁', '⸳']) {
        assert_eq!(kept(FIELD, &[&written.replace('·', &dot.to_string())]), written);
    }
    assert_eq!(
        kept(
            FIELD,
            &["古丽米热.艾比布力", "古丽米热．艾比布力", "古丽米热﹒艾比布力"]
        ),
        "古丽米热.艾比布力",
        "kept as it is written"
    );
    for other in [".", "．", " ", "", "-"] {
        assert!(same(FIELD, written, &written.replace('·', other)), "{other}");
    }
    assert!(!same(FIELD, written, "古丽米热·艾比布"));
}

#[test]
fn names_are_compared_in_one_case() {
    assert_eq!(kept(FIELD, &["John Smith"]), "John Smith");
    for other in [
        "JOHN SMITH",
        "john smith",
        "John-Smith",
        "John  SMITH",
        "Ｊｏｈｎ Smith",
        "John\u{200b} Smith",
    ] {
        assert!(same(FIELD, "John Smith", other), "{other}");
    }
    assert!(same(FIELD, "Straße", "STRASSE") && same(FIELD, "Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"));
    assert!(same(FIELD, "İsmail", "ismail") && same(FIELD, "葛\u{e0100}子", "葛子"));
    assert!(!same(FIELD, "John Smith", "Joan Smith") && !same(FIELD, "José", "Jose"));
}

#[test]
fn a_surname_before_a_comma() {
    assert_eq!(kept(FIELD, &["SMITH, JOHN", "SMITH,  JOHN"]), "SMITH, JOHN");
    assert!(same(FIELD, "SMITH, JOHN", "John Smith") && !same(FIELD, "JOHN, SMITH", "John Smith"));
    for bad in ["张三,李四", "SMITH, JOHN, JUNIOR", ", JOHN", "SMITH,"] {
        refused(FIELD, bad);
    }
}

/// What stands where no name was given.
const NOBODY: &[&str] = &[
    "匿名",
    "不详",
    "先生",
    "女士",
    "王先生",
    "王女士",
    "张某",
    "李某某",
    "王老师",
    "刘师傅",
    "欧阳女士",
    "匿名女士",
    "李",
    "欧阳",
    "老王",
    "小李",
    "热心市民",
    "不愿透露姓名",
    "某先生",
    "王小姐",
    "王伯",
    "李嫂",
    "欧先生",
    "依先生",
    "anonymous",
    "Anonymous",
    "ANONYMOUS",
    "Unknown",
    "N.A",
    "Mr Smith",
    "Mr. Wang",
    "MRS SMITH-JONES",
    "Miss Li",
    "Dr. Wang",
    "Wang xiansheng",
    "Sir",
    "No Name",
    "匿 名",
    "匿·名",
    "X",
    "匿名举报人",
    "王姓女士",
    "王姓市民",
    "姓王",
    "张XX",
    "张ＸＸ",
    "张〇〇",
    "陈太",
    "刘工",
    "业主王女士",
    "一市民",
    "没说",
    "拒绝透露姓名",
    "患者家属",
    "Anonymous Caller",
    "Guest",
    "Not disclosed",
];

#[test]
fn words_that_name_nobody_identify_nobody() {
    let fields = shipped();
    for nobody in NOBODY {
        assert!(!identifies(&fields, nobody), "{nobody}");
    }
}

#[test]
fn a_name_that_is_withheld_is_kept_as_far_as_it_is_told() {
    let fields = shipped();
    for (written, kept_as) in [
        ("李**", "李"),
        ("李＊＊", "李"),
        ("李*明", "李"),
        ("李小*", "李"),
        ("欧阳**", "欧阳"),
        ("张××", "张"),
        ("王○○", "王"),
        ("孙女士（匿名）", "孙女士"),
        ("李(不愿透露姓名)", "李"),
        ("先生/女士", "先生"),
        ("女士／先生", "女士"),
    ] {
        assert_eq!(kept(FIELD, &[written]), kept_as);
        assert!(!identifies(&fields, written), "{written}");
    }
    // Neither is a name made of what was told of another thing.
    for other in [
        "**",
        "李**13812345678",
        "张三（匿名）",
        "张三/李四",
        "王/李",
        "J** Smith",
        "孙女士（张三）",
    ] {
        refused(FIELD, other);
    }
}

#[test]
fn names_of_persons_identify_somebody() {
    let fields = shipped();
    for somebody in [
        "张三",
        "孙一一",
        "欧阳修",
        "张伟先生",
        "古丽米热·艾比布力",
        "John Smith",
        "Mr John Smith",
        "Zhang San",
        "Sukarno",
        "司马光",
        "阿卜杜拉·买买提",
        "王小明",
        "John Herr",
        "阿依",
        "小红",
        "阿兰",
        "小文",
        "阿龙",
        "小红·阿依",
        "何大姐儿",
        "秀姐",
        "张三家属",
        "王生",
        "工藤新一",
    ] {
        assert!(identifies(&fields, somebody), "{somebody}");
    }
}

#[test]
fn a_city_has_words_of_its_own() {
    let words = Words::SHIPPED.replace("\"匿名\", \"匿名者\"", "\"未具名\"");
    let fields = shipped().with_words(Words::load(&words).unwrap());
    assert!(!identifies(&fields, "未具名") && identifies(&fields, "匿名者"));
    for bad in [
        Words::SHIPPED.replace("surnames = [", "surname = ["),
        "nobody = 1".to_owned(),
    ] {
        let told = Words::load(&bad).unwrap_err().to_string();
        assert!(told.starts_with("words.toml: "), "{told}");
    }
}

#[test]
fn hyphens_in_a_name() {
    assert_eq!(
        kept(FIELD, &["Jean-Luc", "Jean﹣Luc", "Jean−Luc", "Jean⸺Luc", "Jean‑Luc"]),
        "Jean-Luc"
    );
}

proptest! {
    #[test]
    fn what_is_kept_of_any_name_is_kept_of_it_again(name in "\\PC{1,40}") {
        let fields = shipped();
        let field = fields.get(FIELD).unwrap();
        if let Ok(normal) = normal_of(field, &name) {
            prop_assert_eq!(normal_of(field, &normal), Ok(normal.clone()), "{:?}", name);
            let folded = field.indexed(&Submitted::new(normal)).unwrap();
            prop_assert!(!folded.value.expose().is_empty());
        }
    }

    #[test]
    fn marks_that_nobody_sees_make_no_difference(
        name in "[\u{4e00}-\u{9fa5}]{2,4}",
        mark in prop::sample::select(vec!['\u{200b}', '\u{200d}', '\u{202d}', '\u{feff}', '\u{ad}', '\u{2066}', '\u{0}', '\u{e0001}']),
        at in 0_usize..4,
    ) {
        let at = name.char_indices().nth(at).map_or(name.len(), |(at, _)| at);
        let (before, after) = name.split_at(at);
        let fields = shipped();
        prop_assert_eq!(normal_of(fields.get(FIELD).unwrap(), &format!("{before}{mark}{after}")), Ok(name.clone()));
    }
}
