//! Building: what cannot work is an error, never a panic.

use std::time::Duration;

use adapter_core::{ConfigError, HubConnection, Runtime, State};
use futures_util::StreamExt;
use tests::scenarios;
use tests::wait::within;
use tests::{AsyncStd, Tokio};

use super::{builder, echo_hub};

scenarios! {
    options_out_of_range_are_refused,
    a_connection_can_be_built_here_and_used_there,
    the_application_may_drive_it,
}

#[test]
fn without_a_tokio_runtime_it_is_an_error() {
    let error = HubConnection::<Tokio>::builder("http://127.0.0.1:1/hub").build().map(drop).unwrap_err();
    assert!(matches!(error, ConfigError::NoRuntime(_)), "{error:?}");
    assert!(error.to_string().contains("tokio"), "{error}");
    // The driver needs a runtime no sooner than it is polled.
    HubConnection::<Tokio>::builder("http://127.0.0.1:1/hub").build_with_driver().map(drop).unwrap();
}

#[test]
fn async_std_s_runtime_is_everywhere() {
    let connection = HubConnection::<AsyncStd>::builder("http://127.0.0.1:1/hub").build().unwrap();
    assert_eq!(connection.state(), State::Disconnected);
}

async fn options_out_of_range_are_refused<R: Runtime>() {
    let builder = || HubConnection::<R>::builder("http://127.0.0.1:1/hub");
    for (name, refused) in [
        ("handshake_timeout", builder().handshake_timeout(Duration::ZERO)),
        ("connect_timeout", builder().connect_timeout(Duration::ZERO)),
        ("stop_timeout", builder().stop_timeout(Duration::ZERO)),
        ("max_record_bytes", builder().max_record_bytes(0)),
    ] {
        let outcome = refused.build().map(drop);
        assert!(matches!(&outcome, Err(ConfigError::Option { option, .. }) if *option == name), "{outcome:?}");
    }
    // Zero switches these off.
    let off = builder().keep_alive_interval(Duration::ZERO).server_timeout(Duration::ZERO).call_timeout(Duration::ZERO);
    off.build().unwrap();
}

async fn a_connection_can_be_built_here_and_used_there<R: Runtime>() {
    let hub = echo_hub();
    let connection = builder::<R>(&hub).build().unwrap();
    // A thread that knows no runtime may command it; its futures only need to be polled.
    let there = std::thread::spawn(move || {
        futures_util::FutureExt::now_or_never(connection.stop());
        connection
    });
    let connection = there.join().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(connection.invoke::<i64>("Echo", (7,)).await, Ok(7));
}

async fn the_application_may_drive_it<R: Runtime>() {
    let hub = echo_hub();
    let (connection, mut driver) = builder::<R>(&hub).build_with_driver().unwrap();
    let work = async {
        connection.start().await.unwrap();
        assert_eq!(connection.invoke::<i64>("Echo", (7,)).await, Ok(7));
        connection.stop().await;
        drop(connection);
    };
    let drive = async {
        let mut names = Vec::new();
        while let Some(event) = driver.next().await {
            names.push(tests::events::name(&event));
        }
        names
    };
    let ((), names) =
        within::<R, _>("the work is done and the driver ends", futures_util::future::join(work, drive)).await;
    assert_eq!(names, ["connected", "disconnected:stopped"]);
}
