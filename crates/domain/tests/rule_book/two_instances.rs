//! Two instances on one database, explored whole: they lock row by row, read the clock, decide and commit, and meet anywhere.
//! The rules are the product's; how locks are taken is modelled on what the ports and the adapters promise. Two wrong ways of
//! doing it are explored as well, to see them fail.

use std::collections::{BTreeMap, BTreeSet};

use domain::{BookingId, BookingStatus, Command, Keys, LedgerError, Outcome, Refusal, SeatKey};
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::rows::{self, BookingRow, Rows, SeatRow};
use crate::small_world::{at, explore, hold, no_hold_ends_early, no_seat_is_sold_twice, seats_and_bookings_agree};

const SEATS: i64 = 2;
/// Ada has all the seats until here; later holds live as long.
const HOLD_FOR: i64 = 1;
const END: i64 = 2;
const JOBS_EACH: usize = 2;

/// How an instance does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    AsPromised,
    ReadsTheClockBeforeTheLocks,
    /// The second instance takes its locks the other way round.
    LocksInAnyOrder,
}

struct TwoInstances(Habit);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    clock: i64,
    rows: Rows,
    locks: BTreeMap<Lock, usize>,
    instances: [Instance; 2],
    /// Bookings of which someone was told that they have ended without a sale.
    told_ended: BTreeSet<BookingId>,
    last: Event,
}

/// In the order of this type, as everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Lock {
    Seat(SeatKey),
    Booking(BookingId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Instance {
    jobs_left: usize,
    work: Option<Work>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Work {
    job: Job,
    /// Whether it has found out that a dead hold is in its way.
    reaches: bool,
    /// What it has still to lock, the next one last.
    to_lock: Vec<Lock>,
    /// What the clock said when it was read.
    now: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Job {
    /// One seat, or all of them.
    Hold(Option<i64>),
    Confirm(BookingId),
    Sweep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    Nothing,
    Confirmed,
    ConfirmCameTooLate,
    DeadHoldGaveWay,
    Swept,
    RanAgain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Tick,
    /// A customer looks at a booking.
    Find(BookingId),
    Begin(usize, Job),
    Lock(usize),
    ReadClock(usize),
    Commit(usize),
}

impl Job {
    fn command(self) -> Option<Command> {
        match self {
            Self::Hold(Some(seat)) => Some(hold("Bob", &[seat], HOLD_FOR)),
            Self::Hold(None) => Some(hold("Bob", &(1..=SEATS).collect::<Vec<_>>(), HOLD_FOR)),
            Self::Confirm(booking_id) => Some(Command::Confirm(domain::Confirm::of(booking_id))),
            Self::Sweep => None,
        }
    }
}

impl State {
    fn begin(&mut self, habit: Habit, i: usize, job: Job, reaches: bool) {
        let mut work = Work { job, reaches, to_lock: Vec::new(), now: None };
        match job.command() {
            // Everything that is free, without waiting: bookings first, so that two sweeps share the work.
            None => {
                let due = self.rows.due(at(self.clock), usize::MAX);
                let due: BTreeSet<BookingId> = due.into_iter().filter(|id| self.take(i, Lock::Booking(*id))).collect();
                let seats: Vec<SeatKey> = due.iter().flat_map(|id| self.rows.bookings[id].keys()).collect();
                for key in seats {
                    self.take(i, Lock::Seat(key));
                }
            }
            Some(command) => {
                let keys = Keys::of(&[command.clone().into()]);
                let dead = if reaches { self.in_the_way(&keys.seats) } else { BTreeSet::new() };
                let bookings = || keys.bookings.iter().copied().chain(dead.iter().copied());
                let theirs = bookings().filter_map(|id| self.rows.bookings.get(&id)).flat_map(BookingRow::keys);
                let seats: BTreeSet<Lock> = keys.seats.iter().copied().chain(theirs).map(Lock::Seat).collect();
                let rows = seats.into_iter().chain(bookings().map(Lock::Booking).collect::<BTreeSet<_>>());
                work.to_lock = rows.collect();
                if habit != Habit::LocksInAnyOrder || i == 0 {
                    work.to_lock.reverse();
                }
            }
        }
        if habit == Habit::ReadsTheClockBeforeTheLocks {
            work.now = Some(self.clock);
        }
        self.instances[i].work = Some(work);
    }

    /// The bookings whose dead holds are on these seats, as the database sees it now.
    fn in_the_way(&self, seats: &[SeatKey]) -> BTreeSet<BookingId> {
        let dead = |key| match self.rows.seats.get(key) {
            Some(SeatRow::Held { by, until }) if *until <= at(self.clock) => Some(*by),
            Some(SeatRow::Available | SeatRow::Held { .. } | SeatRow::Sold { .. }) | None => None,
        };
        seats.iter().filter_map(dead).collect()
    }

    fn take(&mut self, i: usize, lock: Lock) -> bool {
        *self.locks.entry(lock).or_insert(i) == i
    }

    /// Whether the instance can do its next step: only another one's lock can keep it from it.
    fn can_go_on(&self, work: &Work) -> bool {
        work.to_lock.last().is_none_or(|lock| !self.locks.contains_key(lock))
    }

    fn commit(&mut self, habit: Habit, i: usize) {
        let work = self.instances[i].work.take().unwrap();
        let (mut seats, mut bookings) = (BTreeSet::new(), BTreeSet::new());
        for (lock, _) in self.locks.iter().filter(|(_, owner)| **owner == i) {
            match lock {
                Lock::Seat(key) => seats.insert(*key),
                Lock::Booking(id) => bookings.insert(*id),
            };
        }
        self.locks.retain(|_, owner| *owner != i);
        let now = at(work.now.unwrap());
        let Some(command) = work.job.command() else {
            let locked = self.rows.seats.keys().copied().filter(|key| !seats.contains(key)).collect();
            if !self.rows.sweep(now, &bookings, &locked).is_empty() {
                self.last = Event::Swept;
            }
            return;
        };
        let failed = self.failed();
        let rows = self.rows.locked(now, &[rows::show(1)], &seats, &bookings);
        match self.rows.run(rows, &[command]) {
            Ok(outcomes) => match outcomes[..] {
                [Outcome::Confirmed { .. }] => self.last = Event::Confirmed,
                [Outcome::Refused(Refusal::HoldExpired { booking_id, .. })] => {
                    self.told_ended.insert(booking_id);
                    self.last = Event::ConfirmCameTooLate;
                }
                [Outcome::Held { .. }] if self.failed() > failed => self.last = Event::DeadHoldGaveWay,
                _ => {}
            },
            // Once more, reaching further; after that the caller is told to come back.
            Err(LedgerError::RowsMissing) if !work.reaches => {
                self.begin(habit, i, work.job, true);
                self.last = Event::RanAgain;
            }
            Err(LedgerError::RowsMissing) => {}
            Err(error @ LedgerError::Corrupt { .. }) => panic!("{error}"),
        }
    }

    fn failed(&self) -> usize {
        self.rows.bookings.values().filter(|row| row.status == BookingStatus::Failed).count()
    }
}

impl Model for TwoInstances {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let mut rows = Rows::free(1, SEATS);
        rows.execute(at(0), &[hold("Ada", &[1, 2], HOLD_FOR)]);
        let idle = || Instance { jobs_left: JOBS_EACH, work: None };
        let (locks, told_ended) = (BTreeMap::new(), BTreeSet::new());
        vec![State { clock: 0, rows, locks, instances: [idle(), idle()], told_ended, last: Event::Nothing }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        if state.clock < END {
            acts.push(Act::Tick);
        }
        // As `find` does: it waits for whoever is changing the booking.
        let unlocked = |id: &&BookingId| !state.locks.contains_key(&Lock::Booking(**id));
        acts.extend(state.rows.bookings.keys().filter(unlocked).map(|id| Act::Find(*id)));
        for (i, instance) in state.instances.iter().enumerate() {
            match &instance.work {
                None if instance.jobs_left > 0 => {
                    let holds = [Job::Hold(Some(2)), Job::Hold(None), Job::Sweep];
                    let confirms = state.rows.bookings.keys().map(|id| Job::Confirm(*id));
                    acts.extend(holds.into_iter().chain(confirms).map(|job| Act::Begin(i, job)));
                }
                None => {}
                Some(work) if !state.can_go_on(work) => {}
                Some(Work { to_lock, .. }) if !to_lock.is_empty() => acts.push(Act::Lock(i)),
                Some(Work { now: None, .. }) => acts.push(Act::ReadClock(i)),
                Some(Work { now: Some(_), .. }) => acts.push(Act::Commit(i)),
            }
        }
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        let mut next = State { last: Event::Nothing, ..state.clone() };
        match act {
            Act::Tick => next.clock += 1,
            Act::Find(id) => {
                let seen = next.rows.booking(id).unwrap().as_of(at(next.clock));
                if seen.state.status() == BookingStatus::Failed {
                    next.told_ended.insert(id);
                }
            }
            Act::Begin(i, job) => {
                next.instances[i].jobs_left -= 1;
                next.begin(self.0, i, job, false);
            }
            Act::Lock(i) => {
                let lock = next.instances[i].work.as_mut().unwrap().to_lock.pop().unwrap();
                assert!(next.take(i, lock));
            }
            Act::ReadClock(i) => next.instances[i].work.as_mut().unwrap().now = Some(next.clock),
            Act::Commit(i) => next.commit(self.0, i),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no seat is sold twice", |_, state: &State| no_seat_is_sold_twice(&state.rows)),
            Property::always("seats and bookings agree", |_, state: &State| seats_and_bookings_agree(&state.rows)),
            Property::always("no hold ends before its deadline", |_, state: &State| no_hold_ends_early(&state.rows)),
            Property::always(WHO_WAS_TOLD, |_, state: &State| {
                let is_sold = |id| state.rows.bookings[id].status == BookingStatus::Confirmed;
                !state.told_ended.iter().any(is_sold)
            }),
            Property::always(SOMEONE_GOES_ON, |_, state: &State| {
                let mut working = state.instances.iter().filter_map(|instance| instance.work.as_ref()).peekable();
                working.peek().is_none() || working.any(|work| state.can_go_on(work))
            }),
            Property::sometimes("one waits for the other", |_, state: &State| {
                let mut working = state.instances.iter().filter_map(|instance| instance.work.as_ref());
                working.any(|work| !state.can_go_on(work))
            }),
            Property::sometimes("a confirm wins", |_, state: &State| state.last == Event::Confirmed),
            Property::sometimes("a confirm comes too late", |_, state: &State| state.last == Event::ConfirmCameTooLate),
            Property::sometimes("a dead hold gives way", |_, state: &State| state.last == Event::DeadHoldGaveWay),
            Property::sometimes("a sweep fails a hold", |_, state: &State| state.last == Event::Swept),
            Property::sometimes("a batch is run again", |_, state: &State| state.last == Event::RanAgain),
        ]
    }
}

const WHO_WAS_TOLD: &str = "a booking that was said to have ended is not sold";
const SOMEONE_GOES_ON: &str = "they never wait for each other";

#[test]
fn two_instances_keep_every_rule_wherever_they_meet() {
    explore("two instances", TwoInstances(Habit::AsPromised), HasDiscoveries::AnyFailures).assert_properties();
}

/// The shortest way in which this habit breaks that rule.
fn offence(habit: Habit, rule: &'static str) -> Vec<Act> {
    let checker = explore(rule, TwoInstances(habit), HasDiscoveries::AnyOf([rule].into()));
    let acts = checker.discovery(rule).unwrap_or_else(|| panic!("{habit:?} is not seen")).into_actions();
    println!("{habit:?}: {acts:?}");
    acts
}

#[test]
fn a_clock_that_is_read_before_the_locks_sells_what_was_said_to_have_ended() {
    let acts = offence(Habit::ReadsTheClockBeforeTheLocks, WHO_WAS_TOLD);
    assert!(acts.contains(&Act::Tick), "{acts:?}");
}

#[test]
fn locks_that_are_taken_in_any_order_come_to_a_deadlock() {
    let acts = offence(Habit::LocksInAnyOrder, SOMEONE_GOES_ON);
    assert!(acts.contains(&Act::Lock(0)) && acts.contains(&Act::Lock(1)), "{acts:?}");
}
