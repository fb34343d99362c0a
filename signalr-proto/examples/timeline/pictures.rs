//! The pictures: one a preset, three stories each.

use std::time::Duration;

use signalr_proto::retry::{Exponential, RetryPolicy};

use crate::draw::{Panel, draw};
use crate::run::{Story, run};

type Preset = (&'static str, &'static str, fn() -> RetryPolicy);

const PRESETS: [Preset; 4] = [
    ("signalr", "0, 2, 5, 10 s, then the end; failure classes and a circuit breaker", RetryPolicy::signalr),
    ("microsoft", "0, 2, 10, 30 s, then the end: what Microsoft's clients do", RetryPolicy::microsoft),
    ("exponential", "100, 200, 400, 800, 1,600 ms, then the end; failure classes and a circuit breaker", || {
        RetryPolicy::exponential(Exponential::default())
    }),
    ("trading", "five dials in 1.5 s, then 2, 5, 10 s, then as the breaker says: for ever", RetryPolicy::trading),
];

/// File names and contents.
pub(crate) fn all() -> impl Iterator<Item = (String, String)> {
    PRESETS.into_iter().map(|(name, about, policy)| {
        let panels = [
            ("The hub is away for ten minutes", Story::Away(Duration::from_secs(600))),
            ("The hub accepts and drops everybody after a second, for ten minutes", Story::Flapping),
            ("The hub announces a restart, and is away for eight seconds", Story::Restarting(Duration::from_secs(8))),
        ]
        .map(|(title, story)| Panel { title, story, course: run(policy(), story) });
        (format!("reconnect-{name}.svg"), draw(name, about, &panels))
    })
}
