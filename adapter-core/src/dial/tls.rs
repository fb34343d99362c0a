//! TLS configurations: rustls with ring, named explicitly so that no other crate's default can change it.

use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The only application protocol spoken here.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Why there is no default TLS configuration: the operating system supplied no usable root certificate.
///
/// Happens only with the feature `native-roots`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system supplied no usable root certificate: {0}")]
pub struct NoTrustRoots(String);

/// The default TLS configuration: TLS 1.2 and 1.3, no client certificate, Mozilla's roots as compiled in.
///
/// With the feature `native-roots` the roots are those of the operating system, read anew by every call.
pub fn default_tls_config() -> Result<ClientConfig, NoTrustRoots> {
    default_roots().map(tls_config_with_roots)
}

/// The default TLS configuration that all connections of the process share, made for the first one that wants it.
///
/// Its roots fill 13 KiB, and its tickets let the next connection to a host begin sooner.
pub(crate) fn shared_tls_config() -> Result<Arc<ClientConfig>, NoTrustRoots> {
    static SHARED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = SHARED.get() {
        return Ok(config.clone());
    }
    // A failure is not kept: the roots may be there the next time.
    let config = Arc::new(default_tls_config()?);
    Ok(SHARED.get_or_init(|| config).clone())
}

/// The default TLS configuration, but trusting these roots and no others.
pub fn tls_config_with_roots(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    config
}

/// The same configuration, offering exactly `http/1.1`: a server that may choose would speak HTTP/2 to us.
pub(super) fn offering_http1(config: Arc<ClientConfig>) -> Arc<ClientConfig> {
    if matches!(config.alpn_protocols.as_slice(), [only] if only == HTTP_1_1) {
        return config;
    }
    let mut config = ClientConfig::clone(&config);
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Arc::new(config)
}

#[cfg(not(feature = "native-roots"))]
fn default_roots() -> Result<RootCertStore, NoTrustRoots> {
    Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

#[cfg(feature = "native-roots")]
fn default_roots() -> Result<RootCertStore, NoTrustRoots> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store usually holds a few that are malformed or too old: they are skipped, as browsers do.
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(NoTrustRoots(format!("{ignored} were unusable; {}", errors.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_offers_http1_alone() {
        assert_eq!(default_tls_config().unwrap().alpn_protocols, [HTTP_1_1]);
    }

    #[test]
    fn connections_share_the_default() {
        assert!(Arc::ptr_eq(&shared_tls_config().unwrap(), &shared_tls_config().unwrap()));
    }

    #[test]
    fn what_a_configuration_offers_is_replaced() {
        let mut config = tls_config_with_roots(RootCertStore::empty());
        for offered in [vec![], vec![b"h2".to_vec()], vec![b"h2".to_vec(), HTTP_1_1.to_vec()], vec![HTTP_1_1.to_vec()]]
        {
            config.alpn_protocols = offered;
            assert_eq!(offering_http1(Arc::new(config.clone())).alpn_protocols, [HTTP_1_1]);
        }
    }
}
