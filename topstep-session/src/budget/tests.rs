use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn small() -> BudgetConfig {
    BudgetConfig { general: (20, 60 * SECOND), bars: (6, 30 * SECOND), ..BudgetConfig::default() }
}

fn ask(budget: &mut Budget, now: Instant, class: RateClass, priority: Priority) -> Turn {
    let ticket = budget.join(class, priority).unwrap();
    let turn = budget.turn(now, ticket);
    budget.leave(ticket);
    turn
}

/// How many calls of a kind go through at once.
fn through(budget: &mut Budget, now: Instant, priority: Priority) -> usize {
    (0..1_000).take_while(|_| ask(budget, now, RateClass::General, priority) == Turn::Now).count()
}

#[test]
fn each_priority_has_its_share_and_exits_have_the_rest() {
    let mut budget = Budget::new(BudgetConfig::default());
    assert_eq!(through(&mut budget, at(0), Priority::Read), 100);
    assert_eq!(through(&mut budget, at(0), Priority::Recovery), 40);
    assert_eq!(through(&mut budget, at(0), Priority::Order), 20);
    assert_eq!(through(&mut budget, at(0), Priority::Exit), 40);
    assert_eq!(ask(&mut budget, at(59), RateClass::General, Priority::Exit), Turn::At(at(60)));
    assert_eq!(through(&mut budget, at(60), Priority::Exit), 200);
}

#[test]
fn bars_have_a_limit_of_their_own() {
    let mut budget = Budget::new(BudgetConfig::default());
    assert!((0..30).all(|_| ask(&mut budget, at(0), RateClass::Bars, Priority::Read) == Turn::Now));
    assert_eq!(ask(&mut budget, at(1), RateClass::Bars, Priority::Read), Turn::At(at(30)));
    assert_eq!(ask(&mut budget, at(1), RateClass::General, Priority::Read), Turn::Now);
    assert_eq!(budget.used(at(1)), (1, 30));
}

#[test]
fn a_429_holds_everything_but_exits_back() {
    let mut budget = Budget::new(BudgetConfig::default());
    budget.hold(at(0), None);
    for priority in [Priority::Order, Priority::Recovery, Priority::Read] {
        assert_eq!(ask(&mut budget, at(1), RateClass::General, priority), Turn::At(at(10)));
        assert_eq!(ask(&mut budget, at(1), RateClass::Bars, priority), Turn::At(at(10)));
    }
    assert_eq!(ask(&mut budget, at(1), RateClass::General, Priority::Exit), Turn::Now);
    budget.hold(at(2), Some(30 * SECOND));
    budget.hold(at(3), Some(SECOND));
    assert_eq!(ask(&mut budget, at(10), RateClass::General, Priority::Order), Turn::At(at(32)));
    assert_eq!(ask(&mut budget, at(32), RateClass::General, Priority::Order), Turn::Now);
    assert_eq!(budget.held_until(at(32)), None);
}

#[test]
fn who_waits_longest_goes_first_and_an_exit_before_all() {
    let mut budget = Budget::new(small());
    assert_eq!(through(&mut budget, at(0), Priority::Exit), 20);
    let mut join = |priority| budget.join(RateClass::General, priority).unwrap();
    let (late, read, order, exit) =
        (join(Priority::Read), join(Priority::Read), join(Priority::Order), join(Priority::Exit));
    assert_eq!(budget.turn(at(1), read), Turn::At(at(60)), "what the first needs, an exit, comes first");
    assert_eq!(budget.turn(at(1), order), Turn::At(at(60)));
    budget.leave(late);
    // The whole window ends at once: all have room, each is granted, whoever asks first.
    for ticket in [read, order, exit] {
        assert_eq!(budget.turn(at(60), ticket), Turn::Now);
    }
    assert_eq!((budget.used(at(60)), budget.waiting()), ((3, 0), 0));
}

#[test]
fn a_turn_that_nobody_takes_is_given_back() {
    let mut budget = Budget::new(small());
    let first = budget.join(RateClass::General, Priority::Exit).unwrap();
    let second = budget.join(RateClass::General, Priority::Read).unwrap();
    assert_eq!(budget.turn(at(0), second), Turn::Now, "the first has its turn too, and does not know yet");
    assert_eq!(budget.used(at(0)).0, 2);
    budget.leave(first);
    assert_eq!(budget.used(at(0)).0, 1);
}

#[test]
fn the_queue_is_bounded() {
    let mut budget = Budget::new(BudgetConfig { max_waiting: 2, ..BudgetConfig::default() });
    let mut join = |priority| budget.join(RateClass::General, priority).is_some();
    let (read, exit) = (Priority::Read, Priority::Exit);
    let joined = [read, read, read, exit, exit, exit].map(&mut join);
    assert_eq!(joined, [true, true, false, true, true, false], "reads that wait keep no exit out");
}

#[test]
fn what_keeps_the_login_alive_is_counted_and_never_waits() {
    let mut budget = Budget::new(small());
    assert_eq!(through(&mut budget, at(0), Priority::Exit), 20);
    for _ in 0..100 {
        budget.charge(at(1));
    }
    assert_eq!(budget.used(at(1)).0, 40, "bounded");
    assert_eq!(ask(&mut budget, at(60), RateClass::General, Priority::Exit), Turn::At(at(61)));
}

#[derive(Debug, Clone)]
enum Step {
    Join(bool, Priority),
    Leave(usize),
    Hold(u64),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = prop::sample::select(Priority::ALL.to_vec());
    let step = prop_oneof![
        8 => (any::<bool>(), priority).prop_map(|(is_bars, priority)| Step::Join(is_bars, priority)),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => (1_u64..20).prop_map(Step::Hold),
        3 => (0_u64..20_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..200)
}

/// A world in which each waiter sleeps until its turn is said to come, and then asks again.
struct World {
    budget: Budget,
    now: Instant,
    waiting: Vec<(Ticket, Instant)>,
    granted: Vec<(Instant, Ticket)>,
}

impl World {
    fn ask(&mut self, index: usize) -> Result<(), TestCaseError> {
        let ticket = self.waiting[index].0;
        match self.budget.turn(self.now, ticket) {
            Turn::Now => {
                self.waiting.remove(index);
                self.granted.push((self.now, ticket));
            }
            Turn::At(at) => {
                prop_assert!(at > self.now, "whoever waits sleeps");
                self.waiting[index].1 = at;
            }
        }
        Ok(())
    }

    fn pass(&mut self, until: Instant) -> Result<(), TestCaseError> {
        loop {
            let next =
                self.waiting.iter().enumerate().min_by_key(|(_, (_, at))| *at).map(|(index, (_, at))| (index, *at));
            let Some((index, at)) = next.filter(|(_, at)| *at <= until) else { break };
            self.now = self.now.max(at);
            self.ask(index)?;
        }
        self.now = until;
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_its_limit_and_exits_keep_their_reserve(steps in steps()) {
        let config = small();
        let budget = Budget::new(config);
        let mut world = World { budget, now: at(1_000), waiting: Vec::new(), granted: Vec::new() };
        let mut held_until = at(0);
        for step in steps {
            match step {
                Step::Join(is_bars, priority) => {
                    let class = if is_bars { RateClass::Bars } else { RateClass::General };
                    let ticket = world.budget.join(class, priority).unwrap();
                    world.waiting.push((ticket, world.now));
                    world.ask(world.waiting.len() - 1)?;
                }
                Step::Leave(index) if !world.waiting.is_empty() => {
                    let (ticket, _) = world.waiting.remove(index % world.waiting.len());
                    world.budget.leave(ticket);
                }
                Step::Leave(_) => {}
                Step::Hold(seconds) => {
                    let (now, length) = (world.now, Duration::from_secs(seconds));
                    // Nobody may have a turn yet that was not taken: it would be of before the hold.
                    world.pass(now)?;
                    world.budget.hold(now, Some(length));
                    held_until = held_until.max(now + length);
                }
                Step::Pass(millis) => world.pass(world.now + Duration::from_millis(millis))?,
            }
        }
        // Whoever waits has its turn in the end.
        world.pass(world.now + 3_600 * SECOND)?;
        prop_assert!(world.waiting.is_empty());
        prop_assert_eq!(world.budget.waiting(), 0);

        for (class, (most, length)) in [(Class::General, config.general), (Class::Bars, config.bars)] {
            let calls: Vec<_> = world.granted.iter().filter(|(_, ticket)| ticket.class == class).collect();
            for (index, (when, ticket)) in calls.iter().enumerate() {
                let before = calls[..index].iter().filter(|(earlier, _)| *earlier + length > *when).count();
                prop_assert!(before < most as usize, "{class:?} at {when:?}");
                if class == Class::General && ticket.priority != Priority::Exit {
                    prop_assert!(before < most as usize * 80 / 100, "the reserve, at {when:?}");
                }
            }
        }
    }
}
