//! Where a redirect may lead, and what goes with it.

use adapter_core::{Cause, HubConnection, HubConnectionBuilder, Runtime, TokenPlacement};
use mock_hub::script::{Answer, Reply, Request, ScriptHub, Session};
use tests::scenarios;
use tests::tls::TlsServer;
use tests::wait::within;

use super::refused;

scenarios! {
    another_origin_gets_neither_token_nor_credentials,
    another_origin_gets_the_token_that_came_with_the_redirect,
    the_way_back_home_may_use_the_token_again,
    cookies_stay_with_their_origin,
    https_does_not_lead_to_http,
    a_token_is_not_led_to_plain_http,
    an_http_redirect_is_not_followed,
}

const TOKEN: &str = "the-providers-token";
const GIVEN: &str = "the-redirects-token";
const COOKIE: &str = "session=my-own-cookie";

/// A hub that accepts everybody.
fn open_hub() -> ScriptHub {
    ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.ignore_until_close().await;
    })
    .unwrap()
}

/// A hub whose negotiation always answers this.
fn redirecting(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> ScriptHub {
    ScriptHub::builder().on_negotiate(answer).start(|_| async {}).unwrap()
}

fn to(url: &str) -> Answer {
    Answer::json(format!("{{\"url\":\"{url}\"}}"))
}

fn to_with_token(url: &str) -> Answer {
    Answer::json(format!("{{\"url\":\"{url}\",\"accessToken\":\"{GIVEN}\"}}"))
}

fn builder<R: Runtime>(hub: &ScriptHub, placement: TokenPlacement) -> HubConnectionBuilder<R> {
    let builder = HubConnection::builder(hub.hub_url("/hub")).access_token(TOKEN).token_placement(placement);
    builder.header("Cookie", COOKIE).header("Proxy-Authorization", "Basic c2VjcmV0").header("X-Trace", "1")
}

/// All that a server was sent.
fn heard(hub: &ScriptHub) -> String {
    hub.requests().iter().map(|request| format!("{} {:?}\n", request.target, request.headers)).collect()
}

const PLACEMENTS: [TokenPlacement; 3] = [TokenPlacement::Header, TokenPlacement::Query, TokenPlacement::Both];

async fn another_origin_gets_neither_token_nor_credentials<R: Runtime>() {
    for placement in PLACEMENTS {
        let other = open_hub();
        // The same host by another port, or by another name, is another origin.
        for url in [other.hub_url("/hub"), other.hub_url("/hub").replace("127.0.0.1", "localhost")] {
            let home = redirecting(move |_| to(&url));
            let connection = builder::<R>(&home, placement).build().unwrap();
            within::<R, _>("the start", connection.start()).await.unwrap();
            assert!(heard(&home).contains(TOKEN) && heard(&home).contains(COOKIE), "home gets them");
        }
        assert_eq!(other.requests().len(), 4, "two negotiations and two upgrades");
        for secret in [TOKEN, "my-own-cookie", "c2VjcmV0", "Bearer", "access_token"] {
            assert!(!heard(&other).contains(secret), "{secret} got to {}", heard(&other));
        }
        assert!(heard(&other).contains("x-trace") || heard(&other).contains("X-Trace"), "other headers go along");
    }
}

async fn another_origin_gets_the_token_that_came_with_the_redirect<R: Runtime>() {
    for placement in PLACEMENTS {
        let other = open_hub();
        let url = other.hub_url("/hub");
        let home = redirecting(move |_| to_with_token(&url));
        let connection = builder::<R>(&home, placement).build().unwrap();
        within::<R, _>("the start", connection.start()).await.unwrap();
        let requests = other.requests();
        let negotiated = requests[0].header("authorization");
        assert_eq!(negotiated, Some(&*format!("Bearer {GIVEN}")));
        let (in_header, in_query) = (requests[1].header("authorization").is_some(), requests[1].query("access_token"));
        assert_eq!(in_header, placement != TokenPlacement::Query);
        assert_eq!(in_query, (placement != TokenPlacement::Header).then_some(GIVEN));
        for secret in [TOKEN, "my-own-cookie", "c2VjcmV0"] {
            assert!(!heard(&other).contains(secret), "{secret} got to {}", heard(&other));
        }
    }
}

async fn the_way_back_home_may_use_the_token_again<R: Runtime>() {
    let home = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let back = home.clone();
    let other = redirecting(move |_| to(&format!("{}/second", back.get().unwrap())));
    let away = other.hub_url("/hub");
    let hub = ScriptHub::builder()
        .on_negotiate(move |request| match request.path().starts_with("/second") {
            true => Reply::Accept,
            false => to(&away).into(),
        })
        .start(|mut session: Session| async move {
            session.handshake().await;
            session.ignore_until_close().await;
        })
        .unwrap();
    home.set(hub.url()).unwrap();
    let connection = builder::<R>(&hub, TokenPlacement::Header).build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert!(!heard(&other).contains(TOKEN));
    let requests = hub.requests();
    let paths: Vec<_> = requests.iter().map(Request::path).collect();
    assert_eq!(paths, ["/hub/negotiate", "/second/negotiate", "/second"]);
    assert!(requests.iter().all(|request| request.header("authorization").is_some_and(|value| value.contains(TOKEN))));
}

async fn cookies_stay_with_their_origin<R: Runtime>() {
    let other = ScriptHub::builder()
        .on_negotiate(|_| {
            let body = "{\"negotiateVersion\":1,\"connectionId\":\"a\",\"connectionToken\":\"b\",\"availableTransports\":[{\"transport\":\"WebSockets\",\"transferFormats\":[\"Text\"]}]}";
            Answer::json(body).header("Set-Cookie", "affinity=theirs; Path=/")
        })
        .start(|mut session: Session| async move {
            session.handshake().await;
            session.ignore_until_close().await;
        })
        .unwrap();
    let url = other.hub_url("/hub");
    let home = redirecting(move |_| to(&url).header("Set-Cookie", "affinity=ours; Path=/; Secure"));
    let connection = builder::<R>(&home, TokenPlacement::Header).build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    let requests = other.requests();
    assert_eq!(requests[0].header("cookie"), None);
    assert_eq!(requests[1].header("cookie"), Some("affinity=theirs"), "and back to where it came from");
}

async fn https_does_not_lead_to_http<R: Runtime>() {
    let plain = open_hub();
    for answer in [
        format!("{{\"url\":\"{}\"}}", plain.hub_url("/hub")),
        format!("{{\"url\":\"{}\",\"accessToken\":\"{GIVEN}\"}}", plain.hub_url("/hub")),
        format!("{{\"url\":\"{}\"}}", plain.hub_url("/hub").replace("http:", "ws:")),
    ] {
        let home = TlsServer::start(answer);
        for with_token in [true, false] {
            let builder = HubConnection::<R>::builder(home.url("/hub")).tls_config(home.client());
            let builder = if with_token { builder.access_token(TOKEN) } else { builder };
            refused(builder, Cause::Negotiation).await;
        }
        assert_eq!(home.requests().len(), 2);
    }
    assert!(plain.requests().is_empty());
}

async fn a_token_is_not_led_to_plain_http<R: Runtime>() {
    for target in ["http://example.invalid/hub", "ws://203.0.113.1/hub", "http://localhost.evil.invalid/hub"] {
        let home = redirecting(move |_| to_with_token(target));
        refused(builder::<R>(&home, TokenPlacement::Header), Cause::Negotiation).await;
    }
    for nonsense in ["ftp://127.0.0.1/hub", "/hub", "hub", "http://user:pw@127.0.0.1/hub", "", "javascript:1"] {
        let home = redirecting(move |_| to_with_token(nonsense));
        refused(builder::<R>(&home, TokenPlacement::Header), Cause::Negotiation).await;
        assert_eq!(home.requests().len(), 1);
    }
}

async fn an_http_redirect_is_not_followed<R: Runtime>() {
    let other = open_hub();
    let location = other.hub_url("/hub/negotiate?negotiateVersion=1");
    for status in [301, 302, 303, 307, 308] {
        let (negotiate, upgrade) = (location.clone(), other.hub_url("/hub"));
        let home = ScriptHub::builder()
            .on_negotiate(move |_| Answer::new(status).header("Location", &negotiate))
            .on_upgrade(move |_| Answer::new(status).header("Location", &upgrade))
            .start(|_| async {})
            .unwrap();
        for skip_negotiation in [false, true] {
            let builder = builder::<R>(&home, TokenPlacement::Header).skip_negotiation(skip_negotiation);
            refused(builder, Cause::HttpStatus).await;
        }
    }
    assert!(other.requests().is_empty());
}
