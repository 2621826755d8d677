//! Where the server listens and who may come in: TLS, exposure, descriptors, tokens that expire, tokens in clear.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::ConnectionLimits;
use callervault::note::Cosigner;
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::process::{Server, client, run, secret_file};
use crate::support::{PASSPHRASE, Request, World};

fn path(world: &World, name: &str) -> String {
    world.dir.path().join(name).to_str().unwrap().to_owned()
}

fn admin(world: &World, arguments: &[&str]) -> Output {
    let token = path(world, "token");
    secret_file(Path::new(&token), world.token("security-admin"));
    run(&[&["department", "--token-file", &token], arguments, &["list"]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_a_certificate_of_ones_own() {
    let world = World::closed().await;
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let (chain, key) = (path(&world, "server.pem"), path(&world, "server.key"));
    std::fs::write(&chain, cert.pem()).unwrap();
    secret_file(Path::new(&key), &signing_key.serialize_pem());
    tokio::task::block_in_place(|| {
        // Every address of the machine: with TLS the vault listens there.
        let arguments = ["--listen", "0.0.0.0:0", "--tls-cert", &chain, "--tls-key", &key];
        let server = Server::start_with(world.dir.path(), "https", &arguments);
        let port = server.base.rsplit_once(':').unwrap().1;
        let base = format!("https://127.0.0.1:{port}");
        let roots = RootCerts::new_with_certs(&[Certificate::from_der(cert.der()).to_owned()]);
        let trusting: ureq::Agent = ureq::Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .into();
        let ready = trusting.get(format!("{base}/readyz")).call().unwrap();
        assert_eq!(ready.status().as_u16(), 200);
        assert!(
            client().get(format!("{base}/readyz")).call().is_err(),
            "nobody vouches for it"
        );
        let plain = client().get(format!("http://127.0.0.1:{port}/readyz")).call();
        assert!(
            plain.is_err_and(|error| !error.to_string().contains("ready")),
            "nothing in clear"
        );

        let known = admin(&world, &["--url", &base, "--ca", &chain]);
        let said = String::from_utf8_lossy(&known.stdout);
        assert!(known.status.success() && said.contains("\nC1 "), "{said}{known:?}");
        assert_eq!(admin(&world, &["--url", &base]).status.code(), Some(3));
    });
}

#[tokio::test]
async fn beyond_loopback_only_with_tls_or_behind_a_proxy() {
    let world = World::closed().await;
    let (directory, passphrase) = (path(&world, ""), path(&world, "passphrase"));
    secret_file(Path::new(&passphrase), PASSPHRASE);
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let output = run(&[
            "serve",
            "--dir",
            &directory,
            "--passphrase-file",
            &passphrase,
            "--listen",
            listen,
        ]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("refusing to listen on other addresses than loopback without TLS\n  give --tls-cert"),
            "{said}"
        );
    }
    let server = Server::start_with(world.dir.path(), "http", &["--listen", "0.0.0.0:0", "--behind-proxy"]);
    let live = client().get(format!("{}/livez", server.base)).call().unwrap();
    assert_eq!(live.status().as_u16(), 200);
}

/// The cause of a fault stands in what is said of it, once, and what to do comes last.
#[tokio::test]
async fn what_keeps_a_server_from_starting_is_said_with_its_cause() {
    let world = World::closed().await;
    let (directory, passphrase) = (path(&world, ""), path(&world, "passphrase"));
    secret_file(Path::new(&passphrase), PASSPHRASE);
    let said = |arguments: &[&str]| {
        let serve = ["serve", "--dir", &directory, "--passphrase-file", &passphrase];
        let output = run(&[&serve[..], arguments].concat());
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stderr).unwrap()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let here = said(&["--listen", &taken]);
    let expected = format!("callervault: {taken}: Address already in use (os error 98)\n  choose another address\n");
    assert!(here.ends_with(&expected), "{here}");

    let (chain, key) = (path(&world, "no.pem"), path(&world, "no.key"));
    let here = said(&["--listen", "127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key]);
    let cause = "No such file or directory";
    assert!(
        here.contains("callervault: TLS certificate or key: ") && here.matches(cause).count() == 1,
        "{here}"
    );
    let remedy = "\n  name PEM files: the certificate with its chain, and its private key\n";
    assert!(here.ends_with(remedy), "{here}");
}

/// Metrics tell how many calls come in and that somebody is looked into: not to everybody who reaches the API.
#[tokio::test]
async fn metrics_have_a_listener_of_their_own() {
    let world = World::closed().await;
    let status = |url: String| client().get(url).call().map(|answer| answer.status().as_u16());
    let without = Server::start(world.dir.path());
    assert_eq!(status(format!("{}/metrics", without.base)).unwrap(), 404);
    assert_eq!(without.metrics, "http://", "none unless asked for");
    drop(without);
    let arguments = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let server = Server::start_with(world.dir.path(), "http", &arguments);
    assert_eq!(status(format!("{}/metrics", server.base)).unwrap(), 404);
    assert_eq!(
        status(format!("{}/livez", server.metrics)).unwrap(),
        404,
        "and nothing else there"
    );
    assert_eq!(status(format!("{}/livez", server.base)).unwrap(), 200);
    let mut answer = client().get(format!("{}/metrics", server.metrics)).call().unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.body_mut().read_to_string().unwrap();
    for line in [
        "callervault_http_requests_total{route=\"/livez\",status=\"200\"} 1\n",
        "callervault_http_request_seconds_count{route=\"/livez\"} 1\n",
        "callervault_build_info{version=\"",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    drop(server);
    let (directory, passphrase) = (path(&world, ""), path(&world, "passphrase"));
    let beyond = ["--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"];
    let serve = ["serve", "--dir", &directory, "--passphrase-file", &passphrase];
    let output = run(&[&serve[..], &beyond[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("refusing to listen on other addresses than loopback without TLS"),
        "{said}"
    );
}

#[tokio::test]
async fn a_quorum_that_asks_nothing_is_refused() {
    let (world, app) = World::new().await;
    let key = world
        .actor(&app, "auditor")
        .get("/v1/audit/keys")
        .await
        .text
        .trim()
        .to_owned();
    drop(app);
    let (directory, passphrase) = (path(&world, ""), path(&world, "passphrase"));
    secret_file(Path::new(&passphrase), PASSPHRASE);
    let witness = Cosigner::from_seed("ombudsman.example/w1", &[9; 32])
        .unwrap()
        .verifier();
    for (witness, quorum, words) in [
        (witness.to_string(), "0", "--quorum must be at least 1"),
        (witness.to_string(), "2", "larger than the number of witnesses"),
        (key, "1", "the key of http://127.0.0.1:9"),
    ] {
        let witness = format!("http://127.0.0.1:9={witness}");
        let place = [
            "serve",
            "--dir",
            &directory,
            "--passphrase-file",
            &passphrase,
            "--listen",
            "127.0.0.1:0",
        ];
        let output = run(&[&place[..], &["--witness", &witness, "--quorum", quorum]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_token_in_clear_goes_nowhere() {
    let world = World::closed().await;
    for url in [
        "http://192.0.2.1:8440",
        "http://vault.invalid",
        "http://127.0.0.1.vault.invalid",
    ] {
        let output = admin(&world, &["--url", url]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{url}: {said}");
        assert!(said.contains("refusing to send a token or a passphrase to"), "{said}");
        assert!(said.contains("\n  use https://"), "{said}");
    }
    for url in ["ftp://localhost", "localhost:8440", "/v1"] {
        assert_eq!(admin(&world, &["--url", url]).status.code(), Some(2), "{url}");
    }
    let server = Server::start(world.dir.path());
    let port = server.base.rsplit_once(':').unwrap().1;
    for url in [server.base.clone(), format!("http://localhost:{port}")] {
        let output = admin(&world, &["--url", &url]);
        assert!(
            output.status.success(),
            "{url}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test]
async fn the_passphrase_from_a_descriptor() {
    let world = World::closed().await;
    let directory = path(&world, "");
    let fsck = |number: &str, shell: &str, passphrase: &str| {
        let program = env!("CARGO_BIN_EXE_callervault");
        let mut process = Command::new("sh")
            .args([
                "-c",
                &format!("exec \"$0\" fsck --dir \"$1\" --passphrase-fd {number} {shell}"),
            ])
            .args([program, &directory])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A descriptor that is not there leaves nobody to read this.
        let _ = process.stdin.take().unwrap().write_all(passphrase.as_bytes());
        let output = process.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let right = format!("{PASSPHRASE}\n");
    assert_eq!(fsck("0", "", &right), (Some(0), String::new()));
    assert_eq!(fsck("3", "3<&0 </dev/null", &right).0, Some(0));
    let (code, said) = fsck("0", "", "incorrect horse battery staple\n");
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("the passphrase does not open") && !said.contains("incorrect horse"),
        "{said}"
    );
    assert_eq!(fsck("77", "", &right).0, Some(3), "no such descriptor");
}

#[tokio::test]
async fn an_expired_token() {
    let (world, app) = World::new().await;
    let tokens = format!("{}/tokens", world.account("handler-c1"));
    let admin = world.actor(&app, "security-admin");
    let issued = admin.post(tokens, &json!({"expires": "1h"})).await.is(201);
    drop(app);
    let bearer = format!("Bearer {}", issued.at("/token"));
    let now = Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_with(ConnectionLimits::default(), clock.clone()).await;
    let [nobody, handler] = world.actors(&app, ["nobody", "handler-c1"]);
    let list = async || {
        let request = Request::get("/v1/tickets").header("authorization", &*bearer);
        nobody.send(request).await
    };
    list().await.is(200);
    clock.set(now + SignedDuration::from_secs(3599 - 60));
    list().await.is(200);
    clock.set(now + SignedDuration::from_secs(3601));
    let late = list().await.fails(401, "unauthenticated");
    assert_eq!(late.headers["www-authenticate"], "Bearer");
    // Their other one is good.
    handler.get("/v1/tickets").await.is(200);
}
