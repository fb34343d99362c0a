//! Connections that are over, and what they still send.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use adapter_core::{CallError, Delivery, HubConnection, NotSent, RetryPolicy, Runtime, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::events::up_to;
use tests::records::{ACCEPTED, event, id_of, result};
use tests::scenarios;
use tests::wait::{DEADLINE, eventually, next, within};
use tungstenite::{Message, WebSocket};

use super::{builder, connect, ms};

scenarios! {
    cf_34_late_bytes_old_generation,
    cf_40_half_close_server,
}

/// The hub falls silent and is given up; when the next connection is there, the old one sends what it had kept.
async fn cf_34_late_bytes_old_generation<R: Runtime>() {
    let (told, is_new) = tokio::sync::watch::channel(false);
    let hub = ScriptHub::start(move |mut session: Session| {
        let (told, mut is_new) = (told.clone(), is_new.clone());
        async move {
            session.handshake().await;
            if session.serial() == 0 {
                session.send_text(&event("Number", &json!([1]))).await;
                is_new.wait_for(|is_new| *is_new).await.unwrap();
                for number in 2..100 {
                    // Sooner or later nobody is there any more.
                    session.send_text(&event("Number", &json!([number]))).await;
                }
                return;
            }
            told.send_replace(true);
            while let Some(call) = session.recv_json().await {
                for number in 100..110 {
                    session.send_text(&event("Number", &json!([number]))).await;
                }
                session.send_text(&result(id_of(&call), 7)).await;
            }
        }
    })
    .unwrap();
    let builder = builder::<R>(&hub).server_timeout(ms(700)).keep_alive_interval(ms(100));
    let connection = connect(builder.automatic_reconnect(RetryPolicy::delays([ms(0); 50]))).await;
    let mut events = connection.lifecycle();
    let mut numbers = connection.on::<(i64,)>("Number");
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["reconnecting:server_timeout", "waiting:server_timeout", "reconnected", "restored"]);
    eventually::<R>("the old connection has sent all it had", || hub.finished() >= 1).await;
    assert_eq!(within::<R, _>("the call", connection.invoke::<i64>("Count", ())).await, Ok(7));
    let mut got = Vec::new();
    while got.last() != Some(&109) {
        match next::<R, _>("a number", &mut numbers).await {
            Delivery::Value((number,)) => got.push(number),
            Delivery::Gap(_) => got.push(-1),
            other => panic!("{other:?}"),
        }
    }
    // The first number may have come before anybody listened.
    got.retain(|number| *number != 1);
    assert_eq!(got, [&[-1][..], &(100..110).collect::<Vec<_>>()].concat());
}

/// The hub's side ends, ours is open: what came before the end counts, and nothing is written into it any more.
async fn cf_40_half_close_server<R: Runtime>() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let written = Arc::<Mutex<Vec<String>>>::default();
    let log = written.clone();
    let (ended, end) = mpsc::channel();
    let serving = thread::spawn(move || {
        let (mut first, mut old) = accept(&listener);
        for number in 0..3 {
            first.send(Message::text(event("Number", &json!([number])))).unwrap();
        }
        let ping = first.read().unwrap();
        log.lock().unwrap().push(ping.to_string());
        first.get_ref().shutdown(Shutdown::Write).unwrap();
        let (mut second, mut socket) = accept(&listener);
        end.recv().unwrap();
        // Everything that was written to the old connection, up to its end.
        while let Ok(message) = first.read() {
            log.lock().unwrap().push(message.to_string());
        }
        // Neither need be open still.
        _ = second.close(None);
        _ = (old.flush(), socket.flush());
    });
    let builder = HubConnection::<R>::builder(format!("http://127.0.0.1:{port}/hub")).skip_negotiation(true);
    let connection = builder.automatic_reconnect(RetryPolicy::delays([ms(300); 50])).build().unwrap();
    let mut events = connection.lifecycle();
    let mut numbers = connection.on::<(i64,)>("Number");
    within::<R, _>("the start", connection.start()).await.unwrap();
    for number in 0..3 {
        assert_eq!(next::<R, _>("a number", &mut numbers).await, Delivery::Value((number,)));
    }
    let names = up_to::<R>(&mut events, "waiting:lost").await;
    assert!(names.contains(&"reconnecting:lost".to_owned()), "{names:?}");
    let outcome = within::<R, _>("the call", connection.invoke::<()>("Late", ())).await;
    assert!(
        matches!(&outcome, Err(CallError::NotSent(NotSent::NotConnected(State::Reconnecting)))),
        "nothing of it may be written: {outcome:?}"
    );
    up_to::<R>(&mut events, "restored").await;
    ended.send(()).unwrap();
    serving.join().unwrap();
    let written = written.lock().unwrap();
    assert_eq!(*written, [tests::records::PING], "the ping of before, and nothing after it");
}

/// A WebSocket after its handshake, and its socket.
fn accept(listener: &TcpListener) -> (WebSocket<TcpStream>, TcpStream) {
    let (socket, _) = listener.accept().unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut websocket = tungstenite::accept(socket.try_clone().unwrap()).unwrap();
    assert!(websocket.read().unwrap().is_text(), "the handshake");
    websocket.send(Message::text(ACCEPTED)).unwrap();
    (websocket, socket)
}
