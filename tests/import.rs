//! The whole corpus in: nothing lost, nothing twice, and nothing of it to be found on the disk.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::secret_file;
use crate::support::{PASSPHRASE, World};

/// The full corpus where it is present beside the project, else the part the project carries.
fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let full = root.join("../shared/data/calls.jsonl");
    if full.exists() {
        full
    } else {
        root.join("tests/data/calls.jsonl")
    }
}

fn import(world: &World, file: &Path) -> Output {
    let (passphrase, token) = (world.dir.path().join("passphrase"), world.dir.path().join("token"));
    secret_file(&passphrase, PASSPHRASE);
    secret_file(&token, world.token("agent"));
    let output = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .arg("import")
        .args(["--dir".as_ref(), world.dir.path().as_os_str()])
        .args(["--passphrase-file".as_ref(), passphrase.as_os_str()])
        .args(["--token-file".as_ref(), token.as_os_str()])
        .arg(file)
        .output()
        .unwrap();
    std::fs::remove_file(passphrase).unwrap();
    std::fs::remove_file(token).unwrap();
    output
}

/// Everything in the corpus that a thief could use: names, numbers, addresses, narrative sentences.
fn personal_values(corpus: &str) -> Vec<String> {
    let mut values = Vec::new();
    for line in corpus.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        for field in [
            "name",
            "mobile",
            "callback_mobile",
            "resident_id",
            "address",
            "email",
            "plate",
        ] {
            values.extend(record["caller"][field].as_str().map(str::to_owned));
        }
        values.extend(record["respondent"]["name"].as_str().map(str::to_owned));
        let sentences = record["narrative"]
            .as_str()
            .unwrap()
            .split(['。', '，', '\n', '！', '？']);
        values.extend(
            sentences
                .filter(|sentence| sentence.chars().count() >= 6)
                .map(str::to_owned),
        );
    }
    // Two characters of text may stand anywhere by chance in binary data; six bytes hardly can.
    values.retain(|value| value.len() >= 6);
    values
}

fn found_in(files: &[PathBuf], values: &[String]) -> Vec<String> {
    let bytes: Vec<u8> = files.iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    let is_there = |value: &&String| bytes.windows(value.len()).any(|window| window == value.as_bytes());
    values.iter().filter(is_there).cloned().collect()
}

#[tokio::test]
async fn the_corpus_is_taken_once_and_found_nowhere() {
    let (world, app) = World::new().await;
    drop(app);
    let corpus = corpus();
    let text = std::fs::read_to_string(&corpus).unwrap();
    let lines = text.lines().count();

    let first = import(&world, &corpus);
    let said = String::from_utf8(first.stdout.clone()).unwrap();
    assert!(
        first.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&first.stderr)
    );
    assert!(said.contains(&format!("{lines} lines = {lines} taken")), "{said}");
    let again = import(&world, &corpus);
    let repeated = String::from_utf8(again.stdout.clone()).unwrap();
    assert!(repeated.contains(&format!("{lines} lines = 0 taken")), "{repeated}");
    assert!(
        repeated.contains(&format!("+ {lines} known already + 0 rejected")),
        "{repeated}"
    );
    assert_eq!(world.fsck().await, []);

    let outputs = world.dir.path().join("outputs");
    let all: Vec<u8> = [first.stdout, first.stderr, again.stdout, again.stderr].concat();
    std::fs::write(&outputs, all).unwrap();
    let values = personal_values(&text);
    assert!(values.len() > 1000);
    // The repeats of short common words inside our own policy comments are not the callers'.
    let files: Vec<PathBuf> = world
        .files()
        .into_iter()
        .filter(|path| !path.starts_with(&world.places.policies))
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    assert_eq!(found_in(&files, &values), Vec::<String>::new());
    std::fs::write(world.dir.path().join("planted"), &values[0]).unwrap();
    assert!(
        !found_in(&world.files(), &values[..1]).is_empty(),
        "the search finds what is there"
    );
}

#[tokio::test]
async fn repeats_come_back_as_their_data_says() {
    let (world, app) = World::new().await;
    drop(app);
    let output = import(
        &world,
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/calls.jsonl"),
    );
    let said = String::from_utf8(output.stdout).unwrap();
    // 20 of the 200 are repeats: 19 share a name or an ID number with the number, one (C169) only the number.
    assert!(said.contains("(19 repeat callers certain, 1 tentative)"), "{said}");
}

#[tokio::test]
async fn bad_lines_are_named_by_number_only() {
    let (world, app) = World::new().await;
    drop(app);
    let good = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/calls.jsonl")).unwrap();
    let good = good.lines().next().unwrap();
    let file = world.dir.path().join("calls.jsonl");
    let bad_number = good.replace("17382288236", "99982288236").replace("C001", "X001");
    let other = good.replace("noise", "water");
    std::fs::write(&file, format!("{good}\nnot json 13912345678\n{bad_number}\n{other}\n")).unwrap();
    let output = import(&world, &file);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("4 lines = 1 taken (0 repeat callers certain, 0 tentative) + 0 known already + 3 rejected"),
        "{said}"
    );
    let rejected = std::fs::read_to_string(world.dir.path().join("calls.jsonl.rejected.jsonl")).unwrap();
    let numbers: Vec<u64> = rejected
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 3, 4]);
    assert!(
        !rejected.contains("13912345678") && !rejected.contains("99982288236"),
        "{rejected}"
    );
}
