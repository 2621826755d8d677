//! `--ca` with the server's own certificate: it vouches for itself, and for nothing else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::World;
use crate::support::process::{Server, run, secret_file};

const HERE: &str = "127.0.0.1";

/// As `openssl req -x509` makes one: it may also sign others.
fn own(names: &[&str], change: impl Fn(&mut CertificateParams)) -> (Certificate, KeyPair) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

/// `callervault status`: its exit code and what it says.
fn status(url: &str, ca: &Path) -> (Option<i32>, String) {
    let output = run(&["status", "--url", url, "--ca", ca.to_str().unwrap()]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_that_it_signed_itself() {
    let world = World::closed().await;
    let path = |name: &str| world.dir.path().join(name);
    let (certificate, key) = own(&["localhost"], |_| {});
    std::fs::write(path("own.pem"), certificate.pem()).unwrap();
    secret_file(&path("own.key"), &key.serialize_pem());
    // Another one of the same name, as somebody in between would make it.
    std::fs::write(path("other.pem"), own(&["localhost"], |_| {}).0.pem()).unwrap();
    tokio::task::block_in_place(|| {
        let [own, key] = ["own.pem", "own.key"].map(|name| path(name).to_str().unwrap().to_owned());
        let arguments = ["--listen", "127.0.0.1:0", "--tls-cert", &own, "--tls-key", &key];
        let server = Server::start_with(world.dir.path(), "https", &arguments);
        let port = server.base.rsplit_once(':').unwrap().1;
        let named = format!("https://localhost:{port}");
        assert_eq!(status(&named, &path("own.pem")), (Some(0), "ready\n".to_owned()));
        for (url, ca) in [(&server.base, "own.pem"), (&named, "other.pem")] {
            let (code, said) = status(url, &path(ca));
            assert_eq!(code, Some(3), "{said}");
            assert!(
                said.contains("the server's certificate is not accepted") && said.contains("--ca"),
                "{said}"
            );
        }
    });
}

/// Presents a certificate whatever its key is.
#[derive(Debug)]
struct Presents(Arc<CertifiedKey>);

impl ResolvesServerCert for Presents {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server that is ready, behind one certificate and one key; its address.
fn behind(certificate: &Certificate, key: &KeyPair) -> String {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let certified = CertifiedKey::new(vec![certificate.der().clone()], any_supported_type(&key).unwrap());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Presents(Arc::new(certified))));
    let config = Arc::new(config);
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not believe it goes away.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nready");
                let _ = stream.flush();
            }
        }
    });
    format!("https://{HERE}:{port}")
}

#[test]
fn what_it_does_not_vouch_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.pem");
    let said = |presented: &(Certificate, KeyPair), key: &KeyPair| {
        std::fs::write(&file, presented.0.pem()).unwrap();
        status(&behind(&presented.0, key), &file)
    };
    let good = own(&[HERE], |_| {});
    assert_eq!(said(&good, &good.1), (Some(0), "ready\n".to_owned()));
    // Also one that may not sign others, and one that says that it is for servers.
    let leaf = own(&[HERE], |params| params.is_ca = IsCa::ExplicitNoCa);
    assert_eq!(said(&leaf, &leaf.1).0, Some(0));
    let server = own(&[HERE], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]
    });
    assert_eq!(said(&server, &server.1).0, Some(0));

    let expired = own(&[HERE], |params| params.not_after = date_time_ymd(2001, 1, 1));
    let early = own(&[HERE], |params| params.not_before = date_time_ymd(4001, 1, 1));
    let client = own(&[HERE], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
    });
    let elsewhere = own(&["vault.example", "127.0.0.2"], |_| {});
    for (presented, why) in [
        (expired, "Expired"),
        (early, "NotValidYet"),
        (client, "InvalidPurpose"),
        (elsewhere, "not valid for name"),
    ] {
        let (code, said) = said(&presented, &presented.1);
        assert!(
            code == Some(3) && said.contains(why) && !said.contains("ready"),
            "{why}: {said}"
        );
    }
    // Who has the certificate, which everybody can read, and not its key.
    let (code, said) = said(&good, &KeyPair::generate().unwrap());
    assert!(code == Some(3) && !said.contains("ready"), "{said}");
}
