//! What the whole program's log holds, at its most talkative.

use std::io::{self, Write};
use std::sync::{Mutex, Once};

use adapter_core::Runtime;
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

/// From now on every line of every crate is looked at, whichever test makes it be written.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false).with_writer(|| Search);
        subscriber.init();
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
    let hub = venue_with(Options { users, token_lifetime: 2 * SECOND, ..Options::default() });
    let keyed = builder(&hub).api_key("user", key.as_str()).login_spacing(std::time::Duration::ZERO);
    let told = format!("{keyed:?}");
    let gateway = keyed.timeout(SECOND).connect::<R>().await.unwrap();
    let account = first_account(&hub);
    let lose = |path: &str| {
        let fault = Fault::RestTruncated { path: Some(path.to_owned()), keep: None };
        hub.inject(Rule::new(fault).times(1)).unwrap();
    };
    // Logins that go well, renewals, refused tokens, answers that are cut short: those of the login too.
    let mut tokens = std::collections::BTreeSet::new();
    let begun = std::time::Instant::now();
    while begun.elapsed() < 5 * SECOND {
        R::sleep(100 * MILLI).await;
        // The answer of a login is lost once.
        let Ok(token) = gateway.login().token(None).await else { continue };
        let secret = token.secret.expose();
        if tokens.insert(secret.to_owned()) {
            forbid(secret);
            match tokens.len() {
                2 => lose("/api/Auth/validate"),
                3 => {
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
    let fault = Fault::RestGarbage { path: None, body: tokens.first().cloned(), moment: Moment::After };
    hub.inject(fault).unwrap();
    let errors = format!("{:?} {:?}", gateway.accounts().await, gateway.positions(account).await);
    assert!(tokens.len() >= 4 && *LINES.lock().unwrap() > 100);
    for text in [told, errors, format!("{gateway:?} {:?} {:?}", gateway.login(), gateway.login().state())] {
        let canaries = CANARIES.lock().unwrap();
        assert!(!canaries.iter().any(|canary| text.contains(canary.as_str())), "{text}");
    }
    let found = FOUND.lock().unwrap();
    assert!(found.is_empty(), "{found:?}");
}
