//! The run itself: connect, subscribe, watch, lose the connection, watch on, stop.

use std::pin::pin;
use std::time::Duration;

use adapter_core::{Delivery, Event, Gap, HubConnection, RetryPolicy, Runtime, TokenPlacement};
use futures_util::StreamExt;
use futures_util::future::{Either, join, select, try_join};
use futures_util::stream::{BoxStream, SelectAll};
use serde::Serialize;
use topstep_model::{ContractId, Quote};

use crate::place::Place;
use crate::screen::{self, Screen};
use crate::sources::{self, MARKET_EVENTS, News, USER_EVENTS, describe};
use crate::tally::{Step, Tally};

/// How long our own hub lets nobody back in.
const OUTAGE: Duration = Duration::from_millis(1_200);
/// How long the last words may take to arrive here.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Watches both hubs for so long, on the runtime `R`.
pub(crate) async fn run<R: Runtime>(place: &Place, length: Duration) -> Result<Tally, String> {
    let market: HubConnection<R> = build(&place.market_url, place)?;
    let user: HubConnection<R> = build(&place.user_url, place)?;
    let seconds = length.as_secs();
    screen::line(format_args!("watching {} and {} for {seconds} s", place.market_url, place.user_url));
    let mut watch =
        Watch { place, news: sources::listen(&market, &user), screen: Screen::new(), tally: Tally::default() };

    let started = try_join(market.start(), user.start()).await;
    started.map_err(|error| format!("no connection: {error}"))?;
    subscribe_to_market(&market, place).await?;
    subscribe_to_user(&user, place).await?;

    if place.is_rehearsal() {
        let cut_after = place.cut_after(length);
        watch.watch::<R>(cut_after).await;
        watch.screen.news("", "on purpose", "both connections are reset, and for a while nobody is let in");
        place.cut();
        watch.watch::<R>(OUTAGE).await;
        place.mend();
        watch.watch::<R>(length.saturating_sub(cut_after + OUTAGE)).await;
    } else {
        watch.watch::<R>(length).await;
    }

    join(market.stop(), user.stop()).await;
    watch.watch::<R>(LAST_WORDS).await;
    watch.tally.hub("market").counters = market.counters();
    watch.tally.hub("user").counters = user.counters();
    Ok(watch.tally)
}

/// As TopstepX documents it: no negotiation, the token in the query and in the header.
fn build<R: Runtime>(url: &str, place: &Place) -> Result<HubConnection<R>, String> {
    let delays = [0, 500, 1_000, 2_000, 5_000, 10_000].map(Duration::from_millis);
    HubConnection::builder(url)
        .access_token(place.token.clone())
        .token_placement(TokenPlacement::Both)
        .skip_negotiation(true)
        .automatic_reconnect(RetryPolicy::delays(delays))
        .build()
        .map_err(|error| format!("the connection cannot be built: {error}"))
}

async fn subscribe_to_market<R: Runtime>(market: &HubConnection<R>, place: &Place) -> Result<(), String> {
    for contract in &place.contracts {
        for (what, target) in [("Quotes", "GatewayQuote"), ("Trades", "GatewayTrade"), ("MarketDepth", "GatewayDepth")]
        {
            subscribe(market, &format!("Contract{what}"), (contract,), target).await?;
        }
    }
    Ok(())
}

async fn subscribe_to_user<R: Runtime>(user: &HubConnection<R>, place: &Place) -> Result<(), String> {
    subscribe(user, "Accounts", (), "GatewayUserAccount").await?;
    let Some(account) = place.account else { return Ok(()) };
    for (what, target) in
        [("Orders", "GatewayUserOrder"), ("Positions", "GatewayUserPosition"), ("Trades", "GatewayUserTrade")]
    {
        subscribe(user, what, (account,), target).await?;
    }
    Ok(())
}

/// Subscribes for good: from here on every reconnect restores it. `target` is what it feeds, so that its gaps go there.
async fn subscribe<R: Runtime>(
    connection: &HubConnection<R>,
    what: &str,
    arguments: impl Serialize,
    target: &str,
) -> Result<(), String> {
    let methods = (format!("Subscribe{what}"), format!("Unsubscribe{what}"));
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", methods.0);
    let subscription = connection.subscription((methods.0.as_str(), methods.1.as_str()), arguments);
    let subscription = subscription.map_err(|error| failed(&error))?.feeding(target);
    subscription.subscribe().await.map_err(|error| failed(&error))
}

/// Reads everything, shows some of it and counts all of it.
struct Watch<'p> {
    place: &'p Place,
    news: SelectAll<BoxStream<'static, News>>,
    screen: Screen,
    tally: Tally,
}

impl Watch<'_> {
    async fn watch<R: Runtime>(&mut self, length: Duration) {
        let mut end = pin!(R::sleep(length));
        while let Either::Right((Some(news), _)) = select(end.as_mut(), self.news.next()).await {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Quote(Delivery::Value((contract, quote))) => self.quote(&contract, &quote),
            News::Quote(Delivery::Gap(gap)) => {
                self.tally.serials.gap();
                self.gap("market", "GatewayQuote", &gap);
            }
            News::Quote(other) => self.trouble("market", "GatewayQuote", &other),
            News::Market(target, Delivery::Value((contract, payload))) => {
                self.tally.count(target);
                let text = || {
                    format!(
                        "{}  {}",
                        contract.as_str().escape_debug(),
                        describe(&payload, members(&MARKET_EVENTS, target))
                    )
                };
                self.screen.event("market", short(target), contract.as_str(), text);
            }
            News::Market(target, Delivery::Gap(gap)) => self.gap("market", target, &gap),
            News::Market(target, other) => self.trouble("market", target, &other),
            News::User(target, Delivery::Value((payload,))) => {
                self.tally.count(target);
                let text = || describe(&payload, members(&USER_EVENTS, target));
                self.screen.event("user", short(target), "", text);
            }
            News::User(target, Delivery::Gap(gap)) => self.gap("user", target, &gap),
            News::User(target, other) => self.trouble("user", target, &other),
            News::Life(hub, event) => self.life(hub, &event),
        }
    }

    fn quote(&mut self, contract: &ContractId, quote: &Quote) {
        self.tally.count("GatewayQuote");
        self.tally.clock(quote);
        let serial = quote.volume.filter(|_| self.place.is_rehearsal());
        match serial.map(|serial| self.tally.serials.step(contract, serial)) {
            Some(Step::AfterGap(missed)) => {
                self.screen.news("market", "missed", format_args!("{contract}  {missed} quotes in the gap"));
            }
            Some(Step::Wrong { before }) => {
                let serial = serial.unwrap_or_default();
                self.screen.news(
                    "market",
                    "LOST",
                    format_args!("{contract}  serial {serial} after {before}, and no gap"),
                );
            }
            Some(Step::Next) | None => {}
        }
        self.screen.event("market", "quote", contract.as_str(), || {
            let members = [("bid", quote.best_bid), ("ask", quote.best_ask), ("last", quote.last_price)];
            let prices = members.iter().filter_map(|(name, price)| Some(format!("  {name} {}", (*price)?)));
            let volume = quote.volume.map(|volume| format!("  volume {volume}"));
            let contract = contract.as_str().escape_debug();
            format!("{contract}{}{}", prices.collect::<String>(), volume.unwrap_or_default())
        });
    }

    /// Stands in the stream of a target, before the first event that came after it.
    fn gap(&mut self, hub: &str, target: &str, gap: &Gap) {
        let subscriptions = gap.keys.len();
        let text = format_args!("{target}: events may be missed from here on ({subscriptions} subscriptions)");
        self.screen.news(hub, "gap", text);
    }

    fn trouble<T: std::fmt::Debug>(&mut self, hub: &str, target: &str, delivery: &Delivery<T>) {
        if let Delivery::Malformed(error) = delivery {
            self.tally.malformed += 1;
            self.screen.news(hub, "malformed", format_args!("{target}: {error}"));
        }
    }

    fn life(&mut self, hub: &'static str, event: &Event) {
        let restored_after = self.tally.hub(hub).note(event);
        match event {
            Event::Connected(id) => self.screen.news(hub, "connected", format_args!("connection {}", id.local())),
            Event::Reconnecting(reason) => {
                self.screen.news(hub, "lost", format_args!("{}: {reason}", reason.cause()));
            }
            Event::Waiting { attempt, delay, .. } if delay.is_zero() => {
                self.screen.news(hub, "trying", format_args!("attempt {attempt}, at once"));
            }
            Event::Waiting { attempt, delay, reason, .. } => {
                self.screen.news(hub, "waiting", format_args!("{delay:?} before attempt {attempt} ({reason})"));
            }
            Event::Reconnected(id) => self.screen.news(hub, "reconnected", format_args!("connection {}", id.local())),
            Event::Restored => {
                let seconds = restored_after.unwrap_or_default().as_secs_f64();
                self.screen.news(
                    hub,
                    "restored",
                    format_args!("every subscription, {seconds:.3} s after the loss; its gaps are closed"),
                );
                self.screen.refresh();
            }
            Event::SubscriptionFailed { key, error } => {
                self.screen.news(hub, "refused", format_args!("{key}: {error}"))
            }
            Event::Disconnected(reason) => self.screen.news(hub, "disconnected", reason),
            Event::SlowConsumer => self.screen.news(hub, "slow", "this program does not keep up"),
            // Gaps are told where they stand in the streams.
            _ => {}
        }
    }
}

/// `Quote` of `GatewayQuote`, `Order` of `GatewayUserOrder`.
fn short(target: &str) -> &str {
    target.trim_start_matches("Gateway").trim_start_matches("User")
}

fn members<'t>(table: &[(&str, &'t [&'t str])], target: &str) -> &'t [&'t str] {
    table.iter().find(|(known, _)| *known == target).map_or(&[], |(_, members)| members)
}
