//! A database administrator edits rows: each edit is refused on read or named by `fsck`.

use std::sync::Arc;

use callervault::http::App;

use crate::support::rows::{Rows, Store};
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
    pub(crate) fn data(&self) -> Store {
        self.world.data()
    }

    /// The first caller, whose ticket C1 holds.
    pub(crate) fn caller(&self) -> Vec<u8> {
        let data = self.data();
        let subject: String = data.rows("ticket").of("holder", "C1").first("subject");
        data.rows("caller").of("subject", &*subject).first("id")
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

/// The callers' numbers.
fn numbers(data: &Store) -> Rows<'_> {
    data.rows("sealed_field")
        .of("record_kind", "caller")
        .of("field", "callback_number")
}

#[tokio::test]
async fn swapped_ciphertexts() {
    let scene = scene().await;
    let data = scene.data();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = numbers(&data).read(["record", "sealed"]);
    for (at, from) in [(0, 1), (1, 0)] {
        numbers(&data).of("record", &*rows[at].0).set("sealed", &*rows[from].1);
    }
    scene.refused_on_read().await;
    scene.named("does not open where it stands").await;
}

#[tokio::test]
async fn a_field_copied_to_another_of_the_same_caller() {
    let scene = scene().await;
    let data = scene.data();
    for record in numbers(&data).column::<Vec<u8>>("record") {
        let fields = data.rows("sealed_field").of("record", &*record);
        let name: Vec<u8> = fields.clone().of("field", "name").first("sealed");
        fields.of("field", "callback_number").set("sealed", &*name);
    }
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
    let old: Vec<u8> = numbers(&world.data()).first("sealed");
    let body =
        serde_json::json!({"ticket": no, "reason": "听错", "fields": {"callback_number": "13700009999"}}).to_string();
    let path = format!("/v1/callers/{reference}");
    let done = world
        .call(&app, "agent", "PATCH", &path, &[("if-match", "\"1\"")], &body)
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    drop(app);
    numbers(&world.data()).set("sealed", &*old);
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
    let data = scene.data();
    let number = numbers(&data).of("record", &*scene.caller());
    let sealed: Vec<u8> = number.first("sealed");
    let app = scene.world.open().await;
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        number.set("sealed", &*bad);
        let answer = scene
            .world
            .reveal(&app, "handler-c1", &scene.reference, &scene.no, "clear")
            .await;
        assert_eq!(answer.status, 500, "byte {at}: {}", answer.text);
    }
    number.set("sealed", &*sealed);
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
    scene.world.keys().rows("record_key").set("wrapped", [0; 62]);
    scene.refused_on_read().await;
    scene.named("does not unwrap").await;
}

#[tokio::test]
async fn a_ticket_handed_over_by_hand() {
    let scene = scene().await;
    scene.data().rows("ticket").set("holder", "W2");
    scene.refused_on_read().await;
    scene.named("was edited").await;
}

#[tokio::test]
async fn a_role_given_by_hand() {
    let scene = scene().await;
    let data = scene.data();
    let handler = data.rows("principal").of("account", "handler-c1");
    handler.set("roles", "agent,handler");
    drop(data);
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
    let kept = world.data().rows("api_token").kept();
    let path = format!("/v1/admin/principals/{id}/tokens/{token}");
    assert_eq!(
        world
            .call(&app, "security-admin", "DELETE", &path, &[], "")
            .await
            .status,
        200
    );
    drop(app);
    world.data().put_back(&kept);
    let findings = world.fsck().await;
    assert!(
        findings.iter().any(|finding| finding.place.starts_with("token")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_blind_index_pointed_at_somebody_else() {
    let scene = scene().await;
    let data = scene.data();
    let caller: Vec<u8> = data.rows("caller").except("id", &*scene.caller()).first("id");
    data.rows("blind_index").set("caller", &*caller);
    drop(data);
    scene.named("was edited").await;
}

#[tokio::test]
async fn a_reference_pointed_at_somebody_else() {
    let scene = scene().await;
    let data = scene.data();
    let other: Vec<u8> = data.rows("reference").of("department", "W2").first("sealed_id");
    data.rows("reference").of("department", "C1").set("sealed_id", &*other);
    drop(data);
    scene.refused_on_read().await;
    scene.named("does not open").await;
}

#[tokio::test]
async fn a_leaf_changed() {
    let scene = scene().await;
    let data = scene.data();
    let entry = data.rows("log_entry").of("idx", 20);
    let body: Vec<u8> = entry.first("body");
    entry.set("body", &*[&body, &b" "[..]].concat());
    drop(data);
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
    scene.data().rows("log_entry").last("idx").delete();
    scene.named("counts").await;
    assert!(scene.world.try_open().await.is_err());
}

#[tokio::test]
async fn a_leaf_dropped_in_the_middle() {
    let scene = scene().await;
    scene.data().rows("log_entry").of("idx", 5).delete();
    scene.named("is missing").await;
    assert!(scene.world.try_open().await.is_err());
}

#[tokio::test]
async fn a_step_of_custody_deleted() {
    let scene = scene().await;
    scene.data().rows("custody").of("version", 2).delete();
    scene.named("lacks a step").await;
}

#[tokio::test]
async fn a_field_deleted() {
    let scene = scene().await;
    scene.data().rows("sealed_field").of("field", "name").delete();
    scene.named("was logged and is not there").await;
}

#[tokio::test]
async fn a_checkpoint_forged() {
    let scene = scene().await;
    let data = scene.data();
    let checkpoint: String = data.rows("log_head").first("checkpoint");
    data.rows("log_head")
        .set("checkpoint", &*checkpoint.replace("— ", "— x"));
    drop(data);
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
