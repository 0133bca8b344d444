//! Giving up, and asking for more: cancelled, extended and changed holds.

use chrono::TimeDelta;
use domain::{
    BookingState, BookingStatus, Deadline, FailureReason, Outcome, Refusal, Request, SeatRefusalReason, SeatState, Terms,
};

use crate::World;
use crate::calls::{
    HOLD_FOR, LIMIT, SEATS_MAX, TICK, cancel, change, confirm, extend, extend_for, hold, hold_as, house, nobody, not_free,
    numbers,
};

use SeatRefusalReason::{HadAlready, Held, NotHad, Sold, Unknown};

const CANCELLED: BookingState = BookingState::Failed { reason: FailureReason::Cancelled, refund_due: false };

/// What was held is free at once; what is cancelled stays so, however often that is asked; and a hold that ran out can't be given
/// up any more.
pub async fn a_cancelled_hold_frees_its_seats(world: &World) {
    let show = world.store.show(4).await;
    let (id, until) = world.store.hold(show, &[1, 3]).await;
    let cancelled = Outcome::Cancelled { booking_id: id, refund_due: false };
    assert_eq!(world.store.decide(cancel(id)).await, cancelled);
    assert_eq!(world.store.map(show).await, [SeatState::Available; 4]);
    let booking = world.store.find(id).await.booking;
    assert_eq!((booking.state, booking.seats, booking.deadline), (CANCELLED, numbers(&[1, 3]), until));

    let (rival, _) = world.store.hold(show, &[1]).await;
    world.clock.advance(HOLD_FOR);
    assert_eq!(world.store.decide(cancel(id)).await, cancelled);
    let not_pending = Refusal::NotPending { booking_id: id, status: BookingStatus::Failed };
    assert_eq!(world.store.decide(confirm(id)).await, Outcome::Refused(not_pending));
    assert_eq!(world.store.state(id).await, CANCELLED);
    let deadline = world.store.find(rival).await.booking.deadline;
    assert_eq!(world.store.decide(cancel(rival)).await, Outcome::Refused(Refusal::HoldExpired { booking_id: rival, deadline }));
    assert_eq!(world.store.decide(cancel(nobody())).await, Outcome::Refused(Refusal::NoSuchBooking { booking_id: nobody() }));
}

/// The house may cancel a sale, a customer only where the show allows it; the money is to be given back, and the seats are free.
pub async fn a_sale_is_cancelled_by_whom_may(world: &World) {
    let strict = world.store.show(2).await;
    let generous = world.store.show_on(Terms { customers_may_cancel: true, ..Terms::default() }, 2).await;
    for (show, by_customer) in [(strict, false), (generous, true)] {
        let ((first, _), (second, _)) = (world.store.sell(show, &[1]).await, world.store.sell(show, &[2]).await);
        // Long after the hold would have ended.
        world.clock.advance(HOLD_FOR * 2);
        let refunded = |booking_id| Outcome::Cancelled { booking_id, refund_due: true };
        let answer = world.store.decide(cancel(first)).await;
        if by_customer {
            assert_eq!(answer, refunded(first));
        } else {
            assert_eq!(answer, Outcome::Refused(Refusal::SaleIsFinal { booking_id: first }));
            assert_eq!(world.store.map(show).await[0], SeatState::Sold { to: first });
        }
        for _ in 0..2 {
            let answer = world.store.ask(Request::new(cancel(second), house())).await;
            assert_eq!(answer, refunded(second));
        }
        let state = BookingState::Failed { reason: FailureReason::Cancelled, refund_due: true };
        assert_eq!(world.store.state(second).await, state);
        assert_eq!(world.store.map(show).await[1], SeatState::Available);
        world.store.hold(show, &[2]).await;
    }
}

/// Each extension counts from when it is asked for, up to the limit, which counts from when the hold was made. At the limit nothing
/// moves any more, and from the deadline on there is nothing to extend.
pub async fn an_extension_ends_at_the_limit(world: &World) {
    let show = world.store.show(3).await;
    let made = world.clock.now();
    let (id, until) = world.store.hold(show, &[1, 2]).await;
    let limit = Deadline::after(made, LIMIT);
    let as_it_is = Outcome::Extended { booking_id: id, deadline: until };
    assert_eq!(
        world.store.execute(&[extend(id), extend(id)]).await,
        [as_it_is.clone(), as_it_is],
        "it lives as long as a new one"
    );
    assert_eq!(world.store.history(id).await.len(), 1);
    for expected in [Deadline::after(made, TimeDelta::seconds(219)), limit] {
        world.clock.advance(TimeDelta::seconds(99));
        assert_eq!(world.store.decide(extend(id)).await, Outcome::Extended { booking_id: id, deadline: expected });
        assert_eq!(world.store.find(id).await.booking.deadline, expected);
        let held = SeatState::Held { by: id, until: expected };
        assert_eq!(world.store.map(show).await, [held, held, SeatState::Available]);
    }
    world.clock.advance(TimeDelta::seconds(102) - TICK);
    let refused = Outcome::Refused(Refusal::HoldLimit { booking_id: id, deadline: limit });
    assert_eq!(world.store.decide(extend(id)).await, refused);
    assert_eq!(world.store.find(id).await.booking.updated_at, made + TimeDelta::seconds(198));
    world.clock.advance(TICK);
    let expired = Outcome::Refused(Refusal::HoldExpired { booking_id: id, deadline: limit });
    for command in [extend(id), change(id, &[3], &[]), cancel(id), confirm(id)] {
        assert_eq!(world.store.decide(command).await, expired);
    }
    let (sold, _) = world.store.sell(show, &[1]).await;
    let not_pending = Refusal::NotPending { booking_id: sold, status: BookingStatus::Confirmed };
    assert_eq!(world.store.decide(extend(sold)).await, Outcome::Refused(not_pending));
}

/// What a show says goes before what the service says.
pub async fn a_show_has_terms_of_its_own(world: &World) {
    let terms = Terms { hold_for: Some(TimeDelta::seconds(30)), hold_limit: Some(TimeDelta::seconds(45)), ..Terms::default() };
    let show = world.store.show_on(terms, 2).await;
    assert!(world.store.shows.list(crate::calls::page(5, None)).await.unwrap().iter().any(|listed| listed.terms == terms));
    let made = world.clock.now();
    let (id, until) = world.store.hold(show, &[1]).await;
    assert_eq!(until, Deadline::after(made, TimeDelta::seconds(30)));
    world.clock.advance(TimeDelta::seconds(10));
    for seconds in [40, 45] {
        let deadline = Deadline::after(made, TimeDelta::seconds(seconds));
        assert_eq!(world.store.decide(extend(id)).await, Outcome::Extended { booking_id: id, deadline });
        world.clock.advance(TimeDelta::seconds(10));
    }
    // A limit that is shorter than the life of a hold is as long as that.
    let short = world.store.show_on(Terms { hold_for: Some(LIMIT * 2), ..Terms::default() }, 1).await;
    let (id, until) = world.store.hold(short, &[1]).await;
    world.clock.advance(LIMIT);
    let refused = Outcome::Refused(Refusal::HoldLimit { booking_id: id, deadline: until });
    assert_eq!(world.store.decide(extend_for(id, HOLD_FOR)).await, refused);
}

/// A sale that is cancelled in the batch that confirmed it is a sale that was cancelled: a refund is due, and its history says so.
pub async fn a_sale_can_be_cancelled_in_the_batch_that_made_it(world: &World) {
    let show = world.store.show(3).await;
    // So that whoever has foresight knows the show.
    world.store.hold(show, &[3]).await;
    let (id, _) = world.store.hold(show, &[1, 2]).await;
    let outcomes = world.store.request(&[Request::from(confirm(id)), Request::new(cancel(id), house())]).await;
    assert_eq!(outcomes, [Outcome::Confirmed { booking_id: id }, Outcome::Cancelled { booking_id: id, refund_due: true }]);
    assert_eq!(world.store.state(id).await, BookingState::Failed { reason: FailureReason::Cancelled, refund_due: true });
    let from: Vec<_> = world.store.history(id).await.into_iter().map(|step| step.from).collect();
    assert_eq!(from, [None, Some(BookingStatus::Pending), Some(BookingStatus::Confirmed)]);
    assert_eq!(world.store.decide(cancel(id)).await, Outcome::Cancelled { booking_id: id, refund_due: true });
}

/// Seats come and go together or not at all, and the deadline stays.
pub async fn a_change_is_all_or_nothing(world: &World) {
    let show = world.store.show(8).await;
    let (id, until) = world.store.hold(show, &[1, 2]).await;
    let (rival, rivals_until) = world.store.hold(show, &[5]).await;
    let (sold, _) = world.store.sell(show, &[6]).await;
    let before = world.store.map(show).await;
    let refusals = [
        (change(id, &[3, 5, 6, 9], &[1]), not_free(&[(5, Held { free_at: rivals_until }), (6, Sold), (9, Unknown)])),
        (change(id, &[1, 3], &[2]), not_free(&[(1, HadAlready)])),
        (change(id, &[3], &[2, 4]), not_free(&[(4, NotHad)])),
        (change(id, &[], &[1, 2]), Outcome::Refused(Refusal::NoSeatLeft { booking_id: id })),
        (change(id, &[3, 4, 7], &[]), Outcome::Refused(Refusal::TooManySeats { max: SEATS_MAX })),
        (change(nobody(), &[3], &[]), Outcome::Refused(Refusal::NoSuchBooking { booking_id: nobody() })),
        (change(sold, &[3], &[]), Outcome::Refused(Refusal::NotPending { booking_id: sold, status: BookingStatus::Confirmed })),
    ];
    for (command, refused) in refusals {
        assert_eq!(world.store.decide(command.clone()).await, refused, "{command:?}");
        assert_eq!(world.store.map(show).await, before, "after the refusal of {command:?}");
    }
    world.clock.advance(TimeDelta::seconds(7));
    let changed = Outcome::Changed { booking_id: id, seats: numbers(&[2, 3, 4, 7]), deadline: until };
    assert_eq!(world.store.decide(change(id, &[7, 3, 4], &[1])).await, changed);
    let (free, ours) = (SeatState::Available, SeatState::Held { by: id, until });
    assert_eq!(world.store.map(show).await, [free, ours, ours, ours, before[4], before[5], ours, free]);
    assert_eq!(world.store.find(id).await.booking.seats, numbers(&[2, 3, 4, 7]));
    assert_eq!(world.store.decide(confirm(id)).await, Outcome::Confirmed { booking_id: id });
    assert_eq!(world.store.map(show).await[6], SeatState::Sold { to: id });
    assert_eq!(world.store.decide(confirm(rival)).await, Outcome::Confirmed { booking_id: rival });
}

/// A seat whose dead hold is still in the way can be added, and its old booking fails in the same transaction.
pub async fn a_change_takes_over_a_dead_hold(world: &World) {
    let show = world.store.show(4).await;
    let (dead, _) = world.store.hold_for(show, &[3, 4], TimeDelta::seconds(10)).await;
    let (id, until) = world.store.hold(show, &[1]).await;
    world.clock.advance(TimeDelta::seconds(10));
    let changed = Outcome::Changed { booking_id: id, seats: numbers(&[1, 3]), deadline: until };
    assert_eq!(world.store.decide(change(id, &[3], &[])).await, changed);
    assert_eq!(world.store.state(dead).await, crate::calls::EXPIRED);
    let (free, ours) = (SeatState::Available, SeatState::Held { by: id, until });
    assert_eq!(world.store.map(show).await, [ours, free, ours, free]);
    assert_eq!(world.store.sweep_all(10).await, []);
}

/// All of it in one batch: what one request gives up, the next can have.
pub async fn a_batch_gives_up_extends_and_changes(world: &World) {
    let show = world.store.show(6).await;
    let (given_up, _) = world.store.hold(show, &[1, 2]).await;
    let (kept, until) = world.store.hold(show, &[3, 4]).await;
    world.clock.advance(TimeDelta::seconds(60));
    let later = Deadline::after(world.clock.now(), HOLD_FOR);
    for twice in [false, true] {
        let outcomes = world
            .store
            .execute(&[
                cancel(given_up),
                change(kept, &[1], &[3]),
                extend(kept),
                hold_as("Bob", show, &[2, 3], HOLD_FOR),
                change(kept, &[5], &[4]),
                confirm(kept),
                hold(show, &[4]),
            ])
            .await;
        if twice {
            assert_eq!(outcomes[0], Outcome::Cancelled { booking_id: given_up, refund_due: false });
            assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, Outcome::Refused(_))), "{outcomes:?}");
            continue;
        }
        assert_eq!(
            outcomes[..3],
            [
                Outcome::Cancelled { booking_id: given_up, refund_due: false },
                Outcome::Changed { booking_id: kept, seats: numbers(&[1, 4]), deadline: until },
                Outcome::Extended { booking_id: kept, deadline: later },
            ]
        );
        assert!(matches!(outcomes[3], Outcome::Held { deadline, .. } if deadline == later), "{outcomes:?}");
        assert_eq!(
            outcomes[4..6],
            [
                Outcome::Changed { booking_id: kept, seats: numbers(&[1, 5]), deadline: later },
                Outcome::Confirmed { booking_id: kept },
            ]
        );
        assert!(matches!(outcomes[6], Outcome::Held { .. }), "{outcomes:?}");
    }
    let sold = SeatState::Sold { to: kept };
    let map = world.store.map(show).await;
    assert_eq!((map[0], map[4], map[5]), (sold, sold, SeatState::Available));
}
