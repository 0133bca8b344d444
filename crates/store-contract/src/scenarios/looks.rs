//! Looks: refusals without a lock.

use domain::{Command, Hold, Outcome, Refusal, SeatRefusalReason, ShowId};

use crate::World;
use crate::calls::{HOLD_FOR, TICK, confirm, hold, not_free, nowhere};

/// What a look says of holds of these seats.
async fn look(world: &World, show: ShowId, wishes: &[&[i64]]) -> Vec<Option<Refusal>> {
    let holds: Vec<Hold> = wishes.iter().map(|seats| wish(show, seats)).collect();
    world.store.bookings.look(&holds.iter().collect::<Vec<_>>()).await.unwrap()
}

fn wish(show: ShowId, seats: &[i64]) -> Hold {
    let Command::Hold(hold) = hold(show, seats) else { unreachable!() };
    hold
}

fn refused(seats: &[(i64, SeatRefusalReason)]) -> Refusal {
    let Outcome::Refused(refusal) = not_free(seats) else { unreachable!() };
    refusal
}

/// A look refuses a hold of any taken seat, with the words of a decision; and each refusal belongs to its hold.
pub async fn a_look_refuses_what_is_taken(world: &World) {
    let show = world.store.show(4).await;
    world.store.sell(show, &[1]).await;
    let (_, free_at) = world.store.hold(show, &[2]).await;
    let (sold, held, unknown) = (SeatRefusalReason::Sold, SeatRefusalReason::Held { free_at }, SeatRefusalReason::Unknown);
    let wishes: [&[i64]; 5] = [&[1], &[2], &[3], &[1, 2, 3, 9], &[4, 2]];
    let expected = [
        Some(refused(&[(1, sold)])),
        Some(refused(&[(2, held)])),
        None,
        Some(refused(&[(1, sold), (2, held), (9, unknown)])),
        Some(refused(&[(2, held)])),
    ];
    assert_eq!(look(world, show, &wishes).await, expected);
    for (seats, refusal) in wishes.iter().zip(expected) {
        if let Some(refusal) = refusal {
            assert_eq!(world.store.decide(hold(show, seats)).await, Outcome::Refused(refusal), "as a decision says it");
        }
    }
}

/// A look never refuses a seat that is free or whose hold is dead, from the deadline on; and changes nothing.
pub async fn a_look_never_refuses_what_is_free(world: &World) {
    let show = world.store.show(3).await;
    let (booking, deadline) = world.store.hold(show, &[1, 2]).await;
    world.clock.advance(HOLD_FOR - TICK);
    let held = |n| Some(refused(&[(n, SeatRefusalReason::Held { free_at: deadline })]));
    assert_eq!(look(world, show, &[&[1], &[2, 3], &[3]]).await, [held(1), held(2), None]);
    world.clock.advance(TICK);
    assert_eq!(look(world, show, &[&[1], &[2, 3], &[3]]).await, [None, None, None]);
    assert_eq!(world.store.sweep(10).await.expired, [booking], "it was left to the sweep");
    assert_eq!(look(world, show, &[&[1, 2, 3]]).await, [None]);
    assert_eq!(look(world, nowhere(), &[&[1]]).await, [None], "what it can't see it leaves to a decision");
    assert_eq!(world.store.bookings.look(&[]).await, Ok(vec![]));
}

/// A seat that is dead but still stands as held may yet turn out to be sold, to a confirm that came in time. A refusal that leaves
/// it out would say that it was free.
pub async fn a_look_says_nothing_of_dead_holds(world: &World) {
    let show = world.store.show(3).await;
    world.store.sell(show, &[1]).await;
    world.store.hold(show, &[2]).await;
    world.clock.advance(HOLD_FOR);
    let sold = || Some(refused(&[(1, SeatRefusalReason::Sold)]));
    assert_eq!(look(world, show, &[&[1, 2], &[1, 3], &[1]]).await, [None, sold(), sold()]);
    world.store.sweep(10).await;
    assert_eq!(look(world, show, &[&[1, 2]]).await, [sold()]);
}

/// A look sees what is committed and waits for nobody, however long someone sits on the seat.
pub async fn a_look_waits_for_nobody_and_sees_what_is_committed(world: &World) {
    let show = world.store.show(2).await;
    let (booking, free_at) = world.store.hold(show, &[1]).await;
    let seat = domain::SeatKey { show_id: show, number: domain::SeatNumber::new(1).unwrap() };
    let blockade = world.database.block(seat).await;
    assert_eq!(look(world, show, &[&[1]]).await, [Some(refused(&[(1, SeatRefusalReason::Held { free_at })]))]);
    blockade.lift().await;
    assert_eq!(world.store.decide(confirm(booking)).await, Outcome::Confirmed { booking_id: booking });
    assert_eq!(look(world, show, &[&[1]]).await, [Some(refused(&[(1, SeatRefusalReason::Sold)]))]);
    // Another process sees the same.
    let other = world.database.open().await;
    assert_eq!(other.bookings.look(&[&wish(show, &[1])]).await, Ok(vec![Some(refused(&[(1, SeatRefusalReason::Sold)]))]));
}
