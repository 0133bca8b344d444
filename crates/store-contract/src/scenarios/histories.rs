//! What happened, as it is kept.

use chrono::TimeDelta;
use domain::{Actor, BookingStatus, Event, FailureReason, Outcome, Request, Terms, Timestamp};
use tokio::task::JoinSet;

use crate::World;
use crate::calls::{HOLD_FOR, all, cancel, change, confirm, extend, hold, house, nobody, numbers};

/// Every step is there with its seats, who did it and when; what was refused is not.
pub async fn every_transition_is_in_the_history(world: &World) {
    let show = world.store.show_on(Terms { customers_may_cancel: true, ..Terms::default() }, 6).await;
    let mut times: Vec<Timestamp> = vec![world.clock.now()];
    let (id, _) = world.store.hold(show, &[1, 2]).await;
    let by_house = |command| Request::new(command, house());
    let steps = [by_house(extend(id)), Request::from(change(id, &[3], &[1])), by_house(confirm(id)), Request::from(cancel(id))];
    for request in steps {
        world.clock.advance(TimeDelta::seconds(5));
        times.push(world.clock.now());
        let outcome = world.store.ask(request).await;
        assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    // Without effect: nothing is added.
    world.store.execute(&[cancel(id), confirm(id), extend(id), change(id, &[4], &[])]).await;
    let found = world.store.history(id).await;
    let (pending, confirmed) = (Some(BookingStatus::Pending), Some(BookingStatus::Confirmed));
    let expected = [
        (Event::Held, None, numbers(&[1, 2]), Actor::Customer),
        (Event::Extended, pending, numbers(&[1, 2]), house()),
        (Event::Changed, pending, numbers(&[2, 3]), Actor::Customer),
        (Event::Confirmed, pending, numbers(&[2, 3]), house()),
        (Event::Failed(FailureReason::Cancelled), confirmed, numbers(&[2, 3]), Actor::Customer),
    ];
    for (i, (event, from, seats, by)) in expected.into_iter().enumerate() {
        let step = &found[i];
        assert_eq!((step.event, step.from, &step.seats, &step.by, step.at), (event, from, &seats, &by, times[i]), "{found:?}");
        assert_eq!((step.show_id, step.booking_id, step.number), (show, id, i64::try_from(i).unwrap() + 1), "{found:?}");
    }
    assert_eq!(found.len(), 5);
    assert_eq!(world.store.bookings.history(nobody()).await, Ok(None));
}

/// A hold that runs out is failed by the system, whoever finds it: a sweep, or the next hold.
pub async fn the_end_of_a_hold_is_in_the_history(world: &World) {
    let show = world.store.show(2).await;
    let ((swept, _), (taken_over, _)) = (world.store.hold(show, &[1]).await, world.store.hold(show, &[2]).await);
    world.clock.advance(HOLD_FOR);
    assert_eq!(world.store.history(swept).await.len(), 1);
    let (next, _) = world.store.hold(show, &[2]).await;
    assert_eq!(world.store.sweep_all(10).await, [swept]);
    for id in [swept, taken_over] {
        let [_, end] = &world.store.history(id).await[..] else { panic!("two steps") };
        let expected = (Event::Failed(FailureReason::Expired), Some(BookingStatus::Pending), Actor::System, world.clock.now());
        assert_eq!((end.event, end.from, end.by.clone(), end.at), expected);
    }
    // Whoever replays the show's changes in order never sees a seat with two owners.
    let (end, taken) = (world.store.history(taken_over).await[1].number, world.store.history(next).await[0].number);
    assert!(end < taken, "{end} {taken}");
}

/// Many processes at work on the same shows: no number is left out, and none used twice. (All books are checked after each scenario.)
pub async fn changes_of_a_show_are_numbered_without_gaps(world: &World) {
    const CALLERS: i64 = 8;
    const HOLDS: i64 = 6;
    let shows = [world.store.show(CALLERS * HOLDS).await, world.store.show(CALLERS * HOLDS).await];
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let store = world.database.open().await;
        callers.spawn(async move {
            for n in 0..HOLDS {
                let seat = caller * HOLDS + n + 1;
                // In both orders, and some of them refused.
                let batch = [hold(shows[0], &[seat]), hold(shows[1], &[seat]), hold(shows[0], &[seat])];
                let outcomes = if n % 2 == 0 {
                    store.execute(&batch).await
                } else {
                    store.execute(&[batch[1].clone(), batch[0].clone()]).await
                };
                let Outcome::Held { booking_id, .. } = outcomes[0] else { panic!("{outcomes:?}") };
                store.execute(&[confirm(booking_id)]).await;
            }
        });
    }
    all(callers).await;
}
