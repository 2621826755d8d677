//! A vault served in this process, with limits of its own, to clients that hold on to what they get.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callervault::clock::System;
use callervault::http::{App, ConnectionLimits, Listen, ServeError, Tls, serve};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::World;
use crate::support::process::secret_file;

/// Only to fail rather than hang; nothing is measured.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(60);
pub(crate) const SOON: Duration = Duration::from_millis(300);
/// Far longer than any test waits.
const UNBOUNDED: Duration = Duration::from_secs(24 * 3600);
/// Nothing is bounded: a test shortens what it is about.
pub(crate) const LONG: ConnectionLimits = ConnectionLimits {
    headers: UNBOUNDED,
    request: UNBOUNDED,
    write: UNBOUNDED,
    life: UNBOUNDED,
    follow: UNBOUNDED,
    grace: UNBOUNDED,
    connections: 64,
};
/// An answer of some hundred kilobytes that needs no token: a few dozen are more than systems keep for a client.
pub(crate) const LARGE: &str = "/docs/swagger-ui-bundle.js";
/// A connection of a client.
pub(crate) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A world served in this process until it is stopped or the runtime ends.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
    trusted: Option<CertificateDer<'static>>,
}

impl Served {
    pub(crate) async fn plain(limits: ConnectionLimits) -> Self {
        Self::with(limits, false).await
    }

    pub(crate) async fn with(limits: ConnectionLimits, secure: bool) -> Self {
        Self::of(World::closed().await, limits, secure).await
    }

    /// A world of one's own, which nobody has opened.
    pub(crate) async fn of(world: World, limits: ConnectionLimits, secure: bool) -> Self {
        let app = world.open_with(limits, Arc::new(System)).await;
        let (tls, trusted) = secure.then(|| certificate(world.dir.path())).unzip();
        let (bound, address) = oneshot::channel();
        let bound = move |address, _| bound.send(address).unwrap();
        let listen = Listen {
            address: "127.0.0.1:0".parse().unwrap(),
            tls,
            behind_proxy: false,
        };
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // A test that does not stop it drops the sender.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::spawn(serve(Arc::clone(&app), listen, None, bound, stopped));
        let address = address.await.unwrap();
        Self {
            world,
            app,
            address,
            stop,
            ended,
            trusted,
        }
    }

    pub(crate) fn connect(&self) -> Box<dyn Wire> {
        let stream = connect(self.address);
        match &self.trusted {
            None => Box::new(stream),
            Some(certificate) => Box::new(secured(stream, certificate)),
        }
    }

    /// Another client is answered.
    pub(crate) fn answers(&self) {
        let mut wire = self.connect();
        let request = b"GET /livez HTTP/1.1\r\nhost: vault\r\nconnection: close\r\n\r\n";
        wire.write_all(request).unwrap();
        let mut answer = String::new();
        let end = wire.read_to_string(&mut answer);
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer} {end:?}");
    }

    /// Returns once so many connections are served and so many wait.
    pub(crate) async fn comes_to(&self, served: usize, waiting: usize) {
        let expected = [("served", served), ("waiting", waiting)]
            .map(|(stage, count)| format!("callervault_connections{{stage=\"{stage}\"}} {count}\n"));
        let comes = async {
            loop {
                let metrics = self.world.metrics(&self.app).await;
                if expected.iter().all(|line| metrics.contains(line)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            tokio::time::timeout(FOR_EVER, comes).await.is_ok(),
            "never {expected:?}"
        );
    }

    /// Tells it to stop; returns when it has, with the keys wiped.
    pub(crate) async fn stops(self) {
        self.stop.send(()).unwrap();
        let ended = tokio::time::timeout(FOR_EVER, self.ended).await;
        ended.expect("it stops").unwrap().unwrap();
        assert!(self.app.vault().is_err(), "the keys are wiped");
    }
}

/// A certificate for this machine and its key as files, and the certificate as a client trusts it.
fn certificate(directory: &Path) -> (Arc<Tls>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.join("server.pem"), directory.join("server.key"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    secret_file(&key, &signing_key.serialize_pem());
    (Tls::read(certificate, key).unwrap(), cert.der().clone())
}

fn secured(stream: TcpStream, certificate: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    StreamOwned::new(client, stream)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(FOR_EVER)).unwrap();
    stream.set_write_timeout(Some(FOR_EVER)).unwrap();
    stream
}
