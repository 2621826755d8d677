//! Addresses, and the district a masked one is cut to.

use super::text::{HIDDEN, is_han, one_line};
use super::value_rules::{self, Broken};

/// Provinces as people name them without 省 or 市 (GB/T 2260).
const PROVINCES: [&str; 33] = [
    "北京",
    "天津",
    "河北",
    "山西",
    "内蒙古",
    "辽宁",
    "吉林",
    "黑龙江",
    "上海",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "广西",
    "海南",
    "重庆",
    "四川",
    "贵州",
    "云南",
    "西藏",
    "陕西",
    "甘肃",
    "青海",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
];
/// Words that begin what a masked address must not show: streets, villages, buildings.
const STREET_WORDS: &str = "路街巷弄道号村镇乡栋幢楼院室屯组队社";
/// The ends of names that are no district although they end like one: 小区, 社区, 校区, 工业区, 服务区 …
const NO_DISTRICT: &str = "小社校院厂景片宅活属舍墅街业务库营园苑号期组村";
/// What follows 市 where it ends no city: 市场, 市民, 市政, 市委, 市中心 …
const NO_CITY: &str = "场民政委心集容立郊";
const DIGITS: &str = "一二三四五六七八九十";
/// The longest names of a district and of one with an ethnic group in it, in characters.
const LONGEST: usize = 9;
const LONGEST_AUTONOMOUS: usize = 16;

/// Canonical form on one line, 2 to `max` characters.
pub(super) fn normalise(value: &str, max: usize) -> Result<String, Broken> {
    let line = one_line(value, 2, max)?;
    if line.contains('*') {
        Err(value_rules::ADDRESS_MASKED)
    } else {
        Ok(line)
    }
}

/// `北京市海淀区****`: province, city and district, as far as they stand at the beginning; `****` if none does.
pub(super) fn mask(address: &str) -> String {
    format!("{}{HIDDEN}", to_district(address))
}

/// What a part of an address is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// 省, 自治区, 自治州, 地区, 盟: more parts follow.
    Region,
    /// 市: a district or another 市 may follow.
    City,
    /// 区, 县, 旗: the last that is shown.
    District,
}

fn to_district(address: &str) -> &str {
    let mut end = short_province(address).unwrap_or(0);
    let mut cities = 0;
    while let Some((length, part)) = next_part(address.get(end..).unwrap_or_default(), end > 0) {
        end += length;
        cities += usize::from(part == Part::City);
        if part == Part::District || cities == 2 {
            break;
        }
    }
    address.get(..end).unwrap_or_default()
}

/// The length of a short province name, if a whole part follows it: 北京海淀区, but not 北京路.
fn short_province(address: &str) -> Option<usize> {
    let province = PROVINCES.iter().find(|province| address.starts_with(**province))?;
    let rest = address.get(province.len()..)?;
    let whole = !rest.starts_with(['省', '市', '区', '县', '旗']) && next_part(rest, true).is_some();
    whole.then_some(province.len())
}

/// The part at the beginning of `rest` and its length in bytes. `within`: something larger came before, so that a
/// short or long name is believed.
fn next_part(rest: &str, within: bool) -> Option<(usize, Part)> {
    let blank = rest.len() - rest.trim_start().len();
    let mut name = Vec::new();
    let mut chars = rest.trim_start().char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        name.push(c);
        let street = name.len() > 1 && STREET_WORDS.contains(c) && !next.is_some_and(ends_part);
        if !is_han(c) || street || name.len() > LONGEST_AUTONOMOUS {
            return None;
        }
        match part(&name, next, within) {
            Verdict::Part(part) => return Some((blank + at + c.len_utf8(), part)),
            Verdict::Longer => {}
            Verdict::None => return None,
        }
    }
    None
}

/// What a name read so far is.
enum Verdict {
    Part(Part),
    /// Not yet a part.
    Longer,
    /// Not a part, and it will not become one.
    None,
}

const fn ends_part(c: char) -> bool {
    matches!(c, '市' | '区' | '县' | '旗')
}

fn part(name: &[char], next: Option<char>, within: bool) -> Verdict {
    // 沙市区, 新乡县, 红旗区: the last of several endings counts.
    if next.is_some_and(ends_part) || name.len() < 2 {
        return Verdict::Longer;
    }
    match name {
        [.., '省'] | [.., '自', '治', '区' | '州'] | [.., '行', '政', '区'] | [.., '地', '区'] => {
            Verdict::Part(Part::Region)
        }
        ['兴', '安', '盟'] | ['锡', '林', '郭', '勒', '盟'] | ['阿', '拉', '善', '盟'] => {
            Verdict::Part(Part::Region)
        }
        [.., '市'] => believed(is_city(name, next), Part::City),
        [.., '区'] => believed(is_district(name, within), Part::District),
        [.., '县'] => believed(is_short(name, within), Part::District),
        [.., '旗'] => believed(is_short(name, within) && is_banner(name), Part::District),
        _ => Verdict::Longer,
    }
}

fn believed(believed: bool, part: Part) -> Verdict {
    if believed { Verdict::Part(part) } else { Verdict::None }
}

/// 成都市 is a city; 超市, 菜市场 and 国际都市 are not.
fn is_city(name: &[char], next: Option<char>) -> bool {
    let shop = matches!(name, [.., '超', '市'] | [_, _, .., '城' | '都', '市']);
    (3..=LONGEST).contains(&name.len()) && !shop && !next.is_some_and(|next| NO_CITY.contains(next))
}

/// 海淀区 is a district; 阳光小区, 望京三区 and 花园东区 are not.
fn is_district(name: &[char], within: bool) -> bool {
    let long = name.len() > 3;
    let compound = match name {
        ['二', '七', '区'] => false,
        [.., before, '区'] if DIGITS.contains(*before) || NO_DISTRICT.contains(*before) => true,
        [.., '东' | '西' | '南' | '北' | '中', '区'] => long,
        _ => false,
    };
    let believed = if within {
        name.len() <= LONGEST
    } else {
        (3..=4).contains(&name.len())
    };
    believed && !compound
}

fn is_short(name: &[char], within: bool) -> bool {
    let autonomous = name.windows(2).any(|two| two == ['自', '治']);
    autonomous || name.len() <= if within { LONGEST } else { 4 }
}

fn is_banner(name: &[char]) -> bool {
    name.len() > 2 && !matches!(name, [.., '红' | '国' | '锦', '旗'])
}
