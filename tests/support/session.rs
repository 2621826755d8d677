//! Sessions that a page prints, run as they are printed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the background commands of a session run is ended with it, however it ends.
const ENDS: &str = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n";

/// The blocks of a language under a heading.
pub(crate) fn blocks<'t>(text: &'t str, heading: &str, language: &str) -> Vec<&'t str> {
    let section = text.split_once(&format!("\n{heading}\n")).expect("the heading").1;
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split(&format!("```{language}\n")).skip(1).collect::<Vec<_>>();
    blocks.iter().map(|block| block.split("```").next().unwrap()).collect()
}

pub(crate) fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

/// The session as one script, with `callervault` on the path; what each block of it prints.
pub(crate) fn session(directory: &Path, blocks: &[&str]) -> Vec<String> {
    let script = format!("{ENDS}{}", blocks.join("\nprintf '\\f'\n"));
    let program = Path::new(env!("CARGO_BIN_EXE_callervault")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("PATH", path)
        .current_dir(directory)
        .output()
        .unwrap();
    let (said, faults) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{faults}");
    said.split('\x0c').map(str::to_owned).collect()
}

/// The documents that `jq` printed.
pub(crate) fn documents(said: &[String]) -> Vec<Value> {
    let documents = said
        .iter()
        .flat_map(|said| serde_json::Deserializer::from_str(said).into_iter());
    documents.collect::<Result<_, _>>().unwrap()
}
