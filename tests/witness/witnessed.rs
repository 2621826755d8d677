//! A vault whose log has a witness: cosigned checkpoints, receipts that carry them, and what stops while nobody answers.

use std::path::PathBuf;
use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::note::{Checkpoint, Cosigner, TlogProof, Verifier};
use callervault::vault::Witnessing;
use callervault::witness::client::Witness;
use callervault::witness::freshness::{Freshness, SilenceLimits};
use callervault::witness::memory::Memory;
use callervault::witness::server::{Server, router};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::copies::words;
use crate::support::process::{passphrase_file, run};
use crate::support::witness::{Listening, Office, at, listen, post, private_dir};
use crate::support::{Answer, Case, NUMBER, World};

pub(crate) const NOW: i64 = 1_800_000_000;

/// Made outside of any runtime: the witness brings one of its own.
pub(crate) struct Scene {
    pub(crate) runtime: Runtime,
    pub(crate) world: World,
    pub(crate) clock: Arc<Fixed>,
    pub(crate) office: Office,
    pub(crate) log: Verifier,
    pub(crate) file: PathBuf,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = Arc::new(Fixed::at(at(NOW)));
        let (world, key): (World, Verifier) = runtime.block_on(async {
            let (world, app) = World::new().await;
            let key = world.actor(&app, "auditor").get("/v1/audit/keys").await.text;
            (world, key.trim().parse().unwrap())
        });
        let file = world.places.data.with_file_name("cosigned");
        Self {
            runtime,
            world,
            clock,
            office: Office::new(&key),
            log: key,
            file,
        }
    }

    pub(crate) fn app(&self, base: &str) -> Arc<App> {
        self.app_of(vec![Witness::new(base, Office::cosigner().verifier())], 1)
    }

    /// The vault with these witnesses, of whom so many are asked for.
    pub(crate) fn app_of(&self, witnesses: Vec<Witness>, quorum: usize) -> Arc<App> {
        let witnessing = Witnessing::new(witnesses, SilenceLimits::usual(quorum), Some(self.file.clone()));
        let clock: Arc<dyn Clock> = self.clock.clone();
        self.runtime.block_on(self.world.open_witnessed(clock, witnessing))
    }

    pub(crate) fn ask(&self, app: &Arc<App>) -> Freshness {
        self.runtime.block_on(app.vault().unwrap().ask_witnesses()).unwrap()
    }

    pub(crate) fn get(&self, app: &Arc<App>, path: &str) -> Answer {
        self.runtime.block_on(self.world.actor(app, "auditor").get(path))
    }

    pub(crate) fn later(&self, hours: i64) {
        let now: Timestamp = self.clock.now().unwrap();
        self.clock.set(now + SignedDuration::from_hours(hours));
    }

    pub(crate) fn ticket(&self, app: &Arc<App>) -> Case {
        self.runtime.block_on(self.world.case(app, "C1"))
    }

    /// What tells whether a value is right, or makes it another: each as its own department would ask.
    pub(crate) fn guesses(&self, app: &Arc<App>, case: &Case) -> Vec<(&'static str, Answer)> {
        let [agent, handler] = self.world.actors(app, ["agent", "handler-c1"]);
        self.runtime.block_on(async {
            let page = agent.get(format!("{}?purpose=intake", case.ticket())).await;
            let own = Case {
                no: case.no.clone(),
                reference: page.at("/caller/ref"),
            };
            let file = agent.get(format!("{}?purpose=intake", own.caller())).await;
            let tag = file.headers["etag"].to_str().unwrap();
            let version = tag.trim_matches('"').parse().unwrap();
            let number = json!({"callback_number": NUMBER});
            vec![
                ("verify", handler.verify(case, "callback_number", NUMBER).await),
                ("lookup", agent.lookup(NUMBER).await),
                ("correct", agent.correct(&own, version, number).await),
            ]
        })
    }

    pub(crate) fn reveal(&self, app: &Arc<App>, case: &Case) -> Answer {
        let handler = self.world.actor(app, "handler-c1");
        self.runtime.block_on(handler.reveal(case).clear())
    }
}

#[test]
fn what_a_witness_has_seen_is_served_and_proved_against() {
    let scene = Scene::new();
    let witness: Listening = scene.office.open(scene.clock.clone());
    let app = scene.app(&witness.base);
    assert_eq!(scene.get(&app, "/v1/audit/checkpoint/cosigned").status, 404);
    for round in 0..3 {
        let seen = scene.ticket(&app);
        assert_eq!(scene.reveal(&app, &seen).status, if round == 0 { 503 } else { 200 });
        assert_eq!(scene.ask(&app), Freshness::Fresh);
        let note = scene.get(&app, "/v1/audit/checkpoint/cosigned").text;
        let said = Office::cosigner().verifier().verify(&note).unwrap().time;
        assert_eq!(i64::try_from(said).unwrap(), scene.clock.now().unwrap().as_second());
        let size = Checkpoint::parse(callervault::note::unverified_text(&note).unwrap())
            .unwrap()
            .size;
        let proof = scene.get(&app, &format!("/v1/audit/events/{}/proof", size - 1)).text;
        let proof = TlogProof::parse(&proof).unwrap();
        assert_eq!(proof.checkpoint, note, "a receipt carries the cosignature");
        let young = scene.get(&app, &format!("/v1/audit/events/{size}/proof")).text;
        let young = TlogProof::parse(&young).unwrap();
        assert!(
            Office::cosigner().verifier().verify(&young.checkpoint).is_err(),
            "nobody has seen it yet"
        );
        scene.later(1);
    }
    // A restart takes up what was kept, after checking it.
    drop(app);
    let app = scene.app("http://127.0.0.1:9");
    assert_eq!(scene.get(&app, "/v1/audit/checkpoint/cosigned").status, 200);
    assert_eq!(app.vault().unwrap().freshness().unwrap(), Freshness::Stale);
    drop(app);
    let forged = std::fs::read_to_string(&scene.file)
        .unwrap()
        .replace("test.invalid", "best.invalid");
    std::fs::write(&scene.file, forged).unwrap();
    let app = scene.app("http://127.0.0.1:9");
    assert_eq!(scene.get(&app, "/v1/audit/checkpoint/cosigned").status, 404);
}

#[test]
fn without_a_witness_the_vault_grows_careful_and_says_so() {
    let scene = Scene::new();
    let witness = scene.office.open(scene.clock.clone());
    let app = scene.app(&witness.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    drop(witness);
    let follow = "/v1/audit/follow?from=0&limit=5";
    for (hours, freshness, export, reveal) in [
        (0, Freshness::Fresh, 200, 200),
        (1, Freshness::Stale, 200, 200),
        (4, Freshness::NoBulkExport, 503, 200),
        (24, Freshness::EmergencyOnly, 503, 503),
    ] {
        scene.later(hours);
        if hours > 0 {
            assert_eq!(scene.ask(&app), freshness, "asking in vain changes nothing");
        }
        assert_eq!(scene.get(&app, follow).status, export, "{freshness:?}");
        let answer = scene.reveal(&app, &seen);
        assert_eq!(answer.status, reveal, "{freshness:?}: {}", answer.text);
        if reveal == 503 {
            assert_eq!(answer.problem(), "unwitnessed");
            assert!(answer.json().pointer("/audit/index").is_some(), "in the log");
        }
        for (what, answer) in scene.guesses(&app, &seen) {
            assert_eq!(answer.status, reveal, "{what}, {freshness:?}: {}", answer.text);
            if reveal == 503 {
                assert_eq!(answer.problem(), "unwitnessed", "{what}");
                assert!(answer.json().pointer("/audit/index").is_some(), "{what} is in the log");
            }
        }
        let metrics = scene.runtime.block_on(scene.world.metrics(&app));
        assert!(
            metrics.contains(&format!("callervault_witness_staleness {}", freshness as i64)),
            "{metrics}"
        );
        assert_eq!(
            scene.get(&app, "/v1/audit/checkpoint").status,
            200,
            "the log is never out of reach"
        );
        let ready = scene.get(&app, "/readyz");
        let says = ready.text.contains("\nunwitnessed: ");
        assert_eq!(
            (ready.status, says),
            (200, reveal == 503),
            "{freshness:?}: {}",
            ready.text
        );
        assert_eq!(ready.text == "ready\n", reveal == 200, "{freshness:?}: {}", ready.text);
    }
}

/// Another witness of the same log, with a key of its own.
pub(crate) fn another(log: &Verifier, clock: Arc<dyn Clock>) -> (tempfile::TempDir, Cosigner, Listening) {
    let cosigner = || Cosigner::from_seed("auditors.example/w2", &[11; 32]).unwrap();
    let dir = private_dir();
    let path = Office::path(&dir);
    Memory::create(&path, &cosigner().verifier()).unwrap();
    Memory::open(&path).unwrap().trust(log).unwrap();
    let server = Server::new(cosigner(), Memory::open(&path).unwrap(), clock);
    (dir, cosigner(), listen(router(server.unwrap().unwrap())))
}

#[test]
fn a_part_of_the_quorum_does_not_take_the_place_of_all_of_it() {
    let scene = Scene::new();
    let (_dir, second, listening) = another(&scene.log, scene.clock.clone());
    let first = scene.office.open(scene.clock.clone());
    let witnesses = vec![
        Witness::new(&first.base, Office::cosigner().verifier()),
        Witness::new(&listening.base, second.verifier()),
    ];
    let app = scene.app_of(witnesses, 2);
    let cosigned = || scene.get(&app, "/v1/audit/checkpoint/cosigned").text;
    let signers = |note: &str| [Office::cosigner().verifier(), second.verifier()].map(|key| key.verify(note).is_ok());

    assert_eq!(scene.ask(&app), Freshness::Fresh);
    let whole = cosigned();
    assert_eq!(signers(&whole), [true, true]);
    drop(listening);
    scene.ticket(&app);
    scene.ask(&app);
    let size = |note: &str| {
        let text = callervault::note::unverified_text(note).unwrap();
        Checkpoint::parse(text).unwrap().size
    };
    let submission = format!("old 0\n\n{}", scene.get(&app, "/v1/audit/checkpoint").text);
    let (status, _, seen) = post(&first.base, &submission).unwrap();
    assert_eq!(status, 409);
    let seen: u64 = seen.trim().parse().unwrap();
    assert!(seen > size(&whole), "the first has seen the newer one");
    assert_eq!(
        cosigned(),
        whole,
        "the older one with both is worth more than a newer one with one"
    );
    scene.later(2);
    assert_eq!(scene.ask(&app), Freshness::Stale, "and it grows old all the same");
}

/// Every file as it is on the disk now.
pub(crate) fn everything(scene: &Scene) -> Vec<(PathBuf, Vec<u8>)> {
    scene.world.settle();
    let files = scene.world.files().into_iter();
    files
        .map(|file| (file.clone(), std::fs::read(&file).unwrap()))
        .collect()
}

/// The disk as it was then: nothing on it is younger.
pub(crate) fn put_back(scene: &Scene, then: &[(PathBuf, Vec<u8>)]) {
    for file in scene.world.files() {
        std::fs::remove_file(file).unwrap();
    }
    for (file, bytes) in then {
        std::fs::write(file, bytes).unwrap();
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

#[test]
fn both_stores_put_back_beside_what_was_cosigned_are_refused_at_start() {
    let scene = Scene::new();
    let witness: Listening = scene.office.open(scene.clock.clone());
    let old = everything(&scene);
    let app = scene.app(&witness.base);
    scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    drop(app);
    let cosigned = std::fs::read(&scene.file).unwrap();
    put_back(&scene, &old);
    std::fs::write(&scene.file, cosigned).unwrap();
    let witness = Witness::new(&witness.base, Office::cosigner().verifier());
    let witnessing = Witnessing::new(vec![witness], SilenceLimits::usual(1), Some(scene.file.clone()));
    let clock: Arc<dyn Clock> = scene.clock.clone();
    let refused = scene
        .runtime
        .block_on(scene.world.try_open_witnessed(clock, witnessing));
    assert!(refused.is_err_and(|error| error.contains("the log was cut")));
    // Nor is an account recovered on them.
    let dir = scene.world.dir.path();
    let passphrase = passphrase_file(dir);
    let place = [
        "--dir",
        dir.to_str().unwrap(),
        "--passphrase-file",
        passphrase.to_str().unwrap(),
    ];
    let refused = words(&run(&[&["recover-admin", "cancel"][..], &place].concat()));
    assert!(refused.contains("The log was cut"), "{refused}");
}

#[test]
fn a_whole_machine_put_back_is_told_by_the_witness_alone() {
    let scene = Scene::new();
    let witness: Listening = scene.office.open(scene.clock.clone());
    let app = scene.app(&witness.base);
    let seen = scene.ticket(&app);
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    drop(app);
    let old = everything(&scene);
    let app = scene.app(&witness.base);
    assert_eq!(scene.reveal(&app, &seen).status, 200, "what is to be hidden");
    assert_eq!(scene.ask(&app), Freshness::Fresh);
    drop(app);
    put_back(&scene, &old);

    // Nothing on the machine tells: the stores agree with each other, with the fence and with `cosigned`.
    assert_eq!(scene.runtime.block_on(scene.world.fsck()), []);
    let app = scene.app("http://127.0.0.1:9");
    assert_eq!(scene.ask(&app), Freshness::Fresh, "as fresh as it was then");
    assert_eq!(scene.get(&app, "/readyz").text, "ready\n");
    drop(app);
    put_back(&scene, &old);

    let app = scene.app(&witness.base);
    assert_eq!(
        scene.ask(&app),
        Freshness::EmergencyOnly,
        "its earlier word counts no more"
    );
    let refused = scene.reveal(&app, &seen);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "contradicted"));
    // The log grows beyond the size that the witness had seen, and is still another one.
    for _ in 0..3 {
        scene.ticket(&app);
    }
    scene.ask(&app);
    assert_eq!(scene.reveal(&app, &seen).problem(), "contradicted");
    assert!(scene.get(&app, "/readyz").text.contains("\ncontradicted: "));
}
