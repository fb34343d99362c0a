//! What must not get out, and whom nothing may be told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod canary;
mod headers;
mod plaintext;
mod redirects;
mod secrets;
mod upgrade;

use adapter_core::{Cause, DisconnectReason, HubConnectionBuilder, Runtime, StartError};
use tests::wait::within;

/// Why a start fails.
async fn refusal<R: Runtime>(builder: HubConnectionBuilder<R>) -> DisconnectReason {
    let connection = builder.build().unwrap();
    match within::<R, _>("the start fails", connection.start()).await {
        Err(StartError::Failed(reason)) => reason,
        outcome => panic!("{outcome:?}"),
    }
}

/// That a start fails, and of what kind its failure is.
async fn refused<R: Runtime>(builder: HubConnectionBuilder<R>, cause: Cause) {
    let reason = refusal(builder).await;
    assert_eq!(reason.cause(), cause, "{reason}");
}
