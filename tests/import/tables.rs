//! Tables and workbooks, with the usual map and with one of a city's own.

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::support::World;
use crate::support::imported::{json_lines, record};

const HEADER: &str = "工单编号,受理时间,诉求类型,问题分类,渠道,行政区划代码,姓名,来电号码,联系电话,是否保密,诉求内容";
const ROW: &str =
    "T1,2026-01-05 22:41:17,投诉,噪音扰民,电话,110108,周凤兰,17382288236,010-62345678,否,楼下餐吧夜里仍在扰民。";
const ZONE: [&str; 2] = ["--zone", "Asia/Shanghai"];

fn table(rows: &[&str]) -> String {
    [&[HEADER], rows].concat().join("\r\n")
}

/// The cells of `ROW` as a spreadsheet keeps them: a date, numbers, text.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(HEADER.split(',')) {
        sheet.write(0, column, name).unwrap();
    }
    for (column, cell) in (0..).zip(ROW.split(',')) {
        sheet.write(1, column, cell).unwrap();
    }
    let date = ExcelDateTime::parse_from_str("2026-01-05T22:41:17").unwrap();
    let form = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    sheet.write_datetime_with_format(1, 1, &date, &form).unwrap();
    sheet.write_number(1, 5, 110_108.0).unwrap();
    sheet.write_number(1, 7, 17_382_288_236.0).unwrap();
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn one_record_is_the_same_in_every_table() {
    let world = World::closed().await;
    let text = table(&[ROW]);
    world.import_bytes("a.csv", &text, &ZONE).took(1, 0, 0);
    let gb = world.import_bytes("b.csv", GB18030.encode(&text).0, &ZONE);
    gb.took(0, 1, 0);
    assert!(gb.said.contains("read as gb18030"), "{}", gb.said);
    world
        .import_bytes("c.csv", format!("\u{feff}{}", text.replace(',', ";")), &ZONE)
        .took(0, 1, 0);
    world
        .import_bytes("d.tsv", text.replace(',', "\t"), &ZONE)
        .took(0, 1, 0);
    world.import_bytes("e.xlsx", workbook(), &ZONE).took(0, 1, 0);
    let app = world.open().await;
    let agent = world.actor(&app, "agent");
    for number in ["17382288236", "01062345678"] {
        let found = agent.lookup(number).await.is(200);
        assert_eq!(found.json()["callers"].as_array().unwrap().len(), 1, "{number}");
    }
}

/// The second row's text would have taken in the third call.
#[tokio::test]
async fn a_mark_that_is_not_closed_takes_no_other_call_in() {
    let world = World::closed().await;
    let row = |id: &str, text: &str| ROW.replace("T1", id).replace("楼下餐吧夜里仍在扰民。", text);
    let rows = [row("T1", "一"), row("T2", "\"二"), row("T3", "三"), row("T4", "\"四\"")];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = world.import_bytes("a.csv", table(&rows), &ZONE);
    found.took(1, 0, 1);
    let entry = &found.list("rejected")[0];
    assert_eq!((&entry["line"], &entry["to"]), (&3.into(), &5.into()), "{entry}");
    assert!(entry["rule"].as_str().unwrap().contains("(lines 3 to 5)"), "{entry}");
    assert!(found.said.contains("go over 2 more lines"), "{}", found.said);
}

#[tokio::test]
async fn a_workbook_with_more_than_one_sheet_is_not_half_taken() {
    let world = World::closed().await;
    let mut book = Workbook::new();
    let rows = [ROW.to_owned(), ROW.replacen("T1", "T2", 1)];
    book.add_worksheet().set_name("空").unwrap();
    for (name, row) in ["一月", "二月"].into_iter().zip(&rows) {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        for (column, (name, cell)) in (0..).zip(HEADER.split(',').zip(row.split(','))) {
            sheet.write(0, column, name).unwrap();
            sheet.write(1, column, cell).unwrap();
        }
    }
    let book = book.save_to_buffer().unwrap();
    let refused = world.import_bytes("a.xlsx", &book, &ZONE);
    assert_eq!(refused.code, Some(2), "{}", refused.fault);
    assert!(
        refused.fault.contains("more than one sheet has cells: 一月, 二月"),
        "{}",
        refused.fault
    );
    for name in ["一月", "二月"] {
        let options = [&ZONE[..], &["--sheet", name]].concat();
        world.import_bytes("a.xlsx", &book, &options).took(1, 0, 0);
    }
}

#[tokio::test]
async fn columns_that_are_missing_or_unknown_have_one_message() {
    let world = World::closed().await;
    let missing = world.import_bytes("a.csv", table(&[ROW]).replacen("渠道", "来自", 1), &ZONE);
    assert_eq!(missing.code, Some(1));
    assert!(missing.fault.contains("no column for channel"), "{}", missing.fault);
    let more = table(&[&format!("{ROW},x")]).replacen("诉求内容", "诉求内容,备注", 1);
    let unknown = world.import_bytes("b.csv", &more, &ZONE);
    assert!(unknown.fault.contains("would not be taken: 备注"), "{}", unknown.fault);
    assert!(unknown.said.contains("0 rows = 0 taken"), "{}", unknown.said);
    let listed = world.import_bytes("b.csv", &more, &[&ZONE[..], &["--unknown", "list"]].concat());
    listed.took(1, 0, 0);
    assert!(listed.said.contains("备注, in 1 records"), "{}", listed.said);
    // A file without a header: its first record is not shown.
    let headless = world.import_bytes("c.csv", ROW, &ZONE);
    assert_eq!(headless.code, Some(1));
    for value in ["周凤兰", "17382288236", "扰民"] {
        assert!(!headless.fault.contains(value), "{}", headless.fault);
    }
}

#[tokio::test]
async fn a_wish_for_secrecy_is_not_lost_in_a_label() {
    let world = World::closed().await;
    let row = |id: &str, word: &str| ROW.replace("T1", id).replace(",否,", &format!(",{word},"));
    let rows = [
        row("T1", "要求保密"),
        row("T2", "是"),
        row("T3", "看情况"),
        row("T4", ""),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = world.import_bytes("a.csv", table(&rows), &ZONE);
    found.took(3, 0, 1);
    let (line, path, _) = found.rejected().remove(0);
    assert_eq!((line, path.as_str()), (4, "是否保密"));
    // Confidential calls are found by nobody: of three calls, one caller is.
    let app = world.open().await;
    let callers = world.actor(&app, "agent").lookup("17382288236").await.is(200);
    assert_eq!(callers.json()["callers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_map_names_columns_labels_dates_and_what_all_records_have() {
    let world = World::closed().await;
    let map = world.dir.path().join("map.toml");
    let text = r#"
        zone = "+08:00"
        dates = ["%d.%m.%Y %H时"]
        id = "content"
        ignore = ["序号"]
        [columns]
        received_at = "时间"
        kind = "类"
        township = "区"
        text = "说"
        callback_number = ["手机", "座机"]
        [labels.kind]
        "骂人" = "complaint"
        [labels.township]
        "海淀" = "110108"
        [constants]
        channel = "phone"
        category = "noise"
    "#;
    std::fs::write(&map, text).unwrap();
    let arguments = ["--map", map.to_str().unwrap(), "--write-bad", "values-left-out"];
    let rows = "序号,时间,类,区,说,座机\n1,05.01.2026 22时,骂人,海淀,扰民,17382288236\n2,05.01.2026 22时,投诉,110108,扰民,17382288236\n3,5日,夸,海淀,扰民,1\n";
    let found = world.import_bytes("a.csv", rows, &arguments);
    // The second row says the same as the first: without a number of its own it is the same record.
    found.took(1, 1, 1);
    assert!(found.said.contains("ignored, as the map says: 序号"), "{}", found.said);
    let paths: Vec<(u64, String)> = found
        .rejected()
        .into_iter()
        .map(|(line, path, _)| (line, path))
        .collect();
    assert_eq!(paths.len(), 2);
    assert!(
        paths.contains(&(4, "时间".to_owned())) && paths.contains(&(4, "类".to_owned())),
        "{paths:?}"
    );
    for (bad, words) in [
        ("colums = {}", "unknown field"),
        ("[columns]\nname = \"a\"\nplate = \"a\"", "names a twice"),
        ("[columns]\nphone = \"a\"", "a target phone"),
        ("zone = \"Moon\"\n[columns]\nname = \"a\"", "unknown time zone Moon"),
        ("[columns]\n[labels.name]\na = \"b\"", "labels for name"),
    ] {
        std::fs::write(&map, bad).unwrap();
        let refused = world.import_bytes("a.csv", rows, &arguments);
        assert_eq!(refused.code, Some(2), "{bad}: {}", refused.fault);
        assert!(refused.fault.contains(words), "{bad}: {}", refused.fault);
    }
}

#[tokio::test]
async fn a_map_is_proposed_that_takes_the_file() {
    let world = World::closed().await;
    let file = world.dir.path().join("calls.csv");
    let text = table(&[&format!("{ROW},13912345678")]).replacen("诉求内容", "诉求内容,备注", 1);
    std::fs::write(&file, GB18030.encode(&text).0).unwrap();
    let mut command = world.importing("agent", &["--explain"]);
    let output = command.arg(&file).output().unwrap();
    let proposal = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "format = \"csv\"",
        "encoding = \"gb18030\"",
        "zone = \"Asia/Shanghai\" #",
        "# not mapped yet: \"备注\"",
        "callback_number = \"联系电话\"",
        "text = \"诉求内容\"",
    ] {
        assert!(proposal.contains(line), "{line}: {proposal}");
    }
    assert!(
        !proposal.contains("17382288236") && !proposal.contains("13912345678"),
        "{proposal}"
    );
    let map = world.dir.path().join("map.toml");
    std::fs::write(&map, proposal.replace("ignore = []", "ignore = [\"备注\"]")).unwrap();
    world.import(&file, &["--map", map.to_str().unwrap()]).took(1, 0, 0);
}

/// The first record of a file without a header is not shown as names.
#[tokio::test]
async fn a_proposal_for_a_file_without_a_header_shows_places() {
    let world = World::closed().await;
    let file = world.dir.path().join("calls.csv");
    std::fs::write(&file, format!("{ROW}\n{ROW}\n")).unwrap();
    let output = world.importing("agent", &["--explain"]).arg(&file).output().unwrap();
    let proposal = String::from_utf8(output.stdout).unwrap();
    assert!(proposal.contains("# not mapped yet: column 7."), "{proposal}");
    for value in ["周凤兰", "T1", "海淀", "投诉", "110108"] {
        assert!(!proposal.contains(value), "{value}: {proposal}");
    }
}

#[tokio::test]
async fn digits_that_a_spreadsheet_lost_are_not_taken() {
    let world = World::closed().await;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, (name, cell)) in (0..).zip(HEADER.split(',').zip(ROW.split(','))) {
        sheet.write(0, column, name).unwrap();
        sheet.write(1, column, cell).unwrap();
    }
    sheet.write(0, 11, "身份证号").unwrap();
    sheet.write_number(1, 11, 110_108_204_107_057_338.0).unwrap();
    let found = world.import_bytes("a.xlsx", book.save_to_buffer().unwrap(), &ZONE);
    found.took(1, 0, 0);
    let left_out = found.list("left-out");
    assert_eq!(left_out[0]["left_out"][0]["field"], "id_no");
    let rule = left_out[0]["left_out"][0]["detail"].as_str().unwrap();
    assert!(rule.contains("more than 15 digits"), "{rule}");
    let rounded = table(&[&ROW.replace("17382288236", "1.73822E+10").replace("T1", "T2")]);
    let found = world.import_bytes("b.csv", rounded, &ZONE);
    assert_eq!(
        found.took(1, 0, 0).list("left-out")[0]["left_out"][0]["field"],
        "caller_number"
    );
}

#[tokio::test]
async fn the_0_that_a_spreadsheet_cut_off_comes_back_where_the_map_says_so() {
    let world = World::closed().await;
    let row = ROW.replace("010-62345678", "1062345678");
    let text = table(&[&row]);
    let without = world.import_bytes("a.csv", &text, &ZONE);
    without.took(1, 0, 0);
    assert!(without.said.contains("left-out"), "{}", without.said);
    let map = std::fs::read_to_string("src/cli/import/usual.toml").unwrap();
    let path = world.dir.path().join("map.toml");
    std::fs::write(&path, format!("lost_zero = true\n{map}")).unwrap();
    let row = row.replacen("T1", "T2", 1);
    let options = [&ZONE[..], &["--map", path.to_str().unwrap()]].concat();
    world.import_bytes("b.csv", table(&[&row]), &options).took(1, 0, 0);
    let app = world.open().await;
    let found = world.actor(&app, "agent").lookup("010-62345678").await.is(200);
    assert_eq!(found.json()["callers"].as_array().unwrap().len(), 1, "{}", found.text);
}

#[tokio::test]
async fn a_dry_run_checks_and_takes_nothing() {
    let world = World::closed().await;
    let file = json_lines(&[
        record("R1", &[]),
        record("R2", &[("/category", "nonsense".into())]),
        record("R3", &[("/caller/plate", "京A1234使".into())]),
    ]);
    let before = world
        .files()
        .iter()
        .map(|file| std::fs::metadata(file).unwrap().len())
        .sum::<u64>();
    let path = world.dir.path().join("calls.jsonl");
    let lists = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_callervault"));
    command
        .args(["import", "--dry-run", "--dir"])
        .arg(world.dir.path())
        .arg("--lists")
        .arg(lists.path());
    std::fs::write(&path, file).unwrap();
    let output = command.arg(&path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("3 lines = 2 valid, not taken") && said.contains("+ 1 rejected"),
        "{said}"
    );
    assert!(said.contains("1 would be taken without a value"), "{said}");
    std::fs::remove_file(path).unwrap();
    let after = world
        .files()
        .iter()
        .map(|file| std::fs::metadata(file).unwrap().len())
        .sum::<u64>();
    assert_eq!(before, after, "not even an unlock stands in the log");
    assert_eq!(std::fs::read_dir(lists.path()).unwrap().count(), 2);
}
