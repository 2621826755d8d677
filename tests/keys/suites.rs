//! Two suites of algorithms: a vault that is made in the second, one that moves from either to the other, and what somebody who edits rows
//! makes of it.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::key_roles::Suite;
use serde_json::{Value, json};

use crate::audit::outsiders::go;
use crate::keys::destroyed::{destroy, destroyed};
use crate::keys::rewrap::{MOVED, all_rotated_to, all_steps, step, used};
use crate::keys::rotation::{before, rotated, rotated_to, works};
use crate::support::copies::{copy, holds, words};
use crate::support::process::{passphrase_file, run};
use crate::support::suites::{first_byte, other_than, suite, told_in};
use crate::support::{Case, NAME, NUMBER, World, caller};

/// Everything that is sealed under a key of the keyring, besides record keys' fields.
const SEALED: [(&str, &str); 6] = [
    ("keyring", "wrapped"),
    ("record_key", "wrapped"),
    ("sealed_field", "sealed"),
    ("reference", "sealed_id"),
    ("ticket", "caller"),
    ("replay", "answer"),
];

/// The suites of the versions of a key, oldest first.
async fn suites(world: &World, app: &Arc<App>, role: &str) -> Vec<Value> {
    let listed = world.actor(app, "system-admin").get("/v1/keys").await.is(200).json();
    let keys = listed["keys"].as_array().unwrap();
    let of_role = keys.iter().filter(|key| key["role"] == role);
    of_role.map(|key| key["suite"].clone()).collect()
}

#[tokio::test]
async fn everything_in_a_vault_is_of_its_suite() {
    for &suite in Suite::ALL {
        let world = World::closed_in(suite).await;
        let app = world.open().await;
        let there = before(&world, &app).await;
        for (table, column) in SEALED {
            let bytes = world.first_bytes(table, column);
            assert_eq!(bytes, [first_byte(suite)], "{suite}: {table}.{column}");
        }
        // The passphrase's own key is of no suite.
        assert_eq!(world.first_bytes("unlock", "wrapped_root"), [1]);
        assert_eq!(suites(&world, &app, "row").await, [suite.as_str()]);
        // A new version stays in the suite.
        rotated(&world, &app, "row").await.is(200);
        assert_eq!(suites(&world, &app, "row").await, [suite.as_str(); 2]);
        works(&world, &app, &there).await;
        drop(app);
        assert_eq!(world.fsck().await, [], "{suite}");
    }
}

/// A standard checks itself: nothing of the log depends on the suite.
#[tokio::test]
async fn outsiders_verify_the_log_of_either_suite() {
    for &suite in Suite::ALL {
        let world = World::closed_in(suite).await;
        let app = world.open().await;
        world.case(&app, "C1").await;
        let copy = copy(&world, &app).await;
        holds(&copy, &[]);
        if let Some(told) = go(&copy) {
            assert!(told.status.success(), "{suite}: {}", words(&told));
        }
    }
}

#[test]
fn a_vault_moves_to_the_other_suite_and_back() {
    for &suite in Suite::ALL {
        told_in(suite, there_and_back);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn there_and_back() {
    let world = World::closed().await;
    let app = world.open().await;
    let there = before(&world, &app).await;
    let merged = json!({"name": NAME, "caller_number": NUMBER, "email": "wang@mail.example"});
    world.actor(&app, "agent").intake(merged).await.is(201);
    let (first, other) = (suite(), other_than(suite()));
    let fields = world.data().rows("sealed_field").count();
    for (version, to) in [(2, other), (3, first)] {
        let records = world.keys().rows("record_key").count();
        all_rotated_to(&world, &app, to).await;
        for role in ["reference", "log"] {
            let answer = rotated_to(&world, &app, role, to).await.is(200);
            assert_eq!(answer.at("/suite"), to.as_str());
            let leaf = world.actor(&app, "auditor").entry(&answer).await;
            assert_eq!(leaf["link"]["suite"], to.as_str());
        }
        // Between the rotation and the rewrap values of both suites are used.
        let case = world.case(&app, "C1").await;
        opens(&world, &app, &case).await;
        let entries = moves(&world, &app, version, to).await;
        assert_eq!(entries, records, "one for each record that was there");
        assert_eq!(world.first_bytes("record_key", "wrapped"), [first_byte(to)]);
        assert_eq!(world.first_bytes("sealed_field", "sealed"), [first_byte(to)]);
        let of_case = world.data().rows("sealed_field").count();
        assert!(of_case >= fields, "no field is lost");
        opens(&world, &app, &case).await;
    }
    works(&world, &app, &there).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Everything that can moves to this version, which is of this suite. How many entries of the log say that fields were sealed anew.
async fn moves(world: &World, app: &Arc<App>, version: u8, to: Suite) -> usize {
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    system.rewrap(&json!({})).await.is(200);
    all_steps(app).await;
    for role in MOVED {
        assert_eq!(used(world, role), [version], "{role}");
        let line = system.rewrap_of(role).await;
        assert_eq!((&line["state"], &line["broken"]), (&json!("done"), &json!(0)), "{line}");
    }
    assert_eq!(system.left("kek", version - 1).await, 0);
    let all = suites(world, app, "kek").await;
    assert_eq!(all.last().unwrap(), to.as_str());
    let sealed = auditor.get("/v1/audit/events?act=key.reseal").await.is(200).json();
    let leaves = sealed["entries"].as_array().unwrap().iter().map(|entry| &entry["leaf"]);
    let version = version.to_string();
    let leaves: Vec<&Value> = leaves.filter(|leaf| leaf["link"]["version"] == *version).collect();
    for leaf in &leaves {
        assert_eq!(
            (&leaf["purpose"], &leaf["role"], &leaf["link"]["key"]),
            (&json!("reseal"), &json!("system_admin"), &json!("kek"))
        );
        let digests = leaf["digest"].as_object().unwrap();
        assert_eq!(leaf["link"]["count"], digests.len().to_string(), "{leaf}");
        assert!(leaf["subject"].is_string() || leaf["ticket"].is_string(), "{leaf}");
    }
    leaves.len()
}

async fn opens(world: &World, app: &Arc<App>, case: &Case) {
    let [agent, handler] = world.actors(app, ["agent", "handler-c1"]);
    let shown = handler.reveal(case).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
    let found = agent.lookup(NUMBER).await.is(200).json();
    assert_eq!(found["callers"].as_array().map(Vec::len), Some(1), "{found}");
    handler.verify(case, "callback_number", NUMBER).await.is(200);
}

/// A correction comes between two steps: what was corrected stays corrected, and is of the new suite.
#[tokio::test]
async fn fields_that_change_while_they_move() {
    let (world, app) = World::new().await;
    let [agent, system, handler] = world.actors(&app, ["agent", "system-admin", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let own = agent.take(caller(NAME, NUMBER)).await;
    all_rotated_to(&world, &app, Suite::Sm).await;
    system.rewrap(&json!({"role": "kek"})).await.is(200);
    let mut number = 0;
    while step(&app).await {
        number += 1;
        let version = agent.get(own.caller()).await.is(200).json()["version"]
            .as_u64()
            .unwrap();
        let callback = format!("1390000{number:04}");
        agent
            .correct(&own, version, json!({"callback_number": callback}))
            .await
            .is(200);
        let shown = handler.reveal(&case).clear().await.is(200);
        assert_eq!(shown.at("/fields/callback_number"), format!("+86{callback}"));
    }
    assert!(number > 3, "{number} steps");
    assert_eq!(world.first_bytes("sealed_field", "sealed"), [2]);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// As long as a field is sealed in the suite of the older key, that key stays.
#[tokio::test]
async fn a_key_is_not_destroyed_while_fields_are_of_its_suite() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    rotated_to(&world, &app, "kek", Suite::Sm).await.is(200);
    let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
    system.rewrap(&json!({"role": "kek"})).await.is(200);
    while world.first_bytes("record_key", "wrapped") != [2] {
        assert!(step(&app).await);
    }
    assert_eq!(world.first_bytes("sealed_field", "sealed"), [1]);
    system.send(destroy("kek", 1)).await.fails(409, "key-in-use");
    all_steps(&app).await;
    destroyed(&world, &app, "kek", 1).await.is(200);
    opens(&world, &app, &case).await;
    assert_eq!(suites(&world, &app, "kek").await, [Value::Null, json!("sm")]);
    auditor.get("/v1/audit/events?act=key.destroy").await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A field that does not open is counted and left as it is, and so is one of a record that was edited.
#[tokio::test]
async fn what_does_not_open_is_not_sealed_anew() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let data = world.data();
    let field = data.rows("sealed_field").of("field", "callback_number");
    let mut sealed: Vec<u8> = field.first("sealed");
    sealed[20] ^= 1;
    field.set("sealed", &*sealed);
    data.rows("ticket").of("no", &*case.no).set("township", "310101");
    let of_ticket = data.rows("sealed_field").of("record_kind", "ticket");
    let (before, count): (Vec<Vec<u8>>, usize) = (of_ticket.column("sealed"), of_ticket.count());
    rotated_to(&world, &app, "kek", Suite::Sm).await.is(200);
    let system = world.actor(&app, "system-admin");
    system.rewrap(&json!({"role": "kek"})).await.is(200);
    all_steps(&app).await;
    let line = system.rewrap_of("kek").await;
    assert_eq!(
        (&line["state"], &line["broken"]),
        (&json!("done"), &json!(1 + count)),
        "{line}"
    );
    assert_eq!(field.first::<Vec<u8>>("sealed"), sealed);
    assert_eq!(of_ticket.column::<Vec<u8>>("sealed"), before);
    assert_eq!(system.left("kek", 1).await, 1 + count);
    drop(app);
    world.is_found("field callback_number", "does not open").await;
    world.is_found(&format!("ticket {}", case.no), "was edited").await;
}

/// Somebody who edits rows says that they are of the other suite.
#[tokio::test]
async fn what_says_that_it_is_of_another_suite_does_not_open() {
    for &suite in Suite::ALL {
        let world = World::closed_in(suite).await;
        let app = world.open().await;
        let case = world.case(&app, "C1").await;
        let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
        for (table, column) in [("sealed_field", "sealed"), ("record_key", "wrapped")] {
            let (data, keys) = (world.data(), world.keys());
            let rows = match table {
                "record_key" => keys.rows(table).of("record_kind", "caller"),
                _ => data.rows(table).of("field", "callback_number"),
            };
            let sealed: Vec<u8> = rows.first(column);
            for byte in [first_byte(other_than(suite)), 0, 3, 255] {
                let mut edited = sealed.clone();
                edited[0] = byte;
                rows.set(column, &*edited);
                handler.reveal(&case).clear().await.fails(500, "integrity");
            }
            rows.set(column, &*sealed);
        }
        handler.reveal(&case).clear().await.is(200);
        agent.lookup(NUMBER).await.is(200);
    }
}

/// Nor does a key of the keyring. One of a suite that nobody knows is named.
#[tokio::test]
async fn a_key_that_says_that_it_is_of_another_suite_is_not_used() {
    let world = World::closed().await;
    let keys = world.keys();
    let row = keys.rows("keyring").of("role", "index");
    let wrapped: Vec<u8> = row.first("wrapped");
    let with = |byte: u8| {
        let mut edited = wrapped.clone();
        edited[0] = byte;
        row.set("wrapped", &*edited);
    };
    with(2);
    let refused = world.refusal().await;
    assert!(refused.contains("does not open where it stands"), "{refused}");
    with(9);
    let refused = world.refusal().await;
    let words = "version 1 of the key index is of suite 9, which this program does not know";
    assert!(refused.contains(words), "{refused}");
    with(1);
    world.open().await;
}

#[tokio::test]
async fn a_suite_that_there_is_not() {
    let (world, app) = World::new().await;
    let system = world.actor(&app, "system-admin");
    let ask = |suite: &str| json!({"role": "row", "suite": suite});
    system.post("/v1/keys/rotate", &ask("des")).await.fails(400, "bad-json");
    // An approval is for the suite too.
    let auditor = world.actor(&app, "auditor");
    let rotate = |suite| crate::support::Request::post("/v1/keys/rotate", &ask(suite));
    let approved = system.approved_by(auditor, &rotate("sm")).await;
    system
        .send(rotate("aes").approved(&approved))
        .await
        .fails(403, "not-approved");
    system.send(rotate("sm").approved(&approved)).await.is(200);
}

/// `init --suite`, and what is said of one that there is not.
#[test]
fn a_vault_is_made_in_the_second_suite_by_command() {
    let dir = tempfile::tempdir().unwrap();
    let (place, passphrase) = (dir.path().to_str().unwrap(), passphrase_file(dir.path()));
    let tokens = dir.path().join("tokens");
    let init = |suite: &str| {
        run(&[
            "init",
            "--dir",
            place,
            "--passphrase-file",
            passphrase.to_str().unwrap(),
            "--origin",
            "sm.invalid/log/1",
            "--tokens-dir",
            tokens.to_str().unwrap(),
            "--suite",
            suite,
        ])
    };
    let refused = init("des");
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused).contains("aes, sm"), "{}", words(&refused));
    let made = init("sm");
    assert_eq!(made.status.code(), Some(0), "{}", words(&made));
    let keys = crate::support::rows::Store::open(&dir.path().join("keys/keystore.db"));
    let wrapped: Vec<Vec<u8>> = keys.rows("keyring").column("wrapped");
    assert!(wrapped.len() == 5 && wrapped.iter().all(|wrapped| wrapped[0] == 2));
}

/// Stories of other files, told in a vault of the second suite.
mod again {
    use callervault::model::key_roles::Suite;

    use crate::support::suites::told_in;

    macro_rules! again {
        ($($room:ident::$file:ident: $($story:ident),+;)+) => {
            $($(
                #[test]
                fn $story() {
                    told_in(Suite::Sm, crate::$room::$file::$story);
                }
            )+)+
        };
    }

    again! {
        calls::session: a_department_reads_one_field_and_others_are_refused, a_ticket_of_others_looks_like_one_that_does_not_exist,
            a_repeat_caller_is_matched_as_the_data_says, verify_says_yes_or_no_and_opens_nothing,
            two_departments_references_do_not_join, idempotency_keys_replay_or_conflict,
            a_correction_needs_the_version_that_was_read, bad_input_is_told_without_its_value,
            a_revoked_token_and_a_lost_role_end_at_once, a_locked_vault_answers_nothing;
        keys::rotation: a_second_version_of_each_key, each_key_rotates_while_everybody_works,
            a_checkpoint_is_signed_by_the_new_log_key_and_by_the_one_before,
            a_rotated_log_is_verified_by_the_keys_that_it_had, a_key_that_the_log_does_not_know_is_not_used,
            a_rotation_that_the_log_knows_is_finished, a_key_store_from_before_a_rotation_is_refused_by_name,
            an_approval_is_for_one_version;
        keys::rewrap: everything_that_can_moves_to_the_newest_keys, a_rewrap_that_is_killed_at_any_step_goes_on,
            a_change_of_suite_that_is_killed_at_any_step_goes_on, what_was_approved_before_a_rewrap_holds_after_it,
            an_edited_row_stays_an_edited_row, a_rotation_in_the_middle_of_a_rewrap, two_rewraps_at_once_are_one,
            a_rewrap_is_halted_with_the_standing_of_who_started_it;
        keys::rewrap_under_load: no_request_fails_while_everything_moves_to_the_other_suite,
            a_server_that_is_killed_between_two_suites_goes_on;
        keys::reindex: no_lookup_misses_or_doubles_a_caller_at_any_step, a_report_is_not_indexed_by_a_rewrap;
        keys::rotated: records_are_compared_and_values_withdrawn_across_versions_of_the_index,
            a_reference_that_was_given_stays_when_its_key_is_rotated;
        keys::wrapped: any_byte_of_a_wrapped_record_key;
        keys::destroyed: a_key_that_nothing_is_under_is_destroyed, a_destruction_that_the_log_knows_is_finished;
        keys::erased: no_byte_of_theirs_is_left_in_any_file, a_backup_brings_back_all_but_the_erased,
            a_receipt_is_checked_offline_and_against_the_log;
        keys::memory: keys_are_gone_after_locking;
    }
}
