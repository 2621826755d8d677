//! Files as cities have them: marks, encodings, unknown keys, local times, lines without end.

use encoding_rs::GB18030;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::imported::{json_lines, record};

fn two() -> String {
    json_lines(&[record("R1", &[]), record("R2", &[("/caller/name", "周凤兰".into())])])
}

fn utf_16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(bytes).collect()
}

/// IM-01, IM-02.
#[tokio::test]
async fn a_file_is_taken_with_a_mark_and_in_other_encodings() {
    let world = World::closed().await;
    let marked = format!("\u{feff}{}", two());
    world.import_bytes("a.jsonl", marked, &[]).took(2, 0, 0);
    // The same records again, whatever they are written in.
    let wide = world.import_bytes("b.jsonl", utf_16(&two(), u16::to_le_bytes), &[]);
    wide.took(0, 2, 0);
    assert!(wide.said.contains("read as UTF-16LE"), "{}", wide.said);
    world
        .import_bytes("c.jsonl", utf_16(&two(), u16::to_be_bytes), &[])
        .took(0, 2, 0);
    world
        .import_bytes("d.jsonl", GB18030.encode(&two()).0, &[])
        .took(0, 2, 0);
    let cat = format!(
        "{}\u{feff}\r\n\u{feff}{}",
        two().lines().next().unwrap(),
        two().lines().nth(1).unwrap()
    );
    world.import_bytes("e.jsonl", cat, &[]).took(0, 2, 0);
}

#[tokio::test]
async fn a_file_that_is_none_of_these_has_one_message() {
    let world = World::closed().await;
    for (bytes, words) in [
        (b"\xff\xfe\0\0{\0\0\0".as_slice(), "UTF-32"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old workbook"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"[\n{}]", "JSON array"),
    ] {
        let found = world.import_bytes("file.jsonl", bytes, &["--dry-run"]);
        assert_eq!(found.code, Some(1), "{}", found.fault);
        assert!(
            found.fault.contains(words) && found.fault.contains("file.jsonl"),
            "{}",
            found.fault
        );
        assert!(found.said.contains("0 lines = 0 "), "{}", found.said);
    }
}

/// IM-03, IM-04.
#[tokio::test]
async fn unknown_keys_are_named() {
    let world = World::closed().await;
    let mut renamed = record("R1", &[("/secrecyRequested", true.into())]);
    renamed.as_object_mut().unwrap().remove("secrecy_requested");
    let file = json_lines(&[
        renamed,
        record(
            "R2",
            &[
                ("/caller/phone", "13912345678".into()),
                ("/caller/name", "周凤兰".into()),
            ],
        ),
        record(
            "R3",
            &[
                ("/caller/wechat", "wxid_abc123".into()),
                ("/caller/workplace", "区图书馆".into()),
            ],
        ),
        record(
            "R4",
            &[("/respondent", json!({"title": "店长"})), ("/13912345678", "x".into())],
        ),
        record("R5", &[("/caller", "周凤兰".into())]),
        record("R6", &[("/kind_zh", "投诉".into()), ("/respondent", Value::Null)]),
    ]);
    let refused = world.import_bytes("calls.jsonl", &file, &[]);
    refused.took(2, 0, 4);
    assert_eq!(refused.code, Some(1));
    let mut places: Vec<(u64, String)> = refused
        .rejected()
        .into_iter()
        .map(|(line, path, _)| (line, path))
        .collect();
    places.sort();
    let place = |line, path: &str| (line, path.to_owned());
    assert_eq!(
        places,
        [
            place(1, "secrecyRequested"),
            place(2, "caller.phone"),
            place(4, "(a name that is not shown)"),
            place(4, "respondent.title"),
            place(5, "caller")
        ]
    );
    assert!(
        refused.said.contains("ignored, as the map says: kind_zh"),
        "{}",
        refused.said
    );
}

#[tokio::test]
async fn unknown_keys_are_listed_where_that_is_asked_for() {
    let world = World::closed().await;
    let file = json_lines(&[
        record("R1", &[("/secrecyRequested", true.into())]),
        record(
            "R2",
            &[("/caller/phone", "13912345678".into()), ("/13912345678", "x".into())],
        ),
        record("R3", &[]),
    ]);
    let listed = world.import_bytes("calls.jsonl", &file, &["--unknown", "list"]);
    listed.took(3, 0, 0);
    for words in [
        "secrecyRequested, in 1 records",
        "caller.phone, in 1 records",
        "not shown), in 1 records",
    ] {
        assert!(listed.said.contains(words), "{}", listed.said);
    }
    assert!(!listed.said.contains("13912345678"), "{}", listed.said);
    let app = world.open().await;
    let found = world.actor(&app, "agent").lookup("13912345678").await.is(200);
    assert_eq!(
        found.json()["callers"].as_array().unwrap().len(),
        0,
        "what is not in the map is not taken"
    );
}

/// IM-07.
#[tokio::test]
async fn a_local_time_needs_a_zone() {
    let world = World::closed().await;
    let file = json_lines(&[record("R1", &[("/received_at", "2026-01-05 22:41:17".into())])]);
    let without = world.import_bytes("calls.jsonl", &file, &[]);
    without.took(0, 0, 1);
    let (line, path, rule) = without.rejected().remove(0);
    assert_eq!((line, path.as_str()), (1, "received_at"));
    assert!(rule.contains("without an offset") && rule.contains("--zone"), "{rule}");
    world
        .import_bytes("calls.jsonl", &file, &["--zone", "Asia/Shanghai"])
        .took(1, 0, 0);
    world
        .import_bytes("calls.jsonl", &file, &["--zone", "+08:00"])
        .took(0, 1, 0);
    let zone = world.import_bytes("calls.jsonl", &file, &["--zone", "Asia/Nowhere"]);
    assert_eq!(zone.code, Some(2), "{}", zone.fault);
}

/// IM-09.
#[tokio::test]
async fn the_same_record_in_other_words_is_known() {
    let world = World::closed().await;
    let one = r#"{"id":"R1","kind":"complaint","category":"noise","channel":"phone","district":{"code":"110108"},"received_at":"2026-01-05T22:41:17+08:00","caller":{"name":"周凤兰","mobile":"17382288236"},"narrative":"扰民"}"#;
    let same = r#"{ "narrative":"\u6270\u6c11", "caller":{"mobile":"17382288236","name":"周凤兰"},"id":"R1","category":"noise","kind":"complaint","channel":"phone","received_at":"2026-01-05T22:41:17+08:00","district":{"code":"110108"}}"#;
    let other = one.replace("扰民", "仍在扰民");
    let file = format!("{one}\n{same}\n{other}\n");
    let found = world.import_bytes("calls.jsonl", file, &[]);
    found.took(1, 1, 1);
    assert_eq!(
        found.rejected(),
        [(
            3,
            "id".to_owned(),
            "a record with this id and other content was taken before".to_owned()
        )]
    );
}

/// What a record was taken as is remembered, not how it was written: under another map it would be taken as another.
#[tokio::test]
async fn a_record_that_another_map_takes_otherwise_is_refused() {
    let world = World::closed().await;
    let map = world.dir.path().join("map.toml");
    let base = "unknown = \"list\"\n[columns]\nid = \"id\"\nreceived_at = \"received_at\"\nkind = \"kind\"\ncategory = \"category\"\nchannel = \"channel\"\ntownship = \"district.code\"\ntext = \"narrative\"\n";
    let file = json_lines(&[record("R1", &[("/caller/name", "周凤兰".into())])]);
    let import = |text: &str| {
        std::fs::write(&map, text).unwrap();
        world.import_bytes("calls.jsonl", &file, &["--map", map.to_str().unwrap()])
    };
    import(base).took(1, 0, 0);
    import(base).took(0, 1, 0);
    let other = import(&format!("{base}name = \"caller.name\"\n"));
    assert!(
        other.took(0, 0, 1).rejected()[0]
            .2
            .contains("other content was taken before")
    );
}

/// A digest of what could be read alone would make one of both.
#[tokio::test]
async fn records_that_differ_in_what_cannot_be_read_are_two() {
    let world = World::closed().await;
    let map = world.dir.path().join("map.toml");
    let usual = std::fs::read_to_string("src/cli/import/usual.toml").unwrap();
    std::fs::write(&map, format!("id = \"content\"\n{usual}")).unwrap();
    let plate = |plate: Value| record("R1", &[("/caller/plate", plate)]);
    let file = json_lines(&[
        plate(json!(1.5)),
        plate(json!(2.5)),
        plate(json!(["x"])),
        plate(json!(["x"])),
    ]);
    let found = world.import_bytes("calls.jsonl", &file, &["--map", map.to_str().unwrap()]);
    found.took(3, 1, 0);
}

/// IM-11.
#[tokio::test]
async fn a_line_beyond_the_bound_is_named_and_the_next_is_taken() {
    let world = World::closed().await;
    let long = "x".repeat(3 << 20);
    let file = format!(
        "{}{{\"narrative\":\"{long}\"}}\n{}",
        json_lines(&[record("R1", &[])]),
        json_lines(&[record("R2", &[])])
    );
    let found = world.import_bytes("calls.jsonl", file, &[]);
    found.took(2, 0, 1);
    assert_eq!(
        found.rejected(),
        [(2, String::new(), "the line is longer than 1048576 bytes".to_owned())]
    );
}

#[tokio::test]
async fn each_fault_of_a_record_is_told_by_path() {
    let world = World::closed().await;
    let mut bad = record(
        "R1",
        &[
            ("/kind", "complain".into()),
            ("/channel", Value::Null),
            ("/received_at", "昨天 13912345678".into()),
            ("/secrecy_requested", "maybe".into()),
            ("/district/code", json!(["110108"])),
        ],
    );
    bad.as_object_mut().unwrap().remove("narrative");
    let file = json_lines(&[
        bad,
        record("R2", &[("/category", "13912345678".into())]),
        record("R3", &[("/district/code", "999982".into())]),
        record("R4", &[("/received_at", "2126-01-05T22:41:17+08:00".into())]),
        record("R5", &[("/received_at", "1926-01-05T22:41:17+08:00".into())]),
    ]);
    let found = world.import_bytes("calls.jsonl", file, &["--write-bad", "values-left-out"]);
    found.took(0, 0, 5);
    let mut places: Vec<(u64, String)> = found
        .rejected()
        .into_iter()
        .map(|(line, path, _)| (line, path))
        .collect();
    places.sort();
    let expected = [
        (1, "channel"),
        (1, "district.code"),
        (1, "kind"),
        (1, "narrative"),
        (1, "received_at"),
        (1, "secrecy_requested"),
        (2, "category"),
        (3, "district.code"),
        (4, "received_at"),
        (5, "received_at"),
    ];
    assert_eq!(places, expected.map(|(line, path)| (line, path.to_owned())));
    let bad = found.list("bad");
    assert_eq!(bad.len(), 5);
    assert_eq!(bad[1]["line"], 2);
    assert_eq!(bad[1]["record"]["category"], Value::Null);
    assert!(bad[1]["record"].as_object().unwrap().contains_key("narrative"));
    let everything = format!("{}{}{bad:?}{:?}", found.said, found.fault, found.list("rejected"));
    for value in ["13912345678", "昨天", "餐吧", "complain", "999982"] {
        assert!(!everything.contains(value), "{value}");
    }
}
