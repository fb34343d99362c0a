//! A token crosses no network in the clear.

use adapter_core::{ConfigError, HubConnection, HubConnectionBuilder, Runtime};
use tests::scenarios;

scenarios! {
    a_token_and_plain_http_go_together_on_loopback_only,
    credentials_in_headers_count_as_tokens,
    urls_that_hide_something_are_refused,
}

const CLEAR: [&str; 24] = [
    "http://example.com/hub",
    "ws://example.com/hub",
    "HTTP://EXAMPLE.COM/hub",
    "http://example.com:443/hub",
    "http://localhost.evil.com/hub",
    "http://localhost./hub",
    "http://evil-localhost/hub",
    "http://localhost1/hub",
    "http://127.0.0.1.nip.io/hub",
    "http://127.0.0.1.evil.com:80/hub",
    "http://127.0.0.1./hub",
    "http://0.0.0.0/hub",
    "http://10.0.0.1/hub",
    "http://192.168.1.1/hub",
    "http://128.0.0.1/hub",
    "http://126.255.255.255/hub",
    "http://169.254.169.254/hub",
    "http://[::]/hub",
    "http://[::2]/hub",
    "http://[fe80::1]/hub",
    "http://[::ffff:127.0.0.1]/hub",
    "http://2130706433/hub",
    "http://0x7f.1/hub",
    "http://127.1/hub",
];

const SAFE: [&str; 12] = [
    "https://example.com/hub",
    "wss://example.com:8443/hub",
    "HTTPS://10.0.0.1/hub",
    "https://localhost.evil.com/hub",
    "http://localhost/hub",
    "http://LocalHost:8080/hub",
    "ws://localhost:1/hub?x=1",
    "http://127.0.0.1/hub",
    "http://127.0.0.1:8080/hub",
    "http://127.255.255.254/hub",
    "http://[::1]/hub",
    "ws://[::1]:9/hub",
];

fn assert_insecure<R: Runtime>(url: &str, builder: HubConnectionBuilder<R>) {
    let outcome = builder.build().map(drop);
    assert!(matches!(outcome, Err(ConfigError::InsecureToken { .. })), "{url}: {outcome:?}");
}

async fn a_token_and_plain_http_go_together_on_loopback_only<R: Runtime>() {
    for url in CLEAR {
        let builder = || HubConnection::<R>::builder(url);
        assert_insecure(url, builder().access_token("token"));
        assert_insecure(url, builder().access_token_provider(|| async { Ok::<_, String>("token") }));
        assert_insecure(url, builder().access_token("token").skip_negotiation(true));
        builder().build().expect("without a token it is anybody's own choice");
        builder().access_token("token").allow_insecure_token(true).build().expect("it is wanted so");
    }
    for url in SAFE {
        HubConnection::<R>::builder(url).access_token("token").build().expect(url);
    }
}

async fn credentials_in_headers_count_as_tokens<R: Runtime>() {
    for name in ["Authorization", "cookie", "PROXY-AUTHORIZATION"] {
        assert_insecure(name, HubConnection::<R>::builder("http://example.com/hub").header(name, "secret"));
        HubConnection::<R>::builder("http://127.0.0.1/hub").header(name, "secret").build().expect(name);
    }
    HubConnection::<R>::builder("http://example.com/hub").header("X-Trace", "1").build().expect("no credential");
}

async fn urls_that_hide_something_are_refused<R: Runtime>() {
    for url in [
        "http://localhost@evil.com/hub",
        "http://127.0.0.1:80@evil.com/hub",
        "https://user:password@example.com/hub",
        "http://localhost\\@evil.com/hub",
        "http://evil.com\\.localhost/hub",
        "http://localhost\r\n.evil.com/hub",
        "http://local host/hub",
        "http://localhost/hub\r\nX-Injected: 1",
        "http://localhost:99999/hub",
        "http://localhost:0/hub",
        "http://localhost:80:80/hub",
        "http:///hub",
        "//localhost/hub",
        "/hub",
        "",
        "ftp://localhost/hub",
        "file:///hub",
        "javascript:alert(1)",
    ] {
        let outcome = HubConnection::<R>::builder(url).access_token("token").build().map(drop);
        assert!(matches!(outcome, Err(ConfigError::Url(_))), "{url}: {outcome:?}");
    }
}
