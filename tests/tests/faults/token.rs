//! A hub that needs a token.

use adapter_core::{Cause, HubConnection, Runtime, StartError, TokenPlacement};
use mock_hub::{MockHub, Options};
use serde_json::Value;
use tests::scenarios;
use tests::wait::within;

scenarios! { a_hub_that_needs_a_token_gets_it_and_only_then_lets_in }

async fn a_hub_that_needs_a_token_gets_it_and_only_then_lets_in<R: Runtime>() {
    let hub = MockHub::start(Options::default()).unwrap();
    let url = hub.hub_url("secure");
    let good = hub.issue_token("user", std::time::Duration::from_secs(600));
    for skip_negotiation in [false, true] {
        let builder = || HubConnection::<R>::builder(&*url).skip_negotiation(skip_negotiation);
        for refused in [builder(), builder().access_token("not.a.token")] {
            let outcome = within::<R, _>("the refusal", refused.build().unwrap().start()).await;
            let Err(StartError::Failed(reason)) = &outcome else { panic!("{outcome:?}") };
            assert_eq!((reason.cause(), reason.may_retry()), (Cause::Unauthorized, false));
        }
        for placement in [TokenPlacement::Header, TokenPlacement::Query, TokenPlacement::Both] {
            let connection = builder().access_token(&*good).token_placement(placement).build().unwrap();
            within::<R, _>("the start", connection.start()).await.unwrap();
            let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
            assert_eq!(me["userIdentifier"], "user");
            let placed = (me["tokenInHeader"].as_bool().unwrap(), me["tokenInQuery"].as_bool().unwrap());
            assert_eq!(placed, (placement != TokenPlacement::Query, placement != TokenPlacement::Header));
        }
    }
}
