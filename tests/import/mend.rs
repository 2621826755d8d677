//! Rejected lines are kept sealed, and opened for mending.

use std::path::Path;

use crate::support::World;
use crate::support::imported::{Imported, json_lines, record};

const SEALED: [&str; 2] = ["--write-bad", "sealed"];

fn open(world: &World, who: &str, list: &Path) -> Imported {
    let mut command = world.importing(who, &["--out", "-", "--open-bad"]);
    Imported::of(command.arg(list).output().unwrap(), list.to_owned())
}

#[tokio::test]
async fn rejected_lines_are_sealed_and_opened_for_mending() {
    let world = World::closed().await;
    let file = json_lines(&[
        record("R1", &[]),
        record(
            "R2",
            &[("/category", "吵".into()), ("/caller/mobile", "13912345678".into())],
        ),
    ]);
    let file = format!("{file}{{\"id\": 13912345678 nonsense\n");
    let found = world.import_bytes("calls.jsonl", file, &SEALED);
    found.took(1, 0, 2);
    let list = world.dir.path().join("calls.jsonl.bad.jsonl");
    let text = std::fs::read_to_string(&list).unwrap();
    for value in ["13912345678", "吵", "扰民", "nonsense"] {
        assert!(!text.contains(value), "{text}");
    }
    let opened = open(&world, "agent", &list);
    assert_eq!(opened.code, Some(0), "{}", opened.fault);
    let lines: Vec<&str> = opened.said.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1], "{\"id\": 13912345678 nonsense");
    world
        .import_bytes("mended.jsonl", lines[0].replace("吵", "noise"), &[])
        .took(1, 0, 0);
    let app = world.open().await;
    let auditor = world.actor(&app, "auditor");
    let events = auditor.get("/v1/audit/events?act=intake.mend").await.is(200).json();
    let events = events["entries"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["leaf"]["link"]["lines"], "2");
}

#[tokio::test]
async fn a_row_of_a_table_is_mended_as_json_under_the_same_map() {
    let world = World::closed().await;
    let table = "工单编号,受理时间,诉求类型,问题分类,渠道,行政区划代码,来电号码,诉求内容\nT1,2026-01-05T22:41:17+08:00,骂人,噪音扰民,电话,110108,17382288236,\"夜里\"\"扰民\"\"\"\nT2,1\n";
    world.import_bytes("calls.csv", table, &SEALED).took(0, 0, 2);
    let opened = open(&world, "agent", &world.dir.path().join("calls.csv.bad.jsonl"));
    let lines: Vec<&str> = opened.said.lines().collect();
    assert_eq!(lines[1], r#"{"工单编号":"T2","受理时间":"1"}"#);
    world
        .import_bytes("mended.jsonl", lines[0].replace("骂人", "投诉"), &[])
        .took(1, 0, 0);
}

#[tokio::test]
async fn a_list_opens_whole_or_not_at_all() {
    let world = World::closed().await;
    let bad = |id: &str| record(id, &[("/category", "吵".into())]);
    world
        .import_bytes("calls.jsonl", json_lines(&[bad("R1"), bad("R2")]), &SEALED)
        .took(0, 0, 2);
    let list = world.dir.path().join("calls.jsonl.bad.jsonl");
    let refused = open(&world, "handler-c1", &list);
    assert_eq!((refused.code, refused.said.as_str()), (Some(4), ""));
    assert!(refused.fault.contains("refused"), "{}", refused.fault);
    let text = std::fs::read_to_string(&list).unwrap();
    let moved = text.replace("\"line\":2", "\"line\":3");
    assert_ne!(moved, text);
    std::fs::write(&list, moved).unwrap();
    let changed = open(&world, "agent", &list);
    assert_eq!((changed.code, changed.said.as_str()), (Some(3), ""));
    std::fs::write(&list, text).unwrap();
    let other = World::of_its_own().await.0;
    let elsewhere = open(&other, "agent", &list);
    assert_eq!(
        (elsewhere.code, elsewhere.said.as_str()),
        (Some(3), ""),
        "another vault's keys"
    );
    let served = world.import_bytes("calls.jsonl", "", &[&SEALED[..], &["--dry-run"]].concat());
    assert_eq!(served.code, Some(2), "{}", served.fault);
}

#[tokio::test]
async fn opened_lines_are_for_their_owner_and_those_without_text_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::closed().await;
    let long = "x".repeat(2 << 20);
    let header = "工单编号,受理时间,诉求类型,问题分类,渠道,行政区划代码,来电号码,诉求内容";
    let rows = format!("{header}\nT1,昨天,投诉,噪音扰民,电话,110108,1.38E+10,扰民\nT2,{long}\n");
    world.import_bytes("calls.csv", rows, &SEALED).took(0, 0, 2);
    let [list, mend] = ["calls.csv.bad.jsonl", "calls.csv.mend.jsonl"].map(|name| world.dir.path().join(name));
    let open = || world.importing("agent", &["--open-bad"]).arg(&list).output().unwrap();
    let opened = open();
    let said = String::from_utf8(opened.stderr).unwrap();
    assert_eq!(
        (opened.status.code(), opened.stdout.as_slice()),
        (Some(0), b"".as_slice()),
        "{said}"
    );
    assert!(said.contains("no text was kept of these lines: 3"), "{said}");
    assert_eq!(std::fs::metadata(&mend).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&mend).unwrap();
    assert!(text.contains(r#""来电号码":"1.38E+10""#), "{text}");
    assert_eq!(
        open().status.code(),
        Some(2),
        "what may have been mended is not written over"
    );
}

/// The source may be gone by then: nothing but the list has these lines.
#[tokio::test]
async fn sealed_lines_outlive_later_runs() {
    let world = World::closed().await;
    let bad = |id: &str| json_lines(&[record(id, &[("/category", "吵".into())])]);
    let path = |name: &str| world.dir.path().join(name);
    let first = path("calls.jsonl.bad.jsonl");
    world.import_bytes("calls.jsonl", bad("R1"), &SEALED).took(0, 0, 1);
    let kept = std::fs::read(&first).unwrap();
    let good = json_lines(&[record("R2", &[])]);
    let left_out = ["--write-bad", "values-left-out"];
    for (content, arguments) in [
        (&good, &[][..]),
        (&good, &["--dry-run"]),
        (&bad("R3"), &[]),
        (&bad("R3"), &left_out),
        (&bad("R4"), &SEALED),
        (&bad("R5"), &SEALED),
    ] {
        let found = world.import_bytes("calls.jsonl", content, arguments);
        assert!(std::fs::read(&first).unwrap() == kept, "{arguments:?}: {}", found.said);
        assert!(
            found.said.contains("calls.jsonl.bad.jsonl has sealed lines"),
            "{}",
            found.said
        );
    }
    let ids: Vec<String> = [
        "calls.jsonl.bad.jsonl",
        "calls.jsonl.2.bad.jsonl",
        "calls.jsonl.3.bad.jsonl",
    ]
    .map(|name| open(&world, "agent", &path(name)).said)
    .to_vec();
    for (id, said) in ["R1", "R4", "R5"].iter().zip(&ids) {
        assert!(said.contains(&format!("\"id\":\"{id}\"")), "{id}: {said}");
    }
    // Once it is opened and deleted, its name is free again; a list without sealed lines is no more than its run.
    std::fs::remove_file(&first).unwrap();
    world.import_bytes("calls.jsonl", bad("R6"), &left_out).took(0, 0, 1);
    assert!(first.exists());
    world.import_bytes("calls.jsonl", &good, &[]).took(0, 1, 0);
    assert!(!first.exists());
}

#[tokio::test]
async fn sealed_lines_of_standard_input_outlive_the_next_file() {
    let world = World::closed().await;
    let bad = |id: &str| json_lines(&[record(id, &[("/category", "吵".into())])]);
    let lists = world.dir.path().to_str().unwrap();
    let piped = |id: &str| {
        let file = world.dir.path().join("piped");
        std::fs::write(&file, bad(id)).unwrap();
        let arguments = [&SEALED[..], &["--format", "jsonl", "--lists", lists, "-"]].concat();
        let mut command = world.importing("agent", &arguments);
        let output = command.stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    piped("R1");
    piped("R2");
    for (name, id) in [("stdin.bad.jsonl", "R1"), ("stdin.2.bad.jsonl", "R2")] {
        let opened = open(&world, "agent", &world.dir.path().join(name));
        assert!(opened.said.contains(id), "{name}: {}{}", opened.said, opened.fault);
    }
}
