//! The hubs and their methods: who has which, and what a call of one does.

mod arguments;
mod conformance;
mod console;
mod market;
mod method;
mod streams;
mod user;

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

pub(crate) use arguments::Arguments;
pub(crate) use method::{Method, MethodError};

use crate::connection::{CallId, UploadKey};
use crate::faults;
use crate::gateway::Gateway;
use crate::observe::Outcome;
use crate::peers::Peer;

/// A hub that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hub {
    Conformance,
    Secure,
    Market,
    LenientMarket,
    User,
    /// What the page at `/` watches the hub through.
    Console,
}

impl Hub {
    /// The hub of a path segment, whatever its case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Conformance, Self::Secure, Self::Market, Self::LenientMarket, Self::User, Self::Console];
        all.into_iter().find(|hub| hub.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Conformance => "conformance",
            Self::Secure => "secure",
            Self::Market => "market",
            Self::LenientMarket => "lenient-market",
            Self::User => "user",
            Self::Console => "console",
        }
    }

    /// Hubs of one class share their groups: the same methods behind different doors.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Conformance | Self::Secure => "conformance",
            Self::Market | Self::LenientMarket => "market",
            Self::User => "user",
            Self::Console => "console",
        }
    }

    /// The name that the real server's book of connections gives.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Conformance | Self::Secure => "ConformanceHub",
            Self::Market => "MarketHub",
            Self::LenientMarket => "LenientMarketHub",
            Self::User => "UserHub",
            Self::Console => "ConsoleHub",
        }
    }

    /// The method of this name, whatever its case (ASP.NET Core, hub method lookup).
    pub(crate) fn method(self, name: &str) -> Option<&'static Method> {
        let methods = match self {
            Self::Conformance | Self::Secure => conformance::METHODS,
            Self::Market | Self::LenientMarket => market::METHODS,
            Self::User => user::METHODS,
            Self::Console => console::METHODS,
        };
        methods.iter().find(|method| method.name.eq_ignore_ascii_case(name))
    }
}

/// An item of a client-to-server stream, or how it failed.
pub(crate) type UploadItem = Result<Box<RawValue>, String>;

/// Who calls a method, and with what.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) arguments: Arguments,
    pub(crate) uploads: Vec<Upload>,
    /// Which call of its connection this is.
    pub(crate) id: CallId,
}

impl Caller {
    /// Gives up the call's place among those that may run at once: it waits for something that the client says.
    pub(crate) fn release_place(&self) {
        self.peer.outbox.release_place(self.id);
    }
}

/// A client-to-server stream in the hands of its method.
#[derive(Debug)]
pub(crate) struct Upload {
    key: UploadKey,
    items: mpsc::UnboundedReceiver<UploadItem>,
    peer: Arc<Peer>,
}

impl Upload {
    pub(crate) fn new(key: UploadKey, items: mpsc::UnboundedReceiver<UploadItem>, peer: Arc<Peer>) -> Self {
        Self { key, items, peer }
    }

    /// The next item; `None` at the end. Taking one makes room for another.
    pub(crate) async fn recv(&mut self) -> Option<UploadItem> {
        let item = self.items.recv().await?;
        self.peer.outbox.item_taken(self.key);
        Some(item)
    }
}

/// Runs a method that is no stream; its result is JSON text.
pub(crate) async fn call(method: &Method, caller: Caller) -> Result<String, MethodError> {
    let (gateway, hub) = (Arc::clone(&caller.gateway), caller.peer.hub);
    if let Some(outcome) = faults::intercept(method, &caller) {
        gateway.metrics.called(hub, method.name, outcome_of(&outcome));
        return outcome;
    }
    let result = match hub.class() {
        "market" => market::call(method.name, &caller),
        "user" => user::call(method.name, &caller),
        "console" => Ok(console::call(&caller)),
        _ => conformance::call(method.name, caller).await,
    };
    gateway.metrics.called(hub, method.name, outcome_of(&result));
    result
}

/// Runs a streaming method to its end; cancelled by being dropped.
pub(crate) async fn stream(method: &Method, invocation_id: &str, caller: Caller) -> Result<(), MethodError> {
    let (gateway, hub) = (Arc::clone(&caller.gateway), caller.peer.hub);
    let result = match hub {
        Hub::Console => console::stream(method.name, invocation_id, &caller).await,
        _ => streams::stream(method, invocation_id, caller).await,
    };
    gateway.metrics.called(hub, method.name, outcome_of(&result));
    result
}

fn outcome_of<T>(result: &Result<T, MethodError>) -> Outcome {
    if result.is_ok() { Outcome::Ok } else { Outcome::Error }
}
