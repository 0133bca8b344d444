//! Random histories: batches, sweeps and a clock that moves. Every answer and every row is what a plain model says.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    BookingId, BookingState, BookingStatus, Command, Deadline, Hold, LedgerError, Outcome, Refusal, SeatRefusalReason,
    SeatSelection, SeatState, Timestamp, UserName,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::plain_model::{Answer, End, Obstacle, PlainModel, Seat, Wish};
use crate::rows::{self, Rows, SeatRow};

const SHOWS: i64 = 2;
const SEATS: i64 = 4;
/// A booking that never comes to be.
const NOBODY: i64 = 1_000;

/// What can happen.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A batch; of the dead holds in its way the store has met those with a bit here.
    Batch { wishes: Vec<Wish>, met: u8 },
    /// A sweep, while others have locked some seats.
    Sweep { limit: usize, locked: BTreeSet<(i64, i64)> },
    /// Time goes by.
    Wait(i64),
}

fn wish(known: &[i64]) -> impl Strategy<Value = Wish> + use<> {
    // One show and one seat more than there are.
    let hold = (1..=SHOWS * 4 + 1, btree_set(1..=SEATS + 1, 1..4), 1..5_i64);
    let hold = hold.prop_map(|(show, seats, lives)| Wish::Hold { show: (show + 3) / 4, seats, lives });
    let id = select([known, &[NOBODY]].concat());
    prop_oneof![4 => hold, 2 => id.clone().prop_map(Wish::Confirm), 1 => id.prop_map(Wish::Expire)]
}

impl ReferenceStateMachine for PlainModel {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::new(SHOWS, SEATS)).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let known: Vec<i64> = state.bookings.keys().copied().collect();
        let batch = (vec(wish(&known), 1..6), any::<u8>()).prop_map(|(wishes, met)| Step::Batch { wishes, met });
        let sweep = (1..4_usize, btree_set((1..=SHOWS, 1..=SEATS), 0..3));
        let sweep = sweep.prop_map(|(limit, locked)| Step::Sweep { limit, locked });
        prop_oneof![5 => batch, 1 => sweep, 2 => (1..4_i64).prop_map(Step::Wait)].boxed()
    }

    /// Nobody can name a booking before it has been made.
    fn preconditions(state: &Self, step: &Step) -> bool {
        let is_known = |wish: &Wish| match wish {
            Wish::Hold { .. } => true,
            Wish::Confirm(id) | Wish::Expire(id) => *id == NOBODY || state.bookings.contains_key(id),
        };
        match step {
            Step::Batch { wishes, .. } => wishes.iter().all(is_known),
            Step::Sweep { .. } | Step::Wait(_) => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Batch { wishes, .. } => state.batch(wishes),
            Step::Sweep { limit, locked } => state.sweep(*limit, locked),
            Step::Wait(time) => state.now += time,
        }
        state
    }
}

/// The product's ledger on plain rows.
struct Product;

impl StateMachineTest for Product {
    type SystemUnderTest = Rows;
    type Reference = PlainModel;

    fn init_test(_: &PlainModel) -> Rows {
        Rows::free(SHOWS, SEATS)
    }

    fn apply(mut rows: Rows, expected: &PlainModel, step: Step) -> Rows {
        let now = instant(expected.now);
        match step {
            Step::Batch { wishes, met } => {
                let commands: Vec<Command> = wishes.iter().map(command).collect();
                let before = rows.clone();
                let outcomes = rows.execute(now, &commands);
                assert_eq!(outcomes.iter().map(answer).collect::<Vec<_>>(), expected.answers);
                decides_the_same_or_says_what_is_missing(before, &rows, &outcomes, now, &commands, met, expected);
            }
            Step::Sweep { limit, locked } => {
                let locked = locked.into_iter().map(|(show, seat)| rows::seat(show, seat)).collect();
                let outcomes = rows.sweep(now, &rows.due(now, limit), &locked);
                assert_eq!(outcomes.iter().map(answer).collect::<Vec<_>>(), expected.answers);
            }
            Step::Wait(_) => {}
        }
        rows
    }

    /// Row by row, as they stand and as they must be seen now.
    fn check_invariants(rows: &Rows, expected: &PlainModel) {
        let now = instant(expected.now);
        assert_eq!(rows.seats.len(), expected.seats.len());
        for (&(show, number), &seat) in &expected.seats {
            let key = rows::seat(show, number);
            assert_eq!(plain_seat(rows.seats[&key]), seat, "{key:?}");
            let is_taken = matches!(seat, Seat::Sold { .. }) || matches!(seat, Seat::Held { until, .. } if until > expected.now);
            let seen = rows.seat(key).unwrap().state.as_of(now);
            assert_eq!(seen != SeatState::Available, is_taken, "{key:?} is seen as {seen:?}");
        }
        assert_eq!(rows.bookings.len(), expected.bookings.len());
        for (&id, booking) in &expected.bookings {
            let row = rows.booking(rows::booking(id)).unwrap();
            let numbers: BTreeSet<i64> = row.seats.iter().map(|number| number.get()).collect();
            assert_eq!((row.show_id.get(), micros(row.deadline.instant())), (booking.show, booking.until));
            assert_eq!((row.seats.len(), numbers), (booking.seats.len(), booking.seats.clone()));
            let end = match row.state {
                BookingState::Pending => End::Open,
                BookingState::Confirmed { at, .. } => End::Sold { at: micros(at) },
                BookingState::Failed { .. } => End::Failed { at: micros(row.updated_at) },
            };
            assert_eq!(end, booking.end, "{row:?}");
            let seen = row.as_of(now).state.status();
            let is_dead = booking.end == End::Open && booking.until <= expected.now;
            assert_eq!(seen == BookingStatus::Failed, is_dead || matches!(end, End::Failed { .. }), "{booking:?}");
        }
    }
}

/// On too few rows the ledger guesses nothing: it decides as on all of them, or it says that rows are missing; and that it says
/// exactly when a hold has to give way whose booking the store has not met.
fn decides_the_same_or_says_what_is_missing(
    mut before: Rows,
    after: &Rows,
    outcomes: &[Outcome],
    now: Timestamp,
    commands: &[Command],
    met: u8,
    expected: &PlainModel,
) {
    let is_met = |id: BookingId| met & 1 << (id.get() % 8) != 0;
    let is_named = |id: BookingId| commands.iter().any(|command| command.booking_id() == Some(id));
    let is_missing = |id: &i64| !is_met(rows::booking(*id)) && !is_named(rows::booking(*id));
    let untouched = before.clone();
    match before.run(before.load(now, commands, is_met), commands) {
        Ok(found) => {
            assert!(!expected.gave_way.iter().any(is_missing), "decided without the rows of {:?}", expected.gave_way);
            assert_eq!((&found[..], &before), (outcomes, after));
        }
        Err(LedgerError::RowsMissing) => {
            assert!(expected.gave_way.iter().any(is_missing), "nothing was missing");
            assert_eq!(before, untouched);
        }
        Err(error @ LedgerError::Corrupt { .. }) => panic!("{error}"),
    }
}

fn instant(time: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(time).unwrap()
}

fn micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

fn command(wish: &Wish) -> Command {
    match wish {
        Wish::Hold { show, seats, lives } => Command::Hold(Hold {
            show_id: rows::show(*show),
            // Asked for in descending order.
            seats: SeatSelection::new(&seats.iter().rev().copied().collect::<Vec<_>>(), 50).unwrap(),
            user_name: UserName::new("Ada").unwrap(),
            customer: None,
            hold_for: TimeDelta::microseconds(*lives),
        }),
        Wish::Confirm(id) => Command::Confirm(domain::Confirm::of(rows::booking(*id))),
        Wish::Expire(id) => Command::Expire { booking_id: rows::booking(*id) },
    }
}

fn plain_seat(row: SeatRow) -> Seat {
    match row {
        SeatRow::Available => Seat::Free,
        SeatRow::Held { by, until } => Seat::Held { by: by.get(), until: micros(until) },
        SeatRow::Sold { to } => Seat::Sold { to: to.get() },
    }
}

fn answer(outcome: &Outcome) -> Answer {
    let until = |deadline: &Deadline| micros(deadline.instant());
    match outcome {
        Outcome::Held { booking_id, deadline } => Answer::Held { id: booking_id.get(), until: until(deadline) },
        Outcome::Confirmed { booking_id } => Answer::Confirmed(booking_id.get()),
        Outcome::Expired { booking_id, deadline } => Answer::Expired { id: booking_id.get(), until: until(deadline) },
        Outcome::Refused(refusal) => match refusal {
            Refusal::NoSuchShow { .. } => Answer::NoSuchShow,
            Refusal::SeatsNotFree { seats } => {
                Answer::NotFree(seats.iter().map(|seat| (seat.number.get(), obstacle(seat.reason))).collect())
            }
            Refusal::NoSuchBooking { .. } => Answer::NoSuchBooking,
            Refusal::NotPending { status: BookingStatus::Confirmed, .. } => Answer::SoldAlready,
            Refusal::NotPending { status: BookingStatus::Failed, .. } => Answer::FailedAlready,
            Refusal::NotPending { status: BookingStatus::Pending, .. } => panic!("{refusal:?}"),
            Refusal::HoldExpired { deadline, .. } => Answer::TooLate { until: until(deadline) },
            Refusal::HoldLive { deadline, .. } => Answer::TooEarly { until: until(deadline) },
            other => panic!("nobody asked for that: {other:?}"),
        },
        other => panic!("nobody asked for that: {other:?}"),
    }
}

fn obstacle(reason: SeatRefusalReason) -> Obstacle {
    match reason {
        SeatRefusalReason::Held { free_at } => Obstacle::Held { until: micros(free_at.instant()) },
        SeatRefusalReason::Sold => Obstacle::Sold,
        SeatRefusalReason::Unknown => Obstacle::Unknown,
        SeatRefusalReason::HadAlready | SeatRefusalReason::NotHad => panic!("nobody changes a hold here"),
    }
}

prop_state_machine! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]
    #[test]
    fn every_history_is_that_of_a_plain_model(sequential 1..40 => Product);
}
