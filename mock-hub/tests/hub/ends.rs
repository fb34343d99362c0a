//! What a test does to a connection, and how connections end.

use std::time::Duration;

use mock_hub::{Frame, How, Options};

use super::common::{Client, DEADLINE, End};
use super::{connected, start};

#[tokio::test]
async fn every_way_to_drop_a_connection_looks_as_it_should() {
    let hub = start(Options::default());
    let ends = [
        (How::Tcp, "", End::Lost),
        (How::Reset, "", End::Lost),
        (How::Close { allow_reconnect: false }, "{\"type\":7}\u{1e}", End::Closed(1000)),
        (How::Close { allow_reconnect: true }, "{\"type\":7,\"allowReconnect\":true}\u{1e}", End::Closed(1000)),
        (
            How::CloseWithError,
            "{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}",
            End::Closed(1000),
        ),
        (How::WebSocket(1012), "", End::Closed(1012)),
    ];
    let count = ends.len() as u64;
    for (how, text, end) in ends {
        let mut client = Client::connect(&hub.hub_url("conformance")).await;
        connected(&hub, 1).await;
        let id = hub.connections()[0].id.clone();
        assert!(hub.drop_connection(&id, how));
        assert_eq!(client.read_to_end().await, (text.to_owned(), end), "{how:?}");
        connected(&hub, 0).await;
        assert!(!hub.drop_connection(&id, how));
    }
    assert_eq!(hub.accepted(), count);
}

#[tokio::test]
async fn a_running_stream_ends_with_its_connection_and_drop_all_takes_everybody() {
    let hub = start(Options::default());
    let mut first = Client::connect(&hub.hub_url("conformance")).await;
    let mut second = Client::connect(&hub.hub_url("market")).await;
    first.send("{\"type\":4,\"invocationId\":\"s\",\"target\":\"Forever\",\"arguments\":[\"key\"]}\u{1e}").await;
    assert_eq!(first.json().await["item"], 0);
    assert_eq!(hub.drop_all(How::Tcp), 2);
    assert_eq!(first.read_to_end().await.1, End::Lost);
    assert_eq!(second.read_to_end().await.1, End::Lost);
    let mut third = Client::connect(&hub.hub_url("conformance")).await;
    loop {
        if third.call("w", "WasCancelled", "[\"key\"]").await["result"] == true {
            break;
        }
    }
}

#[tokio::test]
async fn raw_bytes_reach_the_client_as_they_are() {
    let hub = start(Options::default());
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    connected(&hub, 1).await;
    let id = hub.connections()[0].id.clone();
    assert!(hub.send_raw(&id, Frame::Binary(b"\x00\xff".to_vec())));
    assert_eq!(&client.message().await.unwrap().into_data()[..], b"\x00\xff");
    assert!(hub.send_record(&id, "{\"type\":99}"));
    assert_eq!(client.record().await, "{\"type\":99}");
    // A ping frame, by hand; then a text that is none.
    assert!(hub.send_raw(&id, Frame::Wire(b"\x81\x02ok".to_vec())));
    assert_eq!(client.message().await.unwrap().to_text().unwrap(), "ok");
    assert!(hub.send_raw(&id, Frame::Text(b"\xff".to_vec())));
    assert_eq!(client.message().await, Err(End::Lost));
    assert!(!hub.send_raw("nobody", Frame::Text(Vec::new())));
}

#[tokio::test]
async fn a_silenced_connection_says_nothing_and_stays() {
    let hub = start(Options { keep_alive: Duration::from_millis(20), ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    assert_eq!(client.record().await, "{\"type\":6}");
    assert!(hub.silence(&hub.connections()[0].id));
    client.send("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}").await;
    hub.calls_where(|calls| calls.len() == 1, DEADLINE).await.unwrap();
    // Whatever had left before the silence.
    while !client.is_silent_for(Duration::from_millis(200)).await {}
    assert_eq!(hub.connections().len(), 1);
    drop(client);
    connected(&hub, 0).await;
}

#[tokio::test]
async fn pings_come_by_themselves_and_a_client_that_pinged_must_go_on() {
    let options = Options {
        keep_alive: Duration::from_millis(20),
        client_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    let hub = start(options);
    let mut never_pinged = Client::connect(&hub.hub_url("conformance")).await;
    let mut pinged = Client::connect(&hub.hub_url("conformance")).await;
    pinged.send("{\"type\":6}\u{1e}").await;
    let (text, end) = pinged.read_to_end().await;
    assert!(text.starts_with("{\"type\":6}\u{1e}"), "{text}");
    assert!(
        text.ends_with("{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}"),
        "{text}"
    );
    assert_eq!(end, End::Closed(1000));
    for _ in 0..10 {
        assert_eq!(never_pinged.record().await, "{\"type\":6}");
    }
}

#[test]
fn stop_ends_the_thread_and_every_socket_without_a_runtime_of_the_caller() {
    use std::io::Read;
    let hub = start(Options::default());
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", hub.port())).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    hub.stop();
    let mut byte = [0];
    assert!(matches!(socket.read(&mut byte), Ok(0) | Err(_)));
    assert!(std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_err());
    hub.stop();
    assert!(!hub.wait_until(Duration::from_millis(10), |_| false));
}
