//! TLS to a managed PostgreSQL: the server's certificate is always verified.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::SettingsError;

/// A connector that trusts the system's certificates and those of `ca_file`.
pub(crate) fn connector(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, SettingsError> {
    let bad = |text: String| SettingsError::Certificates(text);
    let mut roots = RootCertStore::empty();
    // A machine without certificates can still talk to a database that needs none; one that does will say so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(format!("{}: {error}", path.display())))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| bad(format!("{}: {error}", path.display())))?;
            roots.add(certificate).map_err(|error| bad(format!("{}: {error}", path.display())))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
