//! How a hold ends.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{BookingId, BookingState, BookingStatus, Deadline, SeatState, SeatStatus, Sweep};

use crate::World;
use crate::calls::{EXPIRED, HOLD_FOR, TICK, confirm, hold, numbers, page};

/// From its deadline on a hold is no obstacle, with no worker in sight; all of its seats come free, and its booking fails in
/// the same transaction.
pub async fn a_dead_hold_gives_way_without_a_sweep(world: &World) {
    let show = world.store.show(3).await;
    let (dead, deadline) = world.store.hold(show, &[1, 2, 3]).await;
    world.clock.advance(HOLD_FOR - TICK);
    assert_eq!(crate::calls::held(&world.store.decide(hold(show, &[2])).await), None, "still live");
    world.clock.advance(TICK);
    let (next, until) = world.store.hold(show, &[2]).await;
    let (free, ours) = (SeatState::Available, SeatState::Held { by: next, until });
    assert_eq!(world.store.map(show).await, [free, ours, free]);
    assert_eq!(world.store.state(dead).await, EXPIRED);

    // On a clock that is set back a row that was only read as dead would come to life again.
    world.clock.advance(-HOLD_FOR);
    let booking = world.store.find(dead).await.booking;
    assert_eq!((booking.state, booking.updated_at), (EXPIRED, deadline.instant()));
    assert_eq!(world.store.map(show).await, [free, ours, free]);
    world.store.decide(confirm(next)).await;
    assert_eq!(world.store.map(show).await, [free, SeatState::Sold { to: next }, free]);
}

/// A basket over the seats of several dead holds ends all of them, and of those no seat stays blocked.
pub async fn one_hold_takes_over_several_dead_ones(world: &World) {
    let show = world.store.show(7).await;
    let mut dead = Vec::new();
    for seats in [[1, 2], [3, 4], [5, 6]] {
        dead.push(world.store.hold(show, &seats).await.0);
        world.clock.advance(TICK);
    }
    world.clock.advance(HOLD_FOR);
    let (heir, until) = world.store.hold(show, &[2, 3, 6, 7]).await;
    world.clock.advance(-HOLD_FOR);
    for id in dead {
        assert_eq!(world.store.state(id).await, EXPIRED);
    }
    let (free, ours) = (SeatState::Available, SeatState::Held { by: heir, until });
    assert_eq!(world.store.map(show).await, [free, ours, ours, free, free, ours, ours]);
}

/// Nobody has touched the row of a dead hold, and yet every read says that it has failed and that its seats are free.
pub async fn a_dead_hold_reads_as_failed(world: &World) {
    let show = world.store.show(2).await;
    let (id, deadline) = world.store.hold(show, &[1, 2]).await;
    let held = SeatState::Held { by: id, until: deadline };
    world.clock.advance(HOLD_FOR - TICK);
    let details = world.store.find(id).await;
    assert_eq!(details.booking.state, BookingState::Pending);
    assert!(details.seats.iter().all(|(_, status)| *status == SeatStatus::Pending));
    assert_eq!(world.store.map(show).await, [held, held]);

    world.clock.advance(TICK);
    let details = world.store.find(id).await;
    assert_eq!((details.booking.state, details.booking.updated_at), (EXPIRED, deadline.instant()));
    assert!(details.seats.iter().all(|(_, status)| *status == SeatStatus::Available));
    assert_eq!(world.store.map(show).await, [SeatState::Available; 2]);
    assert_eq!(world.store.list(None, page(9, None)).await, vec![details.booking.clone()]);
    assert_eq!(world.store.list(Some(BookingStatus::Failed), page(9, None)).await, [details.booking]);
    assert_eq!(world.store.list(Some(BookingStatus::Pending), page(9, None)).await, []);
}

/// A booking that failed still lists its seats, and shows them as they stand now: free, then someone else's.
pub async fn a_failed_booking_remembers_its_seats(world: &World) {
    let show = world.store.show(4).await;
    let (id, _) = world.store.hold(show, &[1, 2, 4]).await;
    world.clock.advance(HOLD_FOR);
    world.store.sweep(10).await;
    let statuses = async || world.store.find(id).await.seats.iter().map(|(_, status)| *status).collect::<Vec<_>>();
    assert_eq!(statuses().await, [SeatStatus::Available; 3]);
    world.store.sell(show, &[2]).await;
    world.store.hold(show, &[4]).await;
    assert_eq!(statuses().await, [SeatStatus::Available, SeatStatus::Confirmed, SeatStatus::Pending]);
    let booking = world.store.find(id).await.booking;
    assert_eq!((booking.seats, booking.state), (numbers(&[1, 2, 4]), EXPIRED));
}

/// A sweep ends the dead, at and after their deadline, and leaves alone the living, the sold and the failed.
pub async fn a_sweep_fails_dead_holds_only(world: &World) {
    let show = world.store.show(8).await;
    let (sold, _) = world.store.sell(show, &[1]).await;
    let (dead, _) = world.store.hold_for(show, &[2, 3], TimeDelta::seconds(10)).await;
    let (just_dead, _) = world.store.hold_for(show, &[4], TimeDelta::seconds(15)).await;
    let (live, until) = world.store.hold_for(show, &[5], TimeDelta::seconds(15) + TICK).await;
    world.clock.advance(TimeDelta::seconds(15));
    let sweep = world.store.sweep(10).await;
    let next_due_in = Some(Duration::from_micros(1));
    assert_eq!(sweep, Sweep { expired: vec![dead, just_dead], lag_max: Duration::from_secs(5), next_due_in });
    assert_eq!(world.store.sweep(10).await, Sweep { expired: vec![], lag_max: Duration::ZERO, next_due_in }, "done is done");

    let swept_at = world.clock.now();
    world.clock.advance(TimeDelta::seconds(-15));
    for id in [dead, just_dead] {
        let booking = world.store.find(id).await.booking;
        assert_eq!((booking.state, booking.updated_at), (EXPIRED, swept_at));
    }
    let mut map = vec![SeatState::Available; 8];
    map[0] = SeatState::Sold { to: sold };
    map[4] = SeatState::Held { by: live, until };
    assert_eq!(world.store.map(show).await, map);
}

/// A sweep does no more than it may, and takes those first that have been dead longest.
pub async fn a_sweep_is_bounded(world: &World) {
    let show = world.store.show(20).await;
    let mut by_deadline: Vec<(Deadline, BookingId)> = Vec::new();
    for seat in 1..=7 {
        // Deadlines in another order than identities.
        let (id, deadline) = world.store.hold_for(show, &[seat], TimeDelta::seconds(20 + seat * 5 % 7)).await;
        by_deadline.push((deadline, id));
    }
    by_deadline.sort_unstable();
    let oldest_first: Vec<BookingId> = by_deadline.iter().map(|(_, id)| *id).collect();
    world.clock.advance(TimeDelta::seconds(60));
    for (expected, left) in [(&oldest_first[0..3], true), (&oldest_first[3..6], true), (&oldest_first[6..], false), (&[], false)]
    {
        let mut sweep = world.store.sweep(3).await;
        sweep.expired.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(sweep.expired, expected);
        assert_eq!(sweep.next_due_in, left.then_some(Duration::ZERO), "what is left is due now");
    }
}

/// Whoever sweeps learns when it is worth doing again.
pub async fn a_sweep_says_when_the_next_is_due(world: &World) {
    let next = async || world.store.sweep(10).await.next_due_in;
    assert_eq!(next().await, None, "no booking at all");
    let show = world.store.show(4).await;
    world.store.sell(show, &[4]).await;
    assert_eq!(next().await, None, "a sale has no deadline any more");
    world.store.hold_for(show, &[1], TimeDelta::seconds(30)).await;
    let (soon, _) = world.store.hold_for(show, &[2], TimeDelta::microseconds(10_000_001)).await;
    assert_eq!(next().await, Some(Duration::from_micros(10_000_001)));
    world.clock.advance(TimeDelta::seconds(4));
    assert_eq!(next().await, Some(Duration::from_micros(6_000_001)));
    world.store.decide(confirm(soon)).await;
    assert_eq!(next().await, Some(Duration::from_secs(26)));
    world.clock.advance(TimeDelta::seconds(26));
    assert_eq!(next().await, None, "the last one has just been failed");
}

/// Whoever watches learns how long a dead hold has been left lying.
pub async fn the_oldest_dead_hold_is_known(world: &World) {
    let oldest = async || world.store.health.oldest_dead_hold().await.unwrap();
    assert_eq!(oldest().await, Duration::ZERO, "no booking at all");
    let show = world.store.show(4).await;
    world.store.sell(show, &[4]).await;
    world.store.hold_for(show, &[1], TimeDelta::seconds(10)).await;
    world.store.hold_for(show, &[2], TimeDelta::seconds(30)).await;
    assert_eq!(oldest().await, Duration::ZERO, "they live");
    world.clock.advance(TimeDelta::seconds(32));
    assert_eq!(oldest().await, Duration::from_secs(22));
    world.store.sweep(1).await;
    assert_eq!(oldest().await, Duration::from_secs(2));
    world.store.sweep(1).await;
    assert_eq!(oldest().await, Duration::ZERO, "all of them have been failed");
}
