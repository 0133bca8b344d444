//! What an operator has to look after: holds that live, and money that has to be given back.

use chrono::TimeDelta;
use domain::{
    BookingId, BookingStatus, Command, Confirm, FailureReason, LiveHold, Outcome, PaymentReference, Refund, RefundKey,
    RefundReason, Refusal, Request, ShowId, Terms, Timestamp,
};

use crate::World;
use crate::calls::{HOLD_FOR, TICK, cancel, confirm, extend_for, house, limit, nobody, nowhere};

/// Holds that live, of all shows or of one, with their ages to the microsecond, until the very instant of their deadline.
pub async fn live_holds_are_listed_with_their_ages(world: &World) {
    let list = async |show_id: Option<ShowId>, after: Option<BookingId>, rows: u32| {
        world.store.bookings.live_holds(show_id, after, limit(rows)).await.unwrap()
    };
    assert_eq!(list(None, None, 9).await, []);
    let shows = [world.store.show(9).await, world.store.show(9).await];
    world.store.sell(shows[0], &[9]).await;
    let (given_up, _) = world.store.hold(shows[0], &[8]).await;
    world.store.decide(cancel(given_up)).await;
    let mut ids = Vec::new();
    for seat in 1..=2 {
        for show in shows {
            ids.push(world.store.hold(show, &[seat, seat + 2]).await.0);
            world.clock.advance(TimeDelta::seconds(1));
        }
    }
    world.store.decide(extend_for(ids[0], HOLD_FOR)).await;
    let holds = list(None, None, 9).await;
    let ages: Vec<_> = holds.iter().map(|LiveHold { booking, age, remaining }| (booking.id, *age, *remaining)).collect();
    let seconds = TimeDelta::seconds;
    assert_eq!(
        ages,
        [
            (ids[0], seconds(4), HOLD_FOR),
            (ids[1], seconds(3), HOLD_FOR - seconds(3)),
            (ids[2], seconds(2), HOLD_FOR - seconds(2)),
            (ids[3], seconds(1), HOLD_FOR - seconds(1)),
        ]
    );
    assert_eq!(holds[1].booking, world.store.find(ids[1]).await.booking);
    let named = |holds: Vec<LiveHold>| holds.into_iter().map(|hold| hold.booking.id).collect::<Vec<_>>();
    assert_eq!(named(list(None, None, 3).await), ids[..3]);
    assert_eq!(named(list(None, Some(ids[0]), 2).await), ids[1..3]);
    assert_eq!(named(list(None, Some(ids[3]), 2).await), []);
    assert_eq!(named(list(Some(shows[1]), None, 9).await), [ids[1], ids[3]]);
    assert_eq!(named(list(Some(shows[1]), Some(ids[1]), 9).await), [ids[3]]);
    assert_eq!(named(list(Some(nowhere()), None, 9).await), []);
    // The second one's deadline, and the instant before it.
    world.clock.advance(HOLD_FOR - seconds(3) - TICK);
    let before = list(None, None, 9).await;
    assert_eq!((before[1].booking.id, before[1].remaining), (ids[1], TICK));
    world.clock.advance(TICK);
    assert_eq!(named(list(None, None, 9).await), [ids[0], ids[2], ids[3]], "a hold is dead at its deadline, whoever has swept");
}

fn payment(reference: &str) -> PaymentReference {
    PaymentReference::new(reference).unwrap()
}

fn pay(booking_id: BookingId, reference: &str) -> Command {
    Command::Confirm(Confirm { payment: Some(payment(reference)), ..Confirm::of(booking_id) })
}

/// A payment that buys nothing.
async fn pay_in_vain(world: &World, booking_id: BookingId, reference: &str) {
    let outcome = world.store.decide(pay(booking_id, reference)).await;
    assert!(matches!(outcome, Outcome::Refused(Refusal::RefundDue { .. })), "{outcome:?}");
}

/// Every way to owe money: one row for each booking that failed after it was paid for, one for each payment besides, and nothing else.
pub async fn refunds_are_listed_once_each(world: &World) {
    let list = async |after: Option<&RefundKey>, rows: u32| world.store.bookings.refunds(after, limit(rows)).await.unwrap();
    assert_eq!(list(None, 9).await, []);
    let show = world.store.show(20).await;
    // Nothing to give back: live, given up, run out, sold, blocked by nobody.
    for seat in 1..=4 {
        world.store.hold(show, &[seat]).await;
    }
    let bought = world.store.hold(show, &[5]).await.0;
    assert_eq!(world.store.decide(pay(bought, "bought")).await, Outcome::Confirmed { booking_id: bought });
    // Sold, and taken back: paid by who knows what, or by a payment; and paid a second and a third time, before and after.
    let unnamed = world.store.sell(show, &[6]).await.0;
    let named = world.store.hold(show, &[7]).await.0;
    world.store.decide(pay(named, "named")).await;
    pay_in_vain(world, named, "named-b:2").await;
    for id in [unnamed, named] {
        world.store.ask(Request::new(cancel(id), house())).await;
    }
    let cancelled = world.clock.now();
    world.clock.advance(TICK);
    pay_in_vain(world, named, "named-a").await;
    // Sold, and paid again: the sale stands.
    let twice = world.store.hold(show, &[8]).await.0;
    world.store.decide(pay(twice, "twice-1")).await;
    pay_in_vain(world, twice, "twice-2").await;
    // Paid too late, once or twice; and when it had been given up.
    let (late, late_twice, given_up) = (held(world, show, 9).await, held(world, show, 10).await, held(world, show, 11).await);
    world.store.decide(cancel(given_up)).await;
    let paid = world.clock.now();
    pay_in_vain(world, given_up, "given-up").await;
    world.clock.advance(HOLD_FOR);
    let ran_out = world.clock.now();
    for (id, reference) in [(late, "late"), (late_twice, "late-1"), (late_twice, "late-2")] {
        pay_in_vain(world, id, reference).await;
    }
    // Too late, without a word of how it was paid, where the show would have taken it.
    let lenient = world.store.show_on(Terms { late_confirm: true, ..Terms::default() }, 1).await;
    let silent = held(world, lenient, 1).await;
    world.clock.advance(HOLD_FOR);
    let silent_since = world.clock.now();
    world.store.hold(lenient, &[1]).await;
    assert!(matches!(world.store.decide(confirm(silent)).await, Outcome::Refused(Refusal::RefundDue { .. })));

    let failed = RefundReason::Failed;
    let due = |booking_id, show_id, reference: Option<&str>, reason, since: Timestamp| Refund {
        booking_id,
        show_id,
        payment: reference.map(payment),
        reason,
        since,
    };
    let again = RefundReason::PaidAgain;
    let mut expected = vec![
        due(silent, lenient, None, failed(FailureReason::Expired), silent_since),
        due(given_up, show, Some("given-up"), failed(FailureReason::Cancelled), paid),
        due(late_twice, show, Some("late-1"), failed(FailureReason::Expired), ran_out),
        due(late_twice, show, Some("late-2"), again, ran_out),
        due(late, show, Some("late"), failed(FailureReason::Expired), ran_out),
        due(twice, show, Some("twice-2"), again, paid),
        due(named, show, Some("named"), failed(FailureReason::Cancelled), cancelled),
        due(named, show, Some("named-a"), again, cancelled + TICK),
        due(named, show, Some("named-b:2"), again, cancelled),
        due(unnamed, show, None, failed(FailureReason::Cancelled), cancelled),
    ];
    let mut listed = list(None, 99).await;
    // A later payment may count as a change of its booking.
    for (listed, expected) in listed.iter_mut().zip(&mut expected).filter(|(listed, _)| listed.booking_id == named) {
        assert!([cancelled, cancelled + TICK].contains(&listed.since), "{listed:?}");
        (listed.since, expected.since) = (cancelled, cancelled);
    }
    assert_eq!(listed, expected);
    assert_eq!(world.store.state(twice).await.status(), BookingStatus::Confirmed);
    // Whatever the size of its pages, and from behind what is not there.
    for rows in 1..=4 {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = list(after.as_ref(), rows).await;
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            paged.extend(page);
            assert!(paged.len() <= expected.len(), "rows come again: {paged:?}");
        }
        assert_eq!(paged.iter().map(Refund::key).collect::<Vec<_>>(), expected.iter().map(Refund::key).collect::<Vec<_>>());
    }
    let behind = |booking_id, reference: Option<&str>| RefundKey { booking_id, paid_again: reference.map(payment) };
    assert_eq!(list(Some(&behind(twice, None)), 1).await, expected[5..6], "its own would come first, if there were one");
    assert_eq!(list(Some(&behind(named, Some("named-az"))), 1).await[0].key(), expected[8].key());
    assert_eq!(list(Some(&behind(nobody(), Some("z"))), 1).await, expected[..1]);
}

/// A hold of this seat.
async fn held(world: &World, show: ShowId, seat: i64) -> BookingId {
    world.store.hold(show, &[seat]).await.0
}
