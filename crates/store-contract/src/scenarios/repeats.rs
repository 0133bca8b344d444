//! Requests that are made more than once.

use chrono::TimeDelta;
use domain::{Creation, Fingerprint, Idempotency, IdempotencyKey, Outcome, Refusal, Request, SeatRefusalReason, SeatState};
use tokio::task::JoinSet;

use crate::World;
use crate::calls::{
    HOLD_FOR, KEEP_FOR, TICK, again, all, cancel, change, confirm, extend, held, hold, limit, new_show, not_free, page, under,
};

const REUSED: Outcome = Outcome::Refused(Refusal::KeyReused);

/// One effect, and the same outcome: while the booking is as it was, and when it is not any more; and refusals too.
pub async fn a_repeated_request_has_one_effect_and_the_same_answer(world: &World) {
    let show = world.store.show(6).await;
    let request = under("hold", 1, hold(show, &[1, 2]));
    let held_first = world.store.ask(request.clone()).await;
    let id = held(&held_first).expect("the seats are free");
    let refused = world.store.ask(under("in-vain", 1, hold(show, &[2, 3]))).await;
    assert!(matches!(refused, Outcome::Refused(Refusal::SeatsNotFree { .. })), "{refused:?}");
    world.clock.advance(TimeDelta::seconds(10));
    let mut answered = vec![(request, held_first), (under("in-vain", 1, hold(show, &[2, 3])), refused)];
    for (key, command) in [
        ("extend", extend(id)),
        ("change", change(id, &[4], &[1])),
        ("confirm", confirm(id)),
        ("late", extend(id)),
        ("no", cancel(id)),
    ] {
        let request = under(key, 1, command);
        answered.push((request.clone(), world.store.ask(request).await));
    }
    let map = world.store.map(show).await;
    assert_eq!(map[1], SeatState::Sold { to: id });
    // From a new process, too, which remembers nothing of it.
    for store in [&world.store, &world.database.open().await] {
        for (request, outcome) in &answered {
            assert_eq!(store.ask(request.clone()).await, again(outcome), "{request:?}");
        }
        assert_eq!(store.map(show).await, map);
    }
    assert_eq!(world.store.list(None, page(10, None)).await.len(), 1);
}

/// Another request is not answered for the first one; and nothing is done.
pub async fn a_key_is_for_one_request(world: &World) {
    let show = world.store.show(4).await;
    let first = world.store.ask(under("one", 1, hold(show, &[1]))).await;
    let id = held(&first).expect("the seat is free");
    for request in [under("one", 2, hold(show, &[2])), under("one", 3, confirm(id))] {
        assert_eq!(world.store.ask(request).await, REUSED);
    }
    assert_eq!(world.store.map(show).await[1], SeatState::Available);
    assert_eq!(world.store.ask(under("one", 1, hold(show, &[1]))).await, again(&first));
    let other = Outcome::Confirmed { booking_id: id };
    assert_eq!(world.store.ask(under("other", 3, confirm(id))).await, other);
}

/// A repeat in the same batch is one like any other.
pub async fn the_same_key_twice_in_a_batch(world: &World) {
    let show = world.store.show(4).await;
    let batch = [
        under("a", 1, hold(show, &[1])),
        under("b", 1, hold(show, &[1])),
        under("a", 1, hold(show, &[1])),
        under("a", 2, hold(show, &[2])),
        under("b", 1, hold(show, &[1])),
        Request::from(hold(show, &[3])),
    ];
    let outcomes = world.store.request(&batch).await;
    assert!(held(&outcomes[0]).is_some() && held(&outcomes[5]).is_some(), "{outcomes:?}");
    let Outcome::Held { deadline, .. } = outcomes[0] else { unreachable!() };
    assert_eq!(outcomes[1], not_free(&[(1, SeatRefusalReason::Held { free_at: deadline })]));
    assert_eq!((&outcomes[2], &outcomes[3], &outcomes[4]), (&again(&outcomes[0]), &REUSED, &again(&outcomes[1])));
    assert_eq!(world.store.list(None, page(10, None)).await.len(), 2);
}

/// Callers who all come with one key, for the same seats and for others: one effect, and nobody hears of another.
pub async fn the_same_key_from_many_callers(world: &World) {
    const CALLERS: u8 = 12;
    for round in 0..6 {
        let show = world.store.show(4).await;
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let store = world.database.open().await;
            // Every third asks for another seat: its request is another one.
            let (fingerprint, seat) = if caller % 3 == 0 { (2, 2) } else { (1, 1) };
            let request = under(&format!("round-{round}"), fingerprint, hold(show, &[seat]));
            callers.spawn(async move { (fingerprint, store.ask(request).await) });
        }
        let answers = all(callers).await;
        let firsts: Vec<_> = answers.iter().filter(|(_, outcome)| held(outcome).is_some()).collect();
        let [(winner, first)] = firsts[..] else { panic!("one effect: {answers:?}") };
        for (fingerprint, outcome) in &answers {
            let expected = if fingerprint == winner { again(first) } else { REUSED };
            assert!(outcome == first || *outcome == expected, "{answers:?}");
        }
        assert_eq!(world.store.map(show).await.iter().filter(|seat| **seat != SeatState::Available).count(), 1);
    }
}

/// Until its time is over a key is kept, whatever is forgotten; from then on it is as new, forgotten or not.
pub async fn a_key_is_forgotten_after_its_time(world: &World) {
    let show = world.store.show(4).await;
    let first = world.store.ask(under("a", 1, hold(show, &[1]))).await;
    world.store.ask(under("b", 1, hold(show, &[2]))).await;
    world.store.ask(under("c", 1, hold(show, &[2]))).await;
    world.clock.advance(KEEP_FOR - TICK);
    assert_eq!(world.store.bookings.forget_keys(limit(10)).await, Ok(0));
    assert_eq!(world.store.ask(under("a", 1, hold(show, &[1]))).await, again(&first));
    world.clock.advance(TICK);
    let second = world.store.ask(under("a", 2, hold(show, &[1, 2]))).await;
    assert!(held(&second).is_some(), "the first hold is long dead: {second:?}");
    assert_eq!(world.store.bookings.forget_keys(limit(1)).await, Ok(1));
    assert_eq!(world.store.bookings.forget_keys(limit(5)).await, Ok(1));
    assert_eq!(world.store.ask(under("a", 2, hold(show, &[1, 2]))).await, again(&second));
    let id = held(&second).unwrap();
    assert_eq!(world.store.ask(under("b", 2, confirm(id))).await, Outcome::Confirmed { booking_id: id });
}

/// What was done under a key is known by it after a crash.
pub async fn a_key_outlives_a_crash(world: &World) {
    let show = world.store.show(2).await;
    let request = under("once", 1, hold(show, &[1]));
    let first = world.store.ask(request.clone()).await;
    let store = world.database.crash().await;
    assert_eq!(store.ask(request).await, again(&first));
}

/// A show is made once under a key, and its key is not one for bookings.
pub async fn a_show_is_created_once_under_its_key(world: &World) {
    let key = |fingerprint| Idempotency {
        key: IdempotencyKey::new("premiere").unwrap(),
        fingerprint: Fingerprint([fingerprint; 32]),
        keep_for: HOLD_FOR,
    };
    let create = async |fingerprint| world.store.shows.create(&new_show("Hamlet", 3), Some(&key(fingerprint))).await.unwrap();
    let Creation::Created(show) = create(1).await else { panic!("the key is new") };
    assert_eq!(create(1).await, Creation::Replayed(show.id));
    assert_eq!(create(2).await, Creation::KeyReused);
    assert_eq!(world.store.ask(under("premiere", 3, hold(show.id, &[1]))).await, REUSED);
    world.store.ask(under("booked", 1, hold(show.id, &[1]))).await;
    let booked = Idempotency { key: IdempotencyKey::new("booked").unwrap(), ..key(1) };
    assert_eq!(world.store.shows.create(&new_show("Macbeth", 3), Some(&booked)).await, Ok(Creation::KeyReused));
    assert_eq!(world.store.shows.list(page(10, None)).await.unwrap().len(), 1);
    world.clock.advance(HOLD_FOR);
    let Creation::Created(second) = create(2).await else { panic!("the key is as new") };
    assert_ne!(second.id, show.id);
}

/// Callers who all make one show under one key: there is one, and all of them hear of it.
pub async fn one_show_and_many_creators_under_one_key(world: &World) {
    let mut creators = JoinSet::new();
    for _ in 0..6 {
        let store = world.database.open().await;
        creators.spawn(async move {
            let key = IdempotencyKey::new("premiere").unwrap();
            let idempotency = Idempotency { key, fingerprint: Fingerprint([1; 32]), keep_for: KEEP_FOR };
            store.shows.create(&new_show("Hamlet", 300), Some(&idempotency)).await
        });
    }
    let answers = all(creators).await;
    let listed = world.store.shows.list(page(10, None)).await.unwrap();
    let [show] = &listed[..] else { panic!("one show: {listed:?}") };
    let created = answers.iter().filter(|answer| **answer == Ok(Creation::Created(show.clone()))).count();
    let replayed = answers.iter().filter(|answer| **answer == Ok(Creation::Replayed(show.id))).count();
    assert_eq!((created, replayed), (1, 5), "{answers:?}");
}
