//! `deny.toml` holds for what this program is built of, also where `cargo deny` is not installed: it knows licences, sources and
//! what may not be there. Known vulnerabilities are looked up by `cargo deny check advisories` alone.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

fn rules() -> toml::Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Every package but this one, for every system.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = listed["packages"].as_array().unwrap().clone();
    let others = packages.into_iter().filter(|package| package["name"] != "callervault");
    others.collect()
}

fn name(package: &Value) -> String {
    format!("{} {}", package["name"], package["version"])
}

#[test]
fn each_dependency_has_a_licence_that_is_allowed() {
    let rules = rules();
    let allowed: Vec<&str> = rules["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let is_allowed = |package: &Value| {
        let licence = package["license"].as_str().unwrap_or_default();
        let licence = Expression::parse_mode(licence, ParseMode::LAX);
        licence.is_ok_and(|licence| licence.evaluate(|one| allowed.contains(&&*one.to_string())))
    };
    let packages = packages();
    assert!(packages.len() > 100);
    let others = packages.iter().filter(|package| !is_allowed(package));
    let others: Vec<String> = others
        .map(|package| format!("{} {}", name(package), package["license"]))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn each_dependency_comes_from_a_registry_and_none_is_forbidden() {
    let rules = rules();
    let forbidden: Vec<&str> = rules["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["crate"].as_str())
        .collect();
    assert!(forbidden.contains(&"openssl"));
    for package in packages() {
        let source = package["source"].as_str().unwrap_or_default();
        assert!(source.starts_with("registry+"), "{}", name(&package));
        assert!(
            !forbidden.iter().any(|one| package["name"] == *one),
            "{}",
            name(&package)
        );
    }
}
