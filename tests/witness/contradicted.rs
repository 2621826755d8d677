//! A witness has seen more of the log than there is, or another log: one such word stops every field, at once and over
//! restarts, until the same witness takes it back or two persons open the next log.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use callervault::http::App;
use callervault::note::{Checkpoint, CosignatureVerifier, unverified_text};
use callervault::vault::Error;
use callervault::vault::life::recover::Recovery;
use callervault::witness::client::Witness;
use callervault::witness::freshness::Freshness;
use callervault::witness::memory::Memory;
use callervault::witness::server::Server;
use serde_json::json;

use crate::life::restart::restarted;
use crate::support::witness::{Listening, Office, SIZE, listen};
use crate::support::{Case, caller, intake};
use crate::witness::witnessed::{NOW, Scene, another};

/// How a witness answers.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// As it remembers.
    Honest,
    /// It had seen so many entries more than it is shown.
    More(u64),
    /// It had seen another log: as the specification says it now, and as it said it once.
    Other(u16),
    /// It signs whatever it is shown and remembers nothing.
    Forgetful,
    /// As `More`, once somebody has told it to go on.
    Slow,
}

/// A witness with a mood.
struct Moody {
    server: Arc<Server>,
    mood: Mutex<Mood>,
    /// A request is there; go on.
    pause: Mutex<(Sender<()>, Receiver<()>)>,
}

impl Moody {
    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    fn answer(&self, body: &str) -> Response {
        let size = |size: u64| {
            (
                StatusCode::CONFLICT,
                [(header::CONTENT_TYPE, SIZE)],
                format!("{size}\n"),
            )
                .into_response()
        };
        let note = body.split_once("\n\n").unwrap().1;
        let text = unverified_text(note).unwrap();
        let shown = Checkpoint::parse(text).unwrap().size;
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Honest => match self.server.cosign(body) {
                Ok(line) => line.into_response(),
                Err(callervault::witness::memory::NotCosigned::Objected(
                    callervault::witness::decide::Objection::OtherSize(seen),
                )) => size(seen),
                Err(_) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
            },
            Mood::More(more) => size(shown + more),
            // Another old size at first, and then the same as the new.
            Mood::Other(409) => size(shown),
            Mood::Other(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Mood::Forgetful => Office::cosigner().cosign(text, NOW as u64).into_response(),
            Mood::Slow => {
                let pause = self.pause.lock().unwrap();
                pause.0.send(()).unwrap();
                pause.1.recv().unwrap();
                size(shown + 1)
            }
        }
    }
}

/// Listens, and the other ends of its pause.
fn moody(scene: &Scene) -> (Arc<Moody>, Listening, Receiver<()>, Sender<()>) {
    let memory = Memory::open(&Office::path(&scene.office.dir)).unwrap();
    let server = Server::new(Office::cosigner(), memory, scene.clock.clone());
    let (arrived, arrives) = channel();
    let (go_on, goes_on) = channel();
    let moody = Arc::new(Moody {
        server: server.unwrap().unwrap(),
        mood: Mutex::new(Mood::Honest),
        pause: Mutex::new((arrived, goes_on)),
    });
    let answer = |State(moody): State<Arc<Moody>>, body: String| async move {
        tokio::task::spawn_blocking(move || moody.answer(&body)).await.unwrap()
    };
    let listening = listen(Router::new().fallback(answer).with_state(Arc::clone(&moody)));
    (moody, listening, arrives, go_on)
}

fn witness(base: &str, key: CosignatureVerifier) -> Witness {
    Witness::new(base, key)
}

/// Every act that shows a field or tells of one, and the way to followers, answers 503 with this problem; or none does.
fn barred(scene: &Scene, app: &Arc<App>, seen: &Case, problem: Option<&str>, when: &str) {
    let mut answers = scene.guesses(app, seen);
    answers.push(("reveal", scene.reveal(app, seen)));
    answers.push(("follow", scene.get(app, "/v1/audit/follow?from=0&limit=5")));
    for (what, answer) in answers {
        match problem {
            Some(problem) => {
                assert_eq!(answer.status, 503, "{what}, {when}: {}", answer.text);
                assert_eq!(answer.problem(), problem, "{what}, {when}");
                assert!(answer.json().pointer("/audit/index").is_some(), "{what} is in the log");
            }
            None => assert_eq!(answer.status, 200, "{what}, {when}: {}", answer.text),
        }
    }
}

/// What `/readyz` and the metrics say.
fn told(scene: &Scene, app: &Arc<App>, witnesses: usize, when: &str) {
    let ready = scene.get(app, "/readyz");
    assert_eq!(ready.status, 200, "{when}: calls are taken");
    if witnesses == 0 {
        assert_eq!(ready.text, "ready\n", "{when}");
    } else {
        assert!(ready.text.contains("\ncontradicted: "), "{when}: {}", ready.text);
        assert!(
            ready.text.contains("audit restart"),
            "{when}, how to act: {}",
            ready.text
        );
    }
    let metrics = scene.runtime.block_on(scene.world.metrics(app));
    let line = format!("\ncallervault_witness_contradictions {witnesses}\n");
    assert!(metrics.contains(&line), "{when}: {metrics}");
}

/// What is not about fields goes on: calls come in, and auditors find out what is going on.
fn goes_on(scene: &Scene, app: &Arc<App>, seen: &Case) {
    let call = intake(caller("李四光", "13700002222"));
    let (world, runtime) = (&scene.world, &scene.runtime);
    assert_eq!(
        runtime
            .block_on(world.actor(app, "agent").post("/v1/intake", &call))
            .status,
        201
    );
    for path in [
        "/v1/audit/checkpoint",
        "/v1/audit/checkpoint/cosigned",
        "/v1/audit/tile/0/000.p/5",
        "/v1/audit/events?act=field.reveal",
        "/v1/audit/events/0/proof",
    ] {
        assert_eq!(scene.get(app, path).status, 200, "{path}");
    }
    let about = json!({"ticket": seen.no});
    let exposed = runtime.block_on(world.actor(app, "auditor").post("/v1/audit/exposure", &about));
    assert_eq!(exposed.status, 200, "{}", exposed.text);
}

#[test]
fn one_witness_that_contradicts_stops_every_field_at_once() {
    let scene = Scene::new();
    let (moody, first, ..) = moody(&scene);
    let (_dir, second, honest) = another(&scene.log, scene.clock.clone());
    let app = scene.app_of(
        vec![
            witness(&first.base, Office::cosigner().verifier()),
            witness(&honest.base, second.verifier()),
        ],
        1,
    );
    let seen = scene.ticket(&app);
    for mood in [Mood::More(1), Mood::Other(422), Mood::Other(409)] {
        let when = format!("{mood:?}");
        moody.is(Mood::Honest);
        assert_eq!(scene.ask(&app), Freshness::Fresh);
        barred(&scene, &app, &seen, None, &when);
        told(&scene, &app, 0, &when);
        moody.is(mood);
        assert_eq!(
            scene.ask(&app),
            Freshness::Fresh,
            "the other is a quorum, and does not help"
        );
        barred(&scene, &app, &seen, Some("contradicted"), &when);
        told(&scene, &app, 1, &when);
        goes_on(&scene, &app, &seen);
    }
}

/// What stands in such a log is not what others have seen: nobody's account is recovered on it.
#[test]
fn no_account_is_recovered_while_the_log_is_contradicted() {
    let scene = Scene::new();
    let (moody, listening, ..) = moody(&scene);
    let app = scene.app(&listening.base);
    moody.is(Mood::More(1));
    scene.ask(&app);
    let recovery = Recovery {
        account: "security-admin",
        two: None,
        reason: "lost",
        delay: None,
    };
    let begun = scene
        .runtime
        .block_on(app.vault().unwrap().start_recovery(&recovery))
        .map(drop);
    let finished = scene.runtime.block_on(app.vault().unwrap().finish_recovery()).map(drop);
    for done in [begun, finished] {
        assert!(matches!(done, Err(Error::Bad(problem)) if problem.name == "contradicted"));
    }
}

#[test]
fn its_own_word_of_before_is_no_quorum_any_more() {
    let scene = Scene::new();
    let (moody, listening, ..) = moody(&scene);
    let app = scene.app(&listening.base);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    moody.is(Mood::Other(422));
    assert_eq!(scene.ask(&app), Freshness::EmergencyOnly);
    drop(app);
    let app = scene.app(&listening.base);
    let when = "the file of what was cosigned gives it no time back";
    assert_eq!(
        app.vault().unwrap().freshness().unwrap(),
        Freshness::EmergencyOnly,
        "{when}"
    );
}

#[test]
fn a_restart_of_the_vault_clears_nothing() {
    let scene = Scene::new();
    let (moody, first, ..) = moody(&scene);
    let (_dir, second, honest) = another(&scene.log, scene.clock.clone());
    let other = || witness(&honest.base, second.verifier());
    let app = scene.app(&first.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    moody.is(Mood::More(1));
    scene.ask(&app);
    drop(app);

    let app = scene.app("http://127.0.0.1:9");
    barred(
        &scene,
        &app,
        &seen,
        Some("contradicted"),
        "the witness cannot be reached",
    );
    drop(app);
    let app = scene.app_of(vec![other()], 1);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    barred(
        &scene,
        &app,
        &seen,
        Some("contradicted"),
        "another witness is asked instead",
    );
    drop(app);
    std::fs::remove_file(&scene.file).unwrap();
    let app = scene.runtime.block_on(scene.world.open_at(scene.clock.clone()));
    barred(
        &scene,
        &app,
        &seen,
        Some("contradicted"),
        "no witness is asked any more, and the file is gone",
    );
    told(&scene, &app, 1, "without witnesses");
    drop(app);
    let app = scene.app(&first.base);
    moody.is(Mood::Honest);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    barred(&scene, &app, &seen, None, "the same witness has cosigned");
    drop(app);
    let app = scene.app("http://127.0.0.1:9");
    barred(&scene, &app, &seen, None, "and that too survives a restart");
}

#[test]
fn only_what_continues_the_log_it_had_seen_takes_its_word_back() {
    let scene = Scene::new();
    let (moody, listening, ..) = moody(&scene);
    let app = scene.app(&listening.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    moody.is(Mood::More(60));
    scene.ask(&app);
    for mood in [Mood::Forgetful, Mood::Honest] {
        moody.is(mood);
        assert_eq!(scene.ask(&app), Freshness::EmergencyOnly);
        barred(
            &scene,
            &app,
            &seen,
            Some("contradicted"),
            "it cosigns less than it had seen",
        );
    }
    for _ in 0..60 {
        scene.get(&app, "/v1/audit/checkpoint");
    }
    barred(
        &scene,
        &app,
        &seen,
        Some("contradicted"),
        "the log is as large, and nobody has signed it",
    );
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    barred(&scene, &app, &seen, None, "it has cosigned as much as it had seen");
}

#[test]
fn two_persons_go_on_without_the_witness_by_the_next_log() {
    let mut scene = Scene::new();
    let (moody, listening, ..) = moody(&scene);
    let app = scene.app(&listening.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    moody.is(Mood::More(u64::MAX / 4));
    scene.ask(&app);
    barred(
        &scene,
        &app,
        &seen,
        Some("contradicted"),
        "a size that no log will reach",
    );
    drop(app);
    let token = restarted(&scene.world);
    let app = scene.runtime.block_on(scene.world.open_at(scene.clock.clone()));
    scene
        .runtime
        .block_on(scene.world.readmitted(&app.vault().unwrap(), &token));
    barred(&scene, &app, &seen, None, "the next log");
    told(&scene, &app, 0, "the next log");
    let first = scene.get(&app, "/v1/audit/events/0").json();
    let size = first
        .pointer("/leaf/link/witness_size")
        .and_then(|size| size.as_str())
        .unwrap();
    assert!(
        size.parse::<u64>().unwrap() > u64::MAX / 4,
        "what it had seen stands in the log: {first}"
    );
}

#[test]
fn a_log_that_grew_meanwhile_is_not_contradicted() {
    let scene = Scene::new();
    let (moody, listening, arrives, go_on) = moody(&scene);
    let app = scene.app(&listening.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    moody.is(Mood::Slow);
    let round = scene.runtime.spawn({
        let app = Arc::clone(&app);
        async move { app.vault().unwrap().ask_witnesses().await }
    });
    arrives.recv().unwrap();
    assert_eq!(scene.get(&app, "/v1/audit/checkpoint").status, 200, "an entry more");
    go_on.send(()).unwrap();
    assert_eq!(scene.runtime.block_on(round).unwrap().unwrap(), Freshness::Fresh);
    barred(&scene, &app, &seen, None, "the log holds as many entries by now");
}
