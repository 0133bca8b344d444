//! Whatever is forecast is what the ledger decides on rows that are as expected, at any time before it is too late.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use chrono::TimeDelta;
use domain::{
    Booking, BookingId, BookingState, Changes, Command, Deadline, Decision, Forecast, Hold, Ledger, LockedRows, Outcome,
    SeatNumber, SeatSelection, ShowId, Timestamp, UserName,
};
use proptest::prelude::*;

const SHOW: i64 = 1;

fn now() -> Timestamp {
    "2025-12-11T19:00:00Z".parse().unwrap()
}

/// A hold of seat `id`, which dies so many seconds after [`now`].
fn pending(id: i64, dies_in: i64) -> Booking {
    Booking {
        id: BookingId::new(id).unwrap(),
        show_id: ShowId::new(SHOW).unwrap(),
        user_name: UserName::new("Alice").unwrap(),
        seats: vec![SeatNumber::new(id).unwrap()],
        deadline: Deadline::at(now() + TimeDelta::seconds(dies_in)),
        state: BookingState::Pending,
        created_at: now() - TimeDelta::seconds(60),
        updated_at: now() - TimeDelta::seconds(60),
    }
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (proptest::collection::hash_set(1..30_i64, 1..4), 1..600_i64).prop_map(|(seats, seconds)| {
            Command::Hold(Hold {
                show_id: ShowId::new(SHOW).unwrap(),
                seats: SeatSelection::new(&seats.into_iter().collect::<Vec<_>>(), 10).unwrap(),
                user_name: UserName::new("Bob").unwrap(),
                hold_for: TimeDelta::seconds(seconds),
            })
        }),
        (1..8_i64).prop_map(|id| Command::Confirm { booking_id: BookingId::new(id).unwrap() }),
        (1..8_i64).prop_map(|id| Command::Expire { booking_id: BookingId::new(id).unwrap() }),
    ]
}

/// The rows that change, with their new status.
fn touched(changes: &Changes) -> Vec<String> {
    let seats = changes.seats.iter().map(|change| format!("{:?}: {:?}", change.key, change.state.status()));
    let bookings = changes.bookings.iter().map(|change| format!("{}: {:?}", change.id, change.state.status()));
    seats.chain(bookings).collect()
}

proptest! {
    #[test]
    fn a_forecast_is_what_the_ledger_decides_when_all_is_as_expected(
        commands in proptest::collection::vec(command(), 1..5),
        deadlines in proptest::collection::vec(1..200_i64, 5),
        at in 0..200_i64,
    ) {
        let known: Vec<Booking> = (1..).zip(&deadlines).map(|(id, dies_in)| pending(id, *dies_in)).collect();
        let recall = |id: BookingId| known.iter().find(|booking| booking.id == id).cloned();
        let Some(forecast) = Forecast::of(&commands, recall) else { return Ok(()) };
        let now = now() + TimeDelta::seconds(at);
        if forecast.true_before().is_some_and(|end| now >= end.instant()) {
            return Ok(());
        }
        let rows = LockedRows {
            now,
            shows: vec![ShowId::new(SHOW).unwrap()],
            seats: forecast.seats().to_vec(),
            bookings: forecast.bookings().to_vec(),
        };
        let mut ledger = Ledger::open(rows);
        let decisions: Vec<Decision> = commands.iter().map(|command| ledger.apply(command).unwrap()).collect();
        let changes = ledger.into_changes();
        let ids: Vec<BookingId> = (1..=changes.new_bookings.len()).map(|n| BookingId::new(i64::try_from(n).unwrap()).unwrap()).collect();
        let outcomes: Vec<Outcome> = decisions.into_iter().map(|decision| decision.outcome(&ids).unwrap()).collect();

        let foreseen = forecast.changes();
        prop_assert_eq!(touched(foreseen), touched(&changes));
        prop_assert_eq!(forecast.seats().len(), changes.seats.len(), "every expected seat changes");
        for (foreseen, made) in foreseen.new_bookings.iter().zip(&changes.new_bookings) {
            prop_assert_eq!(&foreseen.seats, &made.seats);
            prop_assert_eq!(foreseen.deadline.instant() - Timestamp::UNIX_EPOCH, made.deadline.instant() - now);
        }
        prop_assert_eq!(forecast.outcomes(now, &ids).unwrap(), outcomes);
    }
}

#[test]
fn what_would_be_refused_is_not_forecast() {
    let hold = |seats: &[i64]| {
        Command::Hold(Hold {
            show_id: ShowId::new(SHOW).unwrap(),
            seats: SeatSelection::new(seats, 10).unwrap(),
            user_name: UserName::new("Bob").unwrap(),
            hold_for: TimeDelta::seconds(120),
        })
    };
    let confirm = |id| Command::Confirm { booking_id: BookingId::new(id).unwrap() };
    let recall = |id: BookingId| (id.get() == 1).then(|| pending(1, 60));
    let forecast = |commands: &[Command]| Forecast::of(commands, recall).is_some();
    assert!(forecast(&[hold(&[2]), confirm(1), hold(&[3, 4])]));
    assert!(!forecast(&[hold(&[2]), hold(&[3, 2])]), "one seat for two");
    assert!(!forecast(&[hold(&[1]), confirm(1)]), "a seat that is held");
    assert!(!forecast(&[confirm(2)]), "a booking that nobody knows");
    assert!(!forecast(&[confirm(1), confirm(1)]), "a booking that is confirmed by then");
}
