//! How tokio dials, sleeps and spawns.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapter_core::{Runtime, SpawnError};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::io::Socket;

/// The tokio runtime: of either flavour, with I/O and time enabled.
///
/// Connections must be started inside of it; where there is none, that is an error and no panic.
#[derive(Debug, Clone, Copy)]
pub struct Tokio;

impl Runtime for Tokio {
    type Io = TokioIo<Socket>;
    type WebSocket = WebSocketStream<Socket>;

    async fn resolve(host: String, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(address: SocketAddr) -> std::io::Result<Self::Io> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(Socket::Plain(stream)))
    }

    async fn secure(io: Self::Io, config: Arc<ClientConfig>, name: ServerName<'static>) -> std::io::Result<Self::Io> {
        let Socket::Plain(stream) = io.into_inner() else {
            return Err(std::io::Error::other("the transport is under TLS already"));
        };
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok(TokioIo::new(Socket::Tls(Box::new(stream))))
    }

    async fn websocket(io: Self::Io, read_ahead: Vec<u8>, config: WebSocketConfig) -> Self::WebSocket {
        WebSocketStream::from_partially_read(io.into_inner(), read_ahead, Role::Client, Some(config)).await
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), SpawnError> {
        let runtime = Handle::try_current().map_err(|_| SpawnError::new("there is no tokio runtime here"))?;
        runtime.spawn(task);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_runtime_spawning_is_an_error() {
        assert!(Tokio::spawn(async {}).is_err());
    }

    #[test]
    fn small_packets_are_not_held_back() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let io = runtime.block_on(Tokio::connect(listener.local_addr().unwrap())).unwrap();
        let Socket::Plain(stream) = io.into_inner() else { panic!("nobody asked for TLS") };
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn a_sleep_may_be_made_before_the_runtime() {
        let sleep = Tokio::sleep(Duration::from_millis(1));
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(sleep);
    }
}
