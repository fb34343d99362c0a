use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::faults::{Direction, DropHow};

const NOBODY: Whom<'static> = Whom { hub: None, connection: None };

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn lost() -> Fault {
    Fault::LostEvents { group: None }
}

fn one(book: &mut FaultBook, now: Instant, rule: Rule) -> Result<FaultId, &'static str> {
    book.inject(now, vec![rule]).map(|ids| ids[0])
}

fn acts(book: &mut FaultBook, now: Instant) -> bool {
    book.verdict(now, NOBODY, Some("quotes/C")) == Verdict::Lose
}

#[test]
fn a_rule_begins_ends_and_is_healed() {
    let (mut book, start) = (FaultBook::new(1), Instant::now());
    let id = one(&mut book, start, Rule::new(lost()).after(seconds(2)).lasts(seconds(3))).unwrap();
    let phase = |book: &FaultBook, now| book.reports(now)[0].phase;
    assert_eq!(phase(&book, start), Phase::Waiting);
    assert!(!acts(&mut book, start + seconds(2) - Duration::from_nanos(1)));
    assert!(acts(&mut book, start + seconds(2)));
    assert_eq!(phase(&book, start + seconds(2)), Phase::Active);
    assert!(acts(&mut book, start + seconds(5) - Duration::from_nanos(1)));
    assert!(!acts(&mut book, start + seconds(5)));
    assert_eq!(book.next_change(start), Some(start + seconds(2)));
    book.expire(start + seconds(5));
    assert_eq!((book.len(), phase(&book, start + seconds(5))), (0, Phase::Over));
    assert_eq!((book.reports(start)[0].acted, book.heal(id)), (2, false));

    let healed = one(&mut book, start, Rule::new(lost())).unwrap();
    assert!(acts(&mut book, start) && book.heal(healed) && !acts(&mut book, start));
}

#[test]
fn times_every_and_pattern_choose_the_opportunities() {
    let taken = |rule: Rule, count: u64| -> String {
        let (mut book, start) = (FaultBook::new(1), Instant::now());
        one(&mut book, start, rule).unwrap();
        (0..count).map(|at| if acts(&mut book, start + seconds(at)) { 'x' } else { '.' }).collect()
    };
    assert_eq!(taken(Rule::new(lost()).times(2), 5), "xx...");
    assert_eq!(taken(Rule::new(lost()).every(seconds(3)), 7), "x..x..x");
    assert_eq!(taken(Rule::new(lost()).pattern("..x".parse().unwrap()), 7), "..x..x.");
    assert_eq!(taken(Rule::new(lost()).pattern("...x".parse().unwrap()).times(1), 9), "...x.....");
    assert_eq!(taken(Rule::new(lost()).share(0.0), 4), "....");
    assert_eq!(taken(Rule::new(lost()).share(1.0), 4), "xxxx");
}

#[test]
fn a_scope_covers_its_own() {
    let (mut book, now) = (FaultBook::new(1), Instant::now());
    one(&mut book, now, Rule::new(lost()).on_hub("market")).unwrap();
    one(&mut book, now, Rule::new(lost()).on_connection("u1")).unwrap();
    let mut is_lost = |hub, id| book.verdict(now, Whom::new(hub, id), Some("g")) == Verdict::Lose;
    assert!(is_lost("market", "m1") && is_lost("user", "u1") && !is_lost("user", "u2"));
    assert!(!is_lost("lenient-market", "l1"));
    assert_eq!(book.verdict(now, NOBODY, Some("g")), Verdict::Deliver);
}

#[test]
fn groups_are_told_by_how_they_begin_and_the_first_rule_that_takes_an_event_has_it() {
    let (mut book, now) = (FaultBook::new(1), Instant::now());
    let group = Some("quotes/".to_owned());
    one(&mut book, now, Rule::new(Fault::LostEvents { group }).times(1)).unwrap();
    one(&mut book, now, Fault::DelayedEvents { by: seconds(1), group: None }.into()).unwrap();
    assert_eq!(book.verdict(now, NOBODY, Some("trades/C")), Verdict::Delay(seconds(1)));
    assert_eq!(book.verdict(now, NOBODY, Some("quotes/C")), Verdict::Lose);
    assert_eq!(book.verdict(now, NOBODY, Some("quotes/C")), Verdict::Delay(seconds(1)));
    let acted: Vec<_> = book.reports(now).iter().map(|report| report.acted).collect();
    assert_eq!(acted, [1, 2]);
}

#[test]
fn an_event_comes_once_or_again_and_again_and_missed_ones_are_not_made_up_for() {
    let (mut book, start) = (FaultBook::new(1), Instant::now());
    let drop = || Rule::new(Fault::Drop { how: DropHow::Reset });
    let once = one(&mut book, start, drop().after(seconds(1))).unwrap();
    let often = one(&mut book, start, drop().every(seconds(10)).times(3)).unwrap();
    let mut due = |at| {
        let due: Vec<_> = book.due(start + seconds(at)).into_iter().map(|due| due.id).collect();
        book.expire(start + seconds(at));
        due
    };
    assert_eq!(due(0), [often]);
    assert_eq!(due(1), [once]);
    assert_eq!(due(9), []);
    assert_eq!(due(35), [often]);
    assert_eq!(due(39), []);
    assert_eq!(due(40), [often]);
    assert_eq!((due(1000), book.len()), (vec![], 0));
}

#[test]
fn a_state_stays_with_those_it_came_over() {
    let (mut book, now) = (FaultBook::new(1), Instant::now());
    let stall = Fault::Stall { direction: Direction::Both };
    let id = one(&mut book, now, Rule::new(stall).times(1)).unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut holds = |decided: &mut Vec<_>, whom| !book.states(now, whom, decided, |_| Some(())).is_empty();
    assert!(holds(&mut first, Whom::new("market", "1")));
    assert!(!holds(&mut second, Whom::new("market", "2")));
    assert!(holds(&mut first, Whom::new("market", "1")));
    assert!(book.heal(id));
    assert!(book.states(now, Whom::new("market", "1"), &mut first, |_| Some(())).is_empty());
    assert!(first.is_empty());
}

#[test]
fn rules_that_make_no_sense_are_refused_and_so_is_one_too_many() {
    let (mut book, now) = (FaultBook::new(1), Instant::now());
    for bad in [
        Rule::new(Fault::RefuseConnections).on_hub("market"),
        Rule::new(lost()).on_hub("Market"),
        Rule::new(lost()).share(1.5),
        Rule::new(lost()).times(0),
        Rule::new(lost()).every(Duration::ZERO),
        Rule::new(Fault::SplitRecords { size: 0 }),
        Rule::new(lost()).after(Duration::MAX),
    ] {
        assert!(one(&mut book, now, bad.clone()).is_err(), "{bad:?}");
    }
    for _ in 0..MAX_RULES {
        one(&mut book, now, lost().into()).unwrap();
    }
    assert!(one(&mut book, now, lost().into()).is_err());
    assert_eq!(book.heal_all(), MAX_RULES);
    one(&mut book, now, lost().into()).unwrap();
}

#[test]
fn a_rule_reads_as_it_was_written() {
    let rule: Rule = serde_json::from_str(
        r#"{"fault":{"drop":{"how":"half-close"}},"scope":{"hub":"market"},"after":"250ms","every":"1m 30s","pattern":".x"}"#,
    )
    .unwrap();
    assert_eq!((rule.after, rule.every), (Some(Duration::from_millis(250)), Some(seconds(90))));
    let again: Rule = serde_json::from_str(&serde_json::to_string(&rule).unwrap()).unwrap();
    assert_eq!(again, rule);
    let named = |text: &str| serde_json::from_str::<Rule>(text).map(|rule| rule.fault);
    assert_eq!(named(r#"{"fault":"no-pings"}"#).unwrap(), Fault::NoPings);
    assert_eq!(named(r#"{"fault":"ping-flood"}"#).unwrap(), Fault::PingFlood { count: 1000 });
    let complaint = |text| named(text).unwrap_err().to_string();
    assert!(complaint(r#"{"fault":"no-such-fault"}"#).contains("unknown variant `no-such-fault`, expected one of"));
    assert!(complaint(r#"{"fault":"drop"}"#).contains("missing field `how`"));
    assert!(complaint(r#"{"fault":{"drop":{"how":"reset","hwo":1}}}"#).contains("unknown field `hwo`"));
    assert!(complaint(r#"{"fault":"no-pings","lasts":"soon"}"#).contains("`soon` is no duration"));
}

/// What happens to a book in a property test.
#[derive(Clone, Debug)]
enum Step {
    Inject { after: u64, lasts: Option<u64>, times: Option<u32>, every: Option<u64>, share: Option<u8>, is_event: bool },
    Heal(u64),
    Pass(u64),
    Ask,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let inject = (
        0..20_u64,
        prop::option::of(0..20_u64),
        prop::option::of(1..5_u32),
        prop::option::of(1..10_u64),
        prop::option::of(0..=100_u8),
        any::<bool>(),
    )
        .prop_map(|(after, lasts, times, every, share, is_event)| Step::Inject {
            after,
            lasts,
            times,
            every,
            share,
            is_event,
        });
    let step = prop_oneof![
        2 => inject,
        1 => (1..20_u64).prop_map(Step::Heal),
        4 => (0..6_u64).prop_map(Step::Pass),
        6 => Just(Step::Ask),
    ];
    prop::collection::vec(step, 0..80)
}

fn rule_of(step: &Step) -> Option<Rule> {
    let Step::Inject { after, lasts, times, every, share, is_event } = step else {
        return None;
    };
    let fault = if *is_event { Fault::Drop { how: DropHow::Fin } } else { lost() };
    let mut rule = Rule::new(fault).after(seconds(*after));
    rule.lasts = lasts.map(seconds);
    rule.times = *times;
    rule.every = every.map(seconds);
    rule.share = share.map(|percent| f64::from(percent) / 100.0);
    Some(rule)
}

proptest! {
    /// No rule acts outside its time, after it was healed, or more often than it may; and the same seed does the same.
    #[test]
    fn rules_keep_to_their_times(steps in steps(), seed in any::<u64>()) {
        let start = Instant::now();
        let play = || {
            let (mut book, mut now) = (FaultBook::new(seed), start);
            let mut windows: HashMap<FaultId, (Rule, Instant, Option<Instant>)> = HashMap::new();
            let mut log = Vec::new();
            for step in &steps {
                match step {
                    Step::Pass(time) => now += seconds(*time),
                    Step::Heal(id) => {
                        if book.heal(FaultId(*id)) {
                            windows.get_mut(&FaultId(*id)).unwrap().2 = Some(now);
                        }
                    }
                    Step::Ask => {
                        let before = book.reports(now);
                        let due = book.due(now);
                        let struck = due.iter().filter(|due| book.strikes(due.id, NOBODY)).count();
                        log.push((book.verdict(now, NOBODY, Some("g")), struck));
                        for (was, is) in before.iter().zip(book.reports(now)) {
                            let (rule, from, until) = &windows[&is.id];
                            let is_its_time = *from <= now && until.is_none_or(|until| now < until);
                            assert!(is.acted == was.acted || is_its_time, "{is:?} acted at the wrong time");
                            assert!(rule.times.is_none_or(|times| is.acted <= u64::from(times)));
                        }
                    }
                    Step::Inject { .. } => {
                        let rule = rule_of(step).unwrap();
                        let from = now + rule.after.unwrap();
                        let id = one(&mut book, now, rule.clone()).unwrap();
                        windows.insert(id, (rule.clone(), from, rule.lasts.map(|time| from + time)));
                    }
                }
                book.expire(now);
                // Everything that is over is out of the way, so what comes next lies ahead, or is due and not asked for.
                let waits = book.next_change(now);
                assert!(waits.is_none_or(|at| at > now) || book.entries.iter().any(|entry| entry.due <= Some(now)));
            }
            log
        };
        prop_assert_eq!(play(), play());
    }
}

#[test]
fn rules_are_taken_together_or_not_at_all() {
    let (mut book, now) = (FaultBook::new(1), Instant::now());
    let rules = |count| vec![Rule::new(lost()); count];
    assert!(book.inject(now, rules(MAX_RULES + 1)).is_err());
    assert_eq!(book.len(), 0);
    let mut two = rules(2);
    two[1].share = Some(2.0);
    assert!(book.inject(now, two).is_err() && book.len() == 0);
    assert_eq!(book.inject(now, rules(MAX_RULES)).unwrap().len(), MAX_RULES);
    assert!(book.inject(now, rules(1)).is_err());
}
