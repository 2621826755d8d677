//! A server that was started without the passphrase: `callervault unlock`, `lock` and `status`, and SIGUSR1.

use std::path::{Path, PathBuf};
use std::process::Output;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::support::process::{Server, passphrase_file, run, secret_file};
use crate::support::{NAME, NUMBER, World, caller, intake};

const HERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// A locked server, and the files of those who come to it.
struct Scene {
    world: World,
    server: Server,
    passphrase: PathBuf,
    token: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let world = World::closed().await;
        let dir = world.dir.path();
        let token = dir.join("system-admin.token");
        secret_file(&token, world.token("system-admin"));
        Self {
            passphrase: passphrase_file(dir),
            server: Server::locked(dir, "http", &HERE),
            token,
            world,
        }
    }

    /// Runs a verb against the server: exit code, and all that it said.
    fn run(&self, verb: &str, options: &[&str]) -> (Option<i32>, String) {
        said(&run(&[&[verb, "--url", &self.server.base], options].concat()))
    }

    fn unlock(&self, passphrase: &Path) -> (Option<i32>, String) {
        self.run("unlock", &["--passphrase-file", passphrase.to_str().unwrap()])
    }

    fn unlocks(&self) {
        let (code, said) = self.unlock(&self.passphrase);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("unlocked, log entry "), "{said}");
        assert_eq!(self.run("status", &[]).0, Some(0));
    }

    fn is_locked(&self) {
        let (code, said) = self.run("status", &[]);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains("The vault is locked") && said.contains("callervault unlock"),
            "{said}"
        );
    }

    fn takes_a_call(&self) {
        let call = intake(caller(NAME, NUMBER));
        assert_eq!(self.server.post(&self.world, "agent", "/v1/intake", &call).0, 201);
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn unlocked_locked_and_unlocked() {
    let mut scene = Scene::new().await;
    scene.is_locked();
    let wrong = scene.world.dir.path().join("wrong");
    secret_file(&wrong, "incorrect donkey battery");
    let (code, said) = scene.unlock(&wrong);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("Wrong passphrase"), "{said}");
    // The right one waits its turn.
    scene.unlocks();
    scene.takes_a_call();
    let (code, said) = scene.unlock(&scene.passphrase);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("unlocked already"), "{said}");

    let token = scene.token.to_str().unwrap();
    let (code, said) = scene.run("lock", &["--token-file", token]);
    assert_eq!(code, Some(0), "{said}");
    scene.is_locked();
    scene.server.signal("HUP");
    scene.server.says("the rules are read when it is unlocked");
    scene.unlocks();
    scene.server.signal("USR1");
    scene.server.says("the vault is locked; keys wiped");
    scene.is_locked();
    let (code, said) = scene.run("lock", &["--token-file", scene.token.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{said}");
    scene.unlocks();
    scene.takes_a_call();
    scene.server.terminate();
    assert_eq!(scene.server.ended().0, Some(0));
    assert_eq!(scene.world.fsck().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls() {
    let world = World::closed().await;
    let dir = world.dir.path();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [chain, key] = ["server.pem", "server.key"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    std::fs::write(&chain, cert.pem()).unwrap();
    secret_file(Path::new(&key), &signing_key.serialize_pem());
    let passphrase = passphrase_file(dir);
    let tls = ["--tls-cert", &*chain, "--tls-key", &key];
    let server = Server::locked(dir, "https", &[&HERE[..], &tls].concat());
    let url = server.base.replace("127.0.0.1", "localhost");
    let passphrase = passphrase.to_str().unwrap();
    let (code, said) = said(&run(&[
        "unlock",
        "--url",
        &url,
        "--ca",
        &chain,
        "--passphrase-file",
        passphrase,
    ]));
    assert_eq!(code, Some(0), "{said}");
}

/// The client refuses by itself to send it.
#[test]
fn not_in_clear_to_another_machine() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = passphrase_file(dir.path());
    let passphrase = passphrase.to_str().unwrap();
    let (code, said) = said(&run(&[
        "unlock",
        "--url",
        "http://192.0.2.1:8440",
        "--passphrase-file",
        passphrase,
    ]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("without TLS"), "{said}");
}

/// A mistake is seen at the start, not at the unlock.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_could_not_be_unlocked_does_not_start() {
    let empty = tempfile::tempdir().unwrap();
    let serve = |dir: &Path, more: &[&str]| {
        let dir = dir.to_str().unwrap();
        said(&run(
            &[&["serve", "--dir", dir, "--listen", "127.0.0.1:0"], more].concat()
        ))
    };
    let (code, said) = serve(empty.path(), &[]);
    assert!(code == Some(3) && said.contains("there is no store at"), "{said}");
    let world = World::closed().await;
    std::fs::write(world.places.policies.join("lists.toml"), "nonsense").unwrap();
    let (code, said) = serve(world.dir.path(), &[]);
    assert!(code != Some(0) && said.contains("lists.toml"), "{said}");
    std::fs::remove_file(world.places.policies.join("lists.toml")).unwrap();
    let app = world.open().await;
    let (code, said) = serve(world.dir.path(), &[]);
    assert!(code == Some(3) && said.contains("another process has"), "{said}");
    drop(app);
}
