//! Calls that nobody made, as a spreadsheet or a database exports them: the same ones each time.

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

/// The columns, by headers that the usual map of `import` knows.
const HEADER: [&str; 12] = [
    "工单编号",
    "受理时间",
    "诉求类型",
    "问题分类",
    "渠道",
    "行政区划代码",
    "姓名",
    "来电号码",
    "联系电话",
    "是否保密",
    "事发地址",
    "诉求内容",
];
/// Where the time stands.
const TIME: usize = 1;
const KINDS: [&str; 5] = ["咨询", "求助", "投诉", "举报", "建议"];
const CATEGORIES: [&str; 8] = [
    "噪音扰民",
    "供水",
    "停车管理",
    "物业管理",
    "供热",
    "公共交通",
    "市容环卫",
    "道路设施",
];
const CHANNELS: [&str; 4] = ["电话", "网站", "微信", "APP"];
const DISTRICTS: [&str; 4] = ["330102", "330105", "330106", "330108"];
const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "周"];
const NAMES: [&str; 8] = ["秀英", "建国", "凤兰", "志强", "桂芳", "海燕", "文博", "晓梅"];
/// Beginnings of mobile numbers.
const MOBILE: [&str; 6] = ["138", "139", "150", "173", "186", "199"];
const STREETS: [&str; 5] = ["文三路", "解放路", "建设街", "滨河路", "学院路"];
const SINCE: [&str; 4] = ["昨天夜里", "上周", "连续三天", "今天早上"];
const MATTERS: [&str; 4] = ["一直没有人处理", "影响休息", "打过电话没有答复", "希望尽快解决"];
/// Of the calls of a file one in so many asks for secrecy, and none of its last ones.
const CONFIDENTIAL: usize = 50;

/// A sequence that only looks random (SplitMix64).
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap()]
    }
}

/// The cells of so many calls whose ids begin so. Some callers call again.
fn calls(series: &str, count: usize) -> Vec<[String; HEADER.len()]> {
    let mut sequence = Sequence(u64::from(
        series.bytes().fold(1, |sum, byte| sum * 31 + u32::from(byte)),
    ));
    let mut calls: Vec<[String; HEADER.len()]> = Vec::with_capacity(count);
    for at in 0..count {
        let again = calls.len() > 10 && sequence.below(10) == 0;
        let (name, number) = if again {
            let before = &calls[calls.len() - 10];
            (before[6].clone(), before[7].clone())
        } else {
            let name = format!("{}{}", sequence.one(&SURNAMES), sequence.one(&NAMES));
            (
                name,
                format!("{}{:08}", sequence.one(&MOBILE), sequence.below(100_000_000)),
            )
        };
        let (day, hour, minute) = (1 + sequence.below(28), sequence.below(24), sequence.below(60));
        let street = format!("{}{}号", sequence.one(&STREETS), 1 + sequence.below(300));
        let secret = at % CONFIDENTIAL == 1 && at < count / 2;
        let matter = format!("{street}{}有问题，{}。", sequence.one(&SINCE), sequence.one(&MATTERS));
        calls.push([
            format!("{series}{:06}", at + 1),
            format!("2026-01-{day:02} {hour:02}:{minute:02}:00"),
            sequence.one(&KINDS).to_owned(),
            sequence.one(&CATEGORIES).to_owned(),
            sequence.one(&CHANNELS).to_owned(),
            sequence.one(&DISTRICTS).to_owned(),
            name,
            number.clone(),
            number,
            if secret { "是" } else { "否" }.to_owned(),
            street,
            matter,
        ]);
    }
    calls
}

/// A CSV file in GB 18030.
pub(crate) fn csv(series: &str, count: usize) -> Vec<u8> {
    let mut text = HEADER.join(",");
    for call in calls(series, count) {
        text.push_str("\r\n");
        text.push_str(&call.join(","));
    }
    GB18030.encode(&text).0.into_owned()
}

/// A workbook, with times as a spreadsheet keeps them and the rest as text.
pub(crate) fn workbook(series: &str, count: usize) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let form = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (column, name) in (0..).zip(HEADER) {
        sheet.write(0, column, name).unwrap();
    }
    for (row, call) in (1..).zip(calls(series, count)) {
        for (column, cell) in (0..).zip(&call) {
            if usize::from(column) == TIME {
                let time = ExcelDateTime::parse_from_str(&cell.replace(' ', "T")).unwrap();
                sheet.write_datetime_with_format(row, column, &time, &form).unwrap();
            } else {
                sheet.write(row, column, cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}
