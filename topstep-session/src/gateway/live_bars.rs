//! Bars that begin with history and grow with the trades.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use adapter_core::Runtime;
use futures_core::Stream;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use signalr_proto::time::Instant;
use topstep_model::rest::{Bars, RetrieveBars};
use topstep_model::{BarsErrorCode, ContractId, MarketTrade, Timestamp};

use super::Gateway;
use crate::budget::Priority;
use crate::error::SubscribeError;
use crate::market::{BarBuilder, BarSpan, BarUpdate, BuiltBar};
use crate::rest::CallError;
use crate::stream::Updates;
use crate::update::Update;

/// How long to wait before history is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(15);
/// Bars have a rate limit of their own: a repair is asked for at most so often.
const SPACING: Duration = Duration::from_secs(5);

type Answer = Result<Bars, CallError<BarsErrorCode>>;

impl<R: Runtime> Gateway<R> {
    /// The bars of a contract: history since `since`, continued from the trades of the stream. A bar into which a gap falls is flagged, and told
    /// anew when REST has repaired it, which it is asked for by itself.
    ///
    /// History is at hand as soon as REST has answered: see [`LiveBars::closed`]. The stream then tells each change.
    ///
    /// # Errors
    ///
    /// [`SubscribeError`]: the trades of the contract cannot be followed.
    pub async fn live_bars(
        &self,
        contract: impl Into<ContractId>,
        span: BarSpan,
        since: Timestamp,
    ) -> Result<LiveBars<R>, SubscribeError> {
        let contract = contract.into();
        let builder = BarBuilder::new(contract.clone(), span, self.now());
        let trades = self.market().trades(contract).await?;
        let gateway = self.clone();
        let mut bars = LiveBars {
            gateway,
            builder,
            trades,
            since,
            seeded: false,
            asking: None,
            not_before: Instant::default(),
            sleep: None,
        };
        bars.ask();
        Ok(bars)
    }
}

/// Bars as they grow: see [`Gateway::live_bars`].
#[must_use = "a stream does nothing unless it is polled"]
pub struct LiveBars<R> {
    gateway: Gateway<R>,
    builder: BarBuilder,
    trades: Updates<MarketTrade>,
    since: Timestamp,
    seeded: bool,
    asking: Option<(RetrieveBars, BoxFuture<'static, Answer>)>,
    /// REST is not asked earlier.
    not_before: Instant,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl<R> LiveBars<R> {
    /// The bars that are over, the oldest first; at most 1,000.
    pub fn closed(&self) -> impl ExactSizeIterator<Item = &BuiltBar> + DoubleEndedIterator {
        self.builder.closed()
    }

    /// The running bar; `None` before its first trade.
    pub fn current(&self) -> Option<&BuiltBar> {
        self.builder.current()
    }

    /// Whether history is there.
    pub fn is_seeded(&self) -> bool {
        self.seeded
    }
}

impl<R: Runtime> LiveBars<R> {
    /// Asks REST for what is wanted, if nothing is asked already. When to look again.
    fn ask(&mut self) -> Option<Instant> {
        let now = self.gateway.now();
        if self.asking.is_some() {
            return None;
        }
        let request = if self.seeded { self.builder.wants_repair(now)? } else { self.builder.history(now, self.since) };
        if now.mono < self.not_before {
            return Some(self.not_before);
        }
        let answer = self.gateway.call(&request, Priority::Recovery).boxed();
        self.asking = Some((request, answer));
        None
    }

    fn answered(&mut self, request: &RetrieveBars, answer: Answer) {
        let now = self.gateway.now();
        let has_list = matches!(&answer, Ok(bars) if bars.bars.is_some());
        self.not_before = now.mono + if has_list { SPACING } else { AGAIN };
        match answer {
            Ok(bars) if self.seeded => self.builder.repair(request, &bars),
            Ok(bars) => {
                self.builder.seed(now, &bars);
                self.seeded = has_list;
            }
            Err(error) => tracing::debug!(reason = error.as_str(), "no bars"),
        }
    }

    fn take(&mut self, update: Update<MarketTrade>) {
        match update {
            Update::Value(told) => self.builder.handle_trade(self.gateway.now(), &told.value),
            Update::Gap(notice) => self.builder.handle_gap(&notice),
            // Trades that are dropped open a gap: a bare number stands in one that was told.
            Update::Malformed(_) | Update::Lagged(_) | Update::Unheld => {}
        }
    }
}

impl<R: Runtime> Stream for LiveBars<R> {
    type Item = BarUpdate;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<BarUpdate>> {
        let this = self.get_mut();
        loop {
            if let Some(news) = this.builder.poll_bar() {
                return Poll::Ready(Some(news));
            }
            let again = this.ask();
            if let Some((request, answer)) = &mut this.asking
                && let Poll::Ready(answer) = answer.poll_unpin(context)
            {
                let request = request.clone();
                this.asking = None;
                this.answered(&request, answer);
                continue;
            }
            match Pin::new(&mut this.trades).poll_next(context) {
                Poll::Ready(Some(update)) => {
                    this.take(update);
                    continue;
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            let Some(due) = this.builder.poll_timeout().into_iter().chain(again).min() else { return Poll::Pending };
            let now = this.gateway.now();
            if due <= now.mono {
                this.builder.handle_timeout(now);
                if this.builder.poll_timeout().is_none_or(|next| next > now.mono) {
                    continue;
                }
            }
            let sleep = this.sleep.take_if(|(until, _)| *until > due);
            drop(sleep);
            let (_, sleep) = this.sleep.get_or_insert_with(|| {
                (due, R::sleep(due.saturating_since(now.mono).max(Duration::from_millis(1))).boxed())
            });
            if sleep.poll_unpin(context).is_pending() {
                return Poll::Pending;
            }
            this.sleep = None;
        }
    }
}

// What is pinned in it is boxed.
impl<R> Unpin for LiveBars<R> {}

impl<R> fmt::Debug for LiveBars<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveBars").field("span", &self.builder.span()).finish_non_exhaustive()
    }
}
