mod depth;
mod quotes;
mod wishes;

use std::time::Duration;

use topstep_model::{ContractId, Timestamp};

use super::*;
use crate::gap::{GapNotice, Verdict};
use crate::known::Known;
use crate::market::{MarketUpdate, TradingHours};

const ES: &str = "CON.F.US.EP.Z26";

/// Drives a machine: a Friday noon in Chicago, and so many milliseconds later.
struct Desk {
    machine: MarketMachine,
    began: Moment,
    millis: u64,
}

impl Desk {
    fn new() -> Self {
        Self::with(MarketConfig::default().hours(TradingHours::always_open()), "2026-11-20T18:00:00Z")
    }

    fn with(config: MarketConfig, began: &str) -> Self {
        let began = Moment::new(Instant::from_nanos(5_000_000_000), began.parse().unwrap());
        Self { machine: MarketMachine::new(config, began), began, millis: 0 }
    }

    /// A machine that is connected, and has this subject acknowledged.
    fn following(subject: &Subject) -> Self {
        let mut desk = Self::new();
        desk.follow(subject);
        desk
    }

    fn follow(&mut self, subject: &Subject) {
        assert!(self.machine.want(self.now(), subject.clone()));
        self.machine.handle_connected(self.now());
        self.machine.handle_subscribed(self.now(), subject);
    }

    fn now(&self) -> Moment {
        self.began + Duration::from_millis(self.millis)
    }

    fn wall(&self) -> Timestamp {
        self.now().wall
    }

    /// Lets the time pass, and wakes the machine as often as it wants to be.
    fn pass(&mut self, millis: u64) {
        let end = self.millis + millis;
        let mut calls = 0;
        while let Some(due) = self.machine.poll_timeout() {
            let due_at = due.saturating_since(self.began.mono).as_nanos().div_ceil(1_000_000) as u64;
            if due_at > end {
                break;
            }
            self.millis = due_at.max(self.millis);
            self.machine.handle_timeout(self.now());
            calls += 1;
            assert!(calls < 100_000, "wakes too often");
        }
        self.millis = end;
    }

    fn quote(&mut self, row: &str) {
        let rows = serde_json::from_str(&format!(r#"["{ES}",{row}]"#)).unwrap();
        self.machine.handle_quotes(self.now(), rows);
    }

    fn trade(&mut self, row: &str) {
        let rows = serde_json::from_str(&format!(r#"["{ES}",{row}]"#)).unwrap();
        self.machine.handle_trades(self.now(), rows);
    }

    /// Rows of type, price and volume; a live one has a time, one of a snapshot the year 1.
    fn depth(&mut self, is_live: bool, rows: &[(u8, i64, i64)]) {
        let time = if is_live { self.wall() } else { Timestamp::UNSET };
        let row = |(kind, price, volume): &(u8, i64, i64)| {
            format!(r#"{{"type":{kind},"price":{price},"volume":{volume},"currentVolume":0,"timestamp":"{time}"}}"#)
        };
        let rows = rows.iter().map(row).collect::<Vec<_>>().join(",");
        let rows = serde_json::from_str(&format!(r#"["{ES}",[{rows}]]"#)).unwrap();
        self.machine.handle_depth(self.now(), rows);
    }

    fn events(&mut self) -> Vec<MarketUpdate> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.machine.poll_action()).collect()
    }

    /// The events, each in a few words.
    fn words(&mut self) -> Vec<String> {
        self.events().iter().map(in_words).collect()
    }

    fn quote_known(&self) -> Known {
        self.machine.quote_known(self.now(), &ES.into())
    }
}

fn in_words(event: &MarketUpdate) -> String {
    match event {
        MarketUpdate::Quote { told, .. } => {
            let price = |price: Option<topstep_model::Price>| price.map_or("-".to_owned(), |price| price.to_string());
            format!("quote {}/{} {}", price(told.value.bid()), price(told.value.ask()), told.known)
        }
        MarketUpdate::Trade { told, .. } => format!("trade {}", told.value.price),
        MarketUpdate::Depth { rows, is_valid, known, .. } => {
            format!("depth {} {} {known}", rows.len(), if *is_valid { "valid" } else { "invalid" })
        }
        MarketUpdate::Gap(GapNotice::Opened(gap)) => format!("opened {}", gap.causes.last().unwrap()),
        MarketUpdate::Gap(GapNotice::Closed(_, verdict)) => format!("closed {}", verdict.as_str()),
        MarketUpdate::Malformed(malformed) => format!("malformed {}", malformed.target),
        MarketUpdate::Feed { state, .. } => format!("feed {state:?}"),
        MarketUpdate::Refused { message, .. } => format!("refused {message}"),
        MarketUpdate::CalendarEnded => "calendar ended".to_owned(),
    }
}

fn quotes_of(contract: &str) -> Subject {
    Subject::Quotes(ContractId::new(contract))
}

fn es_quotes() -> Subject {
    quotes_of(ES)
}

fn es_trades() -> Subject {
    Subject::MarketTrades(ES.into())
}

fn es_depth() -> Subject {
    Subject::Depth(ES.into())
}
