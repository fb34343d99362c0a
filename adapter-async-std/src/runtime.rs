//! How async-std dials, sleeps and spawns.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapter_core::{Runtime, SpawnError};
use async_std::net::{TcpStream, ToSocketAddrs};
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_util::future::Either;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use smol_hyper::rt::FuturesIo;

/// A dialled TCP stream, plain (left) or under TLS (right).
pub type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The async-std runtime. It is always there: its threads start with the first task.
#[derive(Debug, Clone, Copy)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Io = FuturesIo<Socket>;
    type WebSocket = WebSocketStream<Socket>;

    async fn resolve(host: String, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        Ok((host.as_str(), port).to_socket_addrs().await?.collect())
    }

    async fn connect(address: SocketAddr) -> std::io::Result<Self::Io> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(Either::Left(stream)))
    }

    async fn secure(io: Self::Io, config: Arc<ClientConfig>, name: ServerName<'static>) -> std::io::Result<Self::Io> {
        let Either::Left(stream) = io.into_inner() else {
            return Err(std::io::Error::other("the transport is under TLS already"));
        };
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok(FuturesIo::new(Either::Right(Box::new(stream))))
    }

    async fn websocket(io: Self::Io, read_ahead: Vec<u8>, config: WebSocketConfig) -> Self::WebSocket {
        WebSocketStream::from_partially_read(io.into_inner(), read_ahead, Role::Client, Some(config)).await
    }

    async fn sleep(duration: Duration) {
        async_std::task::sleep(duration).await;
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), SpawnError> {
        async_std::task::spawn(task);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_packets_are_not_held_back() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let io = async_std::task::block_on(AsyncStd::connect(listener.local_addr().unwrap())).unwrap();
        let Either::Left(stream) = io.into_inner() else { panic!("nobody asked for TLS") };
        assert!(stream.nodelay().unwrap());
    }
}
