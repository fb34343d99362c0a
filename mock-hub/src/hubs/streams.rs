//! The conformance hub's streaming methods.

use std::sync::Arc;
use std::time::Duration;

use super::conformance::next_item;
use super::{Caller, Method, MethodError};
use crate::gateway::Gateway;
use crate::protocol::{json, write};

/// How many items go out before others on the same thread get their turn.
const ITEMS_IN_A_ROW: i32 = 64;

/// Runs a streaming method to its end; cancelled by being dropped.
pub(crate) async fn stream(method: &Method, invocation_id: &str, mut caller: Caller) -> Result<(), MethodError> {
    match method.name {
        "Counter" | "CounterChannel" => {
            let (count, delay) = (caller.arguments.int(0)?, caller.arguments.int(1)?);
            count_up(&caller, invocation_id, count, delay).await;
        }
        "CounterThenThrow" => {
            let (count, message) = (caller.arguments.int(0)?, caller.arguments.text(1, "message"));
            count_up(&caller, invocation_id, count, 0).await;
            let message = message.unwrap_or_else(|_| super::conformance::UNTOLD_HUB_EXCEPTION.to_owned());
            return Err(MethodError::WhileStreaming(Box::new(MethodError::Hub(message))));
        }
        "Forever" => forever(&caller, invocation_id).await?,
        _ => pipe(&mut caller, invocation_id).await.map_err(|error| MethodError::WhileStreaming(Box::new(error)))?,
    }
    Ok(())
}

async fn count_up(caller: &Caller, invocation_id: &str, count: i32, delay_milliseconds: i32) {
    let delay = Duration::from_millis(u64::try_from(delay_milliseconds).unwrap_or_default());
    for item in 0..count {
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        } else if item % ITEMS_IN_A_ROW == ITEMS_IN_A_ROW - 1 {
            tokio::task::yield_now().await;
        }
        caller.peer.send_when_there_is_room(write::stream_item(invocation_id, &item.to_string())).await;
    }
}

async fn forever(caller: &Caller, invocation_id: &str) -> Result<(), MethodError> {
    let key = caller.arguments.text(0, "key").map_err(|error| MethodError::WhileStreaming(Box::new(error)))?;
    caller.gateway.note_stream(&key, false);
    let _noted = NotedAsCancelled { gateway: Arc::clone(&caller.gateway), key };
    for item in 0_u64.. {
        caller.peer.send_when_there_is_room(write::stream_item(invocation_id, &item.to_string())).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn pipe(caller: &mut Caller, invocation_id: &str) -> Result<(), MethodError> {
    while let Some(word) = next_item::<Option<String>>(caller, 0).await? {
        let word = word.ok_or(MethodError::Exception {
            kind: "NullReferenceException",
            message: "Object reference not set to an instance of an object.".to_owned(),
        })?;
        let word = json::string(&word.to_uppercase());
        caller.peer.send_when_there_is_room(write::stream_item(invocation_id, &word)).await;
    }
    Ok(())
}

/// `Forever` ends in no other way than by a cancel or by the end of its connection.
struct NotedAsCancelled {
    gateway: Arc<Gateway>,
    key: String,
}

impl Drop for NotedAsCancelled {
    fn drop(&mut self) {
        self.gateway.note_stream(&self.key, true);
    }
}
