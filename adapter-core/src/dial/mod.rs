//! The way to the wire, the same on every runtime: DNS, happy eyeballs, proxy, TLS, one HTTP exchange, the WebSocket upgrade.
//!
//! ```text
//! race (addresses) -> [CONNECT through the proxy] -> [TLS] -> http: one POST, answered and dropped
//!                                                          -> open: GET + 101 -> WebSocket
//! ```
//!
//! Nothing here keeps time: whoever asked drops the future when its deadline has come, and that closes the socket. Nothing is pooled, and no
//! text that leaves this module holds more of a URL than host and port.

mod exchange;
mod failure;
mod proxy;
mod race;
mod retry_after;
mod tls;
mod upgrade;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use signalr_proto::io::{IoFailure, IoFailureKind};
use signalr_proto::url::Origin;

use crate::runtime::Runtime;

pub use exchange::http;
pub(crate) use exchange::{Unanswered, exchange, full_request, ready};
pub use failure::websocket_failure;
pub use proxy::{Proxy, ProxyError};
pub(crate) use tls::shared_tls_config;
pub use tls::{NoTrustRoots, default_tls_config, tls_config_with_roots};
pub use upgrade::open;

/// How to dial, whatever the target.
#[derive(Debug, Clone)]
pub struct DialOptions {
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
}

impl DialOptions {
    /// Dials with this TLS configuration and through this proxy, if there is one.
    ///
    /// Whatever protocols the configuration offers by ALPN, only `http/1.1` is offered: nothing else is spoken here.
    pub fn new(tls: Arc<ClientConfig>, proxy: Option<Proxy>) -> Self {
        Self { tls: tls::offering_http1(tls), proxy }
    }
}

/// Host and port: all that a failure may say about where it happened.
struct Peer<'a> {
    host: &'a str,
    port: u16,
}

impl<'a> Peer<'a> {
    fn of(origin: &'a Origin) -> Self {
        Self { host: origin.host(), port: origin.port() }
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Opens a transport on which the next byte sent is read by `origin` itself.
async fn reach<R: Runtime>(options: &DialOptions, origin: &Origin) -> Result<R::Io, IoFailure> {
    let io = match &options.proxy {
        None => connect::<R>(origin).await?,
        Some(proxy) => {
            let io = connect::<R>(proxy.origin()).await?;
            proxy.tunnel(io, origin).await?
        }
    };
    if !origin.is_secure() {
        return Ok(io);
    }
    let peer = Peer::of(origin);
    let name = ServerName::try_from(origin.host_name().to_owned())
        .map_err(|_| IoFailure::new(IoFailureKind::Tls, format!("{peer} has a name that no certificate can bear")))?;
    R::secure(io, options.tls.clone(), name)
        .await
        .map_err(|error| failure::from_io(format_args!("TLS with {peer}"), &error, IoFailureKind::Lost))
}

async fn connect<R: Runtime>(origin: &Origin) -> Result<R::Io, IoFailure> {
    let peer = Peer::of(origin);
    let addresses = match origin.host_name().parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, origin.port())],
        Err(_) => R::resolve(origin.host_name().to_owned(), origin.port())
            .await
            .map_err(|error| failure::from_io(format_args!("looking up {peer}"), &error, IoFailureKind::Refused))?,
    };
    if addresses.is_empty() {
        return Err(IoFailure::new(IoFailureKind::Refused, format!("{peer} has no address")));
    }
    race::race(addresses, R::connect, R::sleep)
        .await
        .map_err(|error| failure::from_io(format_args!("connecting to {peer}"), &error, IoFailureKind::Lost))
}
