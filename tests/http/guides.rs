//! What the guides say of the API, held against the API.

use std::path::Path;

use serde_json::Value;

use crate::support::World;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What stands under a heading.
fn under<'t>(text: &'t str, heading: &str) -> &'t str {
    let section = text.split_once(&format!("\n{heading}\n")).expect("the heading").1;
    section.split("\n## ").next().unwrap()
}

/// Method and address of each call that may wait for a second person, as the document has it.
fn waiting(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let calls = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        let waits = methods.filter(|(_, call)| call["responses"].get("202").is_some());
        waits.map(move |(method, _)| (method.to_uppercase(), path.clone()))
    });
    calls.collect()
}

#[tokio::test]
async fn each_call_that_takes_two_persons_is_in_both_guides() {
    let (world, app) = World::new().await;
    let document = world.actor(&app, "nobody").get("/openapi.json").await.is(200).json();
    let waiting = waiting(&document);
    assert!(waiting.len() > 10, "{waiting:?}");
    for (name, heading) in [
        ("docs/integrators.md", "## What takes two persons"),
        ("docs/integrators.zh.md", "## 须双人复核的调用"),
    ] {
        let text = page(name);
        let section = under(&text, heading);
        for (method, path) in &waiting {
            let is_named = path.starts_with("/v1/admin/principals") || section.contains(&format!("`{method} {path}`"));
            assert!(is_named, "{name}: {method} {path}");
        }
    }
}

/// Every process can read the command line of every other.
#[test]
fn no_guide_for_operators_puts_a_token_on_a_command_line() {
    for name in ["docs/operators.md", "docs/operators.zh.md"] {
        assert!(!page(name).contains("Bearer $"), "{name}");
    }
}
