//! How the sources hang together: sizes that a reader can hold, and arrows that point down.

use std::path::Path;

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;

/// Every source file below a directory of the repository: its path from there, and its text.
fn sources(directory: &str) -> Vec<(String, String)> {
    fn below(root: &Path, directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(root, &path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut found = Vec::new();
    below(&root, &root, &mut found);
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn begins_function(line: &str) -> bool {
    let words = line.trim_start();
    let words = words
        .strip_prefix("pub(super) ")
        .or_else(|| words.strip_prefix("pub(crate) "))
        .unwrap_or(words);
    let words = words
        .strip_prefix("pub(in crate::vault) ")
        .or_else(|| words.strip_prefix("pub "))
        .unwrap_or(words);
    let words = words.strip_prefix("const ").unwrap_or(words);
    let words = words.strip_prefix("async ").unwrap_or(words);
    words.starts_with("fn ")
}

/// Functions and their lengths, by the indentation that rustfmt gives them.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let ends = |other: &str| other.trim() == "}" || other.ends_with(';') || other.ends_with("{}");
        let end = |other: &&str| indent(other) == indent(line) && ends(other);
        let length = 1 + lines[at..].iter().position(end).unwrap();
        found.push((line.trim().to_owned(), length));
    }
    found
}

#[test]
fn no_file_and_no_function_is_longer_than_a_reader_holds() {
    for (directory, least_files, least_functions) in [("src", 100, 1000), ("tests", 70, 500)] {
        let sources = sources(directory);
        assert!(sources.len() > least_files, "{directory}: {}", sources.len());
        let mut functions_seen = 0;
        for (name, text) in sources {
            let lines = text.lines().count();
            assert!(
                lines <= LONGEST_FILE,
                "{directory}/{name} has {lines} lines: look for the second thing it does"
            );
            for (function, length) in functions(&text) {
                functions_seen += 1;
                assert!(
                    length <= LONGEST_FUNCTION,
                    "{directory}/{name}: {length} lines: {function}"
                );
            }
        }
        assert!(functions_seen > least_functions, "{directory}: {functions_seen}");
    }
}

/// From the top down: a module may name those after it, and none before it.
const ORDER: [&str; 13] = [
    "cli", "http", "vault", "refs", "keyring", "witness", "audit", "log", "policy", "store", "note", "merkle", "model",
];

#[test]
fn arrows_point_down() {
    for (name, text) in sources("src") {
        let Some(here) = ORDER.iter().position(|module| name.starts_with(&format!("{module}/"))) else {
            continue;
        };
        for above in &ORDER[..here] {
            let names = text.contains(&format!("crate::{above}::")) || text.contains(&format!("crate::{{{above}"));
            assert!(!names, "{name} names {above}, which stands above it");
        }
    }
}

/// By hand a `Display` stands away from its variant, and `source` is forgotten.
#[test]
fn errors_are_derived() {
    for (name, text) in sources("src") {
        for by_hand in ["impl std::error::Error for", "impl Error for"] {
            assert!(!text.contains(by_hand), "{name}: derive it with thiserror");
        }
    }
}

/// Outside of it and of tests, files are opened for writing only as stores, to add lines, or to ask on a terminal.
#[test]
fn files_are_replaced_and_made_in_one_place() {
    let ways = [
        "rename(",
        "persist",
        "fs::write",
        "File::create",
        "tempfile_in",
        "NamedTempFile",
    ];
    let open = ["cli/audit/export/out.rs", "cli/terminal.rs", "store/sqlite/files.rs"];
    for (name, text) in sources("src") {
        let text = text.split("#[cfg(test)]").next().unwrap();
        if name == "atomic_file.rs" || name.contains("/tests/") {
            continue;
        }
        for way in ways {
            assert!(
                !text.contains(way),
                "{name} writes a file by {way} and not by atomic_file"
            );
        }
        let opens = text.contains("OpenOptions");
        assert_eq!(opens, open.contains(&name.as_str()), "{name} opens files for writing");
    }
}

/// What every use case stands on knows none of them.
#[test]
fn the_core_of_the_vault_imports_no_use_case() {
    let core: Vec<_> = sources("src")
        .into_iter()
        .filter(|(name, _)| name.starts_with("vault/core/"))
        .collect();
    assert!(core.len() > 8);
    for (name, text) in core {
        for room in ["calls", "tickets", "people", "auditing", "keys", "life"] {
            let path = format!("vault::{room}");
            assert!(!text.contains(&path), "{name} imports {path}");
        }
    }
}

/// Who opens a database or speaks its language: the module that the other tests edit rows with, and tests whose subject that is.
const OPEN_DATABASES: [&str; 4] = ["support/rows.rs", "store/plans.rs", "store/schema.rs", "structure.rs"];

#[test]
fn tests_edit_rows_through_one_module() {
    let tests = sources("tests");
    for name in OPEN_DATABASES {
        assert!(tests.iter().any(|(there, _)| there == name), "{name} is not there");
    }
    for (name, text) in tests {
        if OPEN_DATABASES.contains(&&*name) {
            continue;
        }
        for word in ["rusqlite", "SELECT ", "INSERT ", "UPDATE ", "DELETE FROM ", "PRAGMA "] {
            assert!(!text.contains(word), "{name} has `{word}`: see `support/rows.rs`");
        }
    }
}

/// A page that says what is held by a test names a test that is there.
#[test]
fn pages_name_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["", "docs", "docs/decisions"].map(|directory| std::fs::read_dir(root.join(directory)).unwrap());
    let mut named = 0;
    for page in pages.into_iter().flatten() {
        let page = page.unwrap().path();
        if page.extension().is_none_or(|end| end != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        for path in text.split('`').filter(|words| words.starts_with("tests/")) {
            assert!(root.join(path).exists(), "{} names {path}", page.display());
            named += 1;
        }
    }
    assert!(named > 60, "{named}");
}
