//! Outsiders who know a log's witnesses: both verifiers hold a copy, a receipt and a server to their cosignatures.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use callervault::http::App;
use callervault::note::{Checkpoint, Cosigner, unverified_text};
use callervault::witness::client::Witness;
use callervault::witness::freshness::Freshness;
use data_encoding::BASE64;

use crate::support::copies::{Copy, caught, copy, copy_of, holds, ours, put, python, words};
use crate::support::process::{Server, run, secret_file};
use crate::support::witness::{Listening, Office};
use crate::witness::witnessed::{NOW, Scene, another, everything, put_back};

/// A log with two witnesses, both of which have cosigned it.
struct Witnessed {
    scene: Scene,
    app: Arc<App>,
    keys: [String; 2],
    serving: (Listening, Listening, tempfile::TempDir),
}

fn witnessed() -> Witnessed {
    let scene = Scene::new();
    let first = scene.office.open(scene.clock.clone());
    let (dir, cosigner, second) = another(&scene.log, scene.clock.clone());
    let keys = [Office::cosigner().verifier(), cosigner.verifier()];
    let app = scene.app_of(
        vec![
            Witness::new(&first.base, keys[0].clone()),
            Witness::new(&second.base, keys[1].clone()),
        ],
        2,
    );
    scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    Witnessed {
        scene,
        app,
        keys: keys.map(|key| key.to_string()),
        serving: (first, second, dir),
    }
}

impl Witnessed {
    fn cosigned(&self) -> String {
        self.scene.get(&self.app, "/v1/audit/checkpoint/cosigned").text
    }

    /// When both have cosigned.
    fn time(&self) -> String {
        jiff::Timestamp::from_second(NOW).unwrap().to_string()
    }

    /// A copy as an export makes it.
    fn copy(&self) -> Copy {
        let cosigned = self.cosigned();
        let copy = self.scene.runtime.block_on(copy(&self.scene.world, &self.app));
        put(copy.dir.path(), "checkpoint.cosigned", cosigned.as_bytes());
        copy
    }

    fn receipt(&self, copy: &Copy, index: u64) -> String {
        let proof = self.scene.get(&self.app, &format!("/v1/audit/events/{index}/proof"));
        assert_eq!(proof.status, 200);
        put(copy.dir.path(), "receipt.tlog-proof", proof.text.as_bytes());
        copy.path("receipt.tlog-proof").to_str().unwrap().to_owned()
    }

    /// The arguments that name both witnesses.
    fn both(&self) -> [&str; 4] {
        ["--witness", &self.keys[0], "--witness", &self.keys[1]]
    }

    fn first(&self) -> [&str; 2] {
        ["--witness", &self.keys[0]]
    }

    fn second(&self) -> [&str; 2] {
        ["--witness", &self.keys[1]]
    }
}

fn size(note: &str) -> u64 {
    Checkpoint::parse(unverified_text(note).unwrap()).unwrap().size
}

/// Both verifiers say that too few witnesses have cosigned.
fn unwitnessed(what: &str, copy: &Copy, more: &[&str]) {
    for output in [ours(copy, more), python(copy, more)] {
        assert_eq!(output.status.code(), Some(1), "{what}: {}", words(&output));
        assert!(words(&output).contains("UNWITNESSED: "), "{what}: {}", words(&output));
    }
}

/// Both verifiers were called wrongly.
fn misused(what: &str, copy: &Copy, more: &[&str]) {
    for output in [ours(copy, more), python(copy, more)] {
        assert_eq!(output.status.code(), Some(2), "{what}: {}", words(&output));
    }
}

/// Somebody whom the log does not know.
fn stranger() -> String {
    let cosigner = Cosigner::from_seed("else.example/w", &[12; 32]).unwrap();
    cosigner.verifier().to_string()
}

/// Another byte in the bytes of one signer's line: 4 of the key's id, 8 of the time, 64 of the signature.
fn spoil(note: &str, signer: &str, at: usize) -> String {
    let line = note
        .lines()
        .find(|line| line.starts_with(&format!("\u{2014} {signer} ")))
        .unwrap();
    let (head, encoded) = line.rsplit_once(' ').unwrap();
    let mut bytes = BASE64.decode(encoded.as_bytes()).unwrap();
    bytes[at] ^= 1;
    note.replace(line, &format!("{head} {}", BASE64.encode(&bytes)))
}

#[test]
fn a_quorum_can_be_demanded() {
    let log = witnessed();
    let copy = log.copy();
    let told = format!("witnessed: the first {} ", size(&log.cosigned()));
    for output in [ours(&copy, &log.both()), python(&copy, &log.both())] {
        assert!(output.status.success(), "{}", words(&output));
        assert!(words(&output).contains(&told), "{}", words(&output));
        for key in &log.keys {
            let said = format!("{} at {}", key.split_once('+').unwrap().0, log.time());
            assert!(words(&output).contains(&said), "{said}: {}", words(&output));
        }
    }
    let stranger = stranger();
    let three = [&log.both()[..], &["--witness", &stranger]].concat();
    let of_three = |quorum| [&three[..], &["--quorum", quorum]].concat();
    holds(&copy, &of_three("2"));
    unwitnessed("all of three", &copy, &three);
    unwitnessed("three of three", &copy, &of_three("3"));
    unwitnessed("a stranger", &copy, &["--witness", &stranger]);

    std::fs::remove_file(copy.path("checkpoint.cosigned")).unwrap();
    unwitnessed("nobody has cosigned the newest checkpoint", &copy, &log.first());
    holds(&copy, &[&log.both()[..], &["--quorum", "0"]].concat());
    holds(&copy, &[]);

    // The log's own checkpoint may be the one that was cosigned, or the one that the auditor kept.
    let cosigned = log.cosigned();
    let whole = log
        .scene
        .runtime
        .block_on(copy_of(&log.scene.world, &log.app, &cosigned));
    holds(&whole, &log.both());
    put(copy.dir.path(), "kept", cosigned.as_bytes());
    let kept = copy.path("kept");
    let kept = ["--not-older-than", kept.to_str().unwrap()];
    holds(&copy, &[&log.both()[..], &kept].concat());
}

#[test]
fn a_known_witness_must_be_right_and_an_unknown_one_is_nobody() {
    let log = witnessed();
    let copy = log.copy();
    let cosigned = log.cosigned();
    let receipt = log.receipt(&copy, 3);
    let proof = std::fs::read_to_string(&receipt).unwrap();
    let first = Office::cosigner().verifier();
    for (what, at) in [("the time", 11), ("the signature", 30)] {
        put(
            copy.dir.path(),
            "checkpoint.cosigned",
            spoil(&cosigned, first.name(), at).as_bytes(),
        );
        for quorum in ["0", "1"] {
            let more = [&log.both()[..], &["--quorum", quorum]].concat();
            caught(
                what,
                &copy,
                &more,
                "the cosignature by the witness ombudsman.example/w1 does not hold",
            );
        }
        holds(&copy, &log.second());
        put(copy.dir.path(), "checkpoint.cosigned", cosigned.as_bytes());
        put(
            copy.dir.path(),
            "receipt.tlog-proof",
            spoil(&proof, first.name(), at).as_bytes(),
        );
        let given = ["--proof", &receipt];
        caught(
            what,
            &copy,
            &[&log.both()[..], &given].concat(),
            "the witness ombudsman.example/w1",
        );
        let kept = ["--not-older-than", &receipt];
        caught(
            what,
            &copy,
            &[&log.both()[..], &kept].concat(),
            "the witness ombudsman.example/w1",
        );
        holds(&copy, &[&log.second()[..], &given].concat());
        put(copy.dir.path(), "receipt.tlog-proof", proof.as_bytes());
        holds(&copy, &[&log.both()[..], &given].concat());
    }
    // The same name and another key is somebody else.
    let other = spoil(&cosigned, first.name(), 0);
    put(copy.dir.path(), "checkpoint.cosigned", other.as_bytes());
    unwitnessed("another key's id", &copy, &log.both());
    holds(&copy, &log.second());
    // A cosignature of one checkpoint below another.
    let newest = std::fs::read_to_string(copy.path("checkpoint")).unwrap();
    let lines = cosigned.lines().find(|line| line.contains("ombudsman")).unwrap();
    put(copy.dir.path(), "checkpoint", format!("{newest}{lines}\n").as_bytes());
    caught("moved", &copy, &log.first(), "the witness ombudsman.example/w1");
}

#[test]
fn a_receipt_is_held_to_the_quorum_too() {
    let log = witnessed();
    let copy = log.copy();
    std::fs::remove_file(copy.path("checkpoint.cosigned")).unwrap();
    let receipt = log.receipt(&copy, 3);
    let old = ["--proof", &receipt];
    holds(&copy, &[&log.both()[..], &old].concat());

    let young = size(&log.cosigned());
    let receipt = log.receipt(&copy, young);
    let young = ["--proof", &receipt];
    let later = log.copy();
    holds(&later, &young);
    unwitnessed(
        "younger than what was cosigned",
        &later,
        &[&log.both()[..], &young].concat(),
    );
    holds(&later, &[&log.both()[..], &young, &["--quorum", "0"]].concat());
}

#[test]
fn what_a_witness_cosigned_shows_a_fork() {
    let Witnessed {
        scene,
        app,
        keys,
        serving,
    } = witnessed();
    drop(app);
    let before = everything(&scene);
    // One history, which the witness sees.
    let app = scene.app(&serving.0.base);
    scene.ticket(&app);
    scene.ask(&app);
    let seen = scene.get(&app, "/v1/audit/checkpoint/cosigned").text;
    let receipt = scene
        .get(&app, &format!("/v1/audit/events/{}/proof", size(&seen) - 1))
        .text;
    drop(app);
    // Another, which the auditor is shown.
    put_back(&scene, &before);
    let app = scene.app("http://127.0.0.1:9");
    for _ in 0..20 {
        scene.get(&app, "/v1/audit/checkpoint");
    }
    let copy = scene.runtime.block_on(copy(&scene.world, &app));
    let first = ["--witness", &keys[0]];
    put(copy.dir.path(), "checkpoint.cosigned", seen.as_bytes());
    caught(
        "another history",
        &copy,
        &first,
        "are not those that were signed before",
    );
    std::fs::remove_file(copy.path("checkpoint.cosigned")).unwrap();
    put(copy.dir.path(), "receipt.tlog-proof", receipt.as_bytes());
    let proof = copy.path("receipt.tlog-proof");
    let proof = ["--proof", proof.to_str().unwrap()];
    caught(
        "a receipt of another history",
        &copy,
        &proof,
        "are not those that were signed before",
    );
}

#[test]
fn a_server_and_its_export_are_held_to_the_witnesses() {
    let log = witnessed();
    let cosigned = log.cosigned();
    let Witnessed { scene, app, keys, .. } = log;
    drop(app);
    let gone: Vec<String> = keys.iter().map(|key| format!("http://127.0.0.1:9={key}")).collect();
    let server = Server::start_with(
        scene.world.dir.path(),
        "http",
        &["--listen", "127.0.0.1:0", "--witness", &gone[0], "--witness", &gone[1]],
    );
    let token = scene.world.dir.path().join("auditor.token");
    secret_file(&token, scene.world.token("auditor"));
    let token = ["--token-file", token.to_str().unwrap()];
    let key = scene.log.to_string();
    let verify =
        |log: &[&str], more: &[&str]| run(&[&["audit", "verify", "--key", &key], log, &token[..], more].concat());
    let served = ["--url", &*server.base];
    let both = ["--witness", &keys[0], "--witness", &keys[1]];
    let told = format!("witnessed: the first {} ", size(&cosigned));
    let fine = |output: Output| {
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert!(words(&output).contains(&told), "{}", words(&output));
    };
    fine(verify(&served, &both));
    let stranger = stranger();
    let refused = verify(&served, &["--witness", &stranger]);
    assert_eq!(refused.status.code(), Some(1), "{}", words(&refused));
    assert!(words(&refused).contains("UNWITNESSED: 1 of"), "{}", words(&refused));
    let json = verify(&served, &[&both[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.pointer("/witnessed/size").unwrap(), size(&cosigned));
    assert_eq!(json.pointer("/witnessed/by/0/witness").unwrap(), "ombudsman.example/w1");

    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("log");
    let out = out.to_str().unwrap();
    let export = run(&[&["audit", "export", "--url", &server.base, "--out", out], &token[..]].concat());
    assert_eq!(export.status.code(), Some(0), "{}", words(&export));
    assert_eq!(
        std::fs::read_to_string(Path::new(out).join("checkpoint.cosigned")).unwrap(),
        cosigned
    );
    fine(verify(&[out], &both));
}

#[test]
fn nobody_counts_twice() {
    let log = witnessed();
    let copy = log.copy();
    let (name, rest) = log.keys[0].split_once('+').unwrap();
    assert_eq!(name, "ombudsman.example/w1");
    let renamed = Cosigner::from_seed("else.example/w", &[9; 32])
        .unwrap()
        .verifier()
        .to_string();
    assert_eq!(
        renamed.rsplit_once("+").map(|(_, key)| key),
        rest.rsplit_once("+").map(|(_, key)| key)
    );
    misused("one key twice", &copy, &[log.first(), log.first()].concat());
    misused(
        "one key under two names",
        &copy,
        &[&log.first()[..], &["--witness", &renamed]].concat(),
    );
    misused(
        "a quorum of two of one",
        &copy,
        &[&log.first()[..], &["--quorum", "2"]].concat(),
    );
    misused("a quorum of nobody", &copy, &["--quorum", "1"]);
    let key = log.scene.log.to_string();
    misused("a log's key", &copy, &["--witness", &key]);
    let [serve, twice] = [&log.keys[0], &renamed].map(|key| format!("http://127.0.0.1:9={key}"));
    let passphrase = crate::support::process::passphrase_file(log.scene.world.dir.path());
    let refused = run(&[
        "serve",
        "--dir",
        log.scene.world.dir.path().to_str().unwrap(),
        "--passphrase-file",
        passphrase.to_str().unwrap(),
        "--witness",
        &serve,
        "--witness",
        &twice,
    ]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
}
