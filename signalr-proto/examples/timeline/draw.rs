//! An SVG, written by hand: legible in the light and in the dark.

use std::fmt::Write;
use std::time::Duration;

use signalr_proto::retry::BreakerState;

use crate::run::{Course, HORIZON, Story};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 74.0;
const PANEL: f64 = 158.0;
const BOTTOM: f64 = 62.0;
/// Below this the axis is linear, so that it has a zero.
const LINEAR: f64 = 0.1;

/// One story under the picture's policy.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) story: Story,
    pub(crate) course: Course,
}

const STYLE: &str = "
:root{--paper:#fdfdfc;--ink:#20242a;--soft:#6b7280;--line:#d5d9de;--good:#16a34a;--bad:#dc2626;--warn:#f59e0b;--flap:#c084fc;--open:#f87171;--closed:#a7d7b5;--away:#c9ced6;--link:#2563eb}
@media(prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e6e8eb;--soft:#9aa3ae;--line:#343a43;--good:#4ade80;--bad:#f87171;--warn:#fbbf24;--flap:#8b5cd6;--open:#b4383f;--closed:#2f6b46;--away:#4a525d;--link:#60a5fa}}
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:var(--ink)}
.name{font-size:20px;font-weight:600}.title{font-size:14px;font-weight:600}.soft{fill:var(--soft)}.small{font-size:10.5px}.end{text-anchor:end}.mid{text-anchor:middle}
.paper{fill:var(--paper)}.grid{stroke:var(--line)}.good{fill:var(--good);stroke:var(--good)}.bad{fill:var(--bad);stroke:var(--bad)}
.away{fill:var(--away)}.up{fill:var(--good)}.flaps{fill:var(--flap)}.link{fill:var(--link)}.none{stroke:var(--soft);stroke-dasharray:2 4}
.closed{fill:var(--closed)}.open{fill:var(--open)}.half_open{fill:var(--warn)}.isolated{fill:var(--bad)}.bad,.good{stroke-width:2}
";

/// The picture of one policy.
pub(crate) fn draw(name: &str, about: &str, panels: &[Panel]) -> String {
    let height = TOP + PANEL * count(panels.len()) + BOTTOM;
    let mut svg = Svg::default();
    svg.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"What the preset {name} does when the hub is lost\">"
    ));
    svg.put(format_args!("<style>{STYLE}</style>"));
    svg.put(format_args!("<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"10\"/>"));
    svg.text(24.0, 34.0, "name", name);
    svg.text(24.0, 54.0, "soft", about);
    axis(&mut svg, height);
    for (index, panel) in panels.iter().enumerate() {
        panel_at(&mut svg, TOP + PANEL * count(index), panel);
    }
    legend(&mut svg, height - 12.0);
    svg.put(format_args!("</svg>"));
    svg.0
}

/// Vertical lines through all panels, and what they mean.
fn axis(svg: &mut Svg, height: f64) {
    for (seconds, label) in [
        (0.0, "the loss"),
        (0.1, "0.1 s"),
        (0.5, "0.5 s"),
        (1.0, "1 s"),
        (2.0, "2 s"),
        (5.0, "5 s"),
        (10.0, "10 s"),
        (20.0, "20 s"),
        (60.0, "1 min"),
        (120.0, "2 min"),
        (300.0, "5 min"),
        (600.0, "10 min"),
        (900.0, ""),
    ] {
        let x = place(Duration::from_secs_f64(seconds));
        let (from, to) = (TOP + 30.0, height - BOTTOM + 2.0);
        svg.put(format_args!("<path class=\"grid\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>"));
        svg.text(x, to + 14.0, "soft small mid", label);
    }
}

fn panel_at(svg: &mut Svg, top: f64, panel: &Panel) {
    let course = &panel.course;
    svg.text(24.0, top + 18.0, "title", panel.title);
    svg.text(WIDTH - RIGHT, top + 18.0, "end", &outcome(panel));
    let end = course.given_up_at.unwrap_or(HORIZON);

    let lane = top + 34.0;
    svg.text(LEFT - 12.0, lane + 10.0, "soft end", "hub");
    let state = if panel.story == Story::Flapping { "flaps" } else { "away" };
    svg.bar(lane, 12.0, Duration::ZERO, panel.story.over_at(), state);
    svg.bar(lane, 12.0, panel.story.over_at(), HORIZON, "up");

    let lane = top + 56.0;
    svg.text(LEFT - 12.0, lane + 10.0, "soft end", "link");
    let (from, to, y) = (place(Duration::ZERO), place(end), lane + 6.0);
    svg.put(format_args!("<path class=\"none\" d=\"M{from:.1} {y:.1}H{to:.1}\"/>"));
    for (from, to) in &course.links {
        svg.bar(lane, 12.0, *from, *to, "link");
    }
    if let Some(at) = course.given_up_at {
        let x = place(at);
        svg.put(format_args!("<path class=\"bad\" d=\"M{:.1} {:.1}l10 10m0 -10l-10 10\"/>", x - 5.0, lane + 1.0));
        svg.text(x + 12.0, lane + 10.0, "", "gives up");
    }

    dials(svg, top + 78.0, course);

    let lane = top + 122.0;
    svg.text(LEFT - 12.0, lane + 13.0, "soft end", "breaker");
    if course.breaker.is_empty() {
        svg.text(LEFT + 4.0, lane + 13.0, "soft", "none: the delays mean exactly what they say");
    }
    for (from, to, state) in &course.breaker {
        svg.bar(lane, 18.0, *from, *to, state.as_str());
        let (left, right) = (place(*from), place(*to));
        let label = match state {
            BreakerState::Open => seconds(*to - *from),
            _ => state.as_str().replace('_', "-"),
        };
        if right - left > 8.0 + 6.2 * count(label.len()) {
            svg.text((left + right) / 2.0, lane + 13.0, "mid", &label);
        }
    }
}

/// A tick for each dial, and the time between two where there is room for it.
fn dials(svg: &mut Svg, lane: f64, course: &Course) {
    svg.text(LEFT - 12.0, lane + 28.0, "soft end", "dials");
    for (at, is_accepted) in &course.dials {
        let x = place(*at);
        let class = if *is_accepted { "good" } else { "bad" };
        svg.put(format_args!(
            "<path class=\"{class}\" d=\"M{x:.1} {:.1}V{:.1}\"/><circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"2.5\"/>",
            lane + 18.0,
            lane + 34.0,
            lane + 18.0
        ));
    }
    let times = course.dials.iter().map(|(at, _)| *at);
    for (from, to) in std::iter::once(Duration::ZERO).chain(times.clone()).zip(times) {
        let (left, right) = (place(from), place(to));
        let label = seconds(to - from);
        if right - left > 6.0 + 5.4 * count(label.len()) {
            svg.text((left + right) / 2.0, lane + 12.0, "soft small mid", &label);
        }
    }
}

/// What came of it, in a few words.
fn outcome(panel: &Panel) -> String {
    let course = &panel.course;
    let dials = course.dials.len();
    if let Some(at) = course.given_up_at {
        return format!("{dials} dials, given up after {}", seconds(at));
    }
    let minute = Duration::from_secs(60);
    let first = course.dials.iter().filter(|(at, _)| *at < minute).count();
    let over = panel.story.over_at();
    let later = course.dials.iter().filter(|(at, _)| (minute..over).contains(at)).count();
    let back = course.links.last().map(|(from, _)| from.saturating_sub(over)).unwrap_or_default();
    match panel.story {
        Story::Restarting(_) => format!("{dials} dials, back {} after the hub", seconds(back)),
        Story::Flapping => format!("{first} dials in the first minute, {later} in the nine after it"),
        Story::Away(_) => {
            format!("{first} dials in the first minute, {later} later, back {} after the hub", seconds(back))
        }
    }
}

fn legend(svg: &mut Svg, y: f64) {
    let mut x = LEFT;
    for (class, label) in [
        ("away", "hub away"),
        ("flaps", "hub drops"),
        ("up", "hub well"),
        ("link", "connected"),
        ("closed", "breaker closed"),
        ("open", "open"),
        ("half_open", "half-open"),
    ] {
        svg.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"10\" rx=\"2\"/>",
            y - 9.0
        ));
        svg.text(x + 17.0, y, "soft small", label);
        x += 17.0 + 6.0 * count(label.len()) + 16.0;
    }
    for (class, label) in [("bad", "dial failed"), ("good", "dial accepted")] {
        svg.put(format_args!("<path class=\"{class}\" d=\"M{:.1} {:.1}v-9\"/>", x + 4.0, y));
        svg.text(x + 11.0, y, "soft small", label);
        x += 11.0 + 6.0 * count(label.len()) + 14.0;
    }
}

/// Where a time is: linear up to a tenth of a second, and then by its logarithm.
fn place(at: Duration) -> f64 {
    let scale = |seconds: f64| (1.0 + seconds / LINEAR).ln();
    LEFT + (WIDTH - LEFT - RIGHT) * scale(at.as_secs_f64()) / scale(HORIZON.as_secs_f64())
}

/// A duration as people say it.
fn seconds(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} s"),
        (whole, tenth) => format!("{whole}.{tenth} s"),
    }
}

fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[derive(Default)]
struct Svg(String);

impl Svg {
    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        // A text takes whatever is written to it.
        let _ = writeln!(self.0, "{line}");
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    fn bar(&mut self, y: f64, height: f64, from: Duration, to: Duration, class: &str) {
        let (left, right) = (place(from), place(to));
        let width = (right - left).max(1.0);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
        ));
    }
}
