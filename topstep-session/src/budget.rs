//! How often the venue may be asked, and by whom first.
//!
//! The documented limits are 200 calls in 60 s, and of bars 50 in 30 s; whether the windows roll is not documented, so they roll here, and 30
//! bars are taken for the limit. The last fifth belongs to exits. Nothing here knows a clock: the instant comes in, a [`Turn`] goes out.

mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::rest::RateClass;

use window::Window;

/// What a call is for. The smaller goes first, and may use more of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Cancels an order or closes a position: it may use all of the limit, and a 429 does not hold it back.
    Exit,
    /// Places or changes an order: up to 80 % of the limit.
    Order,
    /// Reads what a gap or an audit must know: up to 70 %.
    Recovery,
    /// Reads what the application wants to know: up to 50 %.
    Read,
}

impl Priority {
    /// All of them, first things first.
    pub const ALL: [Self; 4] = [Self::Exit, Self::Order, Self::Recovery, Self::Read];

    /// The priority as one word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Order => "order",
            Self::Recovery => "recovery",
            Self::Read => "read",
        }
    }

    /// The part of a limit that it may use, in percent.
    const fn share(self) -> u32 {
        match self {
            Self::Exit => 100,
            Self::Order => 80,
            Self::Recovery => 70,
            Self::Read => 50,
        }
    }
}

/// The limits of a [`Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetConfig {
    /// Calls, in how long. Default 200 in 60 s, as documented.
    pub general: (u32, Duration),
    /// Calls for bars, in how long. Default 30 in 30 s: the venue documents 50, and 30 elsewhere.
    pub bars: (u32, Duration),
    /// How long a 429 without `Retry-After` holds everything but exits back. Default 10 s.
    pub hold: Duration,
    /// How many calls may wait for their turn; with exits twice as many. Default 1,024.
    pub max_waiting: usize,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            general: RateClass::General.limit(),
            bars: (30, Duration::from_secs(30)),
            hold: Duration::from_secs(10),
            max_waiting: 1_024,
        }
    }
}

/// Names a call that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    class: Class,
    priority: Priority,
    number: u64,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now: it is counted, and its ticket is used up.
    Now,
    /// Not before this instant. Others may come first: ask again then.
    At(Instant),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    General,
    Bars,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    /// Counted at this instant, and not taken yet.
    Granted(Instant),
}

/// The rate budget of one login.
///
/// Whoever wants to call takes a [`Ticket`] and asks for its turn until that is [`Turn::Now`]. Tickets of one kind of call are served by
/// priority, then in the order in which they were taken.
#[derive(Debug)]
pub struct Budget {
    config: BudgetConfig,
    general: Window,
    bars: Window,
    held_until: Option<Instant>,
    waiting: BTreeMap<Ticket, Place>,
    next: u64,
}

impl Budget {
    /// A budget of which nothing is used.
    pub fn new(config: BudgetConfig) -> Self {
        let (general, bars) = (Window::new(config.general), Window::new(config.bars));
        Self { config, general, bars, held_until: None, waiting: BTreeMap::new(), next: 0 }
    }

    /// Takes a place in the queue; `None`: too many wait already.
    pub fn join(&mut self, class: RateClass, priority: Priority) -> Option<Ticket> {
        // Reads that wait must not keep an exit out.
        let most = if priority == Priority::Exit {
            self.config.max_waiting.saturating_mul(2)
        } else {
            self.config.max_waiting
        };
        if self.waiting.len() >= most {
            return None;
        }
        let class = if class == RateClass::Bars { Class::Bars } else { Class::General };
        self.next += 1;
        let ticket = Ticket { class, priority, number: self.next };
        self.waiting.insert(ticket, Place::Waiting);
        Some(ticket)
    }

    /// Asks whether it is a ticket's turn. After [`Turn::Now`], and for a ticket that left, the answer is [`Turn::Now`] without being counted.
    pub fn turn(&mut self, now: Instant, ticket: Ticket) -> Turn {
        let next = self.serve(now, ticket.class);
        match self.waiting.get(&ticket) {
            Some(Place::Waiting) => Turn::At(next.unwrap_or(now)),
            Some(Place::Granted(_)) | None => {
                self.waiting.remove(&ticket);
                Turn::Now
            }
        }
    }

    /// Gives a place up. A turn that was given and not taken is not counted.
    pub fn leave(&mut self, ticket: Ticket) {
        if let Some(Place::Granted(at)) = self.waiting.remove(&ticket) {
            self.window(ticket.class).uncount(at);
        }
    }

    /// Counts a call that asks nobody: what keeps the login alive.
    pub fn charge(&mut self, now: Instant) {
        self.general.count(now);
    }

    /// Holds everything but exits back, because the venue said 429.
    pub fn hold(&mut self, now: Instant, retry_after: Option<Duration>) {
        let until = now + retry_after.unwrap_or(self.config.hold);
        self.held_until = self.held_until.max(Some(until));
    }

    /// Until when everything but exits is held back.
    pub fn held_until(&self, now: Instant) -> Option<Instant> {
        self.held_until.filter(|until| now < *until)
    }

    /// How many calls the windows hold: general ones, and those for bars.
    pub fn used(&mut self, now: Instant) -> (usize, usize) {
        (self.general.used(now), self.bars.used(now))
    }

    /// How many calls wait for their turn.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Gives turns in order for as long as there is room, and returns when there is room for the first that has to wait.
    fn serve(&mut self, now: Instant, class: Class) -> Option<Instant> {
        let held_until = self.held_until(now);
        loop {
            let mut tickets = self.waiting.iter().filter(|(ticket, _)| ticket.class == class);
            let (&first, _) = tickets.find(|(_, place)| **place == Place::Waiting)?;
            let free = self.window(class).free_at(now, first.priority.share_of(class));
            let free = if first.priority == Priority::Exit { free } else { free.max(held_until.unwrap_or(free)) };
            if free > now {
                return Some(free);
            }
            self.window(class).count(now);
            self.waiting.insert(first, Place::Granted(now));
        }
    }

    fn window(&mut self, class: Class) -> &mut Window {
        match class {
            Class::General => &mut self.general,
            Class::Bars => &mut self.bars,
        }
    }
}

impl Priority {
    /// No exit asks for bars: all of that limit is anybody's.
    const fn share_of(self, class: Class) -> u32 {
        match class {
            Class::General => self.share(),
            Class::Bars => 100,
        }
    }
}

#[cfg(test)]
mod tests;
