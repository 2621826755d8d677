//! A database administrator edits rows: each edit is refused on read or named by `fsck`.

use std::sync::Arc;

use callervault::http::App;
use serde_json::json;

use crate::support::rows::{Rows, Store};
use crate::support::{Answer, Case, NAME, NUMBER, Request, World, caller};

/// Two callers, the first of whose ticket C1 holds, and the store closed.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) case: Case,
}

pub(crate) async fn scene() -> Scene {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    world.case_of(&app, "W2", caller("李四光", "13700002222")).await;
    drop(app);
    assert_eq!(world.fsck().await, [], "an untouched vault is clean");
    Scene { world, case }
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
        self.world.is_found("", words).await;
    }

    pub(crate) async fn reveal(&self, app: &Arc<App>) -> Answer {
        self.world.actor(app, "handler-c1").reveal(&self.case).clear().await
    }

    /// The read is refused with an integrity problem, and nothing is shown.
    pub(crate) async fn refused_on_read(&self) {
        let app = self.world.open().await;
        self.reveal(&app).await.fails(500, "integrity");
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
    let agent = world.actor(&app, "agent");
    let case = agent.take(caller(NAME, NUMBER)).await;
    let old: Vec<u8> = numbers(&world.data()).first("sealed");
    let other = json!({"callback_number": "13700009999"});
    agent.correct(&case, 1, other).await.is(200);
    drop(app);
    numbers(&world.data()).set("sealed", &*old);
    world.is_found("", "not what the log says").await;
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
        let answer = scene.reveal(&app).await;
        assert_eq!(answer.status, 500, "byte {at}: {}", answer.text);
    }
    number.set("sealed", &*sealed);
    scene.reveal(&app).await.is(200);
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
    let admin = world.actor(&app, "security-admin");
    let tokens = format!("{}/tokens", world.account("agent"));
    let token = admin.get(&*tokens).await.at("/items/0/id");
    let kept = world.data().rows("api_token").kept();
    admin.send(Request::delete(format!("{tokens}/{token}"))).await.is(200);
    drop(app);
    world.data().put_back(&kept);
    world.is_found("token", "").await;
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
    // The start proves the log.
    let error = scene.world.refusal().await;
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
    let one = World::closed().await;
    let (other, app) = World::of_its_own().await;
    drop(app);
    std::fs::copy(&other.places.data, &one.places.data).unwrap();
    let error = one.refusal().await;
    assert!(error.starts_with("the data store belongs to another vault"), "{error}");
}

#[tokio::test]
async fn a_second_process_and_a_readable_key_store() {
    let (world, app) = World::new().await;
    let error = world.refusal().await;
    assert!(error.contains("another process"), "{error}");
    drop(app);
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&world.places.keys, readable).unwrap();
    let error = world.refusal().await;
    assert!(error.contains("is open to others"), "{error}");
}
