//! The log for archives and SIEMs: copied, continued, followed, and never a gap.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::process::{Server, client, run, secret_file};
use crate::support::{Case, World};

/// A served world with an auditor's token in a file, and a case to make entries with.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) server: Server,
    pub(crate) case: Case,
}

pub(crate) async fn scene() -> Scene {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    Scene::served(world, case, &[])
}

impl Scene {
    /// With more arguments for the server.
    pub(crate) fn served(world: World, case: Case, more: &[&str]) -> Self {
        let arguments = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let server = Server::start_with(world.dir.path(), "http", &[&arguments, more].concat());
        secret_file(&world.dir.path().join("token"), world.token("auditor"));
        Self { world, server, case }
    }

    pub(crate) fn grow(&self, entries: usize) {
        let (path, body) = self.case.reveal("masked");
        for _ in 0..entries {
            assert_eq!(self.server.post(&self.world, "handler-c1", &path, &body).0, 200);
        }
    }

    pub(crate) fn arguments<'a>(&'a self, token: &'a str) -> Vec<&'a str> {
        vec!["audit", "export", "--url", &self.server.base, "--token-file", token]
    }

    pub(crate) fn token(&self) -> String {
        self.world.dir.path().join("token").to_str().unwrap().to_owned()
    }

    /// As the path of a file of that name in the world's directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.world.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs an export, however it ends.
    pub(crate) fn try_export(&self, more: &[&str]) -> Output {
        let token = self.token();
        run(&[self.arguments(&token), more.to_vec()].concat())
    }

    pub(crate) fn export(&self, more: &[&str]) -> Output {
        let output = self.try_export(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn key(&self) -> String {
        let mut answer = client()
            .get(format!("{}/v1/audit/keys", self.server.base))
            .header("authorization", format!("Bearer {}", self.world.token("auditor")))
            .call()
            .unwrap();
        answer.body_mut().read_to_string().unwrap().trim().to_owned()
    }
}

pub(crate) fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_continued_and_verifies() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let out = scene.world.dir.path().join("archive");
        let directory = out.to_str().unwrap();
        let key = scene.key();
        scene.grow(300);
        scene.export(&["--out", directory]);
        let kept = scene.world.dir.path().join("kept");
        std::fs::copy(out.join("checkpoint"), &kept).unwrap();
        let full = std::fs::metadata(out.join("tile/0/000")).unwrap().modified().unwrap();
        scene.grow(300);
        scene.export(&["--out", directory]);
        let verified = run(&[
            "audit",
            "verify",
            directory,
            "--key",
            &key,
            "--not-older-than",
            kept.to_str().unwrap(),
        ]);
        assert!(
            verified.status.success(),
            "{}",
            String::from_utf8_lossy(&verified.stderr)
        );
        let again = std::fs::metadata(out.join("tile/0/000")).unwrap().modified().unwrap();
        assert_eq!(full, again, "what is full is not fetched again");
        let others = Command::new("stat")
            .args(["-c", "%a"])
            .arg(out.join("checkpoint"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&others.stdout).trim(), "600");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_carries_its_place() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        scene.grow(250);
        let native = lines(&scene.export(&["--format", "native"]));
        assert!(native.len() > 250);
        for (index, line) in native.iter().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["index"].as_u64(), Some(index as u64), "a gap");
            assert!(line["leaf_hash"].is_string() && line["leaf"]["act"].is_string());
        }
        let hash = |index: usize| {
            let line: Value = serde_json::from_str(&native[index]).unwrap();
            line["leaf_hash"].as_str().unwrap().to_owned()
        };
        let reveal = native
            .iter()
            .position(|line| line.contains("\"field.reveal\""))
            .unwrap();
        let from = reveal.to_string();
        let first = |format: &str| lines(&scene.export(&["--format", format, "--from", &from]))[0].clone();
        let ocsf: Value = serde_json::from_str(&first("ocsf")).unwrap();
        assert_eq!(
            (
                ocsf["class_uid"].as_u64(),
                ocsf["activity_id"].as_u64(),
                ocsf["type_uid"].as_u64()
            ),
            (Some(6005), Some(10), Some(600_510))
        );
        assert_eq!(ocsf["metadata"]["sequence"].as_u64(), Some(reveal as u64));
        assert_eq!(ocsf["unmapped"]["leaf_hash"], json!(hash(reveal)));
        let syslog = first("syslog");
        assert!(syslog.starts_with("<109>1 20"), "{syslog}");
        let placed = format!(
            "[audit@32473 idx=\"{reveal}\" leaf=\"{}\" outcome=\"granted\"]",
            hash(reveal)
        );
        assert!(syslog.contains(&placed), "{syslog}");
        let cef = first("cef");
        assert!(cef.starts_with("CEF:0|CallerVault|CallerVault|"), "{cef}");
        let escaped = hash(reveal).replace('=', "\\=");
        assert!(
            cef.contains(&format!("cn1={reveal}")) && cef.contains(&format!("cs6={escaped}")),
            "{cef}"
        );
        for format in ["native", "ocsf", "syslog", "cef"] {
            let all = scene.export(&["--format", format]).stdout;
            let all = String::from_utf8(all).unwrap();
            assert!(!all.contains("13900001111") && !all.contains("王小明"), "{format}");
        }
    });
}

/// Follows until so many lines have come, then is killed.
fn follow(scene: &Scene, cursor: &Path, wanted: usize) -> Vec<u64> {
    let token = scene.token();
    let mut process = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .args(scene.arguments(&token))
        .args(["--format", "native", "--follow", "--cursor"])
        .arg(cursor)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let seen = lines
        .take(wanted)
        .map(|line| {
            serde_json::from_str::<Value>(&line.unwrap()).unwrap()["index"]
                .as_u64()
                .unwrap()
        })
        .collect();
    process.kill().unwrap();
    process.wait().unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_killed_goes_on_without_a_gap() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        scene.grow(300);
        let cursor = scene.world.dir.path().join("cursor");
        let first = follow(&scene, &cursor, 230);
        let kept = std::fs::read_to_string(&cursor).unwrap_or_default();
        let kept: u64 = kept.lines().next().map_or(0, |line| line.parse().unwrap());
        assert!(kept > 0 && kept <= first.len() as u64 + 200, "{kept}");
        let second = follow(&scene, &cursor, 50);
        let (last, next) = (first[first.len() - 1], second[0]);
        assert!(next <= last + 1, "a gap between {last} and {next}");
        assert!(first.is_sorted() && second.windows(2).all(|pair| pair[1] == pair[0] + 1));
        let metrics = client().get(format!("{}/metrics", scene.server.metrics)).call();
        let metrics = metrics.unwrap().body_mut().read_to_string().unwrap();
        assert!(metrics.contains("callervault_log_export_cursor") && metrics.contains("callervault_log_export_lag"));
    });
}

/// The verifier in Python lists the keys by itself: what it knows of the format is not ours.
#[test]
fn the_python_verifier_allows_the_keys_of_a_leaf() {
    let source = include_str!("../verify.py");
    let (_, list) = source.split_once("ALLOWED_KEYS = set(").unwrap();
    let (list, _) = list.split_once(".split()").unwrap();
    let words: BTreeSet<&str> = list.split(['"', ' ', '\n']).filter(|word| !word.is_empty()).collect();
    let keys: BTreeSet<&str> = callervault::log::leaf::KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(words, keys);
}
