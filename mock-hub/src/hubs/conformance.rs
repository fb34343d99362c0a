//! The conformance hub: one method for each thing that the hub protocol can do.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;

use super::{Caller, Method, MethodError, UploadItem};
use crate::flood::{CONTRACT, contract_quote};
use crate::peers::Goodbye;
use crate::protocol::dotnet::Type;
use crate::protocol::{json, write};

pub(super) const METHODS: &[Method] = &[
    Method::plain("Echo", 1),
    Method::plain("Add", 2).taking(&[Type::Int, Type::Int]),
    Method::plain("Void", 0),
    Method::plain("Null", 0),
    Method::plain("Payload", 1).taking(&[Type::Int]),
    Method::plain("ThrowHubException", 1).taking(&[Type::Text]),
    Method::plain("Throw", 1).taking(&[Type::Text]),
    Method::plain("Delay", 1).taking(&[Type::Int]),
    Method::plain("Decimals", 0),
    Method::plain("Dates", 0),
    Method::stream("Counter", 2).taking(&[Type::Int, Type::Int]),
    Method::stream("CounterChannel", 2).taking(&[Type::Int, Type::Int]),
    Method::stream("CounterThenThrow", 2).taking(&[Type::Int, Type::Text]).deaf_to_cancellation(),
    Method::stream("Forever", 1).taking(&[Type::Text]),
    Method::plain("WasCancelled", 1).taking(&[Type::Text]),
    Method::plain("Upload", 0).with_uploads(&[Type::Int]),
    Method::plain("UploadTwo", 0).with_uploads(&[Type::Int, Type::Text]),
    Method::stream("Pipe", 0).with_uploads(&[Type::Text]).deaf_to_cancellation(),
    Method::plain("SendBack", 2).taking(&[Type::Text, Type::Array]),
    Method::plain("Flood", 2).taking(&[Type::Int, Type::Text]),
    Method::plain("AskMe", 2).taking(&[Type::Text, Type::Json]),
    Method::plain("JoinGroup", 1).taking(&[Type::Text]),
    Method::plain("LeaveGroup", 1).taking(&[Type::Text]),
    Method::plain("SendToGroup", 3).taking(&[Type::Text, Type::Text, Type::Array]),
    Method::plain("SendToAll", 2).taking(&[Type::Text, Type::Array]),
    Method::plain("StartFlood", 2).taking(&[Type::Int, Type::Int]),
    Method::plain("Abort", 0),
    Method::plain("WhoAmI", 0),
];

/// The largest text that `Payload` makes.
const MAX_PAYLOAD: i32 = 32 * 1024 * 1024;
const NULL: &str = "null";
/// What an exception says that was given no text.
const UNTOLD_EXCEPTION: &str = "Operation is not valid due to the current state of the object.";
pub(super) const UNTOLD_HUB_EXCEPTION: &str =
    "Exception of type 'Microsoft.AspNetCore.SignalR.HubException' was thrown.";

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
        "ThrowHubException" => {
            let told = arguments.text(0, "message");
            Err(MethodError::Hub(told.unwrap_or_else(|_| UNTOLD_HUB_EXCEPTION.to_owned())))
        }
        "Throw" => {
            let message = arguments.text(0, "message").unwrap_or_else(|_| UNTOLD_EXCEPTION.to_owned());
            Err(MethodError::Exception { kind: "InvalidOperationException", message })
        }
        "Delay" => delay(arguments.int(0)?).await,
        "Decimals" => Ok(DECIMALS.to_owned()),
        "Dates" => Ok(DATES.to_owned()),
        "WasCancelled" => Ok(caller.gateway.was_cancelled(&arguments.text(0, "key")?).to_string()),
        "Upload" => Ok(sum(&mut caller, 0).await?.to_string()),
        "UploadTwo" => upload_two(&mut caller).await,
        "SendBack" => {
            let record = publication(&caller, 0, 1)?;
            caller.peer.send(record);
            Ok(NULL.to_owned())
        }
        "Flood" => flood(&caller).await,
        "AskMe" => ask_me(caller).await,
        "JoinGroup" => {
            caller.gateway.peers.join_group(&caller.peer, &arguments.text(0, "groupName")?);
            Ok(NULL.to_owned())
        }
        "LeaveGroup" => {
            caller.gateway.peers.leave_group(&caller.peer, &arguments.text(0, "groupName")?);
            Ok(NULL.to_owned())
        }
        "SendToGroup" => {
            let group = arguments.text(0, "groupName")?;
            let record = publication(&caller, 1, 2)?;
            caller.gateway.peers.send_to_group(caller.peer.hub.class(), &group, &record);
            Ok(NULL.to_owned())
        }
        "SendToAll" => {
            let record = publication(&caller, 0, 1)?;
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
        // The items were bound to their type when they came.
        Some(Ok(item)) => serde_json::from_str(item.get()).map(Some).map_err(|_| MethodError::wrong_argument_type()),
    }
}

/// An invocation of a client method, from the arguments of a call. What cannot be written ends the caller's connection,
/// whether it awaits an answer or not.
fn publication(caller: &Caller, target: usize, arguments: usize) -> Result<bytes::Bytes, MethodError> {
    let target = caller.arguments.text(target, "target")?;
    let arguments = caller.arguments.array(arguments).inspect_err(|error| {
        if let MethodError::Unwritable(detail) = error {
            caller.peer.end(Goodbye::failure(caller.gateway.options.detailed_errors.then_some(*detail)));
        }
    })?;
    Ok(write::invocation(None, &target, &arguments))
}

fn payload(bytes: i32) -> Result<String, MethodError> {
    match usize::try_from(bytes) {
        Ok(length) if bytes <= MAX_PAYLOAD => Ok(format!("\"{}\"", "x".repeat(length))),
        _ => Err(out_of_range(format!(
            "count ('{bytes}') must be a non-negative value. (Parameter 'count')\nActual value was {bytes}."
        ))),
    }
}

/// -1 waits for ever, as in .NET.
async fn delay(milliseconds: i32) -> Result<String, MethodError> {
    match u64::try_from(milliseconds) {
        Ok(delay) => tokio::time::sleep(Duration::from_millis(delay)).await,
        Err(_) if milliseconds == -1 => std::future::pending().await,
        Err(_) => {
            return Err(out_of_range(
                "The value needs to be either -1 (signifying an infinite timeout), 0 or a positive integer. \
                 (Parameter 'millisecondsDelay')"
                    .to_owned(),
            ));
        }
    }
    Ok(milliseconds.to_string())
}

fn out_of_range(message: String) -> MethodError {
    MethodError::Exception { kind: "ArgumentOutOfRangeException", message }
}

async fn sum(caller: &mut Caller, upload: usize) -> Result<i64, MethodError> {
    let mut sum = 0_i64;
    while let Some(number) = next_item::<i32>(caller, upload).await? {
        sum = sum.wrapping_add(i64::from(number));
    }
    Ok(sum)
}

/// Both streams are read at once: each has room for a few items only, and the client decides their order. The sum is
/// awaited behind the words, and so is its failure.
async fn upload_two(caller: &mut Caller) -> Result<String, MethodError> {
    let [numbers, texts] = caller.uploads.as_mut_slice() else {
        return Err(MethodError::wrong_argument_type());
    };
    let sum = async {
        let mut sum = 0_i64;
        while let Some(number) = decode_item::<i32>(numbers.recv().await)? {
            sum = sum.wrapping_add(i64::from(number));
        }
        Ok::<_, MethodError>(sum)
    };
    let words = async {
        let mut words = Vec::<String>::new();
        while let Some(word) = decode_item::<Option<String>>(texts.recv().await)? {
            words.push(word.unwrap_or_default());
        }
        Ok::<_, MethodError>(words)
    };
    let (mut sum, mut words) = (pin!(sum.fuse()), pin!(words.fuse()));
    let mut summed = None;
    let words = loop {
        tokio::select! {
            done = &mut sum, if summed.is_none() => summed = Some(done),
            done = &mut words => break done?,
        }
    };
    let sum = match summed {
        Some(sum) => sum?,
        None => sum.await?,
    };
    Ok(json::string(&format!("{sum}:{}", words.join(","))))
}

async fn flood(caller: &Caller) -> Result<String, MethodError> {
    let target = caller.arguments.text(1, "target");
    for index in 0..caller.arguments.int(0)? {
        caller
            .peer
            .send_when_there_is_room(write::invocation(
                None,
                target.as_ref().map_err(Clone::clone)?,
                &format!("[{index}]"),
            ))
            .await;
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

async fn ask_me(caller: Caller) -> Result<String, MethodError> {
    let target = caller.arguments.text(0, "target")?;
    let arguments = format!("[{}]", caller.arguments.json(1)?);
    // The answer must be read while this call waits for it, so it gives up its place.
    caller.release_place();
    let answer = caller.gateway.client_results.ask(&caller.peer, &target, &arguments).await;
    json::reprint(&answer.map_err(MethodError::Hub)?).ok_or(MethodError::LONE_SURROGATE)
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
