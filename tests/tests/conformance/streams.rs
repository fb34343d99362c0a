//! Streams both ways.

use adapter_core::{CallError, Runtime, StreamError};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tests::conformance;
use tests::hubs::Server;
use tests::wait::{next, within};

use super::{builder, connect};

conformance! {
    streams_give_their_items_and_end,
    streams_fail_in_the_hub_s_words,
    a_dropped_stream_stops_the_hub_s_method,
    many_streams_run_beside_each_other,
    an_upload_is_summed_up,
    two_uploads_keep_apart,
    a_pipe_goes_both_ways,
    an_upload_s_error_reaches_the_hub,
}

fn numbers(
    numbers: impl IntoIterator<Item = i64> + Send + 'static,
) -> impl futures_util::Stream<Item = Result<i64, String>> + Send {
    stream::iter(numbers.into_iter().map(Ok).collect::<Vec<_>>())
}

fn words(words: &[&'static str]) -> impl futures_util::Stream<Item = Result<&'static str, String>> + Send + use<> {
    stream::iter(words.iter().copied().map(Ok).collect::<Vec<_>>())
}

async fn streams_give_their_items_and_end<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    for (method, count, delay) in
        [("Counter", 5, 0), ("CounterChannel", 5, 0), ("Counter", 3, 20), ("Counter", 0, 0), ("Counter", 5_000, 0)]
    {
        let stream = connection.stream::<i64>(method, (count, delay));
        let items: Vec<_> = within::<R, _>("the stream", stream.collect::<Vec<_>>()).await;
        assert_eq!(items, (0..count).map(Ok).collect::<Vec<_>>(), "{method}");
    }
}

async fn streams_fail_in_the_hub_s_words<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let mut failing = connection.stream::<i64>("CounterThenThrow", (2, "that was all"));
    assert_eq!(next::<R, _>("an item", &mut failing).await, Ok(0));
    assert_eq!(next::<R, _>("an item", &mut failing).await, Ok(1));
    let error = next::<R, _>("the error", &mut failing).await;
    assert!(matches!(&error, Err(StreamError::Hub(error)) if error.message.contains("that was all")), "{error:?}");
    assert_eq!(within::<R, _>("the end", failing.next()).await, None);
    for (method, expected) in
        [("Nothing", "Method does not exist."), ("Add", "non-streaming 'Add' method with a streaming invocation")]
    {
        let mut stream = connection.stream::<Value>(method, (1, 2));
        let error = next::<R, _>("the error", &mut stream).await;
        assert!(matches!(&error, Err(StreamError::Hub(error)) if error.message.contains(expected)), "{error:?}");
    }
    // Items that do not fit are told one by one; the stream goes on.
    let misfits = connection.stream::<String>("Counter", (3, 0)).collect::<Vec<_>>();
    let misfits = within::<R, _>("the stream", misfits).await;
    assert!(
        misfits.len() == 3 && misfits.iter().all(|item| matches!(item, Err(StreamError::Decode(_)))),
        "{misfits:?}"
    );
}

async fn a_dropped_stream_stops_the_hub_s_method<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let key = format!("{}-{}", std::any::type_name::<R>(), super::id(&connection));
    let mut stream = connection.stream::<i64>("Forever", (&key,));
    for serial in 0..3 {
        assert_eq!(next::<R, _>("an item", &mut stream).await, Ok(serial));
    }
    assert_eq!(connection.invoke::<bool>("WasCancelled", (&key,)).await, Ok(false));
    drop(stream);
    let was_cancelled = async { while connection.invoke::<bool>("WasCancelled", (&key,)).await != Ok(true) {} };
    within::<R, _>("the hub's method hears of it", was_cancelled).await;
    assert_eq!(connection.counters().violations, 0);
}

async fn many_streams_run_beside_each_other<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let streams = (0..20).map(|count| {
        let stream = connection.stream::<i64>("Counter", (count * 10, 0));
        async move { assert_eq!(stream.collect::<Vec<_>>().await, (0..count * 10).map(Ok).collect::<Vec<_>>()) }
    });
    within::<R, _>("all of them", futures_util::future::join_all(streams)).await;
}

async fn an_upload_is_summed_up<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    for count in [0, 1, 5, 2_000] {
        let upload = connection.call("Upload").upload(numbers(1..=count));
        let sum = within::<R, _>("the sum", upload.invoke::<i64>()).await;
        assert_eq!(sum, Ok(count * (count + 1) / 2));
    }
    // A send has no answer, and its stream goes on all the same.
    within::<R, _>("the send", connection.call("Upload").upload(numbers(1..=100)).send()).await.unwrap();
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Add", (1, 2))).await, Ok(3));
}

async fn two_uploads_keep_apart<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let call = connection.call("UploadTwo").upload(numbers(1..=10)).upload(words(&["a", "é", ""]));
    assert_eq!(within::<R, _>("the sum", call.invoke::<String>()).await.as_deref(), Ok("55:a,é,"));
    // Each is longer than the hub holds of it at once.
    let long = connection.call("UploadTwo").upload(numbers(std::iter::repeat_n(1, 500))).upload(words(&["w"; 500]));
    let answer = within::<R, _>("the sum", long.invoke::<String>()).await.unwrap();
    assert_eq!(answer, format!("500:{}", ["w"; 500].join(",")));
}

async fn a_pipe_goes_both_ways<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let pipe = connection.call("Pipe").upload(words(&["one", "two", "three"])).stream::<String>();
    let items: Vec<_> = within::<R, _>("the stream", pipe.collect::<Vec<_>>()).await;
    assert_eq!(items, ["ONE", "TWO", "THREE"].map(|word| Ok(word.to_owned())));

    // One at a time: what came back decides what goes out.
    let (sender, receiver) = futures_channel::mpsc::unbounded();
    let mut pipe = connection.call("Pipe").upload(receiver.map(Ok::<String, String>)).stream::<String>();
    let mut word = "a".to_owned();
    for _ in 0..10 {
        sender.unbounded_send(word.clone()).unwrap();
        let back = next::<R, _>("the word", &mut pipe).await.unwrap();
        assert_eq!(back, word.to_uppercase());
        word = format!("{back}b");
    }
    drop(sender);
    assert_eq!(within::<R, _>("the end", pipe.next()).await, None);
}

async fn an_upload_s_error_reaches_the_hub<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let failing = stream::iter([Ok(1), Err("the disk is full")]);
    let outcome = within::<R, _>("the error", connection.call("Upload").upload(failing).invoke::<i64>()).await;
    let Err(CallError::Hub(error)) = &outcome else { panic!("{outcome:?}") };
    assert!(error.message.contains("'Upload'"), "{error}");
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}
