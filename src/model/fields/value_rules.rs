//! The rules that values keep, each with a name for programs and its words in English and Chinese. `docs/problems.md` lists them.

use crate::model::problems::Words;

/// A rule that a value breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct ValueRule {
    /// A name for programs, which stays the same.
    pub name: &'static str,
    /// What the value must be.
    pub words: Words,
}

/// The rule that a value breaks.
pub(super) type Broken = &'static ValueRule;

impl ValueRule {
    /// Every rule.
    #[must_use]
    pub fn all() -> &'static [&'static Self] {
        ALL
    }

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|rule| rule.name == name).copied()
    }
}

/// Declares rules: constant, name, English, Chinese.
macro_rules! value_rules {
    ($( $id:ident = $name:literal, $en:literal / $zh:literal; )+) => {
        $(
            pub(super) const $id: Broken = &ValueRule { name: $name, words: Words { en: $en, zh: $zh } };
        )+

        const ALL: &[&ValueRule] = &[ $( $id, )+ PHONE_AREA_ZERO, NAMES_NOBODY, ON_FILE_STAYS ];
    };
}

/// A caller's name is on file, and what is stated as their name names nobody.
pub const NAMES_NOBODY: &ValueRule = &ValueRule {
    name: "names-nobody",
    words: Words {
        en: "it names nobody (words.toml); the name on file stays",
        zh: "该称呼不指明任何人（见 words.toml），保留已登记的姓名",
    },
};

/// The agent says that a caller on file is calling, and what is stated now is not what is on file.
pub const ON_FILE_STAYS: &ValueRule = &ValueRule {
    name: "on-file-stays",
    words: Words {
        en: "another value is on file and stays; correct it if it is wrong",
        zh: "已登记的值不同，予以保留；如有误请更正",
    },
};

/// A landline without the 0 of its area code. It may as well be a mobile number without its first digit.
pub const PHONE_AREA_ZERO: &ValueRule = &ValueRule {
    name: "phone-area-zero",
    words: Words {
        en: "a landline has the 0 of its area code before it, or +86",
        zh: "固定电话应写区号前的 0，或写 +86",
    },
};

value_rules! {
    EMPTY = "empty", "it is empty" / "值为空";
    SHORT = "too-short", "it is too short for this field" / "少于该字段要求的字数";
    LONG = "too-long", "it is too long for this field" / "超过该字段的字数上限";
    NUMBER_IN_SHOWN = "number-in-shown-field", "it holds a number or an account, and this field is shown whole even where it is masked"
        / "含有号码或账号；该字段脱敏时也完整显示，不能填写号码或账号";

    NAME_LENGTH = "name-length", "a name has 1 to 100 characters" / "姓名为 1 至 100 个字符";
    NAME_LETTERS = "name-letters", "a name has letters, with · . - ' a space or one comma between them"
        / "姓名由文字组成，其间可有 · . - '、空格或一个逗号";

    PHONE_CHARACTERS = "phone-characters",
        "a phone number has digits, spaces, hyphens, dots, slashes and brackets, and one extension at most"
        / "电话号码由数字、空格、连字符、点、斜线和括号组成，最多带一个分机号";
    PHONE_TWO = "phone-two-numbers", "these look like two numbers: state one, or mark an extension by 转 or ext"
        / "像是两个号码：请只填一个；如为分机，请用“转”或 ext 标明";
    PHONE_EXTENSION = "phone-extension", "an extension has 1 to 8 digits" / "分机号为 1 至 8 位数字";
    PHONE_MAINLAND = "phone-mainland",
        "a mainland number is a mobile of 11 digits, 400 or 800 with 7 digits, or a landline or short number with its area code"
        / "内地号码应为 11 位手机号、400 或 800 加 7 位数字，或带区号的固定电话、短号码";
    PHONE_AREA = "phone-area", "no area code of the mainland begins this number" / "号码开头不是内地任何区号";
    PHONE_SUBSCRIBER = "phone-subscriber",
        "after an area code come 7 or 8 digits, after 010 and 02x always 8, or a short number such as 95xxx, 96xxx or 12345"
        / "区号后应为 7 或 8 位数字（010 和 02x 后为 8 位），或 95xxx、96xxx、12345 等短号码";
    PHONE_COUNTRY = "phone-country", "no country has this code; a mainland number has +86 before it, or no plus sign"
        / "没有使用此代码的国家或地区；内地号码前写 +86，或不写加号";
    PHONE_LENGTH = "phone-length",
        "no number of that country has so many digits (ITU-T E.164); a mainland number has +86 before it, or no plus sign"
        / "该国家或地区的号码没有这么多或这么少的位数（ITU-T E.164）；内地号码前写 +86，或不写加号";
    PHONE_MEANT_MAINLAND = "phone-meant-mainland", "that country has no such number: did you mean +86 before it, or no plus sign?"
        / "该国家或地区没有这样的号码：是否应写 +86，或不写加号？";

    ID_SHAPE = "id-shape", "it is not 17 digits and a check character (GB 11643-1999)"
        / "应为 17 位数字加 1 位校验码（GB 11643-1999）";
    ID_REGION = "id-region", "no region has the first two digits (GB/T 2260)" / "前两位不是任何地区的代码（GB/T 2260）";
    ID_DATE = "id-date", "the digits of the birth date are no date (GB 11643-1999)"
        / "出生日期码不是有效日期（GB 11643-1999）";
    ID_FUTURE = "id-future", "the birth date lies in the future" / "出生日期晚于今天";
    ID_CHECK = "id-check", "the check character is wrong (GB 11643-1999)" / "校验码错误（GB 11643-1999）";

    ADDRESS_MASKED = "address-masked", "it holds a star, so it is a masked copy" / "含有星号，是脱敏后的地址";
    EMAIL = "email", "it is not an e-mail address (RFC 5322 §3.4.1)" / "不是电子邮件地址（RFC 5322 §3.4.1）";
    EMAIL_LONG = "email-too-long", "an e-mail address has at most 254 characters (RFC 5321 §4.5.3.1)"
        / "电子邮件地址最多 254 个字符（RFC 5321 §4.5.3.1）";
    WECHAT = "wechat", "a WeChat ID is a letter or underscore and 5 to 19 letters, digits, hyphens or underscores"
        / "微信号以字母或下划线开头，后接 5 至 19 个字母、数字、连字符或下划线";
    PLATE = "plate", "it is not a mainland number plate (GA 36-2018)" / "不是内地机动车号牌（GA 36-2018）";

    DOCUMENT_MISSING = "document-missing", "a document has a kind and a number, as in passport:E12345678 or 护照 E12345678"
        / "证件应写明种类和号码，如“护照 E12345678”或 passport:E12345678";
    PASSPORT = "passport", "a passport has 5 to 15 letters and digits" / "护照号为 5 至 15 位字母和数字";
    HK_MACAO_PERMIT = "hk-macao-permit", "a permit of residents of Hong Kong or Macao has H or M and 8 or 10 digits"
        / "港澳居民来往内地通行证号为 H 或 M 加 8 位或 10 位数字";
    TAIWAN_PERMIT = "taiwan-permit", "a permit of residents of Taiwan has 8 digits, or 10 and perhaps a letter"
        / "台湾居民来往大陆通行证号为 8 位数字，或 10 位数字后可带一个字母";
    TRAVEL_PERMIT = "travel-permit", "a travel permit has one or two letters and 7 or 8 digits"
        / "往来港澳、台湾通行证号为一或两个字母加 7 位或 8 位数字";
    RESIDENCE_PERMIT = "residence-permit", "a residence permit has 6 to 18 letters and digits"
        / "居留证件号为 6 至 18 位字母和数字";
    HONG_KONG_ID = "hong-kong-id", "a Hong Kong identity card has one or two letters, 6 digits and the right check digit"
        / "香港身份证号为一或两个字母、6 位数字和正确的校验码";
    MACAO_ID = "macao-id", "a Macao identity card has 8 digits, the first 1, 5, 7 or 8"
        / "澳门身份证号为 8 位数字，首位为 1、5、7 或 8";
    TAIWAN_ID = "taiwan-id", "an identity card of Taiwan has a letter, 9 digits and the right check digit"
        / "台湾身份证号为一个字母加 9 位数字，且校验码正确";
    BIRTH_CERTIFICATE = "birth-certificate", "a birth certificate has a letter and 9 digits"
        / "出生医学证明编号为一个字母加 9 位数字";
    OTHER_DOCUMENT = "other-document", "another document has 4 to 30 letters and digits, two digits at least"
        / "其他证件号为 4 至 30 位字母和数字，至少含两位数字";
}

#[cfg(test)]
mod tests {
    use super::ValueRule;

    #[test]
    fn each_rule_has_a_name_of_its_own_and_both_languages() {
        let mut names = std::collections::BTreeSet::new();
        for rule in ValueRule::all() {
            assert!(names.insert(rule.name), "{}", rule.name);
            assert_eq!(ValueRule::named(rule.name), Some(*rule));
            assert!(rule.words.en.chars().any(|c| c.is_ascii_lowercase()), "{}", rule.name);
            assert!(rule.words.zh.chars().any(super::super::text::is_han), "{}", rule.name);
        }
    }
}
