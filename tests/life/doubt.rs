//! Doubt closes (P10): without a clock, random bytes, memory that can be locked or room in the log's queue nothing is shown and
//! nothing is half done, the answer says which it is, and the vault goes on when it is back.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callervault::clock::{Clock, NoClock};
use callervault::http::App;
use callervault::model::key_roles::Suite;
use callervault::randomness::System;
use callervault::vault::Vault;
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::{Places, Running};
use jiff::Timestamp;
use serde_json::json;

use crate::life::starved::Draws;
use crate::support::process::{passphrase_file, skipped};
use crate::support::rows::Store;
use crate::support::{Answer, Case, NUMBER, PEOPLE, Request, World, caller, intake, passphrase};

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// The system's clock, as long as it is set.
#[derive(Default)]
struct Unset(AtomicBool);

impl Clock for Unset {
    fn now(&self) -> Result<Timestamp, NoClock> {
        if self.0.load(Ordering::SeqCst) {
            Err(NoClock)
        } else {
            callervault::clock::System.now()
        }
    }
}

/// Everything in both stores: the rows of each table as text. Counts of limits are left out, which what then fails keeps, and the
/// times at which the schemas were made.
pub(crate) fn stores(places: &Places) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for path in [&places.data, &places.keys] {
        let file = path.file_name().unwrap().display();
        for (name, rows) in Store::open_to_read(path).everything() {
            if name != "spent" && name != "refinery_schema_history" {
                tables.insert(format!("{file}: {name}"), rows);
            }
        }
    }
    tables
}

pub(crate) fn founding() -> Founding {
    Founding {
        origin: "test.invalid/log/1".to_owned(),
        centre: "H0".parse().unwrap(),
        centre_name: "Centre".to_owned(),
        suite: Suite::Aes,
    }
}

/// No file is below a directory but the locks of those who tried to make a vault there.
pub(crate) fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().all(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|end| end == "lock") || path.is_dir() && is_empty(&path)
    })
}

/// Who asks for what, and the status when all is well.
pub(crate) struct Act {
    pub(crate) who: &'static str,
    pub(crate) request: Request,
    pub(crate) status: u16,
}

impl Act {
    pub(crate) fn new(who: &'static str, request: Request, status: u16) -> Self {
        Self { who, request, status }
    }

    pub(crate) async fn send(&self, world: &World, app: &Arc<App>) -> Answer {
        world.actor(app, self.who).send(self.request.clone()).await
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.who, self.request)
    }
}

/// Nothing is shown, and the answer names the problem.
pub(crate) fn closed(answer: &Answer, problem: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, problem),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(
        !answer.text.contains(NUMBER) && answer.json().get("fields").is_none(),
        "{}",
        answer.text
    );
    assert!(answer.json().get("audit").is_none(), "{}", answer.text);
    assert_eq!(answer.at("/request_id").len(), 32);
}

/// A vault with a caller of C1's, and another whom the agent has just taken in.
pub(crate) struct Scene {
    pub(crate) world: World,
    case: Case,
    taken: Case,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let (world, app) = World::unlimited().await;
        let case = world.case(&app, "C1").await;
        let call = caller("张三丰", "13600003333");
        let taken = world.actor(&app, "agent").take(call).await;
        Self { world, case, taken }
    }
}

/// One of each kind of act that needs no second person.
pub(crate) fn acts(scene: &Scene) -> Vec<Act> {
    let Scene { world, case, taken } = scene;
    let call = intake(caller("李四光", "13700002222"));
    let number = json!({"field": "caller_number", "value": NUMBER, "purpose": "intake"});
    let reveal = |form: &str| {
        let (path, body) = case.reveal(form);
        Request::post(path, &body)
    };
    let same = json!({"ticket": case.no, "purpose": "handle", "field": "callback_number", "value": NUMBER});
    let verify = Request::post(format!("{}/verify", case.caller()), &same);
    let other = json!({"ticket": taken.no, "reason": "听错", "fields": {"callback_number": "13700009999"}});
    let start = Request::post(format!("{}/start", case.ticket()), &json!({}));
    let person = json!({"name": "new", "department": "C1", "roles": ["handler"], "kind": "person"});
    let token = Request::post(format!("{}/tokens", world.account("agent")), &json!({}));
    let code = Request::post(format!("{}/codes", world.account("agent")), &json!({}));
    vec![
        Act::new("security-admin", code, 201),
        Act::new("agent", Request::post("/v1/intake", &call).once("once"), 201),
        Act::new("agent", Request::post("/v1/callers/lookup", &number), 200),
        Act::new("handler-c1", reveal("clear"), 200),
        Act::new("handler-c1", reveal("masked"), 200),
        Act::new("handler-c1", verify, 200),
        Act::new("handler-w2", reveal("clear"), 403),
        Act::new("agent", Request::patch(taken.caller(), &other).version(1), 200),
        Act::new("handler-c1", Request::get("/v1/tickets"), 200),
        Act::new("handler-c1", Request::get(case.ticket()), 200),
        Act::new("auditor", Request::get("/v1/audit/events"), 200),
        Act::new("auditor", Request::get("/v1/audit/checkpoint"), 200),
        Act::new("handler-c1", start, 200),
        Act::new("security-admin", Request::post(PEOPLE, &person), 201),
        Act::new("security-admin", token, 201),
    ]
}

#[tokio::test]
async fn without_a_clock() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let clock = Arc::new(Unset::default());
    let app = world.open_at(clock.clone()).await;
    let before = stores(&world.places);
    clock.0.store(true, Ordering::SeqCst);
    for act in acts(&scene) {
        closed(&act.send(world, &app).await, "no-clock");
    }
    assert_eq!(stores(&world.places), before);
    clock.0.store(false, Ordering::SeqCst);
    for act in acts(&scene) {
        let answer = act.send(world, &app).await;
        assert_eq!(answer.status, act.status, "{act}: {}", answer.text);
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn no_vault_is_made_or_unlocked_without_a_clock() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::below(dir.path());
    let unset = Unset(AtomicBool::new(true));
    let made = Vault::init(&places, &passphrase(), &founding(), &unset, Arc::new(System));
    let error = made.err().expect("refused").to_string();
    assert!(error.contains("the system clock shows a time before 2026"), "{error}");
    assert!(is_empty(dir.path()));
    let world = World::closed().await;
    let app = world.open_at(Arc::new(unset)).await;
    assert!(
        app.vault().unwrap().note_unlock("serve").await.is_err(),
        "without it nothing is served"
    );
}

/// Runs a command, not as root, with so much memory to lock, in KiB. The time limit is there to fail rather than hang.
fn with_locked_memory(limit: u32, dir: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -l {limit} && exec timeout 60 \"$0\" \"$@\""));
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        let owned = Command::new("chown")
            .args(["-R", &NOBODY.to_string()])
            .arg(dir)
            .status();
        assert!(owned.unwrap().success());
        command.uid(NOBODY);
    }
    command
}

/// Whether a process started so may lock memory whatever its limit.
fn may_lock_anyway(dir: &Path) -> bool {
    /// `CAP_IPC_LOCK` of capabilities(7).
    const IPC_LOCK: u32 = 14;
    let status = with_locked_memory(0, dir)
        .args(["cat", "/proc/self/status"])
        .output()
        .unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    let held = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .expect("capabilities");
    u64::from_str_radix(held.trim(), 16).unwrap() >> IPC_LOCK & 1 == 1
}

#[tokio::test]
async fn no_start_without_memory_that_can_be_locked() {
    let world = World::closed().await;
    let dir = world.dir.path();
    let passphrase = passphrase_file(dir);
    let program = dir.join("callervault");
    std::fs::copy(env!("CARGO_BIN_EXE_callervault"), &program).unwrap();
    if may_lock_anyway(dir) {
        return skipped("no_start_without_memory_that_can_be_locked: this user may lock memory without limit");
    }
    // None; enough for the passphrase alone; enough for every key, but not for a stack to use them on.
    for limit in [0, 4, 64] {
        let mut serve = with_locked_memory(limit, dir);
        serve
            .arg(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir);
        let ended = serve.arg("--passphrase-file").arg(&passphrase).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(3), "{limit} KiB: {said}");
        let clear = "callervault: the operating system refuses to lock memory for keys\n  raise the limit";
        assert!(said.contains(clear), "{limit} KiB: {said}");
    }
}

/// On one thread, so that a request which was seen to draw its entry's id has also sent its entry when the test goes on.
#[tokio::test]
async fn a_full_queue() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let draws = Draws::endless();
    let running = Running {
        queue: 1,
        batch: 1,
        randomness: draws.clone(),
        ..Running::patient()
    };
    let app = world.open_running(running).await;
    let ask = || world.actor(&app, "handler-c1").reveal(&case).masked();
    let other = world.data();
    // The writer gives up waiting after five seconds. Where the first is told so before another is refused, it is done again.
    for _ in 0..5 {
        other.hold();
        let sent = draws.drawn() + 2;
        let mut first = pin!(ask());
        tokio::select! {
            biased;
            _ = &mut first => unreachable!("nothing can be written"),
            () = async { while draws.drawn() < sent { tokio::task::yield_now().await } } => {}
        }
        // The thread has one, the queue one more: of these at least one finds no room.
        let refused = tokio::select! {
            biased;
            _ = &mut first => None,
            answer = ask() => Some(answer),
            answer = ask() => Some(answer),
            answer = ask() => Some(answer),
        };
        other.give_up();
        let Some(refused) = refused else { continue };
        closed(&refused, "audit-unavailable");
        let shown = first.await;
        if shown.status == 200 {
            assert_eq!(shown.at("/fields/callback_number"), "139****1111");
            return;
        }
    }
    unreachable!("the queue takes more than it has room for");
}
