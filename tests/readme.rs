//! The READMEs' sessions, of a call, of an auditor and of an administrator, run as they are printed against a live demo.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::process::skipped;
use crate::support::session::{blocks, documents, have, session};

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

/// A directory as a checkout is after the demo was built in it.
fn checkout(root: &Path) -> PathBuf {
    let checkout = root.join("checkout");
    std::fs::create_dir_all(checkout.join("target/release")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_callervault"));
    symlink(program, checkout.join("target/release/callervault")).unwrap();
    symlink(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
        checkout.join("tests"),
    )
    .unwrap();
    checkout
}

#[test]
fn the_sessions_do_what_they_say() {
    if !["bash", "curl", "jq", "python3"].into_iter().all(have) {
        return skipped("the_sessions_do_what_they_say: bash, curl, jq and python3 are needed");
    }
    for (file, call, audit, administer) in [
        (
            "README.md",
            "### With curl",
            "## An auditor's hour",
            "## An administrator's hour",
        ),
        (
            "README.zh-CN.md",
            "### 用 curl 走一遍",
            "## 审计人员的一小时",
            "## 系统管理员的一小时",
        ),
    ] {
        let root = tempfile::tempdir().unwrap();
        let checkout = checkout(root.path());
        let demo = Demo::start(&root.path().join("callervault-demo"));
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let [call, audit, administer] = [call, audit, administer].map(|heading| blocks(&text, heading, "sh"));
        let (start, call) = call.split_first().unwrap();
        assert_eq!(
            start.trim(),
            "cargo run --release -- demo --dir ../callervault-demo",
            "{file}"
        );
        let said = session(&checkout, &[call, &audit].concat());
        let (called, audited) = said.split_at(call.len());
        let read = a_call_is_taken_and_read(file, &documents(called));
        the_auditor_finds_it(file, &read, audited);
        // It goes on in the same shell, which has the definitions of the first two, when the demo was stopped.
        drop(demo);
        let said = session(&checkout, &[&[call[0], audit[0]], &administer[..]].concat());
        the_keys_come_round(file, root.path(), &said[2..]);
    }
}

/// Gives the answer to the read.
fn a_call_is_taken_and_read(file: &str, told: &[Value]) -> Value {
    let [taken, sent, signed, read, refused] = <&[Value; 5]>::try_from(told).expect(file);
    assert_eq!(taken.pointer("/caller/matched"), Some(&json!("certain")), "{taken:#}");
    let on_file = taken.pointer("/caller/on_file").and_then(Value::as_array).unwrap();
    assert!(
        on_file.starts_with(&[json!("callback_number"), json!("caller_number")]),
        "{taken:#}"
    );
    assert_eq!(taken.pointer("/ticket/state"), Some(&json!("accepted")));
    assert_eq!(sent["state"], json!("dispatched"), "{sent:#}");
    assert_eq!(signed["state"], json!("signed"), "{signed:#}");
    assert_eq!(read["fields"], json!({"callback_number": "+8617382288236"}), "{read:#}");
    assert_eq!(refused["type"], json!("urn:callervault:problem:refused"), "{refused:#}");
    assert_eq!(refused["status"], json!(403));
    for answer in told {
        assert!(answer.pointer("/audit/index").is_some(), "{answer:#}");
        assert!(answer.pointer("/audit/leaf_hash").is_some(), "{answer:#}");
    }
    read.clone()
}

/// Each step of the auditor's hour leads to that read.
fn the_auditor_finds_it(file: &str, read: &Value, said: &[String]) {
    let [_, find, follow, resolve, prove, export, trace, exposure] = <&[String; 8]>::try_from(said).expect(file);
    let one = |said: &String| documents(std::slice::from_ref(said)).pop().unwrap();
    let index = read.pointer("/audit/index").unwrap();
    let found = one(find);
    assert_eq!(found["count"], json!(2), "{found:#}");
    let out = |at: usize| found.pointer(&format!("/entries/{at}/leaf/out")).unwrap().clone();
    assert_eq!([out(0), out(1)], [json!("denied"), json!("granted")], "{found:#}");
    assert_eq!(found.pointer("/entries/1/index"), Some(index), "{found:#}");
    assert_eq!(found.pointer("/entries/1/mark"), Some(&read["mark"]), "{found:#}");

    let followed = one(follow);
    let acts: Vec<_> = followed["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["act"])
        .collect();
    assert_eq!(acts, ["ticket.read", "ticket.sign"], "{followed:#}");

    let resolve = documents(std::slice::from_ref(resolve));
    let [approved, resolved] = <&[Value; 2]>::try_from(&resolve[..]).expect(file);
    assert_eq!(approved["state"], json!("approved"), "{approved:#}");
    let reference = resolved.pointer("/caller/ref").and_then(Value::as_str).unwrap();
    assert!(reference.starts_with("H0"), "{resolved:#}");

    let proved = one(prove);
    assert_eq!(&proved["proved"], index, "{proved:#}");
    assert_eq!(proved["bodies"], proved["size"], "{proved:#}");

    let verified: Vec<&str> = export.lines().filter(|line| line.starts_with("verified: ")).collect();
    let [ours, pythons] = <[&str; 2]>::try_from(verified).expect(file);
    assert_eq!(ours, pythons, "both verifiers come to the same root");

    assert!(trace.starts_with(&format!("entry {index} of the log, ")), "{trace}");
    assert!(
        trace.contains("of department C1 (") && trace.contains(") as handler"),
        "{trace}"
    );
    assert!(trace.contains("callback_number (clear)"), "{trace}");

    let exposed = one(exposure);
    let shown = |group: &Value| {
        group["indexes"]
            .as_array()
            .is_some_and(|indexes| indexes.contains(index))
    };
    assert!(exposed["groups"].as_array().unwrap().iter().any(shown), "{exposed:#}");
}

/// Each step of the administrator's hour.
fn the_keys_come_round(file: &str, root: &Path, said: &[String]) {
    let [_, unlocked, rotated, restored, erased] = <&[String; 5]>::try_from(said).expect(file);
    for words in [
        "any 2 of the 3 shares open the vault",
        "generation 2 is in force",
        "1 of 2 shares are in",
    ] {
        assert!(unlocked.contains(words), "{unlocked}");
    }
    assert!(
        unlocked.lines().last().unwrap().starts_with("unlocked, log entry "),
        "{unlocked}"
    );

    let rewrapped = rotated
        .lines()
        .find(|line| line.starts_with("kek ") && line.contains(" done "));
    let cells: Vec<&str> = rewrapped.expect(rotated).split_whitespace().collect();
    let [_, version, _, looked_at, of, moved, broken, ..] = cells[..] else {
        unreachable!("{rotated}")
    };
    assert_eq!((version, looked_at, broken), ("2", of, "0"), "{rotated}");
    assert!(moved.parse::<u64>().unwrap() > 200, "{rotated}");

    for words in [
        "backup.data: the data store of ",
        "backup.keys: the key store of ",
        "verified: the key store of ",
        " 0 findings\n",
    ] {
        assert!(restored.contains(words), "{words}: {restored}");
    }
    for store in ["elsewhere/data/vault.db", "elsewhere/keys/keystore.db"] {
        assert!(root.join(store).is_file(), "{restored}");
    }
    assert!(erased.contains("{\"state\":\"withdrawn\"}"), "{erased}");
    let receipt = erased.lines().find(|line| line.starts_with("receipt: ")).expect(erased);
    assert!(
        receipt.contains(" was erased at ") && receipt.contains("records 1, tickets 1;"),
        "{receipt}"
    );
}
