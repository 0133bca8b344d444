//! Many commands in one transaction.

use domain::{BookingStatus, Command, Outcome, Refusal, Request, SeatKey, SeatNumber, SeatRefusalReason, SeatState, StoreError};

use crate::World;
use crate::books::Books;
use crate::calls::{
    EXPIRED, HOLD_FOR, again, cancel, confirm, expire, held, hold, hold_as, house, limit, nobody, not_free, numbers, requests,
    under,
};

/// Nothing asked, nothing answered, nothing done.
pub async fn an_empty_batch_gives_an_empty_answer(world: &World) {
    world.store.show(1).await;
    let before = Books::read(&world.store).await;
    assert_eq!(world.store.bookings.execute(&[]).await, Ok(Vec::new()));
    assert_eq!(Books::read(&world.store).await, before);
}

/// Each command sees what those before it did.
pub async fn a_batch_is_decided_in_order(world: &World) {
    let show = world.store.show(5).await;
    let (dead, dead_until) = world.store.hold(show, &[1]).await;
    world.clock.advance(HOLD_FOR);
    let (live, live_until) = world.store.hold(show, &[2]).await;
    let outcomes = world
        .store
        .execute(&[
            hold(show, &[3]),
            hold(show, &[3, 4]),
            confirm(live),
            confirm(live),
            hold(show, &[2, 4]),
            expire(dead),
            hold(show, &[1]),
            expire(dead),
            hold(show, &[1, 2, 3, 4]),
        ])
        .await;
    let at_three = held(&outcomes[0]).expect("seat 3 is free");
    let at_one = held(&outcomes[6]).expect("seat 1 is free");
    let until = live_until;
    let held_now = SeatRefusalReason::Held { free_at: until };
    let expected = [
        Outcome::Held { booking_id: at_three, deadline: until },
        not_free(&[(3, held_now)]),
        Outcome::Confirmed { booking_id: live },
        Outcome::Refused(Refusal::NotPending { booking_id: live, status: BookingStatus::Confirmed }),
        not_free(&[(2, SeatRefusalReason::Sold)]),
        Outcome::Expired { booking_id: dead, deadline: dead_until },
        Outcome::Held { booking_id: at_one, deadline: until },
        Outcome::Refused(Refusal::NotPending { booking_id: dead, status: BookingStatus::Failed }),
        not_free(&[(1, held_now), (2, SeatRefusalReason::Sold), (3, held_now)]),
    ];
    assert_eq!(outcomes, expected);
    let held_by = |by| SeatState::Held { by, until };
    let map = [held_by(at_one), SeatState::Sold { to: live }, held_by(at_three), SeatState::Available, SeatState::Available];
    assert_eq!(world.store.map(show).await, map);
}

/// A dead hold that several commands of one batch stumble over fails once, and its other seats come free for the rest.
pub async fn a_batch_sees_a_dead_hold_end_once(world: &World) {
    let show = world.store.show(4).await;
    let (dead, deadline) = world.store.hold(show, &[1, 2, 3]).await;
    world.clock.advance(HOLD_FOR);
    let outcomes = world
        .store
        .execute(&[hold(show, &[2]), hold(show, &[1, 2]), expire(dead), confirm(dead), hold(show, &[1]), hold(show, &[3, 4])])
        .await;
    let ended = Outcome::Refused(Refusal::NotPending { booking_id: dead, status: BookingStatus::Failed });
    let free_at = domain::Deadline::at(deadline.instant() + HOLD_FOR);
    assert!(held(&outcomes[0]).is_some(), "{outcomes:?}");
    assert_eq!(outcomes[1], not_free(&[(2, SeatRefusalReason::Held { free_at })]));
    let too_late = Outcome::Refused(Refusal::HoldExpired { booking_id: dead, deadline });
    assert_eq!(outcomes[2..4], [ended, too_late]);
    assert!(held(&outcomes[4]).is_some() && held(&outcomes[5]).is_some(), "{outcomes:?}");
    world.clock.advance(-HOLD_FOR);
    assert_eq!(world.store.state(dead).await, EXPIRED, "its row says so, whatever the clock");
}

/// Hundreds of commands in one batch: nobody gets the answer of another.
pub async fn each_answer_belongs_to_its_command(world: &World) {
    let shows = [world.store.show(200).await, world.store.show(200).await];
    let command = |n: i64| {
        let show = shows[usize::try_from(n % 2).unwrap()];
        // Every fifth command wants a seat that the one before the last has just got.
        let seat = if n % 5 == 4 { n - 2 } else { n };
        hold_as(&format!("Customer {n}"), show, &[seat / 2 + 1], HOLD_FOR)
    };
    let mut commands: Vec<Command> = (0..300).map(command).collect();
    commands.push(confirm(nobody()));
    let outcomes = world.store.execute(&commands).await;
    for (n, (command, outcome)) in commands.iter().zip(&outcomes).enumerate() {
        let Command::Hold(wanted) = command else { continue };
        let Some(id) = held(outcome) else {
            assert!(n % 5 == 4, "{command:?}: {outcome:?}");
            continue;
        };
        let booking = world.store.find(id).await.booking;
        assert_eq!((&booking.user_name, booking.show_id), (&wanted.user_name, wanted.show_id), "the answer to command {n}");
        assert_eq!(booking.seats, wanted.seats.numbers(), "the answer to command {n}");
    }
    assert_eq!(outcomes.iter().filter_map(held).count(), 240);
    assert_eq!(outcomes[300], Outcome::Refused(Refusal::NoSuchBooking { booking_id: nobody() }));
}

/// If the store gives up on a batch, not even the commands that could have been done leave a trace.
pub async fn a_failed_batch_leaves_nothing(world: &World) {
    let show = world.store.show(6).await;
    let (ours, _) = world.store.hold(show, &[1]).await;
    let (dead, _) = world.store.hold_for(show, &[2], chrono::TimeDelta::seconds(1)).await;
    world.clock.advance(chrono::TimeDelta::seconds(2));
    let before = Books::read(&world.store).await;

    let blockade = world.database.block(SeatKey { show_id: show, number: SeatNumber::new(6).unwrap() }).await;
    let batch = requests(&[hold(show, &[3]), confirm(ours), expire(dead), hold(show, &[2, 4]), hold(show, &[5, 6])]);
    let answer = world.store.bookings.execute(&batch).await;
    assert!(matches!(answer, Err(StoreError::Contended(_))), "{answer:?}");
    blockade.lift().await;

    assert_eq!(Books::read(&world.store).await, before);
    let outcomes = world.store.request(&batch).await;
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_))), "{outcomes:?}");
    assert_eq!(world.store.find(held(&outcomes[4]).unwrap()).await.booking.seats, numbers(&[5, 6]));
    assert_eq!(world.store.bookings.expire_due(limit(9)).await.unwrap().expired, [], "nothing is left dead");
}

/// Handed in while another is being executed, a batch is what it would be by itself: whichever of the two comes first, and whatever both
/// of them want.
pub async fn a_batch_behind_another_is_a_batch(world: &World) {
    let show = world.store.show(6).await;
    for round in 0..8 {
        let (ours, _) = world.store.hold(show, &[1]).await;
        let first = [
            Request::from(confirm(ours)),
            hold(show, &[2]).into(),
            hold(show, &[3]).into(),
            under(&format!("{round}"), 1, hold(show, &[6])),
        ];
        let second = [
            Request::from(hold(show, &[3, 4])),
            confirm(ours).into(),
            hold(show, &[5]).into(),
            under(&format!("{round}"), 1, hold(show, &[6])),
        ];
        let bookings = &world.store.bookings;
        let (before, behind) = tokio::join!(bookings.execute(&first), bookings.execute_behind(&first, &second));
        let (before, behind) = (before.unwrap(), behind.unwrap());
        let sold = Outcome::Refused(Refusal::NotPending { booking_id: ours, status: BookingStatus::Confirmed });
        let sales = [&before[0], &behind[1]].map(|outcome| *outcome == Outcome::Confirmed { booking_id: ours });
        assert!(sales[0] != sales[1] && [&before[0], &behind[1]].contains(&&sold), "{before:?} {behind:?}");
        let wanted_by_both = [held(&before[2]), held(&behind[0])];
        assert_eq!(wanted_by_both.iter().flatten().count(), 1, "{before:?} {behind:?}");
        assert!(before[3] == again(&behind[3]) || behind[3] == again(&before[3]), "one effect: {before:?} {behind:?}");
        let known = [&before[3], &behind[3]].into_iter().find_map(held);
        let made: Vec<_> = [held(&before[1]), held(&behind[2]), known].into_iter().chain(wanted_by_both).flatten().collect();
        assert_eq!(made.len(), 4, "{before:?} {behind:?}");
        for booking in made.into_iter().chain([ours]) {
            let outcome = world.store.ask(Request { by: house(), ..cancel(booking).into() }).await;
            assert!(matches!(outcome, Outcome::Cancelled { .. }), "{outcome:?}");
        }
    }
}
