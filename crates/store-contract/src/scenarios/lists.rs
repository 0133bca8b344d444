//! Lists of bookings.

use chrono::TimeDelta;
use domain::{Booking, BookingId, BookingStatus};

use crate::World;
use crate::calls::{HOLD_FOR, page};

/// Bookings are listed from the highest identity down, page by page, whatever happens to them.
pub async fn bookings_are_listed_newest_first(world: &World) {
    assert_eq!(world.store.list(None, page(10, None)).await, []);
    let shows = [world.store.show(9).await, world.store.show(9).await];
    let mut ids = Vec::new();
    for seat in 1..=3 {
        for show in shows {
            ids.insert(0, world.store.hold(show, &[seat]).await.0);
        }
    }
    world.store.decide(crate::calls::confirm(ids[3])).await;
    let list = async |rows, before: Option<BookingId>| {
        let bookings = world.store.list(None, page(rows, before.map(BookingId::get))).await;
        bookings.iter().map(|booking| booking.id).collect::<Vec<_>>()
    };
    assert_eq!(list(10, None).await, ids);
    assert_eq!(list(4, None).await, ids[..4]);
    assert_eq!(list(4, Some(ids[3])).await, ids[4..]);
    assert_eq!(list(1, Some(ids[0])).await, ids[1..2]);
    assert_eq!(list(4, Some(ids[5])).await, []);
}

/// The filter asks how a booking stands now: a dead hold counts as failed before anyone has said so, and a page is filled
/// with what passes.
pub async fn bookings_are_listed_by_status_as_of_now(world: &World) {
    let show = world.store.show(30).await;
    let mut ids = Vec::new();
    // In turn: swept, dead but not swept, sold, live.
    for seat in 1..=3 {
        ids.push(world.store.hold_for(show, &[seat], TimeDelta::seconds(1)).await.0);
    }
    world.clock.advance(TimeDelta::seconds(1));
    world.store.sweep(10).await;
    for seat in 4..=6 {
        ids.push(world.store.hold_for(show, &[seat], TimeDelta::seconds(1)).await.0);
        ids.push(world.store.sell(show, &[seat + 10]).await.0);
        ids.push(world.store.hold_for(show, &[seat + 20], HOLD_FOR).await.0);
    }
    world.clock.advance(TimeDelta::seconds(1));
    ids.reverse();
    let [live_3, sold_3, dead_3, live_2, sold_2, dead_2, live_1, sold_1, dead_1, swept_3, swept_2, swept_1] = ids[..] else {
        unreachable!("twelve bookings were made")
    };
    let list = async |status, rows, before: Option<BookingId>| {
        let bookings = world.store.list(Some(status), page(rows, before.map(BookingId::get))).await;
        assert!(bookings.iter().all(|booking: &Booking| booking.state.status() == status), "{bookings:?}");
        bookings.iter().map(|booking| booking.id).collect::<Vec<_>>()
    };
    assert_eq!(list(BookingStatus::Pending, 9, None).await, [live_3, live_2, live_1]);
    assert_eq!(list(BookingStatus::Confirmed, 9, None).await, [sold_3, sold_2, sold_1]);
    assert_eq!(list(BookingStatus::Failed, 9, None).await, [dead_3, dead_2, dead_1, swept_3, swept_2, swept_1]);
    assert_eq!(list(BookingStatus::Pending, 2, None).await, [live_3, live_2]);
    assert_eq!(list(BookingStatus::Pending, 2, Some(live_2)).await, [live_1]);
    assert_eq!(list(BookingStatus::Confirmed, 1, Some(sold_3)).await, [sold_2]);
    assert_eq!(list(BookingStatus::Failed, 3, Some(dead_2)).await, [dead_1, swept_3, swept_2]);
}
