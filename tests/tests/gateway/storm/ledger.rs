//! What a follower was told, held against the hub's log.

use std::collections::{BTreeSet, HashMap};

use adapter_core::{Subscription, SubscriptionKey};
use mock_hub::{LoggedEvent, MockHub};
use serde_json::Value;

/// What a follower was told, in its order.
#[derive(Debug)]
pub(super) enum Told {
    /// A connection began, with the hub's id for it.
    Link(String),
    /// From here on events of a subscription may be missing.
    Gap(SubscriptionKey),
    Event {
        target: Box<str>,
        arguments: Box<str>,
    },
}

/// What became of the events that were published since a follower subscribed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether the hub delays events. Then a connection may end before one came that lies before others which did.
    pub(super) has_delays: bool,
    /// Events that were delivered, the answers to subscriptions among them.
    pub(super) delivered: u64,
    /// Events that were not, inside of a gap.
    pub(super) in_gaps: u64,
    /// Events that the hub kept from a living connection.
    pub(super) withheld: u64,
    /// Events that were delivered behind later ones.
    pub(super) late: u64,
    pub(super) gaps: u64,
}

/// The events of one group as one connection should have them.
struct Due<'a> {
    events: Vec<&'a LoggedEvent>,
    taken: Vec<bool>,
    /// The place behind the last one that was taken.
    next: usize,
}

/// A group as the follower saw it so far.
#[derive(Default)]
struct Seen {
    numbers: BTreeSet<u64>,
    last: u64,
    /// A gap was told since the last event.
    is_explained: bool,
    /// What lies between delivered events without a gap, by the connection on which it happened.
    holes: Vec<(String, u64)>,
}

impl Ledger {
    /// Accounts for everything that one follower was told; the error names what cannot be explained.
    pub(super) fn add(
        &mut self,
        hub: &MockHub,
        subscriptions: &[(String, Subscription)],
        told: &[Told],
    ) -> Result<(), String> {
        let logs: HashMap<&str, Vec<LoggedEvent>> =
            subscriptions.iter().map(|(group, _)| (group.as_str(), hub.log(0, Some(group), usize::MAX))).collect();
        let mut link = "";
        let mut due: HashMap<(&str, &str), Due<'_>> = HashMap::new();
        let mut seen: HashMap<&str, Seen> = logs.keys().map(|group| (*group, Seen::default())).collect();
        for told in told {
            match told {
                Told::Link(id) => {
                    link = id;
                    for (group, log) in &logs {
                        due.insert((link, group), Due::of(hub, link, group, log));
                    }
                }
                Told::Gap(key) => {
                    let group = subscriptions.iter().find(|(_, subscription)| subscription.key() == *key);
                    let (group, _) = group.ok_or_else(|| format!("a gap of nobody: {key:?}"))?;
                    self.gaps += 1;
                    seen.entry(group).or_default().is_explained = true;
                }
                Told::Event { target, arguments } => {
                    let Some(group) = group_of(target, arguments) else { continue };
                    let strange = || format!("{group} on {link}: nobody sent {arguments}");
                    let (group, _) = logs.get_key_value(group.as_str()).ok_or_else(strange)?;
                    let due = due.get_mut(&(link, *group)).ok_or_else(strange)?;
                    let (number, is_late) = due.take(arguments).ok_or_else(strange)?;
                    self.delivered += 1;
                    self.late += u64::from(is_late);
                    let seen = seen.entry(group).or_default();
                    if number > 0 && !is_late {
                        self.in_gaps += seen.reached(number, link)?;
                    } else if number > 0 {
                        seen.numbers.insert(number);
                    }
                }
            }
        }
        for ((link_of, group), due) in &due {
            due.check(*link_of == link, self.has_delays).map_err(|error| format!("{group} on {link_of}: {error}"))?;
        }
        for (group, seen) in &seen {
            for (on, number) in seen.holes.iter().filter(|(_, number)| !seen.numbers.contains(number)) {
                match was_sent(hub, on, group, *number) {
                    false => self.withheld += 1,
                    true if self.has_delays && on != link => self.in_gaps += 1,
                    true => {
                        return Err(format!("{group} on {on}: #{number} was sent and never came, and no gap tells it"));
                    }
                }
            }
        }
        Ok(())
    }
}

impl<'a> Due<'a> {
    fn of(hub: &MockHub, link: &str, group: &str, log: &'a [LoggedEvent]) -> Self {
        let sent = hub.serials(link).unwrap_or_default();
        let sent = sent.iter().find(|sent| sent.group == group).map(|sent| sent.sent.clone()).unwrap_or_default();
        let is_due = |event: &&LoggedEvent| match event.number {
            0 => event.connection_id.as_deref() == Some(link),
            number => sent.iter().any(|(first, last)| (*first..=*last).contains(&number)),
        };
        let events: Vec<_> = log.iter().filter(is_due).collect();
        Self { taken: vec![false; events.len()], events, next: 0 }
    }

    /// The number of the event with these arguments, and whether a later one came before it.
    fn take(&mut self, arguments: &str) -> Option<(u64, bool)> {
        let fits = |place: &usize| !self.taken[*place] && self.events[*place].arguments == arguments;
        let ahead = (self.next..self.events.len()).find(fits);
        let place = ahead.or_else(|| (0..self.next).find(fits))?;
        self.taken[place] = true;
        self.next = self.next.max(place + 1);
        Some((self.events[place].number, ahead.is_none()))
    }

    /// On the last connection everything has come; what others did not bring is the end of what they were sent.
    fn check(&self, is_last: bool, has_delays: bool) -> Result<(), String> {
        let end = match is_last {
            true => self.events.len(),
            false if has_delays => 0,
            false => self.next,
        };
        // The answer to a subscription can be withheld, and no range says so.
        let missing = (0..end).find(|place| !self.taken[*place] && self.events[*place].number > 0);
        match missing {
            None => Ok(()),
            Some(place) => Err(format!("#{} was sent and did not come", self.events[place].number)),
        }
    }
}

impl Seen {
    /// An event that is no late one; yields how many before it lie in a gap.
    fn reached(&mut self, number: u64, link: &str) -> Result<u64, String> {
        if !self.numbers.insert(number) {
            return Err(format!("#{number} came twice, at last on {link}"));
        }
        let (first, last) = (self.numbers.len() == 1, std::mem::replace(&mut self.last, number));
        let missing = number.saturating_sub(last + 1);
        if std::mem::take(&mut self.is_explained) {
            return Ok(missing);
        }
        if !first {
            self.holes.extend((last + 1..number).map(|missing| (link.to_owned(), missing)));
        }
        Ok(0)
    }
}

fn was_sent(hub: &MockHub, link: &str, group: &str, number: u64) -> bool {
    let sent = hub.serials(link).unwrap_or_default();
    let ranges = sent.iter().filter(|sent| sent.group == group).flat_map(|sent| &sent.sent);
    ranges.into_iter().any(|(first, last)| (*first..=*last).contains(&number))
}

/// The group whose event this is.
fn group_of(target: &str, arguments: &str) -> Option<String> {
    let arguments: Value = serde_json::from_str(arguments).ok()?;
    let account = || arguments[0]["data"]["accountId"].as_i64();
    let contract = || arguments[0].as_str();
    Some(match target {
        "GatewayQuote" => format!("quotes/{}", contract()?),
        "GatewayTrade" => format!("trades/{}", contract()?),
        "GatewayDepth" => format!("depth/{}", contract()?),
        "GatewayUserAccount" => "accounts".to_owned(),
        "GatewayUserOrder" => format!("orders/{}", account()?),
        "GatewayUserPosition" => format!("positions/{}", account()?),
        "GatewayUserTrade" => format!("trades/{}", account()?),
        _ => return None,
    })
}
