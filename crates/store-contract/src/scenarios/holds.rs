//! Single commands: what a hold and a confirm do, and what they refuse.

use chrono::TimeDelta;
use domain::{
    BookingId, BookingState, BookingStatus, Command, Deadline, FailureReason, Outcome, Refusal, SeatRefusalReason, SeatState,
    SeatStatus,
};

use crate::World;
use crate::books::Books;
use crate::calls::{EXPIRED, HOLD_FOR, TICK, cancel, change, confirm, expire, extend, hold, nobody, not_free, numbers};

use SeatRefusalReason::{Held, Sold, Unknown};

/// A hold takes what it names, in whatever order, or nothing if one seat can't be had.
pub async fn a_hold_takes_all_of_its_seats_or_none(world: &World) {
    let show = world.store.show(6).await;
    let (id, until) = world.store.hold(show, &[4, 2, 3]).await;
    assert_eq!(until, Deadline::after(world.clock.now(), HOLD_FOR));
    let (free, ours) = (SeatState::Available, SeatState::Held { by: id, until });
    let map = [free, ours, ours, ours, free, free];
    assert_eq!(world.store.map(show).await, map);

    let booking = world.store.find(id).await.booking;
    assert_eq!((booking.id, booking.show_id, booking.user_name.as_str()), (id, show, "Ada"));
    assert_eq!((booking.seats, booking.state, booking.deadline), (numbers(&[2, 3, 4]), BookingState::Pending, until));
    assert_eq!((booking.created_at, booking.updated_at), (world.clock.now(), world.clock.now()));

    for seats in [&[1, 4][..], &[4, 5], &[1, 2, 5, 6], &[6, 7]] {
        let outcome = world.store.decide(hold(show, seats)).await;
        assert!(matches!(outcome, Outcome::Refused(Refusal::SeatsNotFree { .. })), "{seats:?}: {outcome:?}");
        assert_eq!(world.store.map(show).await, map, "after the refusal of {seats:?}");
    }
    world.store.hold(show, &[1, 5, 6]).await;
}

/// A confirm sells the seats of its booking, no others, and notes when.
pub async fn a_confirm_sells_exactly_the_held_seats(world: &World) {
    let show = world.store.show(4).await;
    let (id, deadline) = world.store.hold(show, &[1, 3]).await;
    let (other, until) = world.store.hold(show, &[2]).await;
    let created_at = world.clock.now();
    world.clock.advance(TimeDelta::seconds(7));
    assert_eq!(world.store.decide(confirm(id)).await, Outcome::Confirmed { booking_id: id });

    let details = world.store.find(id).await;
    let at = world.clock.now();
    assert_eq!((details.booking.state, details.booking.deadline), (BookingState::Confirmed { at, reclaimed: false }, deadline));
    assert_eq!((details.booking.created_at, details.booking.updated_at), (created_at, at));
    assert!(details.seats.iter().all(|(_, status)| *status == SeatStatus::Confirmed));
    let sold = SeatState::Sold { to: id };
    assert_eq!(world.store.map(show).await, [sold, SeatState::Held { by: other, until }, sold, SeatState::Available]);

    world.clock.advance(HOLD_FOR * 1_000);
    assert_eq!(world.store.state(id).await, BookingState::Confirmed { at, reclaimed: false }, "a sale has no end");
}

/// One refusal tells all: which seats are held and until when, which are sold, and which the show does not have.
pub async fn a_refusal_names_every_seat_and_its_reason(world: &World) {
    let show = world.store.show(5).await;
    world.store.sell(show, &[1]).await;
    let (_, free_at) = world.store.hold(show, &[2, 3]).await;
    let outcome = world.store.decide(hold(show, &[9_000_000_000, 6, 4, 3, 2, 1])).await;
    let held = Held { free_at };
    assert_eq!(outcome, not_free(&[(1, Sold), (2, held), (3, held), (6, Unknown), (9_000_000_000, Unknown)]));
    assert_eq!(world.store.decide(hold(show, &[i64::MAX])).await, not_free(&[(i64::MAX, Unknown)]));
}

/// After any refusal, alone or in company, every row reads as before.
pub async fn a_refusal_changes_nothing(world: &World) {
    let show = world.store.show(6).await;
    let (sold, _) = world.store.sell(show, &[1]).await;
    let (dead, _) = world.store.hold(show, &[2, 3]).await;
    world.clock.advance(HOLD_FOR);
    let (live, _) = world.store.hold(show, &[4]).await;
    let refused = [
        hold(show, &[1, 5]),
        hold(show, &[4, 6]),
        // Seats 2 and 3 could be taken over; seat 7 spoils it.
        hold(show, &[2, 3, 7]),
        hold(crate::calls::nowhere(), &[1]),
        confirm(sold),
        confirm(dead),
        confirm(nobody()),
        expire(sold),
        expire(live),
        expire(nobody()),
    ];
    let before = Books::read(&world.store).await;
    // With the clock set back a row that was written would show.
    world.clock.advance(-TICK);
    let before_deadline = Books::read(&world.store).await;
    world.clock.advance(TICK);
    for command in &refused {
        let outcome = world.store.decide(command.clone()).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{command:?}: {outcome:?}");
        assert_eq!(Books::read(&world.store).await, before, "after {command:?}");
    }
    assert!(world.store.execute(&refused).await.iter().all(|outcome| matches!(outcome, Outcome::Refused(_))));
    assert_eq!(Books::read(&world.store).await, before, "after all of them together");
    world.clock.advance(-TICK);
    assert_eq!(Books::read(&world.store).await, before_deadline, "the dead hold still has its row");
}

/// Booking ids have no gaps, however many holds were refused between two that were not.
pub async fn refused_holds_use_up_no_id(world: &World) {
    let show = world.store.show(4).await;
    let (first, _) = world.store.hold(show, &[1]).await;
    for _ in 0..10 {
        world.store.decide(hold(show, &[1, 2])).await;
    }
    let outcomes = world.store.execute(&[hold(show, &[1]), hold(show, &[2]), hold(show, &[2]), hold(show, &[3])]).await;
    let ids: Vec<i64> = outcomes.iter().filter_map(crate::calls::held).map(BookingId::get).collect();
    assert_eq!(ids, [first.get() + 1, first.get() + 2]);
    let (last, _) = world.store.hold(show, &[4]).await;
    assert_eq!(last.get(), first.get() + 3);
}

/// A booking that does not exist can be neither confirmed nor expired nor found.
pub async fn an_unknown_booking_is_refused(world: &World) {
    let show = world.store.show(1).await;
    let (known, _) = world.store.hold(show, &[1]).await;
    let next = BookingId::new(known.get() + 1).unwrap();
    for booking_id in [next, nobody()] {
        let refused = Outcome::Refused(Refusal::NoSuchBooking { booking_id });
        assert_eq!(world.store.decide(confirm(booking_id)).await, refused);
        assert_eq!(world.store.decide(expire(booking_id)).await, refused);
        assert_eq!(world.store.bookings.find(booking_id).await, Ok(None));
    }
}

/// Whoever is refused a held seat is told the deadline of the one who holds it, and at that instant it is free.
pub async fn free_at_is_the_deadline_of_the_holder(world: &World) {
    let show = world.store.show(2).await;
    let (_, soon) = world.store.hold_for(show, &[1], TimeDelta::microseconds(1_000_001)).await;
    let (_, late) = world.store.hold_for(show, &[2], TimeDelta::seconds(90)).await;
    let refused = not_free(&[(1, Held { free_at: soon }), (2, Held { free_at: late })]);
    assert_eq!(world.store.decide(hold(show, &[1, 2])).await, refused);

    world.clock.advance(soon.instant() - world.clock.now() - TICK);
    assert_eq!(world.store.decide(hold(show, &[1, 2])).await, refused);
    world.clock.advance(TICK);
    assert_eq!(world.store.decide(hold(show, &[1, 2])).await, not_free(&[(2, Held { free_at: late })]));
    world.store.hold(show, &[1]).await;
}

/// The whole life of a booking: each status, each action, and the three sides of a deadline.
pub async fn every_status_meets_every_action_before_at_and_after_the_deadline(world: &World) {
    let show = world.store.show(100).await;
    // With a seat beside those of the bookings.
    let sides = [-TICK, TimeDelta::zero(), TICK];
    let actions: [fn(BookingId) -> Command; 5] = [confirm, expire, cancel, extend, |id| change(id, &[100], &[])];
    let mut seat = 0;
    for status in [BookingStatus::Pending, BookingStatus::Confirmed, BookingStatus::Failed] {
        for (action, side) in actions.iter().flat_map(|action| sides.map(|side| (*action, side))) {
            seat += 1;
            let (id, deadline) = booking_in(world, show, seat, status).await;
            world.clock.advance(deadline.instant() - world.clock.now() + side);
            let command = action(id);
            let (outcome, state) = expected(status, &command, (seat, deadline), side, world);
            assert_eq!(world.store.decide(command.clone()).await, outcome, "{status:?} {command:?} {side}");
            if let Some(state) = state {
                assert_eq!(world.store.state(id).await, state, "{status:?} {command:?} {side}");
            }
            // So that the seat is free for the next.
            if matches!(outcome, Outcome::Changed { .. }) {
                world.store.decide(cancel(id)).await;
            }
        }
    }
}

/// A booking of this seat in this status, whose deadline may lie on either side of now.
async fn booking_in(world: &World, show: domain::ShowId, seat: i64, status: BookingStatus) -> (BookingId, Deadline) {
    match status {
        BookingStatus::Pending => world.store.hold(show, &[seat]).await,
        BookingStatus::Confirmed => world.store.sell(show, &[seat]).await,
        BookingStatus::Failed => {
            let (booking_id, deadline) = world.store.hold(show, &[seat]).await;
            world.clock.advance(HOLD_FOR);
            assert_eq!(world.store.decide(expire(booking_id)).await, Outcome::Expired { booking_id, deadline });
            (booking_id, deadline)
        }
    }
}

/// The table, spelt out: the outcome, and the state afterwards where the command decides it.
fn expected(
    status: BookingStatus,
    command: &Command,
    (seat, deadline): (i64, Deadline),
    side: TimeDelta,
    world: &World,
) -> (Outcome, Option<BookingState>) {
    let dead = side >= TimeDelta::zero();
    let booking_id = command.booking_id().expect("each of them names a booking");
    let refused = |refusal, state| (Outcome::Refused(refusal), state);
    let now = world.clock.now();
    match (status, command) {
        (BookingStatus::Pending, Command::Expire { .. }) if !dead => {
            refused(Refusal::HoldLive { booking_id, deadline }, Some(BookingState::Pending))
        }
        (BookingStatus::Pending, Command::Expire { .. }) => (Outcome::Expired { booking_id, deadline }, Some(EXPIRED)),
        (BookingStatus::Pending, _) if dead => refused(Refusal::HoldExpired { booking_id, deadline }, Some(EXPIRED)),
        (BookingStatus::Pending, Command::Confirm { .. }) => {
            (Outcome::Confirmed { booking_id }, Some(BookingState::Confirmed { at: now, reclaimed: false }))
        }
        (BookingStatus::Pending, Command::Cancel { .. }) => {
            let state = BookingState::Failed { reason: FailureReason::Cancelled, refund_due: false };
            (Outcome::Cancelled { booking_id, refund_due: false }, Some(state))
        }
        (BookingStatus::Pending, Command::Extend(_)) => {
            (Outcome::Extended { booking_id, deadline: Deadline::after(now, HOLD_FOR) }, Some(BookingState::Pending))
        }
        (BookingStatus::Pending, Command::Change(_)) => {
            let seats = numbers(&[seat, 100]);
            (Outcome::Changed { booking_id, seats, deadline }, Some(BookingState::Pending))
        }
        (BookingStatus::Confirmed, Command::Cancel { .. }) => refused(Refusal::SaleIsFinal { booking_id }, None),
        (BookingStatus::Confirmed, _) => refused(Refusal::NotPending { booking_id, status }, None),
        (BookingStatus::Failed, Command::Confirm { .. }) => refused(Refusal::HoldExpired { booking_id, deadline }, Some(EXPIRED)),
        (BookingStatus::Failed, _) => refused(Refusal::NotPending { booking_id, status }, Some(EXPIRED)),
        (BookingStatus::Pending, Command::Hold(_) | Command::Block(_)) => unreachable!("neither names a booking"),
    }
}
