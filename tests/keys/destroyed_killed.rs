//! `kill -9` in the middle of destructions of keys, a real process: each has happened or has not, what was answered has happened, and nothing
//! that is needed is gone.

use std::sync::mpsc::channel;

use serde_json::json;

use crate::keys::destroyed::destroy;
use crate::keys::rewrap::rewrapped;
use crate::keys::rotation::rotated;
use crate::support::process::{Server, client};
use crate::support::{NUMBER, World};

const ROUNDS: u8 = 6;
const ROLES: [&str; 2] = ["kek", "index"];

/// A destruction that was approved, and the key as it stood in the key store.
struct Approved {
    role: &'static str,
    version: u8,
    approval: String,
    wrapped: Vec<u8>,
}

/// Sends both at once, and kills the server when the first is answered: what was answered.
fn killed(world: &World, both: &[Approved]) -> Vec<&'static str> {
    let mut server = Server::start(world.dir.path());
    let (told, answers) = channel();
    let answered = std::thread::scope(|scope| {
        for one in both {
            let (told, base) = (told.clone(), server.base.clone());
            scope.spawn(move || {
                let body = json!({"role": one.role, "version": one.version});
                let request = client()
                    .post(format!("{base}/v1/keys/destroy"))
                    .header("authorization", format!("Bearer {}", world.token("system-admin")))
                    .header("approval", &one.approval);
                if let Ok(mut answer) = request.send_json(body) {
                    let text = answer.body_mut().read_to_string().unwrap_or_default();
                    assert_eq!(answer.status().as_u16(), 200, "{text}");
                    // Nobody may listen any more.
                    let _ = told.send(one.role);
                }
            });
        }
        drop(told);
        let mut answered = Vec::new();
        for role in answers.iter() {
            answered.push(role);
            server.process.kill().unwrap();
        }
        answered
    });
    server.process.wait().unwrap();
    assert!(!answered.is_empty());
    answered
}

/// Whether it happened, once the next start has finished it: then the key is in no file, otherwise it is there.
fn happened(world: &World, one: &Approved) -> bool {
    let keys = world.keys();
    let key = keys
        .rows("keyring")
        .of("role", one.role)
        .of("version", i64::from(one.version));
    let wrapped: Vec<u8> = key.first("wrapped");
    let data = world.data();
    let noted = data
        .rows("destroyed_key")
        .of("role", one.role)
        .of("version", i64::from(one.version));
    let noted = noted.count() == 1;
    assert_eq!(wrapped.is_empty(), noted, "{} {}", one.role, one.version);
    drop((keys, data));
    let of_keys = world.places.keys.parent().unwrap();
    let found = std::fs::read_dir(of_keys).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        memchr::memmem::find(&bytes, &one.wrapped).is_some()
    });
    assert_eq!(found, !noted, "{} {}", one.role, one.version);
    noted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destruction_has_happened_or_has_not() {
    let (world, app) = World::unlimited().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    for version in 1..=ROUNDS {
        let app = world.open().await;
        let mut both = Vec::new();
        for role in ROLES {
            rotated(&world, &app, role).await.is(200);
            rewrapped(&world, &app, role).await;
        }
        let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
        for role in ROLES {
            let keys = world.keys();
            both.push(Approved {
                role,
                version,
                approval: system.approved_by(auditor, &destroy(role, version)).await,
                wrapped: keys
                    .rows("keyring")
                    .of("role", role)
                    .of("version", i64::from(version))
                    .first("wrapped"),
            });
        }
        drop(app);
        let answered = tokio::task::block_in_place(|| killed(&world, &both));
        let app = world.open().await;
        let handler = world.actor(&app, "handler-c1");
        let shown = handler.reveal(&case).clear().await.is(200);
        assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
        handler.verify(&case, "callback_number", NUMBER).await.is(200);
        drop(app);
        for one in &both {
            let happened = happened(&world, one);
            assert!(happened || !answered.contains(&one.role), "it was answered");
        }
        assert_eq!(world.fsck().await, [], "version {version}");
    }
}
