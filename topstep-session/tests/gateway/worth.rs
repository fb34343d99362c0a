//! What is worked out of several things: bars of history and trades, equity of balance and prices.

use adapter_core::Runtime;
use futures_util::StreamExt;
use mock_hub::exchange::{OrderType, PlaceOrder, Side};
use mock_hub::{How, Options};
use rust_decimal::Decimal;
use topstep_model::{BarUnit, ContractId, Timestamp};
use topstep_session::market::{BarSpan, BarUpdate, BuiltBar};
use topstep_session::{Gateway, Known, Source};

use crate::support::*;

scenarios! {
    bars_begin_with_history_and_grow_with_the_trades,
    a_bar_with_a_gap_in_it_is_flagged_and_repaired,
    equity_is_balance_and_what_the_positions_would_bring,
}

fn seconds(number: u32) -> BarSpan {
    BarSpan::new(BarUnit::Second, number).unwrap()
}

/// Some time ago, by this computer's clock.
fn ago<R: Runtime>(gateway: &Gateway<R>, time: std::time::Duration) -> Timestamp {
    Timestamp::try_from(gateway.now().wall.utc() - time).unwrap()
}

/// A bar is whole in itself.
fn is_sound(bar: &BuiltBar) -> bool {
    let inside = |price| bar.low <= price && price <= bar.high;
    inside(bar.open) && inside(bar.close) && bar.volume > 0
}

async fn bars_begin_with_history_and_grow_with_the_trades<R: Runtime>() {
    let hub = venue_with(Options::default());
    hub.set_market_rate(100.0);
    let gateway = connected::<R>(&hub).await;
    let minute = BarSpan::new(BarUnit::Minute, 1).unwrap();
    let mut bars = gateway.live_bars(CONTRACT, minute, ago(&gateway, 3_600 * SECOND)).await.unwrap();
    while !bars.is_seeded() {
        bars.next().await.unwrap();
    }
    assert!(bars.closed().len() >= 30, "an hour of history: {}", bars.closed().len());
    let starts: Vec<_> = bars.closed().map(|bar| bar.start).collect();
    assert!(starts.is_sorted_by(|earlier, later| earlier < later), "oldest first, none twice");
    assert!(bars.closed().all(|bar| bar.source == Source::Rest && !bar.is_incomplete));

    let mut bars = gateway.live_bars(CONTRACT, seconds(1), ago(&gateway, 10 * SECOND)).await.unwrap();
    let began = gateway.now().wall;
    let mut closed = Vec::new();
    while closed.len() < 3 {
        match bars.next().await.unwrap() {
            // The one that was running began before it was heard.
            BarUpdate::Closed(bar) if bar.start > began => closed.push(bar),
            _ => {}
        }
    }
    assert!(closed.iter().all(is_sound), "{closed:?}");
    assert!(closed.windows(2).all(|pair| pair[0].start < pair[1].start), "{closed:?}");
    assert!(closed.iter().all(|bar| !bar.is_incomplete && bar.source == Source::Stream), "{closed:?}");
}

async fn a_bar_with_a_gap_in_it_is_flagged_and_repaired<R: Runtime>() {
    let hub = venue_with(Options::default());
    hub.set_market_rate(100.0);
    let gateway = connected::<R>(&hub).await;
    let mut bars = gateway.live_bars(CONTRACT, seconds(1), ago(&gateway, 10 * SECOND)).await.unwrap();
    let mut flagged = None;
    let mut closed = 0;
    loop {
        match bars.next().await.unwrap() {
            // The first bar began before it was heard: it is incomplete, too.
            BarUpdate::Closed(bar) => {
                closed += 1;
                if closed == 2 {
                    hub.drop_all(How::Reset);
                }
                if closed > 2 && bar.is_incomplete {
                    flagged.get_or_insert(bar.start);
                }
            }
            BarUpdate::Changed(bar) if Some(bar.start) == flagged && !bar.is_incomplete => {
                assert_eq!(bar.source, Source::Rest);
                assert!(is_sound(&bar), "{bar:?}");
                break;
            }
            _ => {}
        }
    }
}

async fn equity_is_balance_and_what_the_positions_would_bring<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let account = first_account(&hub);
    let contract = ContractId::new(CONTRACT);
    let _user = gateway.user_session().follow([account]);
    let _market = gateway.market().follow([contract.clone()]);
    let number = hub.accounts(None)[0].id;
    assert!(hub.place(PlaceOrder::new(number, CONTRACT, OrderType::Market, Side::Buy, 2)).is_success());
    until::<R, _>("the position is known", async || gateway.user(account).position(&contract).value.is_some()).await;
    let entry = gateway.user(account).position(&contract).value.unwrap().average_price.unwrap();
    until::<R, _>("the quote is live", async || {
        gateway.market().quote(&contract).is_some_and(|told| told.known == Known::Live)
    })
    .await;
    assert!(hub.set_price(CONTRACT, entry.decimal() + Decimal::from(10)));
    until::<R, _>("the price has moved", async || {
        let bid = gateway.market().quote(&contract).and_then(|told| told.value.bid());
        bid.is_some_and(|bid| bid.decimal() > entry.decimal() + Decimal::from(5))
    })
    .await;

    until::<R, _>("everything of it is known", async || {
        let total = gateway.equity(account).await.unwrap().and_then(|equity| equity.total);
        total.is_some_and(|total| total.known >= Known::Live)
    })
    .await;
    let equity = gateway.equity(account).await.unwrap().expect("the account is followed");
    let bid = gateway.market().quote(&contract).unwrap().value.bid().unwrap().decimal();
    // A point of ES is worth 50 dollars.
    let expected = (bid - entry.decimal()) * Decimal::from(50 * 2);
    let [(_, Some(unrealised))] = equity.unrealised.as_slice() else { panic!("one position: {equity:?}") };
    assert_eq!(unrealised.value, expected);
    let total = equity.total.unwrap();
    assert_eq!(total.value, equity.balance.value + expected);

    hub.refuse_upgrades(None, 503);
    hub.drop_all(How::Reset);
    until::<R, _>("the loss is noticed", async || !gateway.market().link().is_connected).await;
    let total = gateway.equity(account).await.unwrap().unwrap().total.unwrap();
    assert!(total.known < Known::Live, "what is not heard is not known: {total:?}");
}
