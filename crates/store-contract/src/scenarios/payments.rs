//! Payments: what they buy, and when they have to be given back.

use chrono::TimeDelta;
use domain::{
    BookingId, BookingState, BookingStatus, Command, Confirm, Event, FailureReason, Outcome, PaymentReference, Refusal,
    SeatRefusalReason, SeatSelection, SeatState, Terms,
};

use crate::World;
use crate::calls::{EXPIRED, HOLD_FOR, cancel, confirm, held, hold, house, not_free};

fn reference(payment: &str) -> PaymentReference {
    PaymentReference::new(payment).unwrap()
}

fn pay(booking_id: BookingId, payment: &str) -> Command {
    Command::Confirm(Confirm { payment: Some(reference(payment)), ..Confirm::of(booking_id) })
}

fn confirm_some(booking_id: BookingId, seats: &[i64]) -> Command {
    Command::Confirm(Confirm { seats: Some(SeatSelection::new(seats, 1_000).unwrap()), ..Confirm::of(booking_id) })
}

/// The money has to be given back, since this stood in the way.
fn owed(because: Refusal) -> Outcome {
    Outcome::Refused(Refusal::RefundDue { because: Box::new(because) })
}

const OWED: BookingState = BookingState::Failed { reason: FailureReason::Expired, refund_due: true };

/// A payment buys one booking. The same again for what it has bought is no refusal; it buys nothing else; and a second payment for a sale
/// has to be given back.
pub async fn a_payment_buys_one_booking(world: &World) {
    let show = world.store.show(4).await;
    let (first, _) = world.store.hold(show, &[1, 2]).await;
    let (second, _) = world.store.hold(show, &[3]).await;
    let sold = Outcome::Confirmed { booking_id: first };
    assert_eq!(world.store.decide(pay(first, "p1")).await, sold);
    assert_eq!(world.store.find(first).await.booking.payment, Some(reference("p1")));
    let not_pending = Refusal::NotPending { booking_id: first, status: BookingStatus::Confirmed };
    let batch = [pay(first, "p1"), pay(second, "p1"), confirm(first), pay(first, "p2"), pay(first, "p2"), pay(second, "p2")];
    let used = Outcome::Refused(Refusal::PaymentUsed);
    let expected = [
        sold.clone(),
        used.clone(),
        Outcome::Refused(not_pending.clone()),
        owed(not_pending.clone()),
        owed(not_pending.clone()),
        used,
    ];
    assert_eq!(world.store.execute(&batch).await, expected);
    assert_eq!(world.store.execute(&batch).await, expected, "and in a batch of its own");
    let events: Vec<Event> = world.store.history(first).await.iter().map(|transition| transition.event).collect();
    assert_eq!(events, [Event::Held, Event::Confirmed, Event::RefundDue]);
    assert_eq!(world.store.state(second).await, BookingState::Pending);
    assert_eq!(world.store.decide(pay(second, "p3")).await, Outcome::Confirmed { booking_id: second });
}

/// Of many who name one payment for bookings of their own, one buys.
pub async fn one_payment_and_many_bookings(world: &World) {
    let show = world.store.show(12).await;
    let mut bookings = Vec::new();
    for seat in 1..=12 {
        bookings.push(world.store.hold(show, &[seat]).await.0);
    }
    let batches = bookings.iter().map(|&id| vec![pay(id, "p1")]).collect();
    let answers = super::races::side_by_side(world, batches).await;
    let answers: Vec<Outcome> = answers.into_iter().flatten().collect();
    let sold = answers.iter().filter(|outcome| matches!(outcome, Outcome::Confirmed { .. })).count();
    let refused = answers.iter().filter(|outcome| **outcome == Outcome::Refused(Refusal::PaymentUsed)).count();
    assert_eq!((sold, refused), (1, 11), "{answers:?}");
}

/// A confirm that comes too late is refused alike before and after a sweep. If it names a payment, that has to be given back: it is put
/// down once, and said again to whoever asks again.
pub async fn a_late_payment_is_owed(world: &World) {
    let show = world.store.show(4).await;
    let (unswept, deadline) = world.store.hold(show, &[1]).await;
    let (swept, _) = world.store.hold(show, &[2]).await;
    let (given_up, _) = world.store.hold(show, &[3]).await;
    world.store.decide(cancel(given_up)).await;
    world.clock.advance(HOLD_FOR);
    world.store.decide(crate::calls::expire(swept)).await;
    for (n, id) in [unswept, swept].into_iter().enumerate() {
        let expired = Refusal::HoldExpired { booking_id: id, deadline };
        assert_eq!(world.store.decide(confirm(id)).await, Outcome::Refused(expired.clone()));
        assert_eq!(world.store.state(id).await, EXPIRED);
        let payment = format!("late-{n}");
        let batch = [pay(id, &payment), pay(id, &payment), confirm(id)];
        assert_eq!(
            world.store.execute(&batch).await,
            [owed(expired.clone()), owed(expired.clone()), Outcome::Refused(expired.clone())]
        );
        assert_eq!(world.store.decide(pay(id, &payment)).await, owed(expired));
        assert_eq!(world.store.state(id).await, OWED);
        let events: Vec<Event> = world.store.history(id).await.iter().map(|transition| transition.event).collect();
        assert_eq!(events, [Event::Held, Event::Failed(FailureReason::Expired), Event::RefundDue]);
        assert_eq!(world.store.map(show).await[n], SeatState::Available);
    }
    let not_pending = Refusal::NotPending { booking_id: given_up, status: BookingStatus::Failed };
    assert_eq!(world.store.decide(pay(given_up, "late-2")).await, owed(not_pending));
    assert_eq!(world.store.shows.counts(show).await.unwrap().unwrap().refunds_due, 3);
}

/// Where the show takes late confirms, one gets its seats as long as nobody else has one of them; if somebody has, the money is owed,
/// whatever comes free later.
pub async fn a_late_confirm_takes_its_seats_again(world: &World) {
    let show = world.store.show_on(Terms { late_confirm: true, ..Terms::default() }, 9).await;
    let (unswept, deadline) = world.store.hold(show, &[1]).await;
    let (swept, _) = world.store.hold(show, &[2, 3]).await;
    let (partly_taken, _) = world.store.hold(show, &[4, 5]).await;
    let (over_a_dead_one, _) = world.store.hold(show, &[6, 7]).await;
    world.clock.advance(HOLD_FOR);
    world.store.sweep_all(10).await;
    let (rival, _) = world.store.hold(show, &[5]).await;
    let (dead_rival, _) = world.store.hold_for(show, &[7, 8], TimeDelta::seconds(1)).await;
    world.clock.advance(TimeDelta::seconds(1));

    let now = world.clock.now();
    for (id, payment) in [(unswept, "p1"), (swept, "p2"), (over_a_dead_one, "p3")] {
        let reclaimed = Outcome::Reclaimed { booking_id: id };
        assert_eq!(world.store.execute(&[pay(id, payment), pay(id, payment)]).await, [reclaimed.clone(), reclaimed]);
        assert_eq!(world.store.state(id).await, BookingState::Confirmed { at: now, reclaimed: true });
        let last = world.store.history(id).await.pop().unwrap();
        assert_eq!((last.event, last.from), (Event::Reclaimed, Some(BookingStatus::Failed)));
    }
    assert_eq!(world.store.state(dead_rival).await, EXPIRED);
    let expired = Refusal::HoldExpired { booking_id: partly_taken, deadline };
    // That it says nothing of a payment makes no difference: whoever confirms has paid.
    assert_eq!(world.store.decide(confirm(partly_taken)).await, owed(expired.clone()));
    world.store.decide(cancel(rival)).await;
    assert_eq!(world.store.decide(confirm(partly_taken)).await, owed(expired));
    assert_eq!(world.store.state(partly_taken).await, OWED);
    let sold = |to| SeatState::Sold { to };
    let free = SeatState::Available;
    let expected =
        [sold(unswept), sold(swept), sold(swept), free, free, sold(over_a_dead_one), sold(over_a_dead_one), free, free];
    assert_eq!(world.store.map(show).await, expected);
}

/// A dead hold that nobody has swept up yet is reclaimed as it stands.
pub async fn a_dead_hold_is_reclaimed_as_it_stands(world: &World) {
    let show = world.store.show_on(Terms { late_confirm: true, ..Terms::default() }, 3).await;
    let (id, _) = world.store.hold(show, &[1, 2]).await;
    world.clock.advance(HOLD_FOR);
    let outcomes = world.store.execute(&[confirm(id), hold(show, &[1]), hold(show, &[3])]).await;
    assert_eq!(outcomes[..2], [Outcome::Reclaimed { booking_id: id }, not_free(&[(1, SeatRefusalReason::Sold)])]);
    assert!(held(&outcomes[2]).is_some());
    let history = world.store.history(id).await;
    assert_eq!((history[1].event, history[1].from), (Event::Reclaimed, Some(BookingStatus::Pending)));
    assert_eq!(world.store.sweep_all(10).await, []);
    // It is a sale like any other.
    assert_eq!(
        world.store.ask(domain::Request::new(cancel(id), house())).await,
        Outcome::Cancelled { booking_id: id, refund_due: true }
    );
}

/// A confirm for some of the seats sells those and frees the others; one for a seat that the booking does not have changes nothing.
pub async fn a_confirm_for_some_seats_frees_the_others(world: &World) {
    let show = world.store.show(4).await;
    let (id, _) = world.store.hold(show, &[1, 2, 3]).await;
    let outcomes = world.store.execute(&[confirm_some(id, &[2, 4]), confirm_some(id, &[1, 3]), hold(show, &[2])]).await;
    assert_eq!(outcomes[..2], [not_free(&[(4, SeatRefusalReason::NotHad)]), Outcome::Confirmed { booking_id: id }]);
    let other = held(&outcomes[2]).unwrap();
    let seats = world.store.map(show).await;
    assert_eq!(seats.iter().map(SeatState::booking_id).collect::<Vec<_>>(), [Some(id), Some(other), Some(id), None]);
    let booking = world.store.find(id).await.booking;
    assert_eq!(booking.seats, crate::calls::numbers(&[1, 3]));
    let last = world.store.history(id).await.pop().unwrap();
    assert_eq!((last.event, last.seats), (Event::Confirmed, booking.seats));
    // The other way: as the rows were expected.
    assert_eq!(world.store.decide(confirm_some(other, &[1])).await, not_free(&[(1, SeatRefusalReason::NotHad)]));
    let (alone, _) = world.store.hold(world.store.show(3).await, &[1, 2, 3]).await;
    assert_eq!(world.store.decide(confirm_some(alone, &[3])).await, Outcome::Confirmed { booking_id: alone });
    assert_eq!(world.store.find(alone).await.booking.seats, crate::calls::numbers(&[3]));
}
