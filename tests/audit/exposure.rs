//! Who has been shown what: exposure and trace marks, held against a plain scan of the leaves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::audit::search::{all, busy, fits, leaves, oracle, query};
use crate::support::World;
use crate::support::rows::Rows;

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The properties of a schema and of those it is made of.
fn described_keys(described: &Value, name: &str) -> BTreeSet<String> {
    fn of(described: &Value, schema: &Value) -> BTreeSet<String> {
        let own = schema.get("properties").map(keys).unwrap_or_default();
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let named = schema.get("$ref").and_then(Value::as_str).map(|path| {
            let target = described.pointer(path.trim_start_matches('#')).unwrap();
            of(described, target)
        });
        own.into_iter()
            .chain(parts.flat_map(|part| of(described, part)))
            .chain(named.into_iter().flatten())
            .collect()
    }
    of(described, &described["components"]["schemas"][name])
}

#[tokio::test]
async fn exposure_is_what_a_scan_of_the_leaves_gives() {
    let (world, app, _) = busy().await;
    let [auditor, nobody] = world.actors(&app, ["auditor", "nobody"]);
    let leaves = leaves(auditor).await;
    let reads = query([("act", "field.reveal"), ("out", "granted")]);
    let described = nobody.get("/openapi.json").await.json();
    let from = "2026-12-01T05:00:00Z".to_owned();
    for name in ["ticket", "subject", "actor"] {
        for from in [None, Some(from.clone())] {
            let any = leaves.iter().rfind(|leaf| fits(leaf, &reads)).unwrap();
            let mut query = reads.clone();
            query.push((name, any[name].as_str().unwrap().to_owned()));
            query.extend(from.clone().map(|from| ("from", from)));
            let body = json!({name: any[name], "from": from});
            let answer = auditor.post("/v1/audit/exposure", &body).await.is(200);
            let right = oracle(&leaves, &query, leaves.len() as u64);
            assert_eq!(answer.json()["reads"], right.len());
            let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for index in right {
                let leaf = &leaves[index as usize];
                let key = ["actor", "dept", "role", "ticket", "subject", "fields", "form"].map(|key| leaf[key].clone());
                groups.entry(format!("{key:?}")).or_default().push(index);
            }
            let told = answer.json()["groups"].as_array().unwrap().clone();
            assert_eq!(told.len(), groups.len());
            for group in told {
                let mut described = described_keys(&described, "Exposed");
                assert!(described.remove("names_unproved"), "where a row was edited");
                assert_eq!(described, keys(&group), "as OpenAPI describes it");
                let key =
                    ["actor", "dept", "role", "ticket", "subject", "fields", "form"].map(|key| group[key].clone());
                let right = &groups[&format!("{key:?}")];
                assert_eq!(group["count"], right.len());
                assert_eq!(group["indexes"], json!(right[..right.len().min(20)]));
                let times: BTreeSet<&str> = right
                    .iter()
                    .map(|index| leaves[*index as usize]["t"].as_str().unwrap())
                    .collect();
                assert_eq!(group["first"], **times.first().unwrap());
                assert_eq!(group["last"], **times.last().unwrap());
            }
        }
    }
    for (body, problem) in [
        (json!({}), "exactly-one"),
        (
            json!({"ticket": leaves.iter().rfind(|leaf| leaf["ticket"].is_string()).unwrap()["ticket"], "actor": world.id("agent")}),
            "exactly-one",
        ),
        (json!({"actor": "somebody"}), "mistyped"),
        (json!({"subject": "C1"}), "mistyped"),
    ] {
        let answer = auditor.post("/v1/audit/exposure", &body).await;
        answer.fails(422, problem);
    }
}

#[tokio::test]
async fn a_mark_leads_to_the_read() {
    let (world, app) = World::new().await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let case = world.case(&app, "C1").await;
    let shown = handler.reveal(&case).clear().await;
    let other = handler.reveal(&case).masked().await;
    let mark = shown.at("/mark");
    assert_eq!(mark.len(), 14);
    assert_ne!(mark, other.at("/mark"));
    let trace = async |mark: &str| auditor.post("/v1/audit/trace", &json!({"mark": mark})).await;
    for typed in [mark.clone(), mark.to_lowercase().replace('-', "")] {
        let traced = trace(&typed).await.is(200).json();
        assert_eq!(traced["entries"].as_array().unwrap().len(), 1);
        let entry = &traced["entries"][0];
        assert_eq!(entry["index"], shown.index());
        assert_eq!(entry["leaf"]["actor"], world.id("handler-c1"));
        assert_eq!(entry["leaf"]["ticket"], case.no);
        assert_eq!(entry["leaf"]["form"], "clear");
        assert_eq!(entry["leaf"]["fields"], json!(["callback_number"]));
    }
    let digit = if mark.starts_with('0') { "1" } else { "0" };
    let wrong = trace(&format!("{digit}{}", &mark[1..])).await;
    wrong.fails(400, "mistyped-mark");
    // A mark of an entry that showed nothing leads nowhere.
    let entry = auditor.get("/v1/audit/events/0").await;
    trace(&entry.at("/mark")).await.fails(404, "not-found");
    // The ticket's own fields carry one too.
    let text = handler.reveal_of_ticket(&case.no).clear().await;
    let traced = trace(&text.at("/mark")).await.json();
    assert_eq!(traced["entries"][0]["index"], text.index());
}

#[tokio::test]
async fn a_blanked_or_missing_entry_makes_no_smaller_answer() {
    let (world, app, _) = busy().await;
    let auditor = world.actor(&app, "auditor");
    let query = query([("out", "granted"), ("form", "clear")]);
    let right = all(auditor, &query, 200).await;
    let actor = json!({"actor": world.id("handler-c1")});
    let attacks: [fn(Rows<'_>); 2] = [|entry| _ = entry.set("body", []), |entry| _ = entry.delete()];
    for attack in attacks {
        let entry = i64::try_from(right[0]).unwrap();
        attack(world.data().rows("log_entry").of("idx", entry));
        let found = auditor.get("/v1/audit/events?out=granted&form=clear").await;
        found.fails(500, "integrity");
        let exposed = auditor.post("/v1/audit/exposure", &actor).await;
        exposed.fails(500, "integrity");
    }
}
