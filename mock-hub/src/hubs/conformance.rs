//! The conformance hub: one method for each thing that the hub protocol can do.

use std::time::Duration;

use super::{Caller, Method, MethodError, UploadItem};
use crate::flood::{CONTRACT, contract_quote};
use crate::peers::Goodbye;
use crate::protocol::{json, write};

pub(super) const METHODS: &[Method] = &[
    Method::plain("Echo", 1),
    Method::plain("Add", 2),
    Method::plain("Void", 0),
    Method::plain("Null", 0),
    Method::plain("Payload", 1),
    Method::plain("ThrowHubException", 1),
    Method::plain("Throw", 1),
    Method::plain("Delay", 1),
    Method::plain("Decimals", 0),
    Method::plain("Dates", 0),
    Method::stream("Counter", 2),
    Method::stream("CounterChannel", 2),
    Method::stream("CounterThenThrow", 2),
    Method::stream("Forever", 1),
    Method::plain("WasCancelled", 1),
    Method::plain("Upload", 0).with_uploads(1),
    Method::plain("UploadTwo", 0).with_uploads(2),
    Method::stream("Pipe", 0).with_uploads(1),
    Method::plain("SendBack", 2),
    Method::plain("Flood", 2),
    Method::plain("AskMe", 2),
    Method::plain("JoinGroup", 1),
    Method::plain("LeaveGroup", 1),
    Method::plain("SendToGroup", 3),
    Method::plain("SendToAll", 2),
    Method::plain("StartFlood", 2),
    Method::plain("Abort", 0),
    Method::plain("WhoAmI", 0),
];

/// The largest text that `Payload` makes.
const MAX_PAYLOAD: i32 = 32 * 1024 * 1024;
const NULL: &str = "null";

/// How System.Text.Json prints what .NET services send; the text of ASP.NET Core 10, seen live.
const DECIMALS: &str = concat!(
    r#"{"price":5023.25,"padded":5023.2500,"places28":1.2345678901234567890123456789,"negative":-0.25,"zero":0.00,"#,
    r#""large":79228162514264337593543950335,"doublePrice":5023.25,"tenth":0.1,"tiny":1E-07,"huge":1E+21,"#,
    r#""integerDouble":5,"third":0.3333333333333333,"id":9007199254740993,"missing":null}"#,
);
const DATES: &str = concat!(
    r#"{"utc":"2026-11-20T14:30:00.1234567Z","unspecified":"2026-11-20T14:30:00.1234567","#,
    r#""whole":"2026-11-20T14:30:00Z","offset":"2026-11-20T08:30:00.1234567-06:00","#,
    r#""zeroOffset":"2026-11-20T14:30:00.1234567+00:00","minimum":"0001-01-01T00:00:00","#,
    r#""span":"00:00:01.5000000","day":"2026-11-20","missing":null}"#,
);

pub(super) async fn call(name: &str, mut caller: Caller) -> Result<String, MethodError> {
    let arguments = &caller.arguments;
    match name {
        "Echo" => arguments.json(0),
        "Add" => Ok(arguments.int(0)?.wrapping_add(arguments.int(1)?).to_string()),
        "Payload" => payload(arguments.int(0)?),
        "ThrowHubException" => Err(MethodError::Hub(arguments.string(0)?)),
        "Throw" => Err(MethodError::Exception { kind: "InvalidOperationException", message: arguments.string(0)? }),
        "Delay" => {
            let milliseconds = arguments.int(0)?;
            let Ok(delay) = u64::try_from(milliseconds) else {
                return Err(out_of_range("millisecondsDelay"));
            };
            tokio::time::sleep(Duration::from_millis(delay)).await;
            Ok(milliseconds.to_string())
        }
        "Decimals" => Ok(DECIMALS.to_owned()),
        "Dates" => Ok(DATES.to_owned()),
        "WasCancelled" => Ok(caller.gateway.was_cancelled(&arguments.string(0)?).to_string()),
        "Upload" => Ok(sum(&mut caller, 0).await?.to_string()),
        "UploadTwo" => upload_two(&mut caller).await,
        "SendBack" => {
            caller.peer.send(write::invocation(None, &arguments.string(0)?, &arguments.array(1)?));
            Ok(NULL.to_owned())
        }
        "Flood" => flood(&caller).await,
        "AskMe" => ask_me(caller).await,
        "JoinGroup" => {
            caller.gateway.peers.join_group(&caller.peer, &arguments.string(0)?);
            Ok(NULL.to_owned())
        }
        "LeaveGroup" => {
            caller.gateway.peers.leave_group(&caller.peer, &arguments.string(0)?);
            Ok(NULL.to_owned())
        }
        "SendToGroup" => {
            let record = write::invocation(None, &arguments.string(1)?, &arguments.array(2)?);
            caller.gateway.peers.send_to_group(caller.peer.hub.class(), &arguments.string(0)?, &record);
            Ok(NULL.to_owned())
        }
        "SendToAll" => {
            let record = write::invocation(None, &arguments.string(0)?, &arguments.array(1)?);
            caller.gateway.peers.send_to_all(caller.peer.hub.class(), &record);
            Ok(NULL.to_owned())
        }
        "StartFlood" => start_flood(&caller).await,
        "Abort" => {
            caller.peer.end(Goodbye::Close { error: None, allow_reconnect: false });
            Ok(NULL.to_owned())
        }
        "WhoAmI" => Ok(who_am_i(&caller)),
        // Void and Null: a void method completes with null as well.
        _ => Ok(NULL.to_owned()),
    }
}

/// The next item of an upload as a type; `None` at its end.
pub(super) async fn next_item<T: serde::de::DeserializeOwned>(
    caller: &mut Caller,
    upload: usize,
) -> Result<Option<T>, MethodError> {
    let Some(items) = caller.uploads.get_mut(upload) else {
        return Ok(None);
    };
    decode_item(items.recv().await)
}

fn decode_item<T: serde::de::DeserializeOwned>(item: Option<UploadItem>) -> Result<Option<T>, MethodError> {
    match item {
        None => Ok(None),
        Some(Err(error)) => Err(MethodError::Hub(error)),
        Some(Ok(item)) => serde_json::from_str(item.get())
            .map(Some)
            .map_err(|_| MethodError::Hub("Failed to bind Stream message.".to_owned())),
    }
}

fn payload(bytes: i32) -> Result<String, MethodError> {
    match usize::try_from(bytes) {
        Ok(length) if bytes <= MAX_PAYLOAD => Ok(format!("\"{}\"", "x".repeat(length))),
        _ => Err(out_of_range("count")),
    }
}

fn out_of_range(parameter: &str) -> MethodError {
    let message = format!("'{parameter}' must be non-negative. (Parameter '{parameter}')");
    MethodError::Exception { kind: "ArgumentOutOfRangeException", message }
}

async fn sum(caller: &mut Caller, upload: usize) -> Result<i64, MethodError> {
    let mut sum = 0_i64;
    while let Some(number) = next_item::<i32>(caller, upload).await? {
        sum = sum.wrapping_add(i64::from(number));
    }
    Ok(sum)
}

/// Both streams are read at once: each has room for a few items only, and the client decides their order.
async fn upload_two(caller: &mut Caller) -> Result<String, MethodError> {
    let (mut sum, mut words) = (0_i64, Vec::<String>::new());
    let [numbers, texts] = caller.uploads.as_mut_slice() else {
        return Err(MethodError::wrong_argument_type());
    };
    let (mut numbers_end, mut texts_end) = (false, false);
    while !(numbers_end && texts_end) {
        tokio::select! {
            item = numbers.recv(), if !numbers_end => match decode_item::<i32>(item)? {
                Some(number) => sum = sum.wrapping_add(i64::from(number)),
                None => numbers_end = true,
            },
            item = texts.recv(), if !texts_end => match decode_item::<Option<String>>(item)? {
                Some(word) => words.push(word.unwrap_or_default()),
                None => texts_end = true,
            },
        }
    }
    Ok(json::string(&format!("{sum}:{}", words.join(","))))
}

async fn flood(caller: &Caller) -> Result<String, MethodError> {
    let target = caller.arguments.string(1)?;
    for index in 0..caller.arguments.int(0)? {
        caller.peer.send_when_there_is_room(write::invocation(None, &target, &format!("[{index}]"))).await;
    }
    Ok(NULL.to_owned())
}

async fn start_flood(caller: &Caller) -> Result<String, MethodError> {
    // The records of a frame are the server's business here, as with SignalR itself.
    caller.arguments.int(1)?;
    for serial in 0..caller.arguments.int(0)? {
        let arguments = format!("[\"{CONTRACT}\",{}]", contract_quote(i64::from(serial)));
        caller.peer.send_when_there_is_room(write::invocation(None, "GatewayQuote", &arguments)).await;
    }
    caller.peer.send_when_there_is_room(write::invocation(None, "Done", "[]")).await;
    Ok(NULL.to_owned())
}

async fn ask_me(mut caller: Caller) -> Result<String, MethodError> {
    let target = caller.arguments.string(0)?;
    let arguments = format!("[{}]", caller.arguments.json(1)?);
    // The answer must be read while this call waits for it, so it gives up its place.
    drop(caller.slot.take());
    let answer = caller.gateway.client_results.ask(&caller.peer, &target, &arguments).await;
    json::reprint(&answer.map_err(MethodError::Hub)?).ok_or(MethodError::Unwritable)
}

fn who_am_i(caller: &Caller) -> String {
    let origin = &caller.peer.origin;
    let user = origin.user.as_deref().map_or_else(|| NULL.to_owned(), json::string);
    format!(
        "{{\"connectionId\":{},\"userIdentifier\":{user},\"transport\":\"WebSockets\",\"path\":{},\
         \"tokenInQuery\":{},\"tokenInHeader\":{},\"userAgent\":{},\"signalRUserAgent\":{}}}",
        json::string(&caller.peer.id),
        json::string(&origin.path),
        origin.token_in_query,
        origin.token_in_header,
        json::string(&origin.user_agent),
        json::string(&origin.signalr_user_agent),
    )
}
