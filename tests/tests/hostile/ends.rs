//! Ends of every kind, with and without a word, in the middle of things.

use adapter_core::Runtime;
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tests::records::event;
use tests::scenarios;

use super::{Case, survives};

scenarios! {
    every_close_code_is_a_loss,
    half_a_record_is_no_record,
}

macro_rules! close {
    ($($code:literal),*) => {
        [$(Case {
            name: concat!("close ", $code),
            cause: "lost",
            deed: |mut session| async move { session.close($code).await }.boxed(),
        }),*]
    };
}

async fn every_close_code_is_a_loss<R: Runtime>() {
    let cases = close!(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4999);
    join_all(cases.iter().map(survives::<R>)).await;
    let cases = [
        Case {
            name: "a close without a code",
            cause: "lost",
            deed: |mut session| {
                async move {
                    session.write_raw_bytes(&[0x88, 0]).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a close with a reason full of control characters",
            cause: "lost",
            deed: |mut session| {
                async move {
                    session.write_raw_bytes(b"\x88\x0b\x03\xe8\x1b[31m\r\n\0x").await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
    ];
    join_all(cases.iter().map(survives::<R>)).await;
}

fn half() -> String {
    let record = event("Good", &json!([2]));
    record[..record.len() - 1].to_owned()
}

async fn half_a_record_is_no_record<R: Runtime>() {
    let cases = [
        Case {
            name: "half a record, then a close",
            cause: "lost",
            deed: |mut session| {
                async move {
                    session.send_text(&half()).await;
                    session.close(1000).await;
                }
                .boxed()
            },
        },
        Case {
            name: "half a record, then the end",
            cause: "lost",
            deed: |mut session| async move { _ = session.send_text(&half()).await }.boxed(),
        },
        Case {
            name: "half a record, then a reset",
            cause: "lost",
            deed: |mut session| {
                async move {
                    session.send_text(&half()).await;
                    session.abort();
                }
                .boxed()
            },
        },
        Case {
            name: "half a message, then the end",
            cause: "lost",
            deed: |mut session| async move { _ = session.write_raw_bytes(&[0x01, 1, b'{']).await }.boxed(),
        },
        Case {
            name: "half a frame, then the end",
            cause: "lost",
            deed: |mut session| async move { _ = session.write_raw_bytes(&[0x81, 10, b'{']).await }.boxed(),
        },
        Case {
            name: "half a frame's head, then the end",
            cause: "lost",
            deed: |mut session| async move { _ = session.write_raw_bytes(&[0x81, 127, 0]).await }.boxed(),
        },
        Case { name: "the end", cause: "lost", deed: |session| async move { drop(session) }.boxed() },
        Case { name: "a reset", cause: "lost", deed: |session| async move { session.abort() }.boxed() },
    ];
    join_all(cases.iter().map(survives::<R>)).await;
}
