//! What the types forbid does not compile.

use std::path::Path;
use std::process::Command;

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

/// Checks the library in that directory; what the compiler says if it refuses.
fn check(root: &Path) -> Result<(), String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(target)
        .join("tests/trybuild");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--lib", "--offline", "--locked", "--target-dir"])
        .arg(target)
        .current_dir(root)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn reveal_without_the_log_does_not_compile() {
    const COMMIT: &str = "        let receipt = self.commit(permit, change).await?;\n";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let parts = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "migrations",
        "policies",
        "templates",
        "tests/data",
        "benches",
    ];
    for part in parts {
        copy(&root.join(part), &dir.path().join(part));
    }
    std::fs::write(dir.path().join("tests/main.rs"), "").unwrap();
    assert_eq!(check(dir.path()), Ok(()), "as it stands it compiles");
    let reveal = dir.path().join("src/vault/calls/reveal.rs");
    let source = std::fs::read_to_string(&reveal).unwrap();
    assert_eq!(source.matches(COMMIT).count(), 1);
    // The permit in the receipt's place: what the policy allowed is not yet in the log.
    let unlogged = source.replace(COMMIT, "        let receipt = permit;\n");
    std::fs::write(&reveal, unlogged).unwrap();
    let refused = check(dir.path()).expect_err("a read that is not logged");
    assert!(refused.contains("expected `Receipt`, found `Permit`"), "{refused}");
}
