//! A database administrator edits rows: each edit is refused on read or named by `fsck`.

use std::sync::Arc;

use callervault::http::App;
use rusqlite::{Connection, params};

use crate::support::{World, caller};

/// Two callers whose tickets C1 holds, and the store closed.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) no: String,
    pub(crate) reference: String,
}

pub(crate) async fn scene() -> Scene {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    world.ticket_at(&app, "W2", caller("李四光", "13700002222")).await;
    drop(app);
    assert_eq!(world.fsck().await, [], "an untouched vault is clean");
    Scene { world, no, reference }
}

impl Scene {
    pub(crate) fn edit(&self, sql: &str) {
        let changed = Connection::open(&self.world.places.data)
            .unwrap()
            .execute(sql, [])
            .unwrap();
        assert!(changed > 0, "the attack did not happen: {sql}");
    }

    pub(crate) async fn named(&self, words: &str) {
        let findings = self.world.fsck().await;
        assert!(
            findings.iter().any(|finding| finding.what.contains(words)),
            "{findings:?}"
        );
    }

    /// The read is refused with an integrity problem, and nothing is shown.
    pub(crate) async fn refused_on_read(&self) {
        let app: Arc<App> = self.world.open().await;
        let answer = self
            .world
            .reveal(&app, "handler-c1", &self.reference, &self.no, "clear")
            .await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (500, "integrity"),
            "{}",
            answer.text
        );
    }
}

const CALLER_FIELD: &str = "record_kind = 'caller' AND field = 'callback_number'";
/// The scene's first caller, whose ticket C1 holds.
const FIRST: &str = "SELECT caller.id FROM caller JOIN ticket ON ticket.subject = caller.subject WHERE holder = 'C1'";

#[tokio::test]
async fn swapped_ciphertexts() {
    let scene = scene().await;
    let database = Connection::open(&scene.world.places.data).unwrap();
    let sql = format!("SELECT record, sealed FROM sealed_field WHERE {CALLER_FIELD}");
    let mut statement = database.prepare(&sql).unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (at, from) in [(0, 1), (1, 0)] {
        let params = params![rows[from].1, rows[at].0];
        let sql = format!("UPDATE sealed_field SET sealed = ?1 WHERE record = ?2 AND {CALLER_FIELD}");
        database.execute(&sql, params).unwrap();
    }
    scene.refused_on_read().await;
    scene.named("does not open where it stands").await;
}

#[tokio::test]
async fn a_field_copied_to_another_of_the_same_caller() {
    let scene = scene().await;
    scene.edit(
        "UPDATE sealed_field AS f SET sealed = (SELECT sealed FROM sealed_field g WHERE g.record = f.record
            AND g.field = 'name') WHERE field = 'callback_number'",
    );
    scene.refused_on_read().await;
    scene.named("does not open where it stands").await;
}

#[tokio::test]
async fn an_older_ciphertext_put_back() {
    let (world, app) = World::new().await;
    let taken = world
        .post(
            &app,
            "agent",
            "/v1/intake",
            &crate::support::intake(caller("王小明", "13900001111")),
        )
        .await;
    let (no, reference) = (taken.at("/ticket/no"), taken.at("/caller/ref"));
    let old: Vec<u8> = {
        let database = Connection::open(&world.places.data).unwrap();
        database
            .query_row(
                &format!("SELECT sealed FROM sealed_field WHERE {CALLER_FIELD}"),
                [],
                |row| row.get(0),
            )
            .unwrap()
    };
    let body =
        serde_json::json!({"ticket": no, "reason": "听错", "fields": {"callback_number": "13700009999"}}).to_string();
    let path = format!("/v1/callers/{reference}");
    let done = world
        .call(&app, "agent", "PATCH", &path, &[("if-match", "\"1\"")], &body)
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    drop(app);
    let database = Connection::open(&world.places.data).unwrap();
    database
        .execute(
            &format!("UPDATE sealed_field SET sealed = ?1 WHERE {CALLER_FIELD}"),
            [old],
        )
        .unwrap();
    drop(database);
    let findings = world.fsck().await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.what.contains("not what the log says")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn any_byte_of_a_sealed_field() {
    let scene = scene().await;
    let database = Connection::open(&scene.world.places.data).unwrap();
    let sealed: Vec<u8> = database
        .query_row(
            &format!("SELECT sealed FROM sealed_field WHERE {CALLER_FIELD} AND record = ({FIRST})"),
            [],
            |row| row.get(0),
        )
        .unwrap();
    let put = |bytes: &[u8]| {
        let sql = format!("UPDATE sealed_field SET sealed = ?1 WHERE {CALLER_FIELD} AND record = ({FIRST})");
        database.execute(&sql, [bytes]).unwrap();
    };
    let app = scene.world.open().await;
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        put(&bad);
        let answer = scene
            .world
            .reveal(&app, "handler-c1", &scene.reference, &scene.no, "clear")
            .await;
        assert_eq!(answer.status, 500, "byte {at}: {}", answer.text);
    }
    put(&sealed);
    assert_eq!(
        scene
            .world
            .reveal(&app, "handler-c1", &scene.reference, &scene.no, "clear")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_wrapped_key_changed_or_swapped() {
    let scene = scene().await;
    let keys = Connection::open(&scene.world.places.keys).unwrap();
    keys.execute("UPDATE record_key SET wrapped = zeroblob(62)", [])
        .unwrap();
    drop(keys);
    scene.refused_on_read().await;
    scene.named("does not unwrap").await;
}

#[tokio::test]
async fn a_ticket_handed_over_by_hand() {
    let scene = scene().await;
    scene.edit("UPDATE ticket SET holder = 'W2'");
    scene.refused_on_read().await;
    scene.named("was edited").await;
}

#[tokio::test]
async fn a_role_given_by_hand() {
    let scene = scene().await;
    scene.edit("UPDATE principal SET roles = 'agent,handler' WHERE account = 'handler-c1'");
    scene.refused_on_read().await;
    scene.named("was edited").await;
}

#[tokio::test]
async fn a_revoked_tokens_row_put_back() {
    let (world, app) = World::new().await;
    let id = world.id("agent").to_owned();
    let list = world
        .get(&app, "security-admin", &format!("/v1/admin/principals/{id}/tokens"))
        .await;
    let token = list.at("/items/0/id");
    let row = |sql: &str| Connection::open(&world.places.data).unwrap().execute(sql, []).unwrap();
    row("CREATE TABLE kept AS SELECT * FROM api_token");
    let path = format!("/v1/admin/principals/{id}/tokens/{token}");
    assert_eq!(
        world
            .call(&app, "security-admin", "DELETE", &path, &[], "")
            .await
            .status,
        200
    );
    drop(app);
    row(
        "UPDATE api_token SET (revoked_at, version, mac) = (SELECT revoked_at, version, mac FROM kept WHERE kept.id = api_token.id)",
    );
    row("DROP TABLE kept");
    let findings = world.fsck().await;
    assert!(
        findings.iter().any(|finding| finding.place.starts_with("token")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_blind_index_pointed_at_somebody_else() {
    let scene = scene().await;
    scene.edit("UPDATE OR IGNORE blind_index SET caller = (SELECT max(caller) FROM blind_index)");
    scene.named("was edited").await;
}

#[tokio::test]
async fn a_reference_pointed_at_somebody_else() {
    let scene = scene().await;
    scene.edit(
        "UPDATE reference SET sealed_id = (SELECT sealed_id FROM reference WHERE department = 'W2')
            WHERE department = 'C1'",
    );
    scene.refused_on_read().await;
    scene.named("does not open").await;
}

#[tokio::test]
async fn a_leaf_changed() {
    let scene = scene().await;
    scene.edit("UPDATE log_entry SET body = CAST(CAST(body AS TEXT) || ' ' AS BLOB) WHERE idx = 20");
    scene.named("does not have the hash").await;
    let error = scene
        .world
        .try_open()
        .await
        .err()
        .expect("start-up proves the log")
        .to_string();
    assert!(error.starts_with("log entry 20"), "{error}");
}

#[tokio::test]
async fn the_last_leaf_dropped() {
    let scene = scene().await;
    scene.edit("DELETE FROM log_entry WHERE idx = (SELECT max(idx) FROM log_entry)");
    scene.named("counts").await;
    assert!(scene.world.try_open().await.is_err());
}

#[tokio::test]
async fn a_leaf_dropped_in_the_middle() {
    let scene = scene().await;
    scene.edit("DELETE FROM log_entry WHERE idx = 5");
    scene.named("is missing").await;
    assert!(scene.world.try_open().await.is_err());
}

#[tokio::test]
async fn a_step_of_custody_deleted() {
    let scene = scene().await;
    scene.edit("DELETE FROM custody WHERE version = 2");
    scene.named("lacks a step").await;
}

#[tokio::test]
async fn a_field_deleted() {
    let scene = scene().await;
    scene.edit("DELETE FROM sealed_field WHERE field = 'name'");
    scene.named("was logged and is not there").await;
}

#[tokio::test]
async fn a_checkpoint_forged() {
    let scene = scene().await;
    scene.edit("UPDATE log_head SET checkpoint = replace(checkpoint, '— ', '— x')");
    scene.named("not signed by this vault's log key").await;
    assert!(scene.world.try_open().await.is_err());
}

#[tokio::test]
async fn another_vaults_data_store() {
    let (one, app) = World::new().await;
    drop(app);
    let (other, app) = World::new().await;
    drop(app);
    std::fs::copy(&other.places.data, &one.places.data).unwrap();
    let error = one.try_open().await.err().expect("refused").to_string();
    assert!(error.starts_with("the data store belongs to another vault"), "{error}");
}

#[tokio::test]
async fn a_second_process_and_a_readable_key_store() {
    let (world, app) = World::new().await;
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("another process"), "{error}");
    drop(app);
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&world.places.keys, readable).unwrap();
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("is open to others"), "{error}");
}
