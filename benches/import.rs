//! `callervault import` of JSON lines: calls a second, beside bare SQLite that inserts the same rows of both stores in the same run.
//! `cargo bench --bench import`.
//!
//! The program runs as a process. What it takes to unlock and to prove the log is measured with one record, and taken off. The bare
//! inserts are those of the rows that the import left, prepared, in as many transactions as a group commit of 256 calls would need,
//! on the same disk, flushed as the vault flushes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[expect(dead_code, reason = "calls are taken here, and not sent on")]
mod scene;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use callervault::vault::life::open::Places;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

use self::scene::{Scene, scene};

const CALLS: usize = 20_000;
/// One in so many calls is of a person who has called before.
const REPEATS: usize = 10;
/// Calls in one transaction of the bare inserts.
const GROUP: usize = 256;
const NARRATIVE: &str = "来电人反映，楼下底商每晚十点以后还在放音乐，低音炮震得床都在颤，家里有老人和备考的孩子，根本没法睡。之前找过店长，对方不理。要求彻底整治，并给予答复。";

fn private(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    writeln!(file, "{text}").unwrap();
}

fn calls(dir: &Path, numbers: std::ops::Range<usize>) -> PathBuf {
    let path = dir.join(format!("calls-{}.jsonl", numbers.end));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for number in numbers {
        let person = if number % REPEATS == 0 { number / 2 } else { number };
        let call = json!({
            "id": format!("B{number}"), "kind": "complaint", "category": "noise", "channel": "phone",
            "district": {"code": "310113"}, "received_at": "2026-01-05T22:41:17+08:00",
            "caller": {
                "name": "周凤兰", "salutation": "周女士", "address": "上海市宝山区友谊路18号院6号楼2单元402室",
                "mobile": format!("139{person:08}"), "callback_mobile": format!("138{person:08}"),
            },
            "incident_place": "宝山区友谊路", "respondent": {"name": null, "org": "音乐餐吧"}, "narrative": NARRATIVE,
        });
        writeln!(file, "{call}").unwrap();
    }
    path
}

/// How long the program takes for a file.
fn import(scene: &Scene, file: &Path) -> Duration {
    let dir = scene.dir.path();
    private(&dir.join("passphrase"), "a passphrase for a bench");
    private(&dir.join("token"), &scene.agent);
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .arg("import")
        .args(["--dir".as_ref(), dir.as_os_str()])
        .args(["--passphrase-file".as_ref(), dir.join("passphrase").as_os_str()])
        .args(["--token-file".as_ref(), dir.join("token").as_os_str()])
        .arg(file)
        .output()
        .unwrap();
    let took = start.elapsed();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

/// A table of one of the stores: how its rows are inserted, and its rows.
struct Table {
    insert: String,
    rows: Vec<Vec<Value>>,
}

fn tables(database: &Connection) -> Vec<Table> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage";
    let mut statement = database.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    names.iter().map(|name| table(database, name)).collect()
}

fn table(database: &Connection, name: &str) -> Table {
    let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
        .unwrap();
    let rows = rows.map(Result::unwrap).collect();
    let places = vec!["?"; columns].join(", ");
    Table {
        insert: format!("INSERT INTO \"{name}\" VALUES ({places})"),
        rows,
    }
}

/// Inserts the rows of a store into a new one with the same schema, in so many transactions.
fn insert(store: &Path, into: &Path, transactions: usize) -> Duration {
    let old = Connection::open(store).unwrap();
    let tables = tables(&old);
    let new = Connection::open(into).unwrap();
    new.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF")
        .unwrap();
    let sql =
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table' DESC";
    let mut statement = old.prepare(sql).unwrap();
    for sql in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        new.execute_batch(&sql.unwrap()).unwrap();
    }
    let start = Instant::now();
    for part in 0..transactions {
        new.execute_batch("BEGIN IMMEDIATE").unwrap();
        for table in &tables {
            let mut insert = new.prepare_cached(&table.insert).unwrap();
            let (from, to) = (part * table.rows.len(), (part + 1) * table.rows.len());
            for row in &table.rows[from / transactions..to / transactions] {
                insert.execute(params_from_iter(row)).unwrap();
            }
        }
        new.execute_batch("COMMIT").unwrap();
    }
    start.elapsed()
}

async fn run() {
    let scene = scene().await;
    let dir = scene.dir.path();
    let places = Places::below(dir);
    let alone = import(&scene, &calls(dir, 0..1));
    let all = import(&scene, &calls(dir, 1..CALLS + 1));
    let took = all.saturating_sub(alone);
    let count = f64::from(u32::try_from(CALLS).unwrap());
    println!(
        "import: {:.0} calls/s ({CALLS} in {took:.2?}, after {alone:.2?})",
        count / took.as_secs_f64()
    );
    let transactions = CALLS.div_ceil(GROUP);
    let data = insert(&places.data, &dir.join("bare-data.db"), transactions);
    let keys = insert(&places.keys, &dir.join("bare-keys.db"), transactions);
    let bare = data + keys;
    println!(
        "bare SQLite: {:.0} calls/s (the same rows in {bare:.2?})",
        count / bare.as_secs_f64()
    );
    println!("ratio: {:.2} of bare SQLite", bare.as_secs_f64() / took.as_secs_f64());
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(run());
    }
}
