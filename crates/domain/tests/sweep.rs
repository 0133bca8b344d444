//! The sweep judges each hold by itself, and does to it what the ledger does to one that is asked to expire.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use chrono::TimeDelta;
use domain::{
    Booking, BookingId, BookingState, Command, Deadline, DueHold, Ledger, LedgerError, LockedRows, LockedSeat, LockedShow,
    SeatKey, SeatNumber, SeatState, ShowId, Swept, Terms, Timestamp, UserName,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn show(id: i64) -> ShowId {
    ShowId::new(id).unwrap()
}

fn seat(number: i64) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

/// A booking of these seats, all of which are locked and its, dead for so long; or, where that is negative, not yet.
fn due(id: i64, seats: &[i64], dead_for: TimeDelta) -> DueHold {
    let (id, deadline) = (BookingId::new(id).unwrap(), Deadline::at(NOW - dead_for));
    let seats: Vec<SeatNumber> = seats.iter().copied().map(seat).collect();
    let locked = seats.iter().map(|&number| (number, SeatState::Held { by: id, until: deadline })).collect();
    DueHold { id, show_id: show(1), seats, deadline, locked }
}

fn ids(holds: &[DueHold]) -> Vec<i64> {
    holds.iter().map(|hold| hold.id.get()).collect()
}

/// A store may hand over what is not dead: a hold is dead from its deadline on, and not before.
#[test]
fn a_hold_that_lives_is_left_alone() {
    let tick = TimeDelta::microseconds(1);
    let swept = Swept::of(NOW, vec![due(1, &[1], -tick), due(2, &[2], TimeDelta::zero()), due(3, &[3], tick)]);
    assert_eq!((ids(&swept.expired), &swept.corrupt), (vec![2, 3], &vec![]));
    assert_eq!(swept.report(None).lag_max, tick.to_std().unwrap());
    let changes = swept.changes();
    assert_eq!(changes.bookings.iter().map(|change| change.id.get()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(changes.seats.iter().map(|change| change.key.number.get()).collect::<Vec<_>>(), [2, 3]);
}

/// Of a booking that is left alone no seat comes free, and the others end all the same.
#[test]
fn what_contradicts_itself_or_is_not_all_there_is_left_alone() {
    let mut holds = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]].map(|seats| due(seats[0], &seats, TimeDelta::seconds(1)));
    let other = BookingId::new(99).unwrap();
    holds[0].locked.remove(1);
    holds[1].locked[1].1 = SeatState::Available;
    holds[2].locked[0].1 = SeatState::Held { by: other, until: holds[2].deadline };
    holds[3].locked[0].1 = SeatState::Sold { to: holds[3].id };
    let swept = Swept::of(NOW, holds.to_vec());
    let corrupt = |hold: &DueHold, number| LedgerError::Corrupt {
        key: SeatKey { show_id: show(1), number: seat(number) },
        booking_id: hold.id,
    };
    assert_eq!(swept.corrupt, [corrupt(&holds[1], 4), corrupt(&holds[2], 5), corrupt(&holds[3], 7)]);
    assert_eq!(ids(&swept.expired), [9]);
    assert_eq!(swept.changes().seats.iter().map(|change| change.key.number.get()).collect::<Vec<_>>(), [9, 10]);
}

/// The rows that a ledger needs to expire these bookings.
fn rows(holds: &[DueHold]) -> LockedRows {
    let shows = [1, 2].map(|id| LockedShow { id: show(id), terms: Terms::default(), cancelled: false, revision: 0 });
    let seats = holds.iter().flat_map(|hold| hold.keys().zip(&hold.locked));
    let booking = |hold: &DueHold| Booking {
        id: hold.id,
        show_id: hold.show_id,
        user_name: UserName::new("Ada").unwrap(),
        customer: None,
        blocked_for: None,
        payment: None,
        seats: hold.seats.clone(),
        deadline: hold.deadline,
        state: BookingState::Pending,
        created_at: NOW - TimeDelta::hours(1),
        updated_at: NOW - TimeDelta::hours(1),
    };
    LockedRows {
        shows: shows.to_vec(),
        seats: seats.map(|(key, &(_, state))| LockedSeat { key, state }).collect(),
        bookings: holds.iter().map(booking).collect(),
        ..LockedRows::none(NOW)
    }
}

proptest! {
    /// Bookings of one to three seats each in either of two shows, some dead and some not.
    #[test]
    fn a_sweep_does_what_the_ledger_does(holds in prop::collection::vec((1_i64..=2, 1_i64..=3, -2_i64..=2), 0..12)) {
        let holds: Vec<DueHold> = (1..)
            .zip(holds)
            .map(|(id, (in_show, seats, dead_for))| {
                let seats: Vec<i64> = (id * 10..id * 10 + seats).collect();
                DueHold { show_id: show(in_show), ..due(id, &seats, TimeDelta::seconds(dead_for)) }
            })
            .collect();
        let mut ledger = Ledger::open(rows(&holds));
        for hold in &holds {
            ledger.apply(&Command::Expire { booking_id: hold.id }.into()).unwrap();
        }
        prop_assert_eq!(Swept::of(NOW, holds).changes(), ledger.into_changes());
    }
}
