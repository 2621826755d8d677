//! A certificate and its key become what shakes hands.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::http::server::ServeError;
use crate::secret_file;

/// What both sides may speak, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate and its key, from PEM files that can be read again while the server goes on.
pub struct Tls {
    /// The chain.
    certificate: PathBuf,
    /// The private key, in a file of secrets.
    key: PathBuf,
    /// What was last read. Each handshake takes it as it is then.
    in_force: ArcSwap<CertifiedKey>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`ServeError::Tls`] where they cannot be used or do not belong together; [`ServeError::Key`] where others have a part in
    /// the key's file.
    pub fn read(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, ServeError> {
        let in_force = ArcSwap::new(certified(&certificate, &key)?);
        Ok(Arc::new(Self {
            certificate,
            key,
            in_force,
        }))
    }

    /// Reads the files again: for connections that come from then on.
    ///
    /// # Errors
    /// As [`Tls::read`]; the certificate in force goes on.
    pub fn reread(&self) -> Result<(), ServeError> {
        self.in_force.store(certified(&self.certificate, &self.key)?);
        Ok(())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.in_force.load_full())
    }
}

fn certified(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, ServeError> {
    let chain = CertificateDer::pem_file_iter(certificate).map_err(unusable)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unusable)?;
    let key = PrivateKeyDer::from_pem_slice(&secret_file::read(key)?).map_err(unusable)?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(unusable)?;
    Ok(Arc::new(certified))
}

/// Shakes hands with the certificate in force.
pub(super) fn acceptor(tls: &Arc<Tls>) -> Result<TlsAcceptor, ServeError> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let resolver: Arc<dyn ResolvesServerCert> = tls.clone();
    let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> ServeError {
    ServeError::Tls(Box::new(error))
}
