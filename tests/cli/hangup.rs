//! SIGHUP: a running server reads its certificate and its rules again.

use std::path::Path;

use callervault::model::lists::Lists;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::process::{Server, secret_file};
use crate::support::{NAME, NUMBER, World, caller, intake};

/// Writes a new certificate with its key.
fn renewed(directory: &Path) -> Certificate<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(directory.join("server.pem"), cert.pem()).unwrap();
    secret_file(&directory.join("server.key"), &signing_key.serialize_pem());
    Certificate::from_der(cert.der()).to_owned()
}

/// Whether a new client that trusts this certificate and no other comes in.
fn is_trusted(certificate: &Certificate<'static>, server: &Server) -> bool {
    let roots = RootCerts::new_with_certs(std::slice::from_ref(certificate));
    let client: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
        .into();
    client.get(format!("{}/readyz", server.base)).call().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate() {
    let world = World::closed().await;
    let dir = world.dir.path();
    let first = renewed(dir);
    let [chain, key] = ["server.pem", "server.key"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    let arguments = ["--listen", "127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key];
    let mut server = Server::start_with(dir, "https", &arguments);
    assert!(is_trusted(&first, &server));
    let second = renewed(dir);
    assert!(!is_trusted(&second, &server), "nobody has told the server yet");
    server.signal("HUP");
    server.says("the certificate was read again");
    assert!(is_trusted(&second, &server) && !is_trusted(&first, &server));
    // A certificate without its key, and half a file: the one in force goes on.
    for (name, text) in [
        ("server.key", "no key"),
        ("server.pem", "-----BEGIN CERTIFICATE-----\n"),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
        server.signal("HUP");
        server.says("the certificate is bad: the old one goes on");
        assert!(is_trusted(&second, &server), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rules() {
    let world = World::closed().await;
    let lists = world.places.policies.join("lists.toml");
    let mut server = Server::start(world.dir.path());
    let mut call = intake(caller(NAME, NUMBER));
    call["ticket"]["category"] = json!("drones");
    assert_eq!(server.post(&world, "agent", "/v1/intake", &call).0, 422);
    let drones = "categories = [\n{ code = \"drones\", zh = \"无人机\", en = \"Drones\" },";
    std::fs::write(&lists, Lists::SHIPPED.replace("categories = [", drones)).unwrap();
    server.signal("HUP");
    server.says("other rules are in force");
    let (status, taken) = server.post(&world, "agent", "/v1/intake", &call);
    assert_eq!(status, 201, "{taken}");
    std::fs::write(&lists, "categories = [").unwrap();
    server.signal("HUP");
    let said = server.says("the rules are bad: the old ones go on");
    assert!(said.contains("lists.toml"), "{said}");
    assert_eq!(server.post(&world, "agent", "/v1/intake", &call).0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_kept() {
    let world = World::closed().await;
    let fields = world.places.policies.join("fields.toml");
    let chain = renewed(world.dir.path());
    let [cert, key] = ["server.pem", "server.key"].map(|name| world.dir.path().join(name).to_str().unwrap().to_owned());
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--keep-rules",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let mut server = Server::start_with(world.dir.path(), "https", &arguments);
    assert!(is_trusted(&chain, &server));
    let text = std::fs::read_to_string(&fields).unwrap();
    std::fs::write(&fields, text.replace("mask = \"phone\"", "mask = \"hidden\"")).unwrap();
    server.signal("HUP");
    server.says("the certificate was read again");
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0));
    assert!(!said.contains("rules are in force"), "{said}");
}
