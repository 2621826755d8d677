//! What callers may ask for about their data, from an officer's command line: statements, restrictions, refusals, and erasing after a period.

use serde_json::{Value, json};

use crate::cli::callers::Office;
use crate::support::{Case, NAME, NUMBER, World, caller};

/// What another asked for is approved, and the first sends it again: what that prints.
#[track_caller]
fn with_two(office: &Office<'_>, arguments: &[&str]) -> String {
    let asked = office.json("dpo", arguments, 5);
    let id = asked["approval"]["id"].as_str().unwrap();
    office.ends("auditor", &["approvals", "approve", id, "--reason", "seen"], 0);
    office.ends("dpo", &[arguments, &["--approval", id]].concat(), 0)
}

/// A line of one thing: its value.
#[track_caller]
fn value<'t>(said: &'t str, title: &str) -> &'t str {
    let line = said.lines().find_map(|line| line.strip_prefix(title));
    line.unwrap_or_else(|| unreachable!("no {title}: {said}")).trim()
}

/// A caller of whom much was asked: what the log calls them, and the officer's reference.
async fn known(world: &World, reads: usize) -> (Case, String, String) {
    let app = world.open().await;
    let case = world.case(&app, "C1").await;
    for _ in 0..reads {
        let handler = world.actor(&app, "handler-c1");
        handler.reveal(&case).clear().await.is(200);
    }
    let subject = world.subject(&app, &case).await;
    let reference = world.officers_reference(&app, &subject).await;
    (case, subject, reference)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_whole_as_text_and_as_json_and_comes_as_a_page() {
    let world = World::closed().await;
    // More than one page of the server's.
    let (case, subject, reference) = known(&world, 230).await;
    tokio::task::block_in_place(|| {
        let office = Office::of(&world);
        let statement = ["caller", "statement", &reference];
        let said = office.ends("dpo", &statement, 0);
        assert_eq!(value(&said, "caller"), subject);
        assert_eq!(
            value(&said, "fields on file"),
            "callback_number, caller_number, name, salutation"
        );
        assert_eq!(value(&said, "restricted"), "no");
        assert_eq!(value(&said, "missing"), "");
        let shown = |line: &&str| line.contains("shown") && line.contains("clear") && line.contains(&case.no);
        assert_eq!(said.lines().filter(shown).count(), 230);

        let whole = office.json("dpo", &statement, 0);
        let numbers: Vec<u64> = whole["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|line| line["number"].as_u64())
            .collect();
        let own = whole["number"].as_u64().unwrap();
        assert_eq!(numbers, (1..own).rev().collect::<Vec<_>>(), "each of them once");
        assert_eq!((&whole["gaps"], &whole["next"]), (&json!([]), &Value::Null));

        for (language, title) in [
            ("zh", "个人信息处理情况说明"),
            ("en", "Statement on personal information"),
        ] {
            let page = office.ends("dpo", &[&statement[..], &["--page", language]].concat(), 0);
            assert!(page.starts_with("<!DOCTYPE html>") && page.contains(title), "{page}");
            // It ends with the mark of the next.
            let mark = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
            let next = ["--page", language, "--after", mark];
            let next = office.ends("dpo", &[&statement[..], &next].concat(), 0);
            assert!(next.contains(title) && !next.contains("<code>"), "{next}");
        }
        for said in [&said, &whole.to_string()] {
            assert!(!said.contains(NUMBER) && !said.contains(NAME), "no value");
        }
        wrong_words(&office, &statement, &reference);
    });
}

/// What is not there, not allowed, or misspelt.
fn wrong_words(office: &Office<'_>, statement: &[&str], reference: &str) {
    let by = |field: &str| office.ends("dpo", &[statement, &["--identified-by", field]].concat(), 2);
    assert!(by("salutation").contains("(422)"));
    assert!(by("id_no").contains("(422)"));
    let page = office.ends("dpo", &[statement, &["--page", "fr"]].concat(), 2);
    assert!(page.contains("possible values: zh, en"), "{page}");
    let after = office.ends("dpo", &[statement, &["--after", "mark"]].concat(), 2);
    assert!(after.contains("--page"), "{after}");
    office.ends("dpo", &["caller", "statement", "13900001111"], 2);
    office.ends("auditor", statement, 4);
    let refuse = ["caller", "refuse", reference, "--request", "erase"];
    assert!(office.ends("dpo", &refuse, 2).contains("--ground"));
    let ground = office.ends("dpo", &[&refuse[..], &["--ground", "no-time"]].concat(), 2);
    assert!(ground.contains("must-be-kept"), "the words there are: {ground}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restricted_refused_and_unrestricted() {
    let world = World::closed().await;
    let (case, subject, reference) = known(&world, 1).await;
    tokio::task::block_in_place(|| {
        let office = Office::of(&world);
        let restrict = ["caller", "restrict", &reference];
        assert!(office.ends("dpo", &restrict, 2).contains("give --reason TEXT"));
        let restrict = [&restrict[..], &["--reason", "the caller contests the address"]].concat();
        office.ends("agent", &restrict, 4);
        let said = office.ends("dpo", &restrict, 0);
        assert_eq!((value(&said, "caller"), value(&said, "restricted")), (&*subject, "yes"));
        let statement = office.ends("dpo", &["caller", "statement", &reference], 0);
        assert_eq!(value(&statement, "restricted"), "yes");
        let read = office.reads(&case);
        assert!(read.0 == 403 || read.0 == 409, "{read:?}");

        let refuse = [
            "caller",
            "refuse",
            &reference,
            "--request",
            "erase",
            "--ground",
            "must-be-kept",
        ];
        let said = office.ends("dpo", &refuse, 0);
        for words in [
            "Erasure",
            "删除个人信息",
            "The period for which a law",
            "PIPL art. 65",
            "第六十五条",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        value(&said, "log entry").parse::<u64>().unwrap();

        let unrestrict = ["caller", "unrestrict", &reference];
        assert!(office.ends("dpo", &unrestrict, 2).contains("reason"), "it needs one");
        let unrestrict = [&unrestrict[..], &["--reason", "checked and right"]].concat();
        assert_eq!(value(&with_two(&office, &unrestrict), "restricted"), "no");
        assert_eq!(office.reads(&case).0, 200);
    });
    assert_eq!(world.fsck().await, []);
}

/// The file alone erases nobody; two persons put it in force, from the command line.
#[tokio::test(flavor = "multi_thread")]
async fn retention_is_previewed_tried_and_put_in_force() {
    let world = World::closed().await;
    let app = world.open().await;
    let case = world.case_of(&app, "C1", caller(NAME, NUMBER)).await;
    world.ended(&app, &case.no).await;
    drop(app);
    tokio::task::block_in_place(|| {
        let office = Office::of(&world);
        let preview = office.ends("dpo", &["retention", "preview"], 0);
        assert_eq!(value(&preview, "in force"), "no");
        assert!(value(&preview, "months").contains("complaint 36"), "{preview}");
        assert_eq!((value(&preview, "due next"), value(&preview, "too many")), ("0", "no"));
        let as_json = office.json("dpo", &["retention", "preview"], 0);
        assert_eq!(
            (&as_json["items"], &as_json["next_run"]["due"]),
            (&json!([]), &json!(0))
        );

        let dry = office.ends("dpo", &["retention", "run", "--dry-run"], 0);
        assert_eq!((value(&dry, "in force"), value(&dry, "due next")), ("no", "0"));
        office.ends("dpo", &["retention", "run", "--dry-run", "--most", "3"], 2);
        office.ends("system-admin", &["retention", "run", "--reason", "the decree"], 4);
        office.ends("agent", &["retention", "preview"], 4);
        assert_eq!(
            value(&office.ends("dpo", &["retention", "preview"], 0), "in force"),
            "no"
        );

        let run = ["retention", "run", "--reason", "the decree", "--most", "7"];
        let enforced = with_two(&office, &run);
        assert_eq!(value(&enforced, "periods"), as_json["periods"].as_str().unwrap());
        let preview = office.ends("dpo", &["retention", "preview"], 0);
        assert_eq!(
            (value(&preview, "in force"), value(&preview, "erased by it")),
            ("yes", "0")
        );
    });
    assert_eq!(world.data().rows("caller").count(), 1, "nobody is due");
    assert_eq!(world.fsck().await, []);
}
