//! Fields: the corpus is accepted, wrong values are not, and no error repeats a value.

use callervault::model::fields::FieldSet;
use callervault::model::submitted::Submitted;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{NAME, NUMBER, World, caller};

fn invented() -> FieldSet {
    FieldSet::load(&format!("{}\n[id_no]\nlatest_birth_year = 2049\n", FieldSet::SHIPPED)).unwrap()
}

fn fits(fields: &FieldSet, name: &str, value: &str) -> bool {
    let field = fields.get(name).unwrap();
    match field.normalise(&Submitted::new(value.to_owned()), date(2026, 11, 24)) {
        Ok(_) => true,
        Err(invalid) => {
            assert!(
                value.is_empty() || !invalid.to_string().contains(value),
                "an error repeats a value"
            );
            false
        }
    }
}

#[test]
fn gb_11643() {
    let fields = FieldSet::shipped().unwrap();
    // The two examples of GB 11643-1999, annex A.
    assert!(fits(&fields, "id_no", "11010519491231002X"));
    assert!(fits(&fields, "id_no", "440524188001010014"));
    assert!(fits(&fields, "id_no", "11010519491231002x"));
    for bad in [
        "110105194912310021",
        "11010519491331002X",
        "1101051949123100",
        "",
        "X10105194912310021",
    ] {
        assert!(!fits(&fields, "id_no", bad), "{bad}");
    }
    assert!(!fits(&fields, "id_no", "110108204107057338"), "born in the future");
    assert!(fits(&invented(), "id_no", "110108204107057338"));
}

#[test]
fn the_whole_corpus_is_accepted() {
    let fields = invented();
    for line in include_str!("../data/calls.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let values = [
            ("name", &record["caller"]["name"]),
            ("salutation", &record["caller"]["salutation"]),
            ("caller_number", &record["caller"]["mobile"]),
            ("callback_number", &record["caller"]["callback_mobile"]),
            ("id_no", &record["caller"]["resident_id"]),
            ("home_address", &record["caller"]["address"]),
            ("email", &record["caller"]["email"]),
            ("plate", &record["caller"]["plate"]),
            ("text", &record["narrative"]),
            ("incident_place", &record["incident_place"]),
            ("respondent_name", &record["respondent"]["name"]),
            ("respondent_place", &record["respondent"]["org"]),
        ];
        for (name, value) in values {
            let Some(value) = value.as_str() else { continue };
            assert!(fits(&fields, name, value), "{} of {}", name, record["id"]);
        }
    }
}

#[test]
fn masks() {
    let fields = FieldSet::shipped().unwrap();
    let cases = [
        ("callback_number", "+8613812345678", "138****5678"),
        ("callback_number", "+865718888245", "0571*****45"),
        ("name", "张三丰", "张**"),
        ("name", "李四", "李*"),
        ("id_no", "11010519491231002X", "1****************X"),
        ("email", "dongsheng@126.com", "d****@126.com"),
        ("salutation", "周女士", "周女士"),
        ("text", "楼下夜里施工", "****"),
    ];
    for (name, clear, masked) in cases {
        assert_eq!(fields.get(name).unwrap().mask(clear), masked, "{name}");
    }
}

#[test]
fn what_is_shown_whole_when_masked_takes_no_number() {
    let fields = FieldSet::shipped().unwrap();
    for good in ["周女士", "三三", "王2", "万三一三"] {
        assert!(fits(&fields, "salutation", good), "{good}");
    }
    let bad = [
        "13812345678",
        "周女士13812345678",
        "１３８",
        "王22",
        "١٢",
        "一三八一二",
        "①②",
    ];
    for bad in bad {
        assert!(!fits(&fields, "salutation", bad), "{bad}");
    }
}

#[test]
fn a_city_adds_a_field_and_bad_declarations_are_refused() {
    let own = "[[field]]\nname = \"pension_no\"\nzh = \"养老金号码\"\nen = \"Pension number\"\nrecord = \"caller\"\ntype = \"line\"\nclass = \"sensitive\"\n\
               group = \"identity\"\nmask = \"hidden\"\n";
    let fields = FieldSet::load(&format!("{}\n{own}", FieldSet::SHIPPED)).unwrap();
    assert!(fits(&fields, "pension_no", "P-17"));
    for (from, to) in [
        ("line", "lien"),
        ("caller", "nobody"),
        ("pension_no", "name"),
        ("hidden", "phone"),
        ("养老金号码", ""),
        ("Pension number", "Pension\\nnumber"),
    ] {
        let bad = own.replace(&format!("\"{from}\""), &format!("\"{to}\""));
        assert!(
            FieldSet::load(&format!("{}\n{bad}", FieldSet::SHIPPED)).is_err(),
            "{to}"
        );
    }
}

#[tokio::test]
async fn a_citys_own_field_through_the_api() {
    let own = "[[field]]\nname = \"night_number\"\nzh = \"夜间电话\"\nen = \"Night number\"\nrecord = \"caller\"\ntype = \"phone\"\nclass = \"personal\"\n\
               group = \"contact\"\nmask = \"phone\"\nindex = \"night\"\n";
    let world = World::closed().await;
    let file = world.places.policies.join("fields.toml");
    let shipped = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, shipped.replace("\n[id_no]", &format!("\n{own}\n[id_no]"))).unwrap();
    let app = world.open().await;
    let mut person = caller(NAME, NUMBER);
    person["night_number"] = json!("137 0000 2222");
    let case = world.case_of(&app, "C1", person).await;
    let [handler, agent] = world.actors(&app, ["handler-c1", "agent"]);
    let reveal = || handler.reveal(&case).fields(&["night_number"]);
    let clear = reveal().clear().await.is(200).json();
    assert_eq!(clear["fields"], json!({"night_number": "+8613700002222"}));
    let masked = reveal().masked().await.is(200).json();
    assert_eq!(masked["fields"], json!({"night_number": "137****2222"}));
    let same = handler.verify(&case, "night_number", "13700002222").await;
    assert_eq!(same.json()["match"], json!(true), "{}", same.text);
    let mut bad = caller(NAME, NUMBER);
    bad["night_number"] = json!("12");
    let refused = agent.intake(bad).await;
    assert_eq!(refused.at("/invalid/0/field"), "night_number", "{}", refused.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

proptest! {
    #[test]
    fn one_wrong_digit_or_a_swap_is_refused(at in 0_usize..17, digit in 0_u8..10) {
        let fields = FieldSet::shipped().unwrap();
        let right = b"11010519491231002X".to_vec();
        let mut wrong = right.clone();
        wrong[at] = b'0' + digit;
        prop_assert_eq!(fits(&fields, "id_no", std::str::from_utf8(&wrong).unwrap()), wrong == right);
        let mut swapped = right.clone();
        swapped.swap(at, at + 1);
        prop_assert_eq!(fits(&fields, "id_no", std::str::from_utf8(&swapped).unwrap()), swapped == right);
    }

    #[test]
    fn a_mask_never_shows_the_whole(number in "1[3-9][0-9]{9}", name in "[\u{4e00}-\u{9fa5}]{2,4}") {
        let fields = FieldSet::shipped().unwrap();
        let masked = fields.get("caller_number").unwrap().mask(&format!("+86{number}"));
        prop_assert!(!masked.contains(&number));
        prop_assert!(!fields.get("name").unwrap().mask(&name).contains(&name));
    }

    #[test]
    fn anything_at_all_is_told_without_a_panic(value in any::<String>()) {
        let fields = FieldSet::shipped().unwrap();
        for field in fields.iter() {
            let _ = field.normalise(&Submitted::new(value.clone()), date(2026, 11, 24));
            let _ = field.mask(&value);
        }
    }
}

/// What values on file rest on is not declared away.
#[tokio::test]
async fn a_field_that_was_declared_is_declared_as_it_was() {
    let (world, app) = World::new().await;
    app.vault().unwrap().note_unlock("test").await.unwrap();
    drop(app);
    let file = world.places.policies.join("fields.toml");
    let shipped = std::fs::read_to_string(&file).unwrap();
    let plate = |text: &str| {
        let from = text.find("[[field]] # 车牌").unwrap();
        let to = from + text[from..].find("\n\n").unwrap();
        (from, to)
    };
    let (from, to) = plate(&shipped);
    let without = format!("{}{}", &shipped[..from], &shipped[to..]);
    let own = shipped[from..to].to_owned();
    let with = |own: &str| format!("{}{own}{}", &shipped[..from], &shipped[to..]);
    let cases = [
        (without, "declared no more"),
        (
            with(
                &own.replace("type = \"plate\"", "type = \"label\"")
                    .replace("mask = \"plate\"", "mask = \"hidden\""),
            ),
            "as it was declared",
        ),
        (
            with(&own.replace("index = \"plate\"", "index = \"other\"")),
            "as it was declared",
        ),
        (with(&own.replace("\nindex = \"plate\"", "")), "as it was declared"),
    ];
    for (text, words) in cases {
        assert!(text != shipped, "{words}");
        std::fs::write(&file, text).unwrap();
        let told = world.refusal().await;
        assert!(
            told.starts_with("fields.toml: field plate: ") && told.contains(words),
            "{told}"
        );
        assert!(told.contains("type = \"plate\" and index = \"plate\""), "{told}");
    }
    // A field more, another group and another mask are no change to what is on file.
    let more = "\n[[field]]\nname = \"pension_no\"\nzh = \"养老金号码\"\nen = \"Pension number\"\nrecord = \"caller\"\ntype = \"line\"\nclass = \"sensitive\"\ngroup = \"identity\"\nmask = \"hidden\"\n";
    std::fs::write(
        &file,
        format!("{}{more}", with(&own.replace("mask = \"plate\"", "mask = \"hidden\""))),
    )
    .unwrap();
    let app = world.open().await;
    app.vault().unwrap().note_unlock("test").await.unwrap();
    drop(app);
    std::fs::write(&file, &shipped).unwrap();
    // The new one is kept, too.
    let told = world.refusal().await;
    assert!(told.starts_with("fields.toml: field pension_no: "), "{told}");
}
