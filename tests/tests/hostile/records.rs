//! Records that are none.

use adapter_core::Runtime;
use futures_util::FutureExt;
use futures_util::future::join_all;
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::records::event;
use tests::scenarios;

use super::{Case, ends, survives};

scenarios! {
    a_record_that_is_none_ends_the_connection,
    a_record_that_is_too_long_ends_the_connection,
    text_that_is_not_utf8_ends_the_connection,
    without_a_policy_it_is_the_end,
}

/// Texts that end the connection as protocol violations; each is followed by a good event in the same message, which must not be heard.
const TEXTS: &[&str] = &[
    "",
    " ",
    "garbage",
    "<html>503</html>",
    "null",
    "true",
    "7",
    "\"text\"",
    "[]",
    "[{\"type\":6}]",
    "{",
    "{\"type\":6",
    "{\"type\":6}}",
    "{\"type\":6}{\"type\":6}",
    "{\"type\":6} x",
    "{\"type\":6,}",
    "{\"type\":6 \"x\":1}",
    "{type:6}",
    "{'type':6}",
    "\u{feff}{\"type\":6}",
    "\0{\"type\":6}",
    "// comment\n{\"type\":6}",
    "{\"type\":06}",
    "{\"type\":+6}",
    "{\"type\":NaN}",
    "{\"x\":\"\u{1}\",\"type\":6}",
    "{\"x\":\"\\q\",\"type\":6}",
    "{\"x\":\"\\u12\",\"type\":6}",
    "{}",
    "{\"Type\":6}",
    "{\"type\":null}",
    "{\"type\":\"6\"}",
    "{\"type\":6.5}",
    "{\"type\":{}}",
    "{\"type\":1}",
    "{\"type\":1,\"target\":\"Good\"}",
    "{\"type\":1,\"arguments\":[2]}",
    "{\"type\":1,\"target\":null,\"arguments\":[2]}",
    "{\"type\":1,\"target\":5,\"arguments\":[2]}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":{}}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":null}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":2}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":[2],\"invocationId\":5}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":[2]",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":[2]],\"x\":1}",
    "{\"type\":1,\"target\":\"Good\",\"arguments\":[2,]}",
    "{\"type\":2}",
    "{\"type\":2,\"invocationId\":\"1\"}",
    "{\"type\":2,\"item\":1}",
    "{\"type\":3}",
    "{\"type\":3,\"result\":1}",
    "{\"type\":3,\"invocationId\":5}",
    "{\"type\":3,\"invocationId\":\"1\",\"error\":5}",
    "{\"type\":3,\"invocationId\":\"1\",\"error\":\"x\",\"result\":1}",
    "{\"type\":7,\"error\":5}",
    "{\"type\":7,\"allowReconnect\":\"yes\"}",
];

async fn a_record_that_is_none_ends_the_connection<R: Runtime>() {
    for text in TEXTS {
        case::<R>(text).await;
    }
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    // The record's own object is the first of the 64.
    case::<R>(&format!("{{\"type\":6,\"x\":{}}}", deep(64))).await;
    case::<R>(&format!("{{\"type\":1,\"target\":\"Good\",\"arguments\":{}}}", deep(64))).await;
    case::<R>(&format!("{{\"type\":1,\"target\":\"Nobody\",\"arguments\":{}}}", deep(200_000))).await;
    case::<R>(&"[".repeat(400_000)).await;
    case::<R>(&"{\"\":".repeat(100_000)).await;
    case::<R>(&format!("{{\"type\":1,\"target\":\"Good\",\"arguments\":{}}}", "[{\"\":".repeat(50_000))).await;
}

/// A text, told to a client of its own.
async fn case<R: Runtime>(text: &str) {
    use adapter_core::{Event, HubConnection};
    use tests::events::{find, up_to};
    use tests::wait::{next, within};

    let frame = format!("{}{text}\u{1e}{}", event("Good", &json!([1])), event("Good", &json!([3])));
    let hub = ScriptHub::start(move |mut session: Session| {
        let frame = frame.clone();
        async move {
            if session.serial() > 0 {
                return super::behave(session).await;
            }
            session.handshake().await;
            session.send_text(&frame).await;
            session.ignore_until_close().await;
        }
    })
    .unwrap();
    let what: String = text.chars().take(80).collect();
    let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).skip_negotiation(true);
    let connection = builder.automatic_reconnect(super::soon()).build().unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    let mut events = connection.events();
    within::<R, _>(&what, connection.start()).await.unwrap();
    let mut violations = 0;
    let reason = find::<R, _>(&what, &mut events, |event| match event {
        Event::Violation(_) => {
            violations += 1;
            None
        }
        Event::Reconnecting(reason) => Some(reason.clone()),
        _ => None,
    })
    .await;
    assert_eq!((reason.cause().as_str(), violations), ("protocol_violation", 1), "{what}: {reason}");
    assert!(reason.explain().len() < 1_000 && !reason.explain().contains(char::is_control), "{what}: {reason:?}");
    up_to::<R>(&mut events, "restored").await;
    assert_eq!(within::<R, _>(&what, connection.invoke::<i64>("Seven", ())).await, Ok(7), "{what}");
    assert_eq!(next::<R, _>(&what, &mut good).await.into_value(), Some((1,)), "{what}");
    assert!(next::<R, _>(&what, &mut good).await.into_value().is_none(), "{what}: what follows is dropped");
}

fn padded(bytes: usize) -> String {
    event("Good", &json!([2, "x".repeat(bytes)]))
}

async fn a_record_that_is_too_long_ends_the_connection<R: Runtime>() {
    let cases = [
        Case {
            name: "2 MiB in one message",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    session.send_text(&padded(2 << 20)).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a little over 1 MiB",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    session.send_text(&padded(1 << 20)).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "piece by piece, with no end",
            cause: "oversize",
            deed: |mut session| async move { while session.send_text(&"x".repeat(64 << 10)).await {} }.boxed(),
        },
        Case {
            name: "in fragments, with no end",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    let mut frame = vec![0x00, 127];
                    frame.extend((64_u64 << 10).to_be_bytes());
                    frame.extend(vec![b'x'; 64 << 10]);
                    session.write_raw_bytes(&[0x01, 0]).await;
                    while session.write_raw_bytes(&frame).await {}
                }
                .boxed()
            },
        },
        Case {
            name: "a message of 5 MiB of short records",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    session.send_text(&event("Good", &json!([2])).repeat(130_000)).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a frame that announces 2^62 bytes",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    let mut frame = vec![0x81, 127];
                    frame.extend((1_u64 << 62).to_be_bytes());
                    session.write_raw_bytes(&frame).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
    ];
    join_all(cases.iter().map(survives::<R>)).await;
}

async fn text_that_is_not_utf8_ends_the_connection<R: Runtime>() {
    let cases = [
        Case {
            name: "a text message with a lone byte",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    let record = event("Good", &json!(["é"])).into_bytes();
                    let cut = record.iter().position(|byte| *byte == 0xc3).unwrap();
                    session.send_fragmented(&[&record[..cut], &record[cut + 1..]]).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a character cut over two text messages",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    let record = event("Good", &json!(["é"])).into_bytes();
                    let cut = record.iter().position(|byte| *byte == 0xc3).unwrap();
                    session.send_fragmented(&[&record[..=cut]]).await;
                    session.send_fragmented(&[&record[cut + 1..]]).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a surrogate, an overlong slash and a byte that is never used",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    session.send_fragmented(&[b"{\"type\":6,\"x\":\"\xed\xa0\x80\xc0\xaf\xff\"}\x1e"]).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "a binary record",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    session.send_binary(b"{\"type\":1,\"target\":\"Good\",\"arguments\":[\"\xff\"]}\x1e").await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "binary noise",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    session.send_binary(&(0..=255).cycle().take(4_096).collect::<Vec<u8>>()).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
    ];
    join_all(cases.iter().map(survives::<R>)).await;
}

async fn without_a_policy_it_is_the_end<R: Runtime>() {
    let cases = [
        Case {
            name: "garbage",
            cause: "protocol_violation",
            deed: |mut session| {
                async move {
                    session.send_text("garbage\u{1e}").await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case {
            name: "too long",
            cause: "oversize",
            deed: |mut session| {
                async move {
                    session.send_text(&padded(2 << 20)).await;
                    session.ignore_until_close().await;
                }
                .boxed()
            },
        },
        Case { name: "reset", cause: "lost", deed: |session| async move { session.abort() }.boxed() },
    ];
    join_all(cases.iter().map(ends::<R>)).await;
}
