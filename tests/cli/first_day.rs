//! A city's first day: the session of the operator's guide, in both languages, run as it is printed there.

use std::fs::{create_dir, create_dir_all, read_to_string, write};
use std::net::TcpListener;
use std::path::Path;

use callervault::audit::export::index_in;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::support::process::{secret_file, skipped};
use crate::support::session::{blocks, have, session};
use crate::support::{invented, weeks};

/// Calls of each of the two files.
const CALLS: usize = 10_000;
/// The port of the page.
const PORT: &str = "8440";
/// Ports that no client of another test is given.
const FREE: std::ops::Range<u16> = 20_000..30_000;
/// Years in which the certificates expire.
const YEARS: [i32; 2] = [4001, 4002];

#[test]
fn in_english() {
    first_day("docs/operators.md", "## A city's first day", 0);
}

#[test]
fn in_chinese() {
    first_day("docs/operators.zh.md", "## 一座城市的第一天", 1);
}

/// Of two that run at once each has a number of its own.
fn first_day(page: &str, heading: &str, number: u16) {
    if !["bash", "curl", "jq"].into_iter().all(have) {
        return skipped("first_day: bash, curl and jq are needed");
    }
    let text = read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let root = tempfile::tempdir().unwrap();
    let day = root.path();
    let [staff] = <[&str; 1]>::try_from(blocks(&text, heading, "csv")).expect("one list of people");
    write(day.join("staff.csv"), staff).unwrap();
    write(day.join("calls.csv"), invented::csv("A", CALLS)).unwrap();
    write(day.join("calls.xlsx"), invented::workbook("B", CALLS)).unwrap();
    certificates(day);
    // The page can be run in any year.
    let policies = day.join("vault/policies");
    create_dir_all(&policies).unwrap();
    write(policies.join("holidays.toml"), weeks()).unwrap();
    // The page has a port that may be taken here.
    let port = free_port(number).to_string();
    let steps: Vec<String> = blocks(&text, heading, "sh")
        .iter()
        .map(|step| step.replace(PORT, &port))
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let said = session(day, &steps);
    let said = <[String; 17]>::try_from(said).expect("as many steps as are looked at");
    looked_at(day, &said);
}

/// A port that nobody has now. Which are tried first differs from process to process.
fn free_port(number: u16) -> u16 {
    let begin = usize::try_from(std::process::id()).unwrap() * 10 + usize::from(number) * 5;
    let mut ports = FREE.cycle().skip(begin % FREE.len()).take(FREE.len());
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).unwrap()
}

/// What the page says of the directory: an authority, and two certificates that it made out for this machine.
fn certificates(day: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    // Two of one name would pass for one that vouches for itself.
    authority
        .distinguished_name
        .push(DnType::CommonName, "the city's authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    write(day.join("ca.pem"), authority.pem()).unwrap();
    let renewed = day.join("renewed");
    create_dir(&renewed).unwrap();
    for (directory, year) in [day, &renewed].into_iter().zip(YEARS) {
        let key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        server.not_after = date_time_ymd(year, 1, 1);
        let certificate = server.signed_by(&key, &authority).unwrap();
        write(directory.join("chain.pem"), certificate.pem()).unwrap();
        secret_file(&directory.join("key.pem"), &key.serialize_pem());
    }
}

/// What each step of the page must show.
fn looked_at(day: &Path, said: &[String; 17]) {
    let [made, served, asked, approved, tokens, imported, shown, said @ ..] = said;
    assert!(made.contains("no errors") && made.contains("\nlog key: "), "{made}");
    assert_eq!(served, "ready\n");
    people(asked, approved, tokens);
    calls(imported, shown);
    let [
        followed,
        renamed,
        left,
        rotated,
        lost,
        stopped,
        renewed,
        verified,
        once,
        checked,
    ] = said;
    assert!(followed.contains("token: tokens/siem.token"), "{followed}");
    assert_renamed(renamed);
    assert_eq!(answers(left).last().unwrap()["status"], 401, "{left}");
    assert!(rotated.contains("vault.log was rotated"), "{rotated}");
    recovery(day, lost, stopped);
    certificate(renewed);
    log(day, verified, once);
    assert!(checked.ends_with(": 0 findings\n"), "{checked}");
}

/// The lines that are JSON.
fn answers(said: &str) -> Vec<Value> {
    let lines = said.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The last of some lines.
fn last(said: &str) -> &str {
    said.lines().next_back().unwrap_or_default()
}

fn people(asked: &str, approved: &str, tokens: &str) {
    let dry = "the result would be: 5 made, 0 already exist, 2 waiting for approval, 0 failed";
    let waiting = "\n5 made, 0 already exist, 2 waiting for approval, 0 failed\n";
    assert!(asked.contains(dry) && asked.contains(waiting), "{asked}");
    let listed: Vec<&str> = approved.lines().take_while(|line| !line.starts_with('{')).collect();
    let [_, first, second] = <[&str; 3]>::try_from(listed).expect(approved);
    let reasons = ["the first people", "首批人员"];
    let has_reason = |line: &str| reasons.iter().any(|reason| line.ends_with(reason));
    assert!(has_reason(first) && has_reason(second), "{approved}");
    assert_eq!(
        answers(approved),
        [json!({"state": "approved"}), json!({"state": "approved"})]
    );
    assert_eq!(
        last(approved),
        "2 made, 5 already exist, 0 waiting for approval, 0 failed",
        "{approved}"
    );
    let me = json!({"account": "cityman-02", "department": "城市管理局", "roles": ["handler"]});
    assert_eq!(answers(tokens), [me]);
}

fn calls(imported: &str, shown: &str) {
    for file in ["calls.csv", "calls.xlsx"] {
        for became in ["valid, not taken", "taken"] {
            let line = format!("{file}: {CALLS} rows = {CALLS} {became} (");
            let line = imported.lines().find(|said| said.starts_with(&line)).expect(imported);
            assert!(line.ends_with(" + 0 already known + 0 rejected"), "{line}");
        }
    }
    assert!(
        imported.contains("read as gb18030") && !imported.contains("without a value"),
        "{imported}"
    );
    let [sent, signed, read] = <[Value; 3]>::try_from(answers(shown)).expect(shown);
    assert_eq!(
        (&sent["state"], &signed["state"]),
        (&"dispatched".into(), &"signed".into())
    );
    let number = read["fields"]["callback_number"].as_str().unwrap();
    assert!(number.starts_with("+861") && read["mark"].is_string(), "{read}");
}

/// The list and the auditor's search have the new name, the search also for what was done before.
fn assert_renamed(said: &str) {
    let name = "城市管理和执法局";
    let listed: Vec<&str> = said.lines().filter(|line| line.starts_with("C1 ")).collect();
    let [city] = <[&str; 1]>::try_from(listed).expect(said);
    assert!(city.contains(name) && city.contains(" 330100-07 "), "{said}");
    let entry = json!({"actor_name": "cityman-01", "department_name": name, "dept": "C1"});
    assert_eq!(answers(said), [entry]);
}

/// It is begun, cannot be finished yet, is told of by the server, and is stopped.
fn recovery(day: &Path, lost: &str, stopped: &str) {
    let told = "\nexit code 4\nready\nrecovery: an administrator's account gets a new token from ";
    assert!(lost.starts_with("begun; from ") && lost.contains(told), "{lost}");
    assert!(!day.join("tokens/security-admin-new.token").exists());
    let ready: Vec<&str> = stopped.lines().skip(1).collect();
    assert!(answers(stopped)[0]["index"].is_u64() && ready == ["ready"], "{stopped}");
}

fn certificate(said: &str) {
    let years: Vec<&str> = said.lines().filter_map(|line| line.split(' ').rev().nth(1)).collect();
    assert_eq!(years, YEARS.map(|year| year.to_string()), "{said}");
}

/// The log verifies, at the server and as a copy, and the follower's two files have each entry once.
fn log(day: &Path, verified: &str, once: &str) {
    let entries: Vec<u64> = verified
        .lines()
        .filter_map(|line| line.strip_prefix("verified: ")?.split(' ').next()?.parse().ok())
        .collect();
    let [server, copy] = <[u64; 2]>::try_from(entries).expect(verified);
    assert!(server > 2 * CALLS as u64 && copy >= server, "{verified}");
    assert_eq!(last(once), "each entry once", "{once}");
    let files = ["vault.log.1", "vault.log"].map(|file| read_to_string(day.join(file)).unwrap());
    let indexes: Vec<u64> = files
        .iter()
        .flat_map(|file| file.lines().filter_map(index_in))
        .collect();
    assert!(indexes.iter().copied().eq(0..indexes.len() as u64));
    assert!(files.iter().all(|file| !file.is_empty()) && indexes.len() as u64 >= copy);
}
