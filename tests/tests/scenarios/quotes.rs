//! A market connection whose quotes a test writes itself, to the byte.

use adapter_core::{Delivery, HubConnection, On, RetryPolicy, Runtime};
use mock_hub::{MockHub, Options};
use tests::scripted;
use tests::wait::next;
use topstep_model::{DecodeError, MarketEvent, Quote, Rows};

/// What a listener of quotes asks for.
pub(super) type Quotes = Rows<MarketEvent<Quote>>;

pub(super) const CONTRACT: &str = "CON.F.US.EP.Z26";
pub(super) const QUOTES: (&str, &str) = ("SubscribeContractQuotes", "UnsubscribeContractQuotes");

/// A hub, a connection to its market, and the quotes that come.
pub(super) struct Market<R> {
    pub(super) hub: MockHub,
    pub(super) connection: HubConnection<R>,
    pub(super) quotes: On<Quotes>,
}

impl<R: Runtime> Market<R> {
    /// Connects to a market that says nothing by itself, with a policy that comes back soon.
    pub(super) async fn new() -> Self {
        let hub = MockHub::start(Options { quotes_per_second: 0.0, ..Options::default() }).unwrap();
        let soon = RetryPolicy::custom(|_| Some(std::time::Duration::from_millis(20)));
        let builder = HubConnection::<R>::builder(hub.hub_url("market")).skip_negotiation(true);
        let connection = scripted::connect(builder.automatic_reconnect(soon)).await;
        let quotes = connection.on("GatewayQuote");
        Self { hub, connection, quotes }
    }

    /// The id by which the hub knows the one connection that is there.
    pub(super) fn id(&self) -> String {
        let [connection] = &self.hub.connections()[..] else { panic!("there is one connection") };
        connection.id.clone()
    }

    /// The hub says a record, exactly so.
    pub(super) fn say(&self, record: &str) {
        assert!(self.hub.send_record(&self.id(), record));
    }

    /// The hub tells a quote, whose JSON is exactly this.
    pub(super) fn tell(&self, quote: &str) {
        self.say(&quote_record(quote));
    }

    /// What comes next among the quotes.
    pub(super) async fn next(&mut self) -> Delivery<Quotes> {
        next::<R, _>("a quote", &mut self.quotes).await
    }

    /// The rows of the next event, which can be read as a whole.
    pub(super) async fn rows(&mut self) -> Quotes {
        match self.next().await {
            Delivery::Value(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    /// The next quote, which is alone in its event and as it should be.
    pub(super) async fn quote(&mut self) -> Quote {
        let rows = self.rows().await;
        assert_eq!((rows.len(), rows.errors().count()), (1, 0), "{rows:?}");
        let event = rows.into_iter().next().unwrap().unwrap();
        assert_eq!(event.contract_id.as_str(), CONTRACT);
        event.value
    }
}

/// The record of an event with one quote, without its separator.
pub(super) fn quote_record(quote: &str) -> String {
    format!(r#"{{"type":1,"target":"GatewayQuote","arguments":["{CONTRACT}",{quote}]}}"#)
}

/// The same arguments, read without any hub.
pub(super) fn read(quote: &str) -> Result<Quotes, DecodeError> {
    Rows::from_json(&format!(r#"["{CONTRACT}",{quote}]"#))
}
