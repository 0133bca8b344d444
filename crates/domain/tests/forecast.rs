//! Whatever is forecast is what the ledger decides on rows that are as expected, at any time for which it was made.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use chrono::TimeDelta;
use domain::{
    Booking, BookingId, BookingState, Change, Changes, Command, Deadline, Decision, Extend, Fingerprint, Forecast, Hold,
    Idempotency, IdempotencyKey, Ledger, LockedRows, LockedShow, Memory, Outcome, Request, SeatExchange, SeatNumber,
    SeatSelection, SeatState, ShowId, Terms, Timestamp, UserName, When,
};
use proptest::prelude::*;

fn show() -> ShowId {
    ShowId::new(1).unwrap()
}

/// When the forecast is made.
fn then() -> Timestamp {
    "2025-12-11T19:00:00Z".parse().unwrap()
}

fn booking(id: i64) -> BookingId {
    BookingId::new(id).unwrap()
}

/// A hold of seat `id`, made a minute ago, which dies so many seconds after [`then`].
fn pending(id: i64, dies_in: i64) -> Booking {
    Booking {
        id: booking(id),
        show_id: show(),
        user_name: UserName::new("Alice").unwrap(),
        customer: None,
        blocked_for: None,
        payment: None,
        seats: vec![SeatNumber::new(id).unwrap()],
        deadline: Deadline::at(then() + TimeDelta::seconds(dies_in)),
        state: BookingState::Pending,
        created_at: then() - TimeDelta::seconds(60),
        updated_at: then() - TimeDelta::seconds(60),
    }
}

struct Known {
    bookings: Vec<Booking>,
    terms: Terms,
}

impl Memory for Known {
    fn hold(&self, id: BookingId) -> Option<Booking> {
        self.bookings.iter().find(|booking| booking.id == id).cloned()
    }

    fn show(&self, show_id: ShowId) -> Option<LockedShow> {
        (show_id == show()).then_some(LockedShow { id: show(), terms: self.terms, cancelled: false, revision: 0 })
    }
}

fn hold(seats: &[i64], seconds: i64) -> Command {
    Command::Hold(Hold {
        show_id: show(),
        seats: SeatSelection::new(seats, 10).unwrap(),
        user_name: UserName::new("Bob").unwrap(),
        customer: None,
        hold_for: TimeDelta::seconds(seconds),
    })
}

fn change(id: i64, add: &[i64], remove: &[i64]) -> Command {
    Command::Change(Change { booking_id: booking(id), seats: SeatExchange::new(add, remove, 10).unwrap(), seats_max: 10 })
}

fn extend(id: i64, seconds: i64, limit: i64) -> Command {
    let (hold_for, hold_limit) = (TimeDelta::seconds(seconds), TimeDelta::seconds(limit));
    Command::Extend(Extend { booking_id: booking(id), hold_for, hold_limit })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => (proptest::collection::hash_set(1..40_i64, 1..4), 1..600_i64)
            .prop_map(|(seats, seconds)| hold(&seats.into_iter().collect::<Vec<_>>(), seconds)),
        3 => (1..7_i64).prop_map(|id| Command::Confirm(domain::Confirm::of(booking(id)))),
        1 => (1..7_i64).prop_map(|id| Command::Expire { booking_id: booking(id) }),
        2 => (1..7_i64).prop_map(|id| Command::Cancel { booking_id: booking(id) }),
        3 => (1..7_i64, 60..300_i64, 60..600_i64).prop_map(|(id, seconds, limit)| extend(id, seconds, limit)),
        3 => (1..7_i64, proptest::collection::hash_set(7..40_i64, 1..3), any::<bool>()).prop_map(|(id, add, remove)| {
            let remove: &[i64] = if remove { &[id] } else { &[] };
            change(id, &add.into_iter().collect::<Vec<_>>(), remove)
        }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    (command(), proptest::option::weighted(0.3, 0..4_u8)).prop_map(|(command, key)| Request {
        idempotency: key.map(|key| Idempotency {
            key: IdempotencyKey::new(&format!("key-{key}")).unwrap(),
            fingerprint: Fingerprint([key; 32]),
            keep_for: TimeDelta::hours(24),
        }),
        ..Request::from(command)
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    proptest::option::of(30..200_i64).prop_map(|seconds| Terms { hold_for: seconds.map(TimeDelta::seconds), ..Terms::default() })
}

/// An instant of the forecast, once it is known that it came true `now`.
fn instant(when: When, now: Timestamp) -> Timestamp {
    match when {
        When::After(length) => now + length,
        When::At(instant) => instant,
    }
}

/// What is saved if the forecast comes true `now`.
fn came_true(forecast: &Forecast, now: Timestamp) -> Changes {
    let mut changes = forecast.changes().clone();
    let later = |deadline| Deadline::at(now + forecast.after(deadline));
    for seat in &mut changes.seats {
        let until = forecast.held_until(seat).map(|when| Deadline::at(instant(when, now)));
        if let (SeatState::Held { by, .. }, Some(until)) = (seat.state, until) {
            seat.state = SeatState::Held { by, until };
        }
    }
    for booking in &mut changes.bookings {
        booking.deadline = Deadline::at(instant(forecast.ends(booking.id, booking.deadline), now));
        if let BookingState::Confirmed { at, .. } = &mut booking.state {
            *at = now;
        }
    }
    for new in &mut changes.new_bookings {
        new.deadline = later(new.deadline);
    }
    // What came of the requests is compared as outcomes.
    for used in &mut changes.used_keys {
        used.expires_at = later(used.expires_at);
        used.result = Decision::Settled(Outcome::Refused(domain::Refusal::KeyReused));
    }
    Changes { now, ..changes }
}

proptest! {
    #[test]
    fn a_forecast_is_what_the_ledger_decides_when_all_is_as_expected(
        requests in proptest::collection::vec(request(), 1..5),
        deadlines in proptest::collection::vec(1..200_i64, 5),
        terms in terms(),
        at in 0..200_i64,
    ) {
        let known = Known { bookings: (1..).zip(&deadlines).map(|(id, dies_in)| pending(id, *dies_in)).collect(), terms };
        let Some(forecast) = Forecast::of(&requests, &known, then()) else { return Ok(()) };
        prop_assert_eq!(forecast.good_from(), then());
        let now = then() + TimeDelta::seconds(at);
        if forecast.good_before().is_some_and(|end| now >= end) {
            return Ok(());
        }
        let rows = LockedRows {
            now,
            shows: vec![LockedShow { id: show(), terms, cancelled: false, revision: 0 }],
            seats: forecast.seats().to_vec(),
            bookings: forecast.bookings().to_vec(),
            holdings: Vec::new(), payments: Vec::new(), used_keys: Vec::new(),
        };
        let mut ledger = Ledger::open(rows);
        let decisions: Vec<Decision> = requests.iter().map(|request| ledger.apply(request).unwrap()).collect();
        let mut changes = ledger.into_changes();
        for used in &mut changes.used_keys {
            used.result = Decision::Settled(Outcome::Refused(domain::Refusal::KeyReused));
        }
        let ids: Vec<BookingId> = (1..=changes.new_bookings.len()).map(|n| booking(i64::try_from(n).unwrap())).collect();
        let outcomes: Vec<Outcome> = decisions.into_iter().map(|decision| decision.outcome(&ids).unwrap()).collect();
        prop_assert_eq!(came_true(&forecast, now), changes);
        prop_assert_eq!(forecast.outcomes(now, &ids).unwrap(), outcomes);
    }
}

#[test]
fn what_would_be_refused_is_not_forecast() {
    let confirm = |id| Command::Confirm(domain::Confirm::of(booking(id)));
    let known = Known { bookings: vec![pending(1, 60)], terms: Terms::default() };
    let forecast = |commands: &[Command]| {
        let requests: Vec<Request> = commands.iter().cloned().map(Request::from).collect();
        Forecast::of(&requests, &known, then())
    };
    assert!(forecast(&[hold(&[2], 120), confirm(1), hold(&[3, 4], 120)]).is_some());
    assert!(forecast(&[hold(&[2], 120), hold(&[3, 2], 120)]).is_none(), "one seat for two");
    assert!(forecast(&[hold(&[1], 120), confirm(1)]).is_none(), "a seat that is held");
    assert!(forecast(&[confirm(2)]).is_none(), "a booking that nobody knows");
    assert!(forecast(&[confirm(1), confirm(1)]).is_none(), "a booking that is confirmed by then");
    assert!(forecast(&[extend(1, 180, 240)]).is_none(), "cut short by the limit, which does not count from now");
    let extended = forecast(&[extend(1, 170, 240)]).unwrap();
    assert_eq!(extended.good_before(), Some(then() + TimeDelta::seconds(10)), "then it would be cut short");
    let later = Forecast::of(&[confirm(1).into()], &known, then() + TimeDelta::seconds(60));
    assert!(later.is_none(), "a hold that is dead");
}
