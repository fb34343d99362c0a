//! Violations of WebSocket itself (RFC 6455).

use adapter_core::Runtime;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tests::scenarios;

use super::{Case, survives};

scenarios! { frames_that_break_the_rules_end_the_connection }

/// A deed that writes these bytes below the WebSocket.
macro_rules! bytes {
    ($name:literal, $bytes:expr) => {
        Case {
            name: $name,
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    session.write_raw_bytes(&$bytes).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        }
    };
}

async fn frames_that_break_the_rules_end_the_connection<R: Runtime>() {
    let cases = [
        bytes!("a masked frame", [0x81, 0x82, 1, 2, 3, 4, b'{' ^ 1, b'}' ^ 2]),
        bytes!("the first reserved bit", [0xc1, 2, b'{', b'}']),
        bytes!("the second reserved bit", [0xa1, 2, b'{', b'}']),
        bytes!("the third reserved bit", [0x91, 2, b'{', b'}']),
        bytes!("a reserved data opcode", [0x83, 0]),
        bytes!("a reserved control opcode", [0x8b, 0]),
        bytes!("a fragmented ping", [0x09, 0]),
        bytes!("a ping of 126 bytes", [vec![0x89, 126, 0, 126], vec![0; 126]].concat()),
        bytes!("a continuation of nothing", [0x80, 0]),
        bytes!("a message inside of another", [0x01, 1, b'{', 0x81, 1, b'}']),
        bytes!("a close of one byte", [0x88, 1, 3]),
        bytes!("not a frame at all", [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[b' '; 200]].concat()),
    ];
    join_all(cases.iter().map(survives::<R>)).await;
}
