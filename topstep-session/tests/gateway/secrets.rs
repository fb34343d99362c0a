//! What the whole program's log holds, at its most talkative.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, Once};

use adapter_core::Runtime;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use mock_hub::Options;
use mock_hub::faults::{Fault, Moment, Rule};
use topstep_model::OrderSide;
use topstep_model::rest::PlaceOrder;
use tracing_subscriber::filter::LevelFilter;

use crate::support::*;

scenarios! { no_secret_is_ever_logged }

/// What must not be logged, and what was.
static CANARIES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LINES: Mutex<u64> = Mutex::new(0);

/// Looks at every line, and keeps none.
struct Search;

impl Write for Search {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *LINES.lock().unwrap() += 1;
        let line = String::from_utf8_lossy(bytes);
        if CANARIES.lock().unwrap().iter().any(|canary| line.contains(canary.as_str())) {
            FOUND.lock().unwrap().push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every metric that anybody counted, with its labels; it counts nothing itself.
struct Names;

static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl Names {
    fn note(key: &Key) {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        NAMES.lock().unwrap().insert(format!("{}{{{}}}", key.name(), labels.join(",")));
    }
}

impl Recorder for Names {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Self::note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Self::note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Self::note(key);
        Histogram::noop()
    }
}

/// From now on every line of every crate is looked at, whichever test makes it be written.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false).with_writer(|| Search);
        subscriber.init();
        metrics::set_global_recorder(Names).unwrap();
    });
}

/// The text itself, and what of it would be enough.
fn forbid(secret: &str) {
    let pieces = secret.split('.').filter(|piece| piece.len() >= 12).map(str::to_owned);
    CANARIES.lock().unwrap().extend(pieces.chain([secret.to_owned()]));
}

async fn no_secret_is_ever_logged<R: Runtime>() {
    listen();
    let key = format!("canary-{:016x}", fastrand::u64(..));
    forbid(&key);
    let users = vec![mock_hub::Login::new("user", key.as_str())];
    let hub = venue_with(Options { users, token_lifetime: LIFE, ..Options::default() });
    let keyed = builder(&hub).api_key("user", key.as_str()).login_spacing(std::time::Duration::ZERO);
    let told = format!("{keyed:?}");
    let gateway = keyed.timeout(SECOND).connect::<R>().await.unwrap();
    let account = first_account(&hub);
    let lose = |path: &str| {
        let fault = Fault::RestTruncated { path: Some(path.to_owned()), keep: None };
        hub.inject(Rule::new(fault).times(1)).unwrap();
    };
    // Logins that go well, renewals, refused tokens, answers that are cut short: those of the login too.
    let mut tokens = BTreeSet::new();
    let begun = std::time::Instant::now();
    while tokens.len() < 3 && begun.elapsed() < 30 * SECOND {
        R::sleep(100 * MILLI).await;
        // The answer of a login is lost once.
        let Ok(token) = gateway.login().token(None).await else { continue };
        let secret = token.secret.expose();
        if tokens.insert(secret.to_owned()) {
            forbid(secret);
            match tokens.len() {
                1 => lose("/api/Auth/validate"),
                2 => {
                    lose("/api/Auth/loginKey");
                    hub.revoke_token(secret);
                }
                _ => {}
            }
        }
        let _ = gateway.positions(account).await;
        let order = PlaceOrder::limit(account, CONTRACT.into(), OrderSide::Bid, 1, far_below());
        let _ = gateway.place(order).await;
    }
    // A venue that repeats what it was asked.
    for (status, body) in [
        (200, format!(r#"{{"success":false,"errorCode":3,"errorMessage":"{key} is no key"}}"#)),
        (400, format!(r#"{{"title":"{key} is no key","errors":{{"apiKey":["{key}"]}}}}"#)),
    ] {
        let fault = Fault::RestStatus {
            path: Some("/api/Auth/loginKey".to_owned()),
            status,
            retry_after: None,
            body: Some(body),
            moment: Moment::Before,
        };
        let rule = hub.inject(Rule::new(fault)).unwrap();
        let other = builder(&hub).api_key("user", key.as_str()).connect::<R>().await;
        assert!(other.is_err(), "{status}");
        hub.heal(rule);
    }
    let _ = gateway.latest(CONTRACT, SECOND).await.unwrap();
    let _ = gateway.latest("NONE", SECOND).await.unwrap_err();
    let fault = Fault::RestGarbage { path: None, body: tokens.first().cloned(), moment: Moment::After };
    hub.inject(fault).unwrap();
    let errors = format!("{:?} {:?}", gateway.accounts().await, gateway.positions(account).await);
    assert!(tokens.len() >= 3 && *LINES.lock().unwrap() > 100);
    for text in [told, errors, format!("{gateway:?} {:?} {:?}", gateway.login(), gateway.login().state())] {
        let canaries = CANARIES.lock().unwrap();
        assert!(!canaries.iter().any(|canary| text.contains(canary.as_str())), "{text}");
    }
    let names = NAMES.lock().unwrap();
    for name in [
        "topstep_rest_response_seconds{path=/api/Order/place}",
        "topstep_rest_calls_total{path=/api/Auth/loginKey,outcome=ok}",
        "topstep_logins_total{kind=validate,outcome=unclear}",
        "topstep_logins_total{kind=login,outcome=token}",
        "topstep_failovers_total{to=rest}",
        "topstep_cache_misses_total{}",
    ] {
        assert!(names.contains(name), "{name} is not among {names:#?}");
    }
    let (account, canaries) = (account.number().to_string(), CANARIES.lock().unwrap());
    let is_private = |name: &&String| {
        name.contains(&account) || name.contains(CONTRACT) || canaries.iter().any(|canary| name.contains(canary))
    };
    assert_eq!(names.iter().find(is_private), None);
    let found = FOUND.lock().unwrap();
    assert!(found.is_empty(), "{found:?}");
}
