//! A small world explored whole: two customers, two seats, a clock and a sweeper, in every order. Each step is the product's own
//! decision on rows that were saved; the properties are said on the rows, without the product.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::TimeDelta;
use domain::{BookingStatus, Command, Hold, Outcome, Refusal, SeatKey, SeatSelection, Timestamp, UserName};
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::rows::{self, BookingRow, Rows, SeatRow};

const CUSTOMERS: [&str; 2] = ["Ada", "Bob"];
const SEATS: i64 = 2;
/// How long a hold lives, and when the world ends, in ticks.
const HOLD_FOR: i64 = 2;
const END: i64 = 3;
const BOOKINGS_EACH_MAX: usize = 2;

pub(crate) fn at(tick: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(tick).unwrap()
}

pub(crate) fn hold(customer: &str, seats: &[i64], ticks: i64) -> Command {
    let seats = SeatSelection::new(seats, 50).unwrap();
    let user_name = UserName::new(customer).unwrap();
    Command::Hold(Hold { show_id: rows::show(1), seats, user_name, customer: None, hold_for: TimeDelta::microseconds(ticks) })
}

struct SmallWorld;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    clock: i64,
    rows: Rows,
    /// What the last step was, as far as someone asks.
    last: Event,
    /// Whether some step changed a booking that had come to its end.
    end_undone: bool,
    /// Whether some step confirmed a booking at or after its deadline.
    confirmed_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    Nothing,
    Expired,
    Confirmed,
    DeadHoldGaveWay,
    ConfirmCameTooLate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    Tick,
    Sweep,
    Ask(Command),
}

impl State {
    fn after(&self, act: &Act) -> Self {
        let mut next = Self { last: Event::Nothing, ..self.clone() };
        match act {
            Act::Tick => next.clock += 1,
            Act::Sweep => {
                let due = self.rows.due(at(self.clock), 1);
                if !next.rows.sweep(at(self.clock), &due, &BTreeSet::new()).is_empty() {
                    next.last = Event::Expired;
                }
            }
            Act::Ask(command) => {
                let outcome = next.rows.execute(at(self.clock), std::slice::from_ref(command)).remove(0);
                next.last = match outcome {
                    Outcome::Held { .. } if next.failed() > self.failed() => Event::DeadHoldGaveWay,
                    Outcome::Confirmed { booking_id } => {
                        next.confirmed_late |= self.rows.bookings[&booking_id].deadline <= at(self.clock);
                        Event::Confirmed
                    }
                    Outcome::Expired { .. } => Event::Expired,
                    Outcome::Refused(Refusal::HoldExpired { .. }) => Event::ConfirmCameTooLate,
                    _ => Event::Nothing,
                };
            }
        }
        let ended = self.rows.bookings.iter().filter(|(_, row)| row.status != BookingStatus::Pending);
        next.end_undone |= ended.into_iter().any(|(id, row)| next.rows.bookings.get(id) != Some(row));
        next
    }

    fn failed(&self) -> usize {
        self.rows.bookings.values().filter(|row| row.status == BookingStatus::Failed).count()
    }

    fn bookings_of(&self, customer: &str) -> usize {
        self.rows.bookings.values().filter(|row| row.user_name.as_str() == customer).count()
    }
}

impl Model for SmallWorld {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let rows = Rows::free(1, SEATS);
        vec![State { clock: 0, rows, last: Event::Nothing, end_undone: false, confirmed_late: false }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        if state.clock < END {
            acts.push(Act::Tick);
        }
        acts.push(Act::Sweep);
        for customer in CUSTOMERS.iter().filter(|customer| state.bookings_of(customer) < BOOKINGS_EACH_MAX) {
            acts.extend([&[1][..], &[2], &[1, 2]].map(|seats| Act::Ask(hold(customer, seats, HOLD_FOR))));
        }
        for &booking_id in state.rows.bookings.keys() {
            acts.extend([Command::Confirm(domain::Confirm::of(booking_id)), Command::Expire { booking_id }].map(Act::Ask));
        }
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        Some(state.after(&act))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no seat is sold twice", |_, state: &State| no_seat_is_sold_twice(&state.rows)),
            Property::always("seats and bookings agree", |_, state: &State| seats_and_bookings_agree(&state.rows)),
            Property::always("free, held and sold seats are all seats", |_, state: &State| seats_add_up(&state.rows)),
            Property::always("no hold ends before its deadline", |_, state: &State| no_hold_ends_early(&state.rows)),
            Property::always("what is final stays final", |_, state: &State| !state.end_undone),
            Property::always("nothing is confirmed at or after its deadline", |_, state: &State| !state.confirmed_late),
            Property::always("a seat can be had exactly when nobody holds it in time or has bought it", seats_can_be_had),
            Property::sometimes("a hold runs out", |_, state: &State| state.last == Event::Expired),
            Property::sometimes("a confirm wins", |_, state: &State| state.last == Event::Confirmed),
            Property::sometimes("a dead hold gives way", |_, state: &State| state.last == Event::DeadHoldGaveWay),
            Property::sometimes("a confirm comes too late", |_, state: &State| state.last == Event::ConfirmCameTooLate),
            Property::sometimes("the house is sold out", |_, state: &State| {
                state.rows.seats.values().all(|row| matches!(row, SeatRow::Sold { .. }))
            }),
        ]
    }
}

fn lists(booking: &BookingRow, key: SeatKey) -> bool {
    booking.keys().any(|listed| listed == key)
}

/// Whatever the seats say, counted by the bookings that were ever confirmed.
pub(crate) fn no_seat_is_sold_twice(rows: &Rows) -> bool {
    let sold = |key| rows.bookings.values().filter(|row| row.status == BookingStatus::Confirmed && lists(row, key)).count();
    rows.seats.keys().all(|key| sold(*key) <= 1)
}

/// A seat is listed by the booking that has it, which is in the right state and has the same deadline; and a live booking has
/// every seat that it lists.
pub(crate) fn seats_and_bookings_agree(rows: &Rows) -> bool {
    let owner_agrees = |(key, seat): (&SeatKey, &SeatRow)| match seat {
        SeatRow::Available => true,
        SeatRow::Held { by, until } => {
            let row = &rows.bookings[by];
            row.status == BookingStatus::Pending && row.deadline == *until && lists(row, *key)
        }
        SeatRow::Sold { to } => rows.bookings[to].status == BookingStatus::Confirmed && lists(&rows.bookings[to], *key),
    };
    let has = |seat: &SeatRow, id| matches!(seat, SeatRow::Held { by, .. } | SeatRow::Sold { to: by } if *by == id);
    let has_its_seats = |(id, row): (&domain::BookingId, &BookingRow)| {
        row.status == BookingStatus::Failed || row.keys().all(|key| has(&rows.seats[&key], *id))
    };
    rows.seats.iter().all(owner_agrees) && rows.bookings.iter().all(has_its_seats)
}

pub(crate) fn no_hold_ends_early(rows: &Rows) -> bool {
    rows.bookings.values().all(|row| row.status != BookingStatus::Failed || row.deadline <= row.updated_at)
}

/// The held and sold seats as the bookings list them, and the free ones as the seats say.
fn seats_add_up(rows: &Rows) -> bool {
    let listed = rows.bookings.values().filter(|row| row.status != BookingStatus::Failed).map(|row| row.seats.len());
    let free = rows.seats.values().filter(|row| **row == SeatRow::Available).count();
    listed.sum::<usize>() + free == rows.seats.len()
}

/// Tried out: a free seat and one whose hold is dead are given to whoever asks, without a sweep; any other is not.
fn seats_can_be_had(_: &SmallWorld, state: &State) -> bool {
    let can_be_had = |row: &SeatRow| match row {
        SeatRow::Available => true,
        SeatRow::Held { until, .. } => *until <= at(state.clock),
        SeatRow::Sold { .. } => false,
    };
    state.rows.seats.iter().all(|(key, row)| {
        let outcome = state.rows.clone().execute(at(state.clock), &[hold("Eve", &[key.number.get()], HOLD_FOR)]);
        matches!(outcome[..], [Outcome::Held { .. }]) == can_be_had(row)
    })
}

/// Explores the whole of a model, or as much as it takes to know `enough`, and says how large that was.
pub(crate) fn explore<M>(name: &str, model: M, enough: HasDiscoveries) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + std::hash::Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Send + Sync + 'static,
{
    let start = Instant::now();
    let checker = model.checker().threads(2).finish_when(enough).spawn_bfs().join();
    println!("{name}: {} states, {:?}", checker.unique_state_count(), start.elapsed());
    checker
}

#[test]
fn a_small_world_keeps_every_rule_whatever_happens() {
    explore("small world", SmallWorld, HasDiscoveries::AnyFailures).assert_properties();
}
