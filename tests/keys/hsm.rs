//! The root key under a key of a hardware module, by PKCS #11, with Debian's SoftHSM2 as the module.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::backups::{ends, text};
use crate::support::copies::words;
use crate::support::process::{Server, client, passphrase_file, secret_file, skipped};
use crate::support::{NAME, NUMBER, Request, World, caller, intake};

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
const PIN: &str = "2468";

/// A module with its configuration and tokens in a directory of their own.
struct Module {
    library: PathBuf,
    dir: PathBuf,
}

impl Module {
    /// With a token; nothing where SoftHSM2 is not installed.
    fn new(dir: &Path, test: &str) -> Option<Self> {
        let library = MODULES.iter().map(PathBuf::from).find(|path| path.exists());
        let Some(library) = library else {
            skipped(&format!("{test}: there is no SoftHSM2 (apt-get install softhsm2)"));
            return None;
        };
        let module = Self {
            library,
            dir: dir.join("module"),
        };
        module.configure();
        Some(module)
    }

    fn tokens(&self) -> PathBuf {
        self.dir.join("tokens")
    }

    fn configure(&self) {
        std::fs::create_dir_all(self.tokens()).unwrap();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            self.tokens().display()
        );
        std::fs::write(self.dir.join("softhsm2.conf"), text).unwrap();
        let made = self
            .command("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                "city",
                "--so-pin",
                "13579",
                "--pin",
                PIN,
            ])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", words(&made));
    }

    fn command(&self, program: &str) -> Command {
        let mut program = Command::new(program);
        program.env("SOFTHSM2_CONF", self.dir.join("softhsm2.conf"));
        program
    }

    fn program(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_callervault"))
    }

    /// Runs a verb of the program: it ends with this code and says this.
    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32, told: &str) {
        ends(&self.program().args(arguments).output().unwrap(), code, told);
    }
}

/// A vault that opens by a module, and the files of the PIN and of the passphrase that it had.
struct Scene {
    world: World,
    module: Module,
    pin: String,
    passphrase: String,
}

impl Scene {
    async fn new(test: &str) -> Option<Self> {
        let world = World::closed().await;
        let module = Module::new(world.dir.path(), test)?;
        let [pin, passphrase] = changed(&world, &module);
        Some(Self {
            world,
            module,
            pin,
            passphrase,
        })
    }

    fn dir(&self) -> &str {
        text(self.world.dir.path())
    }

    /// The options that open it.
    fn by_pin(&self) -> [&str; 4] {
        ["--pkcs11", text(&self.module.library), "--passphrase-file", &self.pin]
    }

    /// A file with another PIN.
    fn wrong_pin(&self) -> String {
        let wrong = self.world.dir.path().join("wrong");
        secret_file(&wrong, "1357");
        text(&wrong).to_owned()
    }

    /// The vault is checked, opened by these options.
    #[track_caller]
    fn fsck(&self, options: &[&str], code: i32, told: &str) {
        let fsck = ["fsck", "--copy", "--dir", self.dir()];
        self.module.run(&[&fsck, options].concat(), code, told);
    }

    /// Where the module keeps its tokens, and a place beside it.
    fn tokens(&self) -> [PathBuf; 2] {
        [self.module.tokens(), self.module.dir.join("away")]
    }
}

/// Makes a vault open by the module: the files of the PIN and of the passphrase that it had.
fn changed(world: &World, module: &Module) -> [String; 2] {
    let dir = world.dir.path();
    let pin = dir.join("pin");
    secret_file(&pin, PIN);
    let [pin, passphrase] = [pin, passphrase_file(dir)].map(|path| text(&path).to_owned());
    let rekey = ["keys", "rekey", "--dir", text(dir), "--passphrase-file", &passphrase];
    let new = ["--new-pkcs11", text(&module.library), "--new-token", "city"];
    let by = ["--new-passphrase-file", &pin];
    module.run(
        &[&rekey[..], &new, &by].concat(),
        0,
        "the key in the hardware module opens the vault",
    );
    [pin, passphrase]
}

/// What the log says of the unlocks, newest first.
fn unlocks(world: &World, base: &str) -> Vec<Value> {
    let asked = client()
        .get(format!("{base}/v1/audit/events?act=vault.unlock"))
        .header("authorization", format!("Bearer {}", world.token("auditor")));
    let found: Value = asked.call().unwrap().body_mut().read_json().unwrap();
    let entries = found["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["leaf"]["link"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_goes_away_matters_at_the_next_unlock() {
    let Some(scene) = Scene::new("a_module_that_goes_away_matters_at_the_next_unlock").await else {
        return;
    };
    let (world, module) = (&scene.world, &scene.module);
    let mut serve = module.program();
    serve.args(["serve", "--dir", scene.dir(), "--listen", "127.0.0.1:0"]);
    serve.args(["--pkcs11", text(&module.library)]);
    let mut server = Server::of(serve, "http");
    let base = server.base.clone();
    let unlock = |options: &[&str], code, told| {
        module.run(&[&["unlock", "--url", &base], options].concat(), code, told);
    };
    let by_pin = ["--pin", "--passphrase-file", &*scene.pin];
    unlock(
        &["--passphrase-file", &scene.passphrase],
        4,
        "opens by a hardware module",
    );
    unlock(&["--pin", "--passphrase-file", &scene.wrong_pin()], 4, "Wrong PIN");
    unlock(&by_pin, 0, "unlocked, log entry");
    let take = |number: &str| {
        let call = intake(caller(NAME, number));
        assert_eq!(server.post(world, "agent", "/v1/intake", &call).0, 201);
    };
    take(NUMBER);

    let [tokens, away] = scene.tokens();
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    take("13800002222");
    server.signal("USR1");
    server.says("the vault is locked; keys wiped");
    unlock(&by_pin, 3, "The hardware module is not there");
    std::fs::remove_dir(&tokens).unwrap();
    unlock(&by_pin, 3, "The hardware module is not there");
    std::fs::rename(&away, &tokens).unwrap();
    unlock(&by_pin, 0, "unlocked, log entry");
    let call = intake(caller(NAME, "13800003333"));
    assert_eq!(server.post(world, "agent", "/v1/intake", &call).0, 201);
    let links = unlocks(world, &base);
    assert_eq!(
        links[0],
        json!({"way": "unlock", "opened_by": "pkcs11", "generation": "2"})
    );
    // The passphrase and the PIN; that the module was away is no wrong try.
    assert_eq!(links[1]["wrong_machine"], "2");
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_module_is_named() {
    let Some(scene) = Scene::new("each_fault_of_a_module_is_named").await else {
        return;
    };
    scene.fsck(&scene.by_pin(), 0, " 0 findings");
    let by_passphrase = ["--passphrase-file", &*scene.passphrase];
    scene.fsck(&by_passphrase, 3, "this vault opens by a hardware module");
    let wrong = scene.wrong_pin();
    let by = |library, pin| ["--pkcs11", library, "--passphrase-file", pin];
    let library = text(&scene.module.library);
    scene.fsck(&by(library, &wrong), 3, "refuses the PIN");
    // The second is a file that is no library.
    for library in ["/nowhere/lib.so", "/etc/hostname"] {
        scene.fsck(&by(library, &scene.pin), 3, "cannot be loaded");
    }

    let [tokens, away] = scene.tokens();
    std::fs::rename(&tokens, &away).unwrap();
    scene.module.configure();
    scene.fsck(&scene.by_pin(), 3, "no AES key of that name");
    // A key of the same name that is another one.
    let other = World::closed().await;
    changed(&other, &scene.module);
    scene.fsck(&scene.by_pin(), 3, "does not open this key store");
    std::fs::remove_dir_all(&tokens).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    scene.fsck(&scene.by_pin(), 3, "no token of that name");
    std::fs::remove_dir(&tokens).unwrap();
    std::fs::rename(&away, &tokens).unwrap();
}

/// Whoever edits the row gets no other generation used, and a vault moves back to a passphrase.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_module_to_another_passphrase() {
    let Some(scene) = Scene::new("from_a_module_to_another_passphrase").await else {
        return;
    };
    let keys = &scene.world.places.keys;
    let sound = std::fs::read(keys).unwrap();
    scene.world.keys().rows("unlock").set("generation", 7);
    scene.fsck(&scene.by_pin(), 3, "does not open this key store");
    std::fs::write(keys, &sound).unwrap();
    scene.fsck(&scene.by_pin(), 0, " 0 findings");
    let rekey = [
        "keys",
        "rekey",
        "--dir",
        scene.dir(),
        "--new-passphrase-file",
        &scene.passphrase,
    ];
    let rekey = [&rekey[..], &scene.by_pin()].concat();
    scene.module.run(&rekey, 0, "the new passphrase opens the vault");
    scene.fsck(&["--passphrase-file", &scene.passphrase], 0, " 0 findings");
    scene.fsck(&scene.by_pin(), 3, "this vault opens by a passphrase");
}

#[test]
fn a_vault_is_made_under_a_module() {
    let scene = tempfile::tempdir().unwrap();
    let dir = scene.path();
    let Some(module) = Module::new(dir, "a_vault_is_made_under_a_module") else {
        return;
    };
    let pin = dir.join("pin");
    secret_file(&pin, PIN);
    let (at, tokens, pin, library) = (text(dir), dir.join("first"), text(&pin), text(&module.library));
    let init = |token: &str, code, told| {
        let place = ["init", "--dir", at, "--origin", "city.invalid/log/1"];
        let hsm = ["--pkcs11", library, "--token", token, "--key", "root of the hotline"];
        let files = ["--passphrase-file", pin, "--tokens-dir", text(&tokens)];
        module.run(&[&place[..], &hsm, &files].concat(), code, told);
    };
    init("another", 3, "no token of that name");
    assert!(!dir.join("keys").join("keystore.db").exists());
    init("city", 0, "log key:");
    let fsck = ["fsck", "--dir", at, "--pkcs11", library, "--passphrase-file", pin];
    module.run(&fsck, 0, " 0 findings");
}

/// Strangers could lock the module by wrong PINs. A server without a module says that it has none.
#[tokio::test]
async fn a_pin_is_taken_on_the_machine_alone() {
    let world = World::closed().await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    let pin = Request::post("/v1/keys/unlock", &json!({"pin": PIN})).from("127.0.0.1");
    let from_network = pin.clone().header("x-forwarded-for", "203.0.113.7");
    nobody.send(from_network).await.fails(403, "pin-from-network");
    nobody.send(pin).await.fails(503, "module-not-named");
    for text in ["", &*"1".repeat(256)] {
        let bad = Request::post("/v1/keys/unlock", &json!({"pin": text})).from("127.0.0.1");
        nobody.send(bad).await.fails(422, "bad-pin");
    }
    assert_eq!(world.keys().rows("unlock_try").count(), 0, "none was looked at");
}
