//! A follower whose server stops: told to, or killed.

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::export::{Scene, scene};
use super::follower::{Follower, each_once, indexes, position, until};
use crate::support::World;
use crate::support::process::{Server, client, secret_file};

/// A follower that has everything and waits for more.
fn waiting(scene: &Scene, more: &[&str]) -> (Follower, String) {
    let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
    let arguments = ["--format", "native", "--out", &file, "--cursor", &cursor];
    let follower = Follower::start(scene, &[&arguments, more].concat());
    until("the first lines", || std::fs::exists(&cursor).unwrap());
    (follower, file)
}

/// The server answers a follower that hangs on, and ends; nobody is cut off.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_does_not_wait_for_a_follower() {
    let mut scene = scene().await;
    tokio::task::block_in_place(|| {
        let (follower, file) = waiting(&scene, &[]);
        until("the follower hangs on", || {
            let served = client().get(format!("{}/metrics", scene.server.metrics)).call();
            let served = served.unwrap().body_mut().read_to_string().unwrap();
            served.contains("callervault_connections{stage=\"served\"} 1\n")
                && position(&scene.path("cursor")) == indexes(&file).len().to_string()
        });
        scene.server.terminate();
        let (code, said) = scene.server.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("stopping: requests under way are answered"), "{said}");
        assert!(!said.contains("closed before their clients"), "{said}");
        let line = follower.says("trying again");
        assert!(line.contains(&scene.server.base) && !line.contains("docs.rs"), "{line}");
        let address = scene.server.base.trim_start_matches("http://").to_owned();
        scene.server = Server::start_with(scene.world.dir.path(), "http", &["--listen", &address]);
        follower.says("the server answers again");
        let before = indexes(&file).len();
        scene.grow(2);
        until("what came since", || indexes(&file).len() >= before + 2);
        each_once(&[&file]);
    });
}

/// Under TLS a connection that ends without a word is an error of the library's, in words for programmers.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_under_tls_is_told_of_in_words_for_operators() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let dir = world.dir.path().to_owned();
    let place = |name: &str| dir.join(name);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(place("server.pem"), cert.pem()).unwrap();
    secret_file(&place("server.key"), &signing_key.serialize_pem());
    let [chain, key] = ["server.pem", "server.key"].map(|name| place(name).to_str().unwrap().to_owned());
    let arguments = ["--listen", "127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key];
    tokio::task::block_in_place(|| {
        let server = Server::start_with(world.dir.path(), "https", &arguments);
        secret_file(&place("token"), world.token("auditor"));
        let mut scene = Scene { world, server, case };
        let (follower, _) = waiting(&scene, &["--ca", &chain]);
        scene.server.process.kill().unwrap();
        scene.server.process.wait().unwrap();
        let line = follower.says("trying again in 1 s");
        let expected = format!(
            "callervault: {}: the server closed the connection; trying again in 1 s",
            scene.server.base
        );
        assert!(line == expected || line.contains("refused"), "{line}");
        assert!(!line.contains("docs.rs") && !line.contains("rustls"), "{line}");
    });
}
