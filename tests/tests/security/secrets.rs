//! No token, cookie, credential or connection token in any log, error, event or `Debug`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_core::{Event, HubConnection, HubConnectionBuilder, Proxy, RetryPolicy, Runtime, Secret, TokenPlacement};
use futures_util::StreamExt;
use mock_hub::script::{Answer, Reply, ScriptHub, Session};
use tests::capture;
use tests::events::{find, name};
use tests::records::{id_of, result};
use tests::scenarios;
use tests::tls::TlsServer;
use tests::wait::within;

use crate::canary::{assert_hidden, canary, percent_encoded};

scenarios! {
    nothing_secret_is_shown_over_a_whole_life,
    nothing_secret_is_shown_when_refused,
    nothing_secret_is_shown_when_nothing_works,
    nothing_secret_is_shown_under_tls,
}

/// Everything that a person may get to see of a connection.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn show(&self, what: &(impl std::fmt::Debug + ?Sized)) {
        self.0.lock().unwrap().push_str(&format!("{what:?}\n{what:#?}\n"));
    }

    fn print(&self, what: &(impl std::fmt::Debug + std::fmt::Display)) {
        self.show(what);
        self.0.lock().unwrap().push_str(&format!("{what}\n"));
    }

    fn check(&self, secrets: &[&str]) {
        assert_hidden(&self.0.lock().unwrap(), secrets);
        assert_hidden(&capture::captured(), secrets);
    }
}

fn name_of<R>(test: &str) -> String {
    format!("{test}{}", std::any::type_name::<R>().rsplit(':').next().unwrap_or_default())
}

fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(20)))
}

/// A builder with everything that is secret, each its own canary.
fn builder<R: Runtime>(url: String, token: &str, cookie: &str, shown: &Shown) -> HubConnectionBuilder<R> {
    let token = Secret::new(token);
    shown.show(&token);
    let builder = HubConnection::builder(url)
        .access_token(token)
        .token_placement(TokenPlacement::Both)
        .header("Cookie", format!("session={cookie}"))
        .header("X-Api-Key", cookie)
        .automatic_reconnect(soon());
    shown.show(&builder);
    builder
}

async fn nothing_secret_is_shown_over_a_whole_life<R: Runtime>() {
    capture::everything();
    let shown = Shown::default();
    let [token, cookie, connection_token, sticky, given] =
        ["token", "cookie", "connection", "sticky", "given"].map(|kind| canary(&name_of::<R>(kind)));
    let (connection_token_, sticky_, given_) = (connection_token.clone(), sticky.clone(), given.clone());
    let behind = ScriptHub::builder()
        .on_negotiate(move |_| {
            let body = format!(
                "{{\"negotiateVersion\":1,\"connectionId\":\"shown\",\"connectionToken\":\"{connection_token_}\",\
                 \"availableTransports\":[{{\"transport\":\"WebSockets\",\"transferFormats\":[\"Text\"]}}]}}"
            );
            Answer::json(body).header("Set-Cookie", &format!("affinity={sticky_}; Path=/; HttpOnly"))
        })
        .start(|mut session: Session| async move {
            session.handshake().await;
            while let Some(call) = session.recv_json().await {
                if call["target"] == "Die" {
                    return session.abort();
                }
                session.send_text(&result(id_of(&call), 1)).await;
            }
        })
        .unwrap();
    let target = behind.hub_url("/hub?access_token=in-the-way");
    let front = ScriptHub::builder()
        .on_negotiate(move |_| Answer::json(format!("{{\"url\":\"{target}\",\"accessToken\":\"{given_}\"}}")))
        .start(|_| async {})
        .unwrap();
    for (url, secrets) in [
        (front.hub_url("/hub"), [&given, &cookie, &connection_token, &sticky]),
        (behind.hub_url("/hub"), [&token, &cookie, &connection_token, &sticky]),
    ] {
        let connection = builder::<R>(url, &token, &cookie, &shown).build().unwrap();
        shown.show(&connection);
        shown.show(&connection.downgrade());
        let mut events = connection.events();
        within::<R, _>("the start", connection.start()).await.unwrap();
        shown.show(&connection);
        shown.show(&connection.connection_id());
        let mut told = Vec::new();
        for round in 0..2 {
            assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("One", (round,))).await, Ok(1));
            connection.send("Die", ()).await.unwrap();
            find::<R, _>("the reconnect", &mut events, |event| {
                told.push(event.clone());
                (name(event) == "restored").then_some(())
            })
            .await;
        }
        shown.show(&connection.invoke::<String>("One", ()).await.unwrap_err());
        within::<R, _>("the stop", connection.stop()).await;
        drop(connection);
        told.extend(std::iter::from_fn(|| futures_util::FutureExt::now_or_never(events.next()).flatten()));
        assert!(matches!(told.last(), Some(Event::Disconnected(_))), "{told:?}");
        told.iter().for_each(|event| shown.show(event));
        // They were there to get out: each went over the wire.
        let wire = format!("{:?}", behind.requests());
        for secret in secrets {
            assert!(wire.contains(&**secret) || wire.contains(&percent_encoded(secret)), "{secret} was never sent");
        }
    }
    shown.check(&[&token, &cookie, &connection_token, &sticky, &given]);
    // The trap would have caught something.
    let captured = capture::captured();
    for source in ["signalr_proto", "tungstenite"] {
        assert!(captured.contains(source), "nothing of {source} was captured");
    }
}

async fn nothing_secret_is_shown_when_refused<R: Runtime>() {
    capture::everything();
    let shown = Shown::default();
    let [token, cookie] = ["refusedtoken", "refusedcookie"].map(|kind| canary(&name_of::<R>(kind)));
    // A careless server repeats what it was sent, in every place it has.
    let echo = |request: &mock_hub::script::Request, status: u16| {
        let said = format!("{:?}", request.headers);
        let one_line: String = said.chars().filter(|character| *character != '\n').collect();
        Reply::from(Answer::new(status).header("Location", &request.target).header("X-Echo", &one_line).body(said))
    };
    for status in [200, 302, 400, 401, 403, 404, 418, 500, 503] {
        let hub = ScriptHub::builder()
            .on_negotiate(move |request| echo(request, status))
            .on_upgrade(move |request| echo(request, status))
            .start(|_| async {})
            .unwrap();
        for skip_negotiation in [false, true] {
            let builder = builder::<R>(hub.hub_url("/hub"), &token, &cookie, &shown).skip_negotiation(skip_negotiation);
            let connection = builder.build().unwrap();
            let error = within::<R, _>("the start fails", connection.start()).await.unwrap_err();
            shown.print(&error);
        }
        assert!(format!("{:?}", hub.requests()).contains(&token), "it was sent");
    }
    shown.check(&[&token, &cookie]);
}

async fn nothing_secret_is_shown_when_nothing_works<R: Runtime>() {
    capture::everything();
    let shown = Shown::default();
    let [token, cookie, password] = ["deadtoken", "deadcookie", "password"].map(|kind| canary(&name_of::<R>(kind)));
    let fail = async |builder: HubConnectionBuilder<R>| {
        let connection = builder.build().unwrap();
        let mut events = connection.events();
        let error = within::<R, _>("the start fails", connection.start()).await.unwrap_err();
        shown.print(&error);
        while let Some(Some(event)) = futures_util::FutureExt::now_or_never(events.next()) {
            shown.show(&event);
        }
    };
    let hub = ScriptHub::start(|mut session: Session| async move { session.ignore_until_close().await }).unwrap();
    let builder = || builder::<R>(hub.hub_url("/hub"), &token, &cookie, &shown);

    // Nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at_nobody = HubConnection::<R>::builder(format!("http://{nobody}/hub?key={token}")).access_token(&*token);
    shown.show(&at_nobody);
    fail(at_nobody).await;
    // The hub says nothing at all.
    fail(builder().handshake_timeout(Duration::from_millis(100))).await;
    // The token cannot be sent, or its provider fails, or hangs.
    fail(builder().access_token(format!("{token}\r\nX: y"))).await;
    fail(builder().access_token(format!("{token}é"))).await;
    fail(builder().access_token_provider(|| async { Err::<String, _>("no token today") })).await;
    let never = || std::future::pending::<Result<String, String>>();
    fail(builder().access_token_provider(never).connect_timeout(Duration::from_millis(100))).await;
    // The URL is so long that HTTP refuses it.
    fail(builder().access_token(token.repeat(2_000)).skip_negotiation(true)).await;
    // A proxy that refuses, and one that nobody runs.
    let url = |authority: &str| format!("http://user:{}@{authority}", password.replace('%', "%25").replace('/', "%2F"));
    let answering = ScriptHub::builder().on_negotiate(|_| Answer::new(407)).start(|_| async {}).unwrap();
    for authority in [answering.url().replace("http://", ""), nobody.to_string()] {
        let proxy = Proxy::http(&url(&authority)).unwrap();
        shown.show(&proxy);
        fail(builder().proxy(proxy)).await;
    }
    assert!(Proxy::http(&format!("https://user:{password}@h")).inspect_err(|error| shown.print(error)).is_err());
    // What is refused before anything is done.
    for refused in [
        HubConnection::<R>::builder(format!("http://user:{token}@localhost/hub")),
        HubConnection::<R>::builder(format!("http://example.com/hub?access_token={token}")).access_token(&*token),
        builder().header("X-Bad", format!("{cookie}\r\nX: y")),
        builder().header("Bad Name", &*cookie),
    ] {
        shown.show(&refused);
        shown.print(&refused.build().unwrap_err());
    }
    shown.check(&[&token, &cookie, &password]);
}

async fn nothing_secret_is_shown_under_tls<R: Runtime>() {
    capture::everything();
    let shown = Shown::default();
    let [token, cookie] = ["tlstoken", "tlscookie"].map(|kind| canary(&name_of::<R>(kind)));
    let server = TlsServer::start("{\"error\":\"no\"}".to_owned());
    for trusts in [true, false] {
        let builder = builder::<R>(server.url("/hub"), &token, &cookie, &shown);
        let builder = if trusts { builder.tls_config(server.client()) } else { builder };
        let connection = builder.build().unwrap();
        let error = within::<R, _>("the start fails", connection.start()).await.unwrap_err();
        shown.print(&error);
        let asked = server.requests().iter().any(|request| request.contains(&token));
        assert!(asked, "the token went to the server that is trusted, and only there");
        assert_eq!(server.requests().len(), 1);
    }
    shown.check(&[&token, &cookie]);
}
