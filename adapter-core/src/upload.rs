//! Streams that the application sends.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_core::Stream;
use futures_util::StreamExt;
use serde::Serialize;
use signalr_proto::{Command, Token, UploadRoom};

use crate::shared::{Shared, Task};

/// Items as JSON text, or the text of the error that ends the stream.
pub(crate) type BoxUpload = Pin<Box<dyn Stream<Item = Result<String, String>> + Send>>;

pub(crate) fn boxed<T, E, S>(items: S) -> BoxUpload
where
    T: Serialize,
    E: std::fmt::Display,
    S: Stream<Item = Result<T, E>> + Send + 'static,
{
    Box::pin(items.map(|item| match item {
        Ok(item) => serde_json::to_string(&item).map_err(|error| format!("an item cannot be written as JSON: {error}")),
        Err(error) => Err(error.to_string()),
    }))
}

/// Sends the items, one when there is room, until the stream or the call is over.
pub(crate) fn run(shared: Arc<Shared>, call: Token, stream: usize, mut items: BoxUpload) -> Task {
    Box::pin(async move {
        loop {
            // Room first: an item that was taken from the application must not be lost for want of it.
            if wait(&shared, call, stream, None).await.is_none() {
                return;
            }
            let Some(item) = wait(&shared, call, stream, Some(&mut items)).await else { return };
            let token = shared.next_token();
            match item {
                Some(Ok(item)) => shared.command(token, Command::UploadItem { call, stream, item }),
                Some(Err(error)) => {
                    return shared.command(token, Command::UploadEnd { call, stream, error: Some(error) });
                }
                None => return shared.command(token, Command::UploadEnd { call, stream, error: None }),
            }
        }
    })
}

/// Waits for room (without `items`) or for the next item; `None` when the call is over.
async fn wait(
    shared: &Shared,
    call: Token,
    stream: usize,
    mut items: Option<&mut BoxUpload>,
) -> Option<Option<Result<String, String>>> {
    poll_fn(|context| {
        let mut core = shared.lock();
        let room = core.machine.upload_room(call, stream);
        // Whatever is waited for, the end of the call ends it.
        core.await_room(context.waker());
        drop(core);
        match (room, &mut items) {
            (UploadRoom::Gone, _) => Poll::Ready(None),
            (UploadRoom::Open, None) => Poll::Ready(Some(None)),
            (UploadRoom::Full, None) => Poll::Pending,
            (_, Some(items)) => items.poll_next_unpin(context).map(Some),
        }
    })
    .await
}
