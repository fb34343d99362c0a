//! What every runtime must do on the way to the wire, against servers on plain threads.
//!
//! Who includes it supplies `crate::Subject`, the runtime, and `crate::block_on`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail it")]

mod authority;
mod http;
mod proxy;
mod server;
mod tls;
mod websocket;

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::{AUTHORIZATION, HeaderValue};
use adapter_core::Runtime;
use adapter_core::dial::{self, DialOptions, Proxy};
use futures_util::future::{Either, select};
use rustls::ClientConfig;
use signalr_proto::io::{HttpRequest, HttpResponse, IoFailure, OpenRequest};
use signalr_proto::url::HubUrl;

use crate::Subject;

/// Far beyond what anything here takes; whatever waits that long waits for ever.
const DEADLINE: Duration = Duration::from_secs(20);

/// Stands wherever a secret may stand, and must stand in no failure.
const CANARY: &str = "canary";

const MAX_BODY_BYTES: usize = 1_000;
const MAX_MESSAGE_BYTES: usize = 1_000;

type WebSocket = <Subject as Runtime>::WebSocket;

/// Runs a test on the runtime, within the deadline.
fn run<T>(test: impl Future<Output = T>) -> T {
    crate::block_on(async {
        match select(pin!(test), pin!(Subject::sleep(DEADLINE))).await {
            Either::Left((value, _)) => value,
            Either::Right(_) => panic!("nothing came within {DEADLINE:?}"),
        }
    })
}

/// A hub on this machine whose query holds a secret.
fn local(scheme: &str, port: u16) -> HubUrl {
    hub(scheme, "localhost", port)
}

fn hub(scheme: &str, host: &str, port: u16) -> HubUrl {
    HubUrl::parse(&format!("{scheme}://{host}:{port}/hub")).unwrap().with_query("access_token", CANARY)
}

/// Without a proxy, and with the default trust.
fn direct() -> DialOptions {
    DialOptions::new(Arc::new(dial::default_tls_config().unwrap()), None)
}

fn trusting(config: ClientConfig) -> DialOptions {
    DialOptions::new(Arc::new(config), None)
}

fn through(proxy: &str, config: ClientConfig) -> DialOptions {
    DialOptions::new(Arc::new(config), Some(Proxy::http(proxy).unwrap()))
}

fn credentials() -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer canary"))])
}

async fn post(options: &DialOptions, url: HubUrl) -> Result<HttpResponse, IoFailure> {
    let request = HttpRequest { url, headers: credentials(), max_body_bytes: MAX_BODY_BYTES };
    dial::http::<Subject>(options, request).await
}

async fn open(options: &DialOptions, url: HubUrl) -> Result<WebSocket, IoFailure> {
    open_with(options, url, credentials()).await
}

async fn open_with(options: &DialOptions, url: HubUrl, headers: HeaderMap) -> Result<WebSocket, IoFailure> {
    let request = OpenRequest { url, headers, max_message_bytes: MAX_MESSAGE_BYTES };
    dial::open::<Subject>(options, request).await
}

/// The failure, which must hold no secret.
#[track_caller]
fn failure<T>(result: Result<T, IoFailure>) -> IoFailure {
    let Err(failure) = result else { panic!("succeeded where it must fail") };
    quiet(failure)
}

#[track_caller]
fn quiet<T: Debug>(shown: T) -> T {
    assert!(!format!("{shown:?}").to_lowercase().contains(CANARY), "{shown:?}");
    shown
}
