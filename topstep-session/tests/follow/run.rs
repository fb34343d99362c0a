//! One storm: what is believed in it, and after it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mock_hub::faults::Fault;
use mock_hub::{BadToken, MockHub, Options};
use serde_json::{Map, Value};

use crate::follower::{Follower, Sample};
use crate::history::{History, LISTS, entries, key_of, members};
use crate::proxy::Proxy;
use crate::storm::{Kind, LATEST, Strike, storm};
use crate::trader::Trader;

pub(crate) const CONTRACTS: [&str; 2] = ["CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"];
/// What a byte needs from one process to the other on a busy machine.
const SLACK: Duration = Duration::from_millis(1_500);
/// How long what was held up may take once it comes.
const BURST: Duration = Duration::from_secs(2);
/// An audit, and the time that its reads need.
const AUDIT: Duration = Duration::from_secs(60);
/// The server timeout, a rest after a goodbye, the spacing of two logins, an audit with another behind it, and some more.
const HEALED: Duration = Duration::from_secs(30 + 10 + 30 + 2 * 45 + 20);
const LOOK: Duration = Duration::from_millis(20);
/// How many looks lie between two samples.
const SAMPLE_EVERY: u32 = 10;
const MOST_RESIDENT_KIB: u64 = 150 << 10;
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// One run.
pub(crate) struct Run {
    pub(crate) runtime: &'static str,
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) lasts: Duration,
    /// Quotes a second and contract.
    pub(crate) rate: f64,
    /// The longest between two acts of the trader.
    pub(crate) pause: Duration,
}

/// What is known while it goes on.
struct Watch {
    history: History,
    /// The lists of which something may have been lost silently, and since when.
    lost_since: BTreeMap<&'static str, Instant>,
    lies: Vec<String>,
    samples: u64,
    /// How many entries were said to be known.
    claims: u64,
    /// How long the hubs had been silent lately: what was held up until then comes at once, and takes a moment.
    silences: VecDeque<(Instant, Duration, Duration)>,
}

impl Run {
    pub(crate) fn go(&self) {
        let name = format!("{} {:?} seed {}", self.runtime, self.kind, self.seed);
        let hub = Arc::new(MockHub::start(self.venue()).unwrap());
        let proxy = Proxy::to(&format!("127.0.0.1:{}", hub.port()));
        let mut follower = Follower::start(self.runtime, &proxy.url(), &CONTRACTS);
        let began =
            follower.until(SOON, |state| is_whole(state) && entries(state, "quotes").count() == CONTRACTS.len());
        began.unwrap_or_else(|state| panic!("{name}: it does not begin: {state}"));
        let history = History::begin(&hub);
        let mut watch = Watch {
            history,
            lost_since: BTreeMap::new(),
            lies: Vec::new(),
            samples: 0,
            claims: 0,
            silences: VecDeque::new(),
        };

        let trader = Trader::start(hub.clone(), self.seed, &CONTRACTS, self.pause);
        let acted = self.rage(&hub, &proxy, &mut follower, &mut watch);
        drop(trader);
        hub.set_market_rate(0.0);
        hub.heal_all();
        proxy.heal();
        let healed = Instant::now();
        let settled = self.settle(&hub, &mut follower, &mut watch, healed);
        let protocol = follower.protocol.lock().unwrap();
        eprintln!(
            "{name}: {acted} strikes, healed after {:?}, {} samples, {} claims, slowest answer {:?}, {:?} KiB, {:?}",
            healed.elapsed(),
            watch.samples,
            watch.claims,
            follower.slowest,
            follower.resident(),
            protocol.counts,
        );
        let tail = || protocol.tail.iter().map(|line| format!("\n  {line}")).collect::<String>();
        assert!(watch.lies.is_empty(), "{name}: lies: {}{}", watch.lies.join("\n"), tail());
        if let Err(differences) = settled {
            panic!("{name}: not what is true, {:?} after all was well: {differences}{}", healed.elapsed(), tail());
        }
        assert!(protocol.faults.is_empty(), "{name}: {}{}", protocol.faults.join("\n"), tail());
        drop(protocol);
        if let Some(resident) = follower.resident() {
            assert!(resident < MOST_RESIDENT_KIB, "{name}: {resident} KiB");
        }
        follower.say("exit");
        let status = follower.ended(Duration::from_secs(5));
        assert!(status.is_some_and(|status| status.success()), "{name}: it does not exit: {status:?}");
    }

    /// The venue's manners are drawn, too.
    fn venue(&self) -> Options {
        let mut rng = fastrand::Rng::with_seed(self.seed ^ 0x5eed);
        let lifetimes = [20, 60, 86_400];
        Options {
            seed: self.seed,
            require_token: Some(Vec::new()),
            quotes_per_second: self.rate,
            token_lifetime: Duration::from_secs(lifetimes[rng.usize(..lifetimes.len())]),
            bad_token: if rng.bool() { BadToken::Unauthorized } else { BadToken::AcceptThenClose },
            close_on_token_expiration: rng.bool(),
            bare_user_events: rng.bool(),
            null_padding: rng.bool(),
            retry_after: rng.bool(),
            ..Options::default()
        }
    }

    /// Lets everything happen that the seed has drawn, and watches.
    fn rage(&self, hub: &MockHub, proxy: &Proxy, follower: &mut Follower, watch: &mut Watch) -> usize {
        let began = Instant::now();
        let strikes = storm(self.seed, self.kind, self.lasts);
        let mut next = strikes.iter().peekable();
        let mut heal_at = None;
        let mut looks = 0;
        while began.elapsed() < self.lasts {
            while let Some((_, strike)) = next.next_if(|(at, _)| *at <= began.elapsed()) {
                if std::env::var_os("FOLLOW_VERBOSE").is_some() {
                    eprintln!("{:?}: {strike:?}", began.elapsed());
                }
                match strike {
                    Strike::Rule(rule) => {
                        for list in loses(&rule.fault) {
                            watch.lost_since.entry(list).or_insert_with(Instant::now);
                        }
                        hub.inject(rule.clone()).unwrap();
                    }
                    Strike::Network(trouble, lasts) => {
                        proxy.strike(*trouble);
                        heal_at = Some(Instant::now() + *lasts);
                    }
                }
            }
            if heal_at.is_some_and(|at| at <= Instant::now()) {
                heal_at = None;
                proxy.heal();
            }
            watch.look(hub, follower, looks);
            looks += 1;
        }
        strikes.len()
    }

    /// Waits until everything is believed that is true, and known.
    fn settle(&self, hub: &MockHub, follower: &mut Follower, watch: &mut Watch, healed: Instant) -> Result<(), String> {
        loop {
            let sample = watch.sample(hub, follower);
            let differences = differences(&hub.truth(None), &sample.state);
            if differences.is_empty() {
                return Ok(());
            }
            if healed.elapsed() > HEALED {
                return Err(differences.join("\n"));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Watch {
    fn look(&mut self, hub: &MockHub, follower: &mut Follower, looks: u32) {
        if looks.is_multiple_of(SAMPLE_EVERY) {
            self.sample(hub, follower);
        } else {
            self.history.drain(hub);
        }
        thread::sleep(LOOK);
    }

    fn sample(&mut self, hub: &MockHub, follower: &mut Follower) -> Sample {
        self.history.drain(hub);
        let sample = follower.state();
        self.history.drain(hub);
        self.samples += 1;
        self.check(&sample);
        sample
    }

    /// Whatever is said to be known was true, not longer ago than the last byte.
    fn check(&mut self, sample: &Sample) {
        let state = &sample.state;
        let unseen = |list: &str| match self.lost_since.get(list) {
            Some(since) => AUDIT.min(since.elapsed()) + LATEST,
            None => Duration::ZERO,
        };
        let silence = |hub: &str| Duration::from_millis(state["heardMsAgo"][hub].as_u64().unwrap_or(0));
        self.silences.push_back((sample.asked, silence("user"), silence("market")));
        while self.silences.front().is_some_and(|(at, ..)| *at + BURST < sample.asked) {
            self.silences.pop_front();
        }
        let longest = |silence: fn(&(Instant, Duration, Duration)) -> Duration| self.silences.iter().map(silence).max();
        let user = longest(|(_, user, _)| *user).unwrap_or_default() + SLACK;
        let market = longest(|(.., market)| *market).unwrap_or_default() + SLACK;
        let window = |list: &str| if list == "quotes" { market } else { user + unseen(list) };
        let gaps: BTreeSet<&str> = entries(state, "gaps").filter_map(Value::as_str).collect();
        let is_connected = state["connected"]["user"] == true;
        let began = self.history.began();
        let mut lies = Vec::new();
        for list in LISTS {
            let from = sample.asked.checked_sub(window(list)).unwrap_or(sample.asked);
            let mut told = BTreeMap::new();
            for entry in entries(state, list) {
                let key = (list, key_of(list, entry));
                let account = entry["accountId"].to_string();
                // A trade is final, and no gap lowers how it is known; that it was taken back meanwhile is in the gap.
                let is_final =
                    list == "trades" && (!is_connected || gaps.contains(format!("user/trades/{account}").as_str()));
                let from = if is_final { began } else { from };
                let is_claimed = matches!(entry["known"].as_str(), Some("live" | "verified"));
                self.claims += u64::from(is_claimed);
                let value = plain(list, entry);
                if is_claimed && !self.history.was_true(&key, Some(&value), from, sample.answered) {
                    lies.push((key.clone(), entry.to_string(), window(list)));
                }
                told.insert(key, ());
            }
            let is_followed = |account: &str| !gaps.contains(format!("user/{list}/{account}").as_str());
            if !is_connected || matches!(list, "accounts" | "quotes") {
                continue;
            }
            let absent = self.history.keys(list).filter(|key| !told.contains_key(key));
            for key in absent.filter(|key| is_followed(key.1.split('/').next().unwrap_or_default())) {
                if !self.history.was_true(key, None, from, sample.answered) {
                    lies.push((key.clone(), "nothing".to_owned(), window(list)));
                }
            }
        }
        for (key, said, window) in lies {
            if self.lies.len() < 5 {
                let told = self.history.tell(&key, sample.answered);
                let about = format!("t {} heard {} gaps {gaps:?} window {window:?}", state["t"], state["heardMsAgo"]);
                self.lies.push(format!("  {key:?}: said {said}\n   {about}{told}"));
            }
        }
    }
}

/// The lists of which something gets lost, or late, and nobody can notice.
fn loses(fault: &Fault) -> &'static [&'static str] {
    let group = match fault {
        Fault::LostEvents { group } | Fault::DelayedEvents { group, .. } => group.as_deref().unwrap_or_default(),
        Fault::ZombieSubscriptions { .. } => "",
        _ => return &[],
    };
    match group {
        "accounts" => &["accounts"],
        "orders/" => &["orders"],
        "positions/" => &["positions"],
        "trades/" => &["trades"],
        _ => &["accounts", "orders", "positions", "trades"],
    }
}

/// What both sides tell of an entry.
pub(crate) fn plain(list: &str, entry: &Value) -> Value {
    let members = members(list).iter().map(|name| ((*name).to_owned(), entry[*name].clone()));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Whether both hubs are there and no gap is open.
pub(crate) fn is_whole(state: &Value) -> bool {
    state["connected"]["user"] == true && state["connected"]["market"] == true && state["gapsOpen"] == 0
}

/// What is not as it should be once all is well.
pub(crate) fn differences(truth: &Value, state: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    if !is_whole(state) {
        differences.push(format!("connected {}, gaps {}", state["connected"], state["gaps"]));
    }
    for list in LISTS {
        let of = |side: &Value| -> BTreeMap<String, Value> {
            entries(side, list).map(|entry| (key_of(list, entry), plain(list, entry))).collect()
        };
        let (true_ones, believed) = (of(truth), of(state));
        for key in true_ones.keys().chain(believed.keys()).collect::<BTreeSet<_>>() {
            let (is, said) = (true_ones.get(key), believed.get(key));
            if is != said {
                differences.push(format!("{list} {key}: is {is:?}, believed {said:?}"));
            }
        }
        // The market stands still, and quotes grow old.
        let is_known = |entry: &&Value| match entry["known"].as_str() {
            Some("live" | "verified") => true,
            Some("stale") => list == "quotes",
            _ => false,
        };
        let unknown = entries(state, list).filter(|entry| !is_known(entry));
        differences.extend(unknown.map(|entry| format!("{list}: not known: {entry}")));
    }
    differences
}
