use std::time::Duration;

use adapter_core::Secret;
use proptest::prelude::*;
use signalr_proto::time::Instant;
use topstep_model::Timestamp;

use super::life::token_until;
use super::machine::{Exchange, Machine, Outcome, SPACING, Turn};
use super::{LoginError, LoginState, Revision};
use crate::moment::Moment;

const EPOCH: i64 = 1_795_000_000;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn at(since: Duration) -> Moment {
    let wall = time::UtcDateTime::from_unix_timestamp(EPOCH).unwrap() + since;
    Moment::new(Instant::from_nanos(0) + since, Timestamp::try_from(wall).unwrap())
}

/// A token that is over so long after the beginning.
fn token(until: Duration) -> Secret {
    Secret::new(token_until(EPOCH + until.as_secs() as i64))
}

fn logged_in(life: Duration) -> Machine {
    let mut machine = Machine::new(SPACING);
    assert_eq!(machine.turn(at(Duration::ZERO), None), Turn::Start(Exchange::LogIn));
    machine.handle_outcome(at(Duration::ZERO), Outcome::Token(token(life))).unwrap();
    machine
}

fn revision(turn: Turn) -> u64 {
    let Turn::Take(_, revision, _) = turn else { panic!("{turn:?}") };
    revision.0
}

fn renewal(turn: Turn) -> Option<Exchange> {
    let Turn::Take(_, _, renewal) = turn else { panic!("{turn:?}") };
    renewal
}

#[test]
fn one_login_serves_all_who_wait() {
    let mut machine = Machine::new(SPACING);
    assert_eq!(machine.state(at(Duration::ZERO)), LoginState::Idle);
    assert_eq!(machine.turn(at(Duration::ZERO), None), Turn::Start(Exchange::LogIn));
    for _ in 0..50 {
        assert_eq!(machine.turn(at(SECOND), None), Turn::Join);
    }
    assert_eq!(machine.state(at(SECOND)), LoginState::LoggingIn);
    machine.handle_outcome(at(SECOND), Outcome::Token(token(24 * HOUR))).unwrap();
    assert_eq!(revision(machine.turn(at(2 * SECOND), None)), 1);
    assert_eq!(machine.last_login(), Some(at(Duration::ZERO)));
}

#[test]
fn a_token_is_renewed_at_four_fifths_of_its_life_while_it_is_used_on() {
    let mut machine = logged_in(10 * HOUR);
    assert_eq!(renewal(machine.turn(at(8 * HOUR - SECOND), None)), None);
    let old = token(10 * HOUR);
    assert_eq!(
        machine.turn(at(8 * HOUR), None),
        Turn::Take(old.clone(), Revision(1), Some(Exchange::Validate(old.clone())))
    );
    assert_eq!(machine.turn(at(8 * HOUR), None), Turn::Take(old, Revision(1), None), "one at a time");
    machine.handle_outcome(at(8 * HOUR + SECOND), Outcome::Token(token(18 * HOUR))).unwrap();
    assert_eq!(machine.turn(at(9 * HOUR), None), Turn::Take(token(18 * HOUR), Revision(2), None));
    let LoginState::LoggedIn { renew_at, expires_at, .. } = machine.state(at(9 * HOUR)) else { panic!() };
    assert_eq!(expires_at, at(18 * HOUR).mono);
    assert_eq!(renew_at, at(8 * HOUR + SECOND).mono + (10 * HOUR - SECOND) * 4 / 5);
}

#[test]
fn a_token_that_stays_the_same_is_not_asked_about_all_the_time() {
    let mut machine = logged_in(HOUR);
    let start = HOUR * 4 / 5;
    let mut asked = 0;
    for second in 0..60 {
        let now = at(start + second * SECOND);
        if renewal(machine.turn(now, None)).is_some() {
            asked += 1;
            machine.handle_outcome(now, Outcome::Token(token(HOUR))).unwrap();
        }
    }
    assert_eq!(asked, 1, "after that, at four fifths of what is left");
}

#[test]
fn a_renewal_that_was_not_sent_is_tried_again_and_the_token_is_used_to_its_end() {
    let mut machine = logged_in(HOUR);
    let now = HOUR * 4 / 5;
    assert!(renewal(machine.turn(at(now), None)).is_some());
    machine.handle_outcome(at(now), Outcome::NotSent("no route".to_owned())).unwrap();
    assert_eq!(renewal(machine.turn(at(now + 29 * SECOND), None)), None);
    assert!(renewal(machine.turn(at(now + 30 * SECOND), None)).is_some());
    // Until it is over: then whoever asks waits for the renewal under way.
    assert_eq!(machine.turn(at(HOUR), None), Turn::Join);
    machine.handle_outcome(at(HOUR), Outcome::NotSent("no route".to_owned())).unwrap();
    assert_eq!(machine.turn(at(HOUR), None), Turn::Start(Exchange::LogIn));
}

#[test]
fn a_renewal_that_nobody_understands_leads_to_a_new_login() {
    let mut machine = logged_in(HOUR);
    let now = HOUR * 4 / 5;
    assert!(renewal(machine.turn(at(now), None)).is_some());
    machine.handle_outcome(at(now + SECOND), Outcome::Unclear("garbled".to_owned())).unwrap();
    assert_eq!(machine.turn(at(now + SECOND), None), Turn::Start(Exchange::LogIn));
    machine.handle_outcome(at(now + 2 * SECOND), Outcome::Token(token(3 * HOUR))).unwrap();
    assert_eq!(revision(machine.turn(at(now + 2 * SECOND), None)), 2);
}

#[test]
fn a_refused_token_is_never_offered_again_to_whom_it_failed() {
    let mut machine = logged_in(HOUR);
    assert_eq!(machine.turn(at(HOUR / 2), Some(Revision(1))), Turn::Start(Exchange::LogIn));
    machine.handle_outcome(at(HOUR / 2), Outcome::Token(token(2 * HOUR))).unwrap();
    assert_eq!(revision(machine.turn(at(HOUR / 2), Some(Revision(1)))), 2, "somebody else has renewed it");
    assert_eq!(machine.turn(at(HOUR / 2 + SECOND), Some(Revision(2))), Turn::Wait(at(HOUR / 2).mono + SPACING));
}

#[test]
fn while_no_login_is_allowed_a_token_that_one_call_was_refused_with_serves_the_others() {
    let mut machine = logged_in(24 * HOUR);
    let allowed = SPACING;
    assert_eq!(machine.turn(at(SECOND), Some(Revision(1))), Turn::Wait(at(allowed).mono));
    assert_eq!(machine.refused(), Some(Revision(1)));
    // An exit does not wait for what may be one path's whim.
    assert_eq!(revision(machine.turn(at(SECOND), None)), 1);
    assert_eq!(machine.turn(at(2 * SECOND), Some(Revision(1))), Turn::Wait(at(allowed).mono));
    // As soon as a login is allowed, whoever asks makes it, and all wait for it.
    assert_eq!(machine.turn(at(allowed), None), Turn::Start(Exchange::LogIn));
    assert_eq!(machine.turn(at(allowed), None), Turn::Join);
    machine.handle_outcome(at(allowed), Outcome::Token(token(24 * HOUR))).unwrap();
    assert_eq!(revision(machine.turn(at(allowed), Some(Revision(1)))), 2);
    assert_eq!(machine.refused(), None);
}

#[test]
fn a_refused_login_is_the_end_until_somebody_resumes() {
    let mut machine = Machine::new(SPACING);
    assert_eq!(machine.turn(at(Duration::ZERO), None), Turn::Start(Exchange::LogIn));
    let refused = Outcome::Refused { code: 3, message: None };
    let error = machine.handle_outcome(at(SECOND), refused).unwrap_err();
    assert_eq!(error, LoginError::Refused { code: 3, message: None });
    for hour in 1..48 {
        assert_eq!(machine.turn(at(hour * HOUR), None), Turn::Failed(error.clone()));
    }
    assert_eq!(machine.state(at(HOUR)), LoginState::Ended(error));
    machine.handle_resume();
    assert_eq!(machine.turn(at(49 * HOUR), None), Turn::Start(Exchange::LogIn));
}

#[test]
fn a_logout_is_the_end_until_somebody_resumes_and_a_login_under_way_does_not_undo_it() {
    let mut machine = logged_in(HOUR);
    machine.handle_logout();
    assert_eq!(machine.state(at(SECOND)), LoginState::LoggedOut);
    assert_eq!(machine.turn(at(SECOND), None), Turn::Failed(LoginError::LoggedOut));

    let mut machine = Machine::new(SPACING);
    assert_eq!(machine.turn(at(Duration::ZERO), None), Turn::Start(Exchange::LogIn));
    machine.handle_logout();
    let told = machine.handle_outcome(at(SECOND), Outcome::Token(token(HOUR)));
    assert_eq!(told, Err(LoginError::LoggedOut));
    machine.handle_resume();
    assert_eq!(machine.turn(at(2 * SECOND), None), Turn::Wait(at(SPACING).mono), "resuming does not hammer either");
}

#[test]
fn a_venue_that_refuses_every_token_sees_five_logins_an_hour() {
    let mut machine = logged_in(24 * HOUR);
    let (mut now, mut logins, mut bad) = (Duration::from_secs(60), Vec::new(), 1);
    loop {
        match machine.turn(at(now), Some(Revision(bad))) {
            Turn::Start(Exchange::LogIn) => {
                logins.push(now);
                machine.handle_outcome(at(now), Outcome::Token(token(48 * HOUR))).unwrap();
            }
            Turn::Take(_, revision, _) => bad = revision.0,
            Turn::Wait(until) => now = Duration::from_nanos(until.as_nanos()),
            Turn::Failed(error) => {
                assert_eq!(error, LoginError::TooManyLogins);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(logins.len(), 5);
    assert!(logins.windows(2).all(|pair| pair[1] - pair[0] >= SPACING));
    machine.handle_resume();
    assert_eq!(machine.turn(at(now + 2 * HOUR), None), Turn::Start(Exchange::LogIn));
}

#[test]
fn an_unreachable_venue_is_asked_again_sooner_than_one_that_may_have_heard() {
    let mut machine = Machine::new(SPACING);
    assert_eq!(machine.turn(at(Duration::ZERO), None), Turn::Start(Exchange::LogIn));
    assert!(machine.handle_outcome(at(SECOND), Outcome::NotSent("no route".to_owned())).is_err());
    assert_eq!(machine.last_login(), None);
    assert_eq!(machine.turn(at(SECOND), None), Turn::Wait(at(2 * SECOND).mono));
    assert_eq!(machine.turn(at(2 * SECOND), None), Turn::Start(Exchange::LogIn));
    assert!(machine.handle_outcome(at(3 * SECOND), Outcome::Unclear("late".to_owned())).is_err());
    assert_eq!(machine.turn(at(4 * SECOND), None), Turn::Wait(at(32 * SECOND).mono));
    assert_eq!(machine.turn(at(32 * SECOND), None), Turn::Start(Exchange::LogIn));
    assert!(machine.handle_outcome(at(33 * SECOND), Outcome::Busy(Some(120 * SECOND))).is_err());
    assert_eq!(machine.turn(at(34 * SECOND), None), Turn::Wait(at(153 * SECOND).mono));
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Ask { says_refused: bool },
    End(u8, u64),
    LogOut,
    Resume,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..4_000).prop_map(Step::Pass),
        8 => any::<bool>().prop_map(|says_refused| Step::Ask { says_refused }),
        6 => (0_u8..8, 0_u64..100_000).prop_map(|(kind, life)| Step::End(kind, life)),
        1 => Just(Step::LogOut),
        2 => Just(Step::Resume),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn whatever_the_venue_says_no_token_is_bad_and_no_login_too_early(steps in steps()) {
        let mut machine = Machine::new(SPACING);
        let mut now = Duration::ZERO;
        let (mut in_flight, mut seen_login, mut refused, mut offered) = (None, None::<Duration>, 0, 0);
        let (mut is_out, mut was_sent) = (false, false);
        for step in steps {
            match step {
                Step::Pass(tenths) => now += Duration::from_millis(tenths * 100),
                Step::Ask { says_refused } => {
                    if says_refused {
                        refused = offered;
                    }
                    let ask = Some(Revision(refused)).filter(|_| refused > 0);
                    match machine.turn(at(now), ask) {
                        Turn::Take(_, revision, renewal) => {
                            prop_assert!(!is_out, "nothing after a logout");
                            prop_assert!(revision.0 > refused, "a refused one");
                            prop_assert!(revision.0 >= offered);
                            offered = revision.0;
                            if let Some(renewal) = renewal {
                                prop_assert!(in_flight.replace(renewal).is_none(), "one at a time");
                            }
                        }
                        Turn::Start(exchange) => {
                            prop_assert!(!is_out);
                            prop_assert_eq!(&exchange, &Exchange::LogIn);
                            prop_assert!(in_flight.replace(exchange).is_none(), "one at a time");
                            prop_assert!(seen_login.is_none_or(|login| now - login >= SPACING), "too early");
                            seen_login = Some(now);
                            was_sent = true;
                        }
                        Turn::Join => prop_assert!(in_flight.is_some()),
                        Turn::Wait(until) => {
                            prop_assert!(until > at(now).mono);
                            prop_assert!(until <= at(now + SPACING).mono + 200 * SECOND);
                        }
                        Turn::Failed(_) => {}
                    }
                }
                Step::End(kind, life) => {
                    let Some(exchange) = in_flight.take() else { continue };
                    let outcome = match kind {
                        0..=2 => Outcome::Token(Secret::new(token_until(EPOCH + now.as_secs() as i64 + life as i64))),
                        3 => Outcome::Kept,
                        4 => Outcome::Refused { code: 8, message: None },
                        5 => Outcome::Unauthorized,
                        6 => Outcome::NotSent("no route".to_owned()),
                        _ => Outcome::Unclear("late".to_owned()),
                    };
                    if exchange == Exchange::LogIn && kind == 6 && was_sent {
                        seen_login = None;
                    }
                    let _ = machine.handle_outcome(at(now), outcome);
                }
                Step::LogOut => {
                    machine.handle_logout();
                    is_out = true;
                }
                Step::Resume => {
                    machine.handle_resume();
                    is_out = false;
                }
            }
        }
    }
}
