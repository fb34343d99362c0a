//! Asks for prices, each once however many want it.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter_core::Runtime;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use topstep_model::rest::RetrieveBars;
use topstep_model::{BarUnit, ContractId, Timestamp};

use super::cache::{Cache, Known};
use super::{Latest, LatestError, LatestSource, LiveQuotes};
use crate::budget::Priority;
use crate::gateway::Gateway;
use crate::moment::Moment;
use crate::observe::CacheHealth;

/// The last bar may be from before a weekend with a holiday at its end.
const BACK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const BAR: Duration = Duration::from_secs(60);
/// Not more than this many wait for prices; the next falls back at once.
const MAX_WAITING: usize = 4_096;

type Told = Result<Known, LatestError>;

/// What [`Gateway::latest`] keeps.
#[derive(Default)]
pub(crate) struct LatestDesk(Mutex<Desk>);

#[derive(Default)]
struct Desk {
    live: Option<Arc<dyn LiveQuotes>>,
    cache: Cache,
    fell_back: CacheHealth,
    asked: BTreeMap<ContractId, Vec<oneshot::Sender<Told>>>,
}

impl<R: Runtime> Gateway<R> {
    /// The latest price of a contract: from the live stream where it is followed, else the last bar by REST within a deadline, else what was
    /// known last, marked as that.
    ///
    /// However many ask for one contract, one request is under way; it goes on when those who wait have given up.
    ///
    /// # Errors
    ///
    /// [`LatestError`]: nobody told a price, and none was known before.
    pub async fn latest(
        &self,
        contract: impl Into<ContractId> + Send,
        within: Duration,
    ) -> Result<Latest, LatestError> {
        let contract = contract.into();
        let desk = &self.inner.latest;
        if let Some(latest) = desk.live(self.now(), &contract) {
            return Ok(latest);
        }
        let told = match self.join(&contract) {
            Some(told) => told,
            None => return self.fall_back(contract, LatestError::Failed),
        };
        let told = match select(told, pin!(R::sleep(within))).await {
            Either::Left((told, _)) => told.unwrap_or(Err(LatestError::Failed)),
            Either::Right(_) => Err(LatestError::TimedOut),
        };
        match told {
            Ok(known) => {
                metrics::counter!("topstep_failovers_total", "to" => "rest").increment(1);
                Ok(known.tell(self.now().mono, contract, LatestSource::Rest, None))
            }
            Err(error) => self.fall_back(contract, error),
        }
    }

    fn fall_back(&self, contract: ContractId, error: LatestError) -> Result<Latest, LatestError> {
        let now = self.now().mono;
        let (told, ratio) = {
            let mut desk = self.inner.latest.lock();
            let told = desk.cache.fall_back(now, contract, error);
            let count = if told.is_ok() { &mut desk.fell_back.hits } else { &mut desk.fell_back.misses };
            *count += 1;
            (told, desk.fell_back.ratio().unwrap_or_default())
        };
        metrics::gauge!("topstep_cache_hit_ratio").set(ratio);
        match &told {
            Ok(latest) => {
                metrics::counter!("topstep_cache_hits_total").increment(1);
                metrics::counter!("topstep_failovers_total", "to" => "cache").increment(1);
                let (warning, age_ms) = (latest.warning.map(|warning| warning.as_str()), latest.age.as_millis() as u64);
                tracing::warn!(warning, age_ms, "a price from the cache");
            }
            Err(error) => {
                metrics::counter!("topstep_cache_misses_total").increment(1);
                tracing::warn!(%error, "no price");
            }
        }
        told
    }

    /// Waits for the request under way, or begins one; `None` where too many wait.
    fn join(&self, contract: &ContractId) -> Option<oneshot::Receiver<Told>> {
        let mut desk = self.inner.latest.lock();
        if desk.asked.values().map(Vec::len).sum::<usize>() >= MAX_WAITING {
            desk.asked.values_mut().for_each(|waiting| waiting.retain(|waiting| !waiting.is_canceled()));
        }
        if desk.asked.values().map(Vec::len).sum::<usize>() >= MAX_WAITING {
            return None;
        }
        let (sender, told) = oneshot::channel();
        let is_first = !desk.asked.contains_key(contract);
        desk.asked.entry(contract.clone()).or_default().push(sender);
        drop(desk);
        if is_first {
            let (gateway, contract_id) = (self.clone(), contract.clone());
            let task = async move {
                let told = gateway.ask(&contract_id).await;
                gateway.inner.latest.answer(&contract_id, told);
            };
            if R::spawn(task).is_err() {
                self.inner.latest.answer(contract, Err(LatestError::Failed));
            }
        }
        Some(told)
    }

    async fn ask(&self, contract: &ContractId) -> Told {
        let wall = self.now().wall;
        let start = earlier(wall, BACK);
        let bars = RetrieveBars::new(contract.clone(), start, wall, BarUnit::Minute, 1).limit(1).include_partial_bar();
        let answer = self.call(&bars, Priority::Read).await;
        let Ok(answer) = answer else { return Err(LatestError::Failed) };
        let newest = answer.bars.into_iter().flatten().flatten().max_by_key(|bar| bar.time);
        let Some(bar) = newest else { return Err(LatestError::NoBars) };
        let Moment { mono, wall } = self.now();
        let since = Duration::try_from(wall.utc() - bar.time.utc()).unwrap_or_default();
        Ok(Known::bar(mono, bar.close, since.saturating_sub(BAR)))
    }
}

impl LatestDesk {
    /// Says where live quotes come from.
    pub(crate) fn set_live_quotes(&self, quotes: Arc<dyn LiveQuotes>) {
        self.lock().live = Some(quotes);
    }

    /// What was fallen back to.
    pub(crate) fn health(&self) -> CacheHealth {
        self.lock().fell_back
    }

    fn live(&self, now: Moment, contract: &ContractId) -> Option<Latest> {
        // Not asked under the lock: it has one of its own.
        let quotes = self.lock().live.clone()?;
        let known = Known::live(now.mono, quotes.live_quote(now, contract)?);
        self.lock().cache.learn(contract, known.clone());
        Some(known.tell(now.mono, contract.clone(), LatestSource::Live, None))
    }

    fn answer(&self, contract: &ContractId, told: Told) {
        let mut desk = self.lock();
        if let Ok(known) = &told {
            desk.cache.learn(contract, known.clone());
        }
        for waiting in desk.asked.remove(contract).into_iter().flatten() {
            // Who has given up hears nothing.
            let _ = waiting.send(told.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        // What it holds is whole after every call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LatestDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestDesk").finish_non_exhaustive()
    }
}

fn earlier(wall: Timestamp, by: Duration) -> Timestamp {
    let by = time::Duration::try_from(by).unwrap_or(time::Duration::ZERO);
    wall.utc().checked_sub(by).and_then(|wall| Timestamp::try_from(wall).ok()).unwrap_or(wall)
}
