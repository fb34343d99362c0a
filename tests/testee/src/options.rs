//! The options of `build`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapter_core::{Exponential, HubConnectionBuilder, RetryPolicy, Runtime};

use crate::fields::Fields;

/// Applies the options. The error names the option that the library does not have, or that has no sensible value.
pub(crate) fn apply<R: Runtime>(
    mut builder: HubConnectionBuilder<R>,
    mut options: Fields,
) -> Result<HubConnectionBuilder<R>, String> {
    let fields = &mut options;
    builder = tokens(builder, fields)?;
    builder = reconnect(builder, fields)?;
    refuse_what_is_missing(fields)?;
    for (name, value) in fields.optional::<BTreeMap<String, String>>("headers")?.unwrap_or_default() {
        builder = builder.header(name, value);
    }
    if let Some(skip) = fields.optional("skipNegotiation")? {
        builder = builder.skip_negotiation(skip);
    }
    if let Some(allow) = fields.optional("allowInsecureToken")? {
        builder = builder.allow_insecure_token(allow);
    }
    if let Some(interval) = milliseconds(fields, "keepAliveMs")? {
        builder = builder.keep_alive_interval(interval);
    }
    if let Some(timeout) = milliseconds(fields, "serverTimeoutMs")? {
        builder = builder.server_timeout(timeout);
    }
    if let Some(timeout) = milliseconds(fields, "handshakeTimeoutMs")? {
        builder = builder.handshake_timeout(timeout);
    }
    if let Some(timeout) = milliseconds(fields, "connectTimeoutMs")? {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(timeout) = milliseconds(fields, "stopTimeoutMs")? {
        builder = builder.stop_timeout(timeout);
    }
    if let Some(timeout) = milliseconds(fields, "callTimeoutMs")? {
        builder = builder.call_timeout(timeout);
    }
    if let Some(bytes) = fields.optional("maxRecordBytes")? {
        builder = builder.max_record_bytes(bytes);
    }
    if let Some(events) = fields.optional("maxPendingEvents")? {
        builder = builder.max_pending_events(events);
    }
    match options.left_over() {
        Some(name) => Err(format!("there is no option `{name}`")),
        None => Ok(builder),
    }
}

/// One token, or a list that moves on with every question: the attempts', and the one more that a 401 costs.
fn tokens<R: Runtime>(
    builder: HubConnectionBuilder<R>,
    fields: &mut Fields,
) -> Result<HubConnectionBuilder<R>, String> {
    let one: Option<String> = fields.optional("accessToken")?;
    let list: Option<Vec<String>> = fields.optional("accessTokens")?;
    match (one, list) {
        (Some(_), Some(_)) => Err("`accessToken` and `accessTokens` exclude each other".to_owned()),
        (Some(token), None) => Ok(builder.access_token(token)),
        (None, Some(tokens)) if tokens.is_empty() => Err("`accessTokens` is empty".to_owned()),
        (None, Some(tokens)) => {
            let asked = AtomicUsize::new(0);
            Ok(builder.access_token_provider(move || {
                let place = asked.fetch_add(1, Ordering::Relaxed).min(tokens.len() - 1);
                ready(Ok::<_, Infallible>(tokens[place].clone()))
            }))
        }
        (None, None) => Ok(builder),
    }
}

fn reconnect<R: Runtime>(
    mut builder: HubConnectionBuilder<R>,
    fields: &mut Fields,
) -> Result<HubConnectionBuilder<R>, String> {
    let delays: Option<Vec<u64>> = fields.optional("reconnectDelaysMs")?;
    let preset: Option<String> = fields.optional("reconnectPreset")?;
    let policy = match (delays, preset.as_deref()) {
        (Some(_), Some(_)) => return Err("`reconnectDelaysMs` and `reconnectPreset` exclude each other".to_owned()),
        (Some(delays), None) => RetryPolicy::delays(delays.into_iter().map(Duration::from_millis)),
        (None, Some("signalr")) => RetryPolicy::signalr(),
        (None, Some("microsoft")) => RetryPolicy::microsoft(),
        (None, Some("exponential")) => RetryPolicy::exponential(Exponential::default()),
        (None, Some("trading")) => RetryPolicy::trading(),
        (None, Some(preset)) => return Err(format!("the library does not have this `reconnectPreset`: {preset}")),
        (None, None) => RetryPolicy::never(),
    };
    builder = builder.automatic_reconnect(policy);
    if let Some(enabled) = fields.optional("statefulReconnect")? {
        builder = builder.stateful_reconnect(enabled);
    }
    if let Some(retry) = fields.optional("retryInitialConnect")? {
        builder = builder.retry_initial_connect(retry);
    }
    Ok(builder)
}

/// What the library does not have yet may only be asked for in the form in which it is there anyway.
fn refuse_what_is_missing(fields: &mut Fields) -> Result<(), String> {
    match fields.optional::<String>("protocol")?.as_deref() {
        None | Some("json") => {}
        Some(other) => return Err(format!("the library does not have this `protocol` yet: {other}")),
    }
    match fields.optional::<Vec<String>>("transports")? {
        Some(transports) if transports != ["WebSockets"] => {
            Err(format!("the library does not have these `transports` yet, only WebSockets: {}", transports.join(", ")))
        }
        _ => Ok(()),
    }
}

fn milliseconds(fields: &mut Fields, name: &str) -> Result<Option<Duration>, String> {
    Ok(fields.optional(name)?.map(Duration::from_millis))
}
