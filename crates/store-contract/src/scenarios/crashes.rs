//! What is left when a process or a caller goes away.

use std::time::Duration;

use domain::{BookingId, Creation, NewShow, Outcome, SeatKey, SeatNumber, SeatState, ShowId};

use crate::books::Books;
use crate::calls::{EXPIRED, HOLD_FOR, confirm, expire, held, hold, limit, page, requests};
use crate::cut_short::cut_short;
use crate::{Store, World};

/// Polls after which a call must have come to its end long ago.
const POLLS_MAX: u32 = 200;
/// How many calls in a row must come to their end before a scenario believes that all places to stop at have been tried.
const UNCUT_MAX: u32 = 8;

/// Shows, holds, sales, expired and taken-over holds: all reads give the same after a crash, and work goes on from there.
pub async fn what_was_answered_is_there_after_reopening(world: &World) {
    let store = &world.store;
    let show = store.show(9).await;
    let (swept, _) = store.hold(show, &[1, 2]).await;
    world.clock.advance(HOLD_FOR);
    store.sweep(10).await;
    let (taken_over, _) = store.hold(show, &[1]).await;
    store.hold(show, &[8]).await;
    world.clock.advance(HOLD_FOR);
    store.sell(show, &[1, 3]).await;
    let (live, deadline) = store.hold(show, &[4, 5]).await;
    store.decide(hold(show, &[4, 6])).await;
    store.show(3).await;

    let before = Books::read(store).await;
    let reopened = world.database.crash().await;
    let after = Books::read(&reopened).await;
    assert_eq!(after, before);
    after.check();
    world.clock.advance(-HOLD_FOR);
    for id in [swept, taken_over] {
        assert_eq!(reopened.state(id).await, EXPIRED);
    }
    world.clock.advance(HOLD_FOR);

    let newest = before.bookings[0].booking.id;
    assert_eq!(reopened.hold(show, &[6]).await.0.get(), newest.get() + 1, "identities go on");
    assert_eq!(reopened.decide(confirm(live)).await, Outcome::Confirmed { booking_id: live });
    world.clock.advance(HOLD_FOR);
    assert_eq!(reopened.decide(expire(live)).await, refused_as_sold(live), "deadline {deadline:?}");
    let again = world.database.crash().await;
    assert_eq!(again.map(show).await[3..5], [SeatState::Sold { to: live }; 2]);
}

fn refused_as_sold(booking_id: BookingId) -> Outcome {
    Outcome::Refused(domain::Refusal::NotPending { booking_id, status: domain::BookingStatus::Confirmed })
}

/// A call that is dropped after each possible number of polls, as when a process dies between lock and save, has happened
/// wholly or not at all; its locks are gone, its neighbours work, and so it is after a crash.
pub async fn a_dropped_call_is_done_wholly_or_not_at_all(world: &World) {
    let show = world.store.show(i64::from(POLLS_MAX + 1) * 4).await;
    let mut uncut = 0;
    let mut seat = 1;
    let mut bookings = Vec::new();
    for polls in 0..=POLLS_MAX {
        let (known, _) = world.store.hold(show, &[seat + 3]).await;
        let batch = requests(&[hold(show, &[seat, seat + 1]), confirm(known), hold(show, &[seat + 2])]);
        let answer = cut_short(world.store.bookings.execute(&batch), polls).await;
        let happened = happened_wholly(&world.store, show, seat, known).await;
        match answer {
            Some(answer) => {
                answer.unwrap();
                assert!(happened, "it was answered, and did not happen");
                uncut += 1;
            }
            None => uncut = 0,
        }
        bookings.push(known);
        if uncut == UNCUT_MAX {
            break;
        }
        seat += 4;
    }
    assert_eq!(uncut, UNCUT_MAX, "a call takes more than {POLLS_MAX} polls");
    an_abandoned_call(world).await;
    let before = Books::read(&world.store).await;
    let reopened = Books::read(&world.database.crash().await).await;
    assert_eq!(reopened, before);
    reopened.check();
}

/// Asks for the seats of a call that may have happened, each alone: all are free or none is. Its confirm agrees.
async fn happened_wholly(store: &Store, show: ShowId, seat: i64, known: BookingId) -> bool {
    let outcomes = store.execute(&[hold(show, &[seat]), hold(show, &[seat + 1]), hold(show, &[seat + 2]), confirm(known)]).await;
    let free = outcomes[..3].iter().filter(|outcome| held(outcome).is_some()).count();
    assert!(free == 0 || free == 3, "half of it has happened: {outcomes:?}");
    let confirmed_by_us = matches!(outcomes[3], Outcome::Confirmed { .. });
    assert_eq!(confirmed_by_us, free == 3, "half of it has happened: {outcomes:?}");
    free == 0
}

/// Calls that run in tasks of their own and are aborted while they are under way.
async fn an_abandoned_call(world: &World) {
    for pauses in 0..24 {
        let show = world.store.show(4).await;
        let (known, _) = world.store.hold(show, &[4]).await;
        let batch = requests(&[hold(show, &[1, 2]), confirm(known), hold(show, &[3])]);
        let store = world.store.clone();
        let call = tokio::spawn(async move { store.bookings.execute(&batch).await });
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        call.abort();
        let answered = call.await.is_ok();
        let happened = happened_wholly(&world.store, show, 1, known).await;
        assert!(happened || !answered, "it was answered, and did not happen");
    }
}

/// The same for a sweep: each dead hold is failed with all of its seats, or waits for the next sweep.
pub async fn a_dropped_sweep_is_done_wholly_or_not_at_all(world: &World) {
    let show = world.store.show(6).await;
    let mut uncut = 0;
    for polls in 0..=POLLS_MAX {
        let store = &world.store;
        let dead = [store.hold(show, &[1, 2]).await.0, store.hold(show, &[3, 4]).await.0, store.hold(show, &[5, 6]).await.0];
        world.clock.advance(HOLD_FOR);
        let answer = cut_short(world.store.bookings.expire_due(limit(2)), polls).await;
        // Unlike a sweep, which may pass over what is locked, these wait for what the dropped one has under way.
        let outcomes = world.store.execute(&dead.map(expire)).await;
        let left = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Expired { .. })).count();
        if let Some(sweep) = answer {
            assert_eq!(sweep.unwrap().expired.len(), 2);
            assert_eq!(left, 1, "it was answered, and did not happen: {outcomes:?}");
            uncut += 1;
        } else {
            assert!(left == 1 || left == 3, "half of it has happened: {outcomes:?}");
            uncut = 0;
        }
        // On the clock before the deadline only rows that were saved are free.
        world.clock.advance(-HOLD_FOR);
        assert_eq!(world.store.map(show).await, [SeatState::Available; 6]);
        world.clock.advance(HOLD_FOR);
        if uncut == UNCUT_MAX {
            return;
        }
    }
    panic!("a sweep takes more than {POLLS_MAX} polls");
}

/// The same for a show: whatever becomes of its creation, nobody ever finds it with half of its seats.
pub async fn a_dropped_creation_leaves_a_whole_show_or_none(world: &World) {
    let new = NewShow::new("Hamlet", world.clock.now(), 300).unwrap();
    let mut uncut = 0;
    let mut created = 0;
    for polls in 0..=POLLS_MAX {
        match cut_short(world.store.shows.create(&new, None), polls).await {
            Some(created_one) => {
                let Creation::Created(show) = created_one.unwrap() else { panic!("there was no key") };
                assert_eq!(world.store.map(show.id).await.len(), 300);
                uncut += 1;
                created += 1;
            }
            None => uncut = 0,
        }
        let listed = world.store.shows.list(page(250, None)).await.unwrap();
        for show in listed {
            assert_eq!(world.store.map(show.id).await.len(), 300);
        }
        if uncut == UNCUT_MAX {
            break;
        }
    }
    assert_eq!(uncut, UNCUT_MAX, "a creation takes more than {POLLS_MAX} polls");
    let reopened = Books::read(&world.database.crash().await).await;
    assert!(reopened.shows.len() >= created, "a show that was answered is lost");
    reopened.check();
}

/// A caller may lose patience while someone else holds the lock that the call waits for. It still happens wholly or not at
/// all, and its own locks don't stay.
pub async fn a_call_dropped_while_it_waits_is_done_wholly_or_not_at_all(world: &World) {
    for _ in 0..5 {
        let show = world.store.show(4).await;
        let (known, _) = world.store.hold(show, &[4]).await;
        let blockade = world.database.block(SeatKey { show_id: show, number: SeatNumber::new(2).unwrap() }).await;
        let batch = requests(&[hold(show, &[1, 2]), confirm(known), hold(show, &[3])]);
        let answer = tokio::time::timeout(Duration::from_millis(50), world.store.bookings.execute(&batch)).await;
        assert!(!matches!(answer, Ok(Ok(_))), "it can't have been done");
        blockade.lift().await;
        happened_wholly(&world.store, show, 1, known).await;
    }
}
