//! Shows that change while their seats are sold, and shows that are not played after all.

use chrono::TimeDelta;
use domain::{
    BookingState, BookingStatus, CalledOff, Confirm, Deadline, Event, FailureReason, NotOnSale, Outcome, PaymentReference,
    Refusal, Request, SeatState, Show, ShowChange, Terms,
};

use crate::World;
use crate::calls::{HOLD_FOR, cancel, confirm, extend, held, hold, house, idempotency, new_show, nowhere};

fn done(change: ShowChange) -> Show {
    match change {
        ShowChange::Done(show) => show,
        other => panic!("{other:?}"),
    }
}

/// Everything that is said of a show can be changed but its seats, by whoever knows how it stands; and under a key once.
pub async fn a_show_is_edited(world: &World) {
    let shows = &world.store.shows;
    let show = world.store.show_named("Hamlet", 3).await;
    let terms = Terms {
        hold_for: Some(TimeDelta::seconds(30)),
        hold_limit: Some(TimeDelta::seconds(45)),
        customers_may_cancel: true,
        late_confirm: true,
        seats_per_booking: Some(2),
        seats_per_customer: Some(3),
        holds_per_customer: Some(4),
        on_sale_at: Some(world.clock.now()),
        off_sale_at: Some(world.clock.now() + TimeDelta::hours(1)),
    };
    let wished = new_show("Macbeth", 99).on(terms).unwrap();
    let key = idempotency("edit", 1);
    let edited = done(shows.edit(show.id, show.revision, &wished, Some(&key)).await.unwrap());
    let expected =
        Show { name: "Macbeth".to_owned(), terms, revision: show.revision + 1, start_time: wished.start_time(), ..show.clone() };
    assert_eq!(edited, expected);
    assert_eq!(shows.find(show.id).await, Ok(Some(expected.clone())));
    assert_eq!(shows.edit(show.id, show.revision, &wished, Some(&key)).await, Ok(ShowChange::Replayed(show.id)));
    assert_eq!(shows.edit(show.id, show.revision, &wished, Some(&idempotency("edit", 2))).await, Ok(ShowChange::KeyReused));
    assert_eq!(shows.edit(show.id, show.revision, &wished, None).await, Ok(ShowChange::Overtaken));
    let plain = new_show("Hamlet", 3);
    let back = done(shows.edit(show.id, edited.revision, &plain, None).await.unwrap());
    assert_eq!((back.terms, back.name.as_str(), back.total_seats), (Terms::default(), "Hamlet", 3));
    assert_eq!(world.store.map(show.id).await.len(), 3);
}

/// What is decided after an edit is decided on the new terms, also by a process that sold on the old ones and has not heard of it.
pub async fn an_edit_counts_from_its_commit(world: &World) {
    let other = world.database.open().await;
    let show = world.store.show_named("Hamlet", 9).await;
    // It knows the show and a hold of it.
    let (first, _) = world.store.hold(show.id, &[1]).await;
    world.store.hold(show.id, &[2]).await;
    let now = world.clock.now();
    let short = Terms { hold_for: Some(TimeDelta::seconds(30)), ..Terms::default() };
    let show = done(other.shows.edit(show.id, show.revision, &new_show("Hamlet", 9).on(short).unwrap(), None).await.unwrap());
    let (_, until) = world.store.hold(show.id, &[3]).await;
    assert_eq!(until, Deadline::after(now, TimeDelta::seconds(30)));
    let small = Terms { seats_per_booking: Some(1), ..short };
    let show = done(other.shows.edit(show.id, show.revision, &new_show("Hamlet", 9).on(small).unwrap(), None).await.unwrap());
    assert_eq!(world.store.decide(hold(show.id, &[4, 5])).await, Outcome::Refused(Refusal::TooManySeats { max: 1 }));
    let over = Terms { off_sale_at: Some(now), ..small };
    let show = done(other.shows.edit(show.id, show.revision, &new_show("Hamlet", 9).on(over).unwrap(), None).await.unwrap());
    let closed = Outcome::Refused(Refusal::NotOnSale { show_id: show.id, reason: NotOnSale::Since(now) });
    assert_eq!(world.store.decide(hold(show.id, &[4])).await, closed);
    // What is held by then can be bought.
    assert_eq!(world.store.decide(confirm(first)).await, Outcome::Confirmed { booking_id: first });
}

/// Nothing can be bought of a cancelled show, through whichever process. What was bought is given back with the first that is asked of
/// it, and the money is owed.
pub async fn a_cancelled_show_sells_nothing(world: &World) {
    let other = world.database.open().await;
    let show = world.store.show_on(Terms { late_confirm: true, ..Terms::default() }, 9).await;
    let (late, deadline) = world.store.hold(show, &[6]).await;
    world.clock.advance(HOLD_FOR);
    world.store.sweep_all(10).await;
    let (pending, _) = world.store.hold(show, &[1]).await;
    let (extended, _) = world.store.hold(show, &[2]).await;
    let (sold, _) = world.store.sell(show, &[3, 4]).await;
    let (given_up, _) = world.store.hold(show, &[5]).await;
    let key = idempotency("cancel", 1);
    let cancelled = done(other.shows.cancel(show, &house(), Some(&key)).await.unwrap());
    assert_eq!(cancelled.cancelled_at, Some(world.clock.now()));
    assert_eq!(world.store.shows.cancel(show, &house(), Some(&key)).await, Ok(ShowChange::Replayed(show)));
    // Once more changes nothing, and yet its key is used.
    let again = idempotency("cancel-again", 1);
    assert_eq!(world.store.shows.cancel(show, &house(), Some(&again)).await, Ok(ShowChange::Done(cancelled.clone())));
    assert_eq!(other.shows.cancel(show, &house(), Some(&again)).await, Ok(ShowChange::Replayed(show)));
    assert_eq!(world.store.shows.cancel(show, &house(), None).await, Ok(ShowChange::Done(cancelled)));
    assert_eq!(world.store.shows.cancel(nowhere(), &house(), None).await, Ok(ShowChange::NoSuchShow));
    assert_eq!(world.store.shows.calling_off().await, Ok(vec![CalledOff { show_id: show, by: house() }]));

    let none = Outcome::Refused(Refusal::NotOnSale { show_id: show, reason: NotOnSale::Cancelled });
    assert_eq!(world.store.decide(hold(show, &[9])).await, none);
    let not_pending = |booking_id| Refusal::NotPending { booking_id, status: BookingStatus::Failed };
    let payment = PaymentReference::new("p1").unwrap();
    let pay = domain::Command::Confirm(Confirm { payment: Some(payment), ..Confirm::of(pending) });
    let owed = Outcome::Refused(Refusal::RefundDue { because: Box::new(not_pending(pending)) });
    assert_eq!(world.store.decide(pay).await, owed);
    assert_eq!(world.store.decide(extend(extended)).await, Outcome::Refused(not_pending(extended)));
    // Its seat is free, and yet it can't be had again.
    let expired = Refusal::HoldExpired { booking_id: late, deadline };
    assert_eq!(world.store.decide(confirm(late)).await, Outcome::Refused(Refusal::RefundDue { because: Box::new(expired) }));
    assert_eq!(world.store.state(late).await, BookingState::Failed { reason: FailureReason::Expired, refund_due: true });
    for (id, refund_due) in [(sold, true), (given_up, false)] {
        let cancelled = Outcome::Cancelled { booking_id: id, refund_due };
        let by_house = Request::new(cancel(id), house());
        assert_eq!(world.store.request(&[by_house.clone(), by_house]).await, [cancelled.clone(), cancelled]);
    }
    for (id, refund_due) in [(pending, true), (extended, false), (sold, true), (given_up, false)] {
        assert_eq!(world.store.state(id).await, BookingState::Failed { reason: FailureReason::ShowCancelled, refund_due });
        let events: Vec<Event> = world.store.history(id).await.iter().map(|transition| transition.event).collect();
        assert!(events.contains(&Event::Failed(FailureReason::ShowCancelled)), "{events:?}");
    }
    assert_eq!(world.store.map(show).await, [SeatState::Available; 9]);
    world.store.shows.called_off(show).await.unwrap();
    assert_eq!(world.store.shows.calling_off().await, Ok(vec![]));
    assert!(held(&world.store.decide(hold(show, &[1])).await).is_none());
}
