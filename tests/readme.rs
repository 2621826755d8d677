//! The READMEs' curl session, run as it is printed against a live demo.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::process::skipped;

/// The demo as a process, ended with the test.
struct Demo(Child);

impl Demo {
    /// Starts it; returns once it serves.
    fn start(directory: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_callervault"))
            .args(["demo", "--listen", "127.0.0.1:0", "--dir"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let demo = Self(process);
        let serves = lines.map(Result::unwrap).any(|line| line.starts_with("stop "));
        assert!(serves, "the demo starts");
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The blocks of shell under a heading.
fn blocks<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let section = text.split_once(&format!("\n{heading}\n")).expect("the heading").1;
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

/// What the session prints: one JSON document for each `jq`.
fn session(directory: &Path, script: &str) -> Vec<Value> {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .output()
        .unwrap();
    let (said, faults) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{faults}");
    let documents = serde_json::Deserializer::from_str(&said).into_iter();
    documents.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_curl_sessions_do_what_they_say() {
    if !(have("bash") && have("curl") && have("jq")) {
        return skipped("the_curl_sessions_do_what_they_say: bash, curl and jq are needed");
    }
    let root = tempfile::tempdir().unwrap();
    let checkout = root.path().join("checkout");
    std::fs::create_dir(&checkout).unwrap();
    let _demo = Demo::start(&root.path().join("callervault-demo"));
    for (file, heading) in [
        ("README.md", "### With curl"),
        ("README.zh-CN.md", "### 用 curl 走一遍"),
    ] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let blocks = blocks(&text, heading);
        let (start, session_blocks) = blocks.split_first().unwrap();
        assert_eq!(
            start.trim(),
            "cargo run --release -- demo --dir ../callervault-demo",
            "{file}"
        );
        let told = session(&checkout, &session_blocks.concat());
        let [taken, sent, read, refused] = &told[..] else {
            panic!("{file}: {told:#?}");
        };
        assert_eq!(taken.pointer("/caller/matched"), Some(&json!("certain")), "{taken:#}");
        let on_file = taken.pointer("/caller/on_file").and_then(Value::as_array).unwrap();
        assert!(
            on_file.starts_with(&[json!("callback_number"), json!("caller_number")]),
            "{taken:#}"
        );
        assert_eq!(taken.pointer("/ticket/state"), Some(&json!("accepted")));
        assert_eq!(sent["state"], json!("dispatched"), "{sent:#}");
        assert_eq!(read["fields"], json!({"callback_number": "+8617382288236"}), "{read:#}");
        assert_eq!(refused["type"], json!("urn:callervault:problem:refused"), "{refused:#}");
        assert_eq!(refused["status"], json!(403));
        for answer in &told {
            assert!(answer.pointer("/audit/index").is_some(), "{answer:#}");
            assert!(answer.pointer("/audit/leaf_hash").is_some(), "{answer:#}");
        }
    }
}
