//! Lists of bookings.

use chrono::TimeDelta;
use domain::{
    Booking, BookingFilter, BookingId, BookingStatus, Command, CustomerId, Hold, Request, ShowCounts, ShowId, Timestamp,
};

use crate::World;
use crate::calls::{HOLD_FOR, cancel, confirm, held, hold, house, nowhere, page};

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
    world.store.decide(confirm(ids[3])).await;
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

/// The bookings of one show, among those of others, by status as of now too.
pub async fn bookings_are_listed_by_show(world: &World) {
    let shows = [world.store.show(9).await, world.store.show(9).await];
    let mut ids = [Vec::new(), Vec::new()];
    for seat in 1..=4 {
        for (show, ids) in shows.iter().zip(&mut ids) {
            ids.insert(0, world.store.hold(*show, &[seat, seat + 5]).await.0);
        }
    }
    let [_, ours] = ids;
    world.store.decide(confirm(ours[1])).await;
    world.store.decide(cancel(ours[2])).await;
    let list = async |status, rows, before: Option<BookingId>| {
        let filter = BookingFilter { status, show_id: Some(shows[1]), ..BookingFilter::default() };
        let bookings = world.store.bookings.list(&filter, page(rows, before.map(BookingId::get))).await.unwrap();
        assert!(bookings.iter().all(|booking| booking.show_id == shows[1]), "{bookings:?}");
        bookings.iter().map(|booking| booking.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10, None).await, ours);
    assert_eq!(list(None, 2, Some(ours[0])).await, ours[1..3]);
    assert_eq!(list(Some(BookingStatus::Pending), 10, None).await, [ours[0], ours[3]]);
    assert_eq!(list(Some(BookingStatus::Confirmed), 10, None).await, [ours[1]]);
    world.clock.advance(HOLD_FOR);
    assert_eq!(list(Some(BookingStatus::Failed), 10, None).await, [ours[0], ours[2], ours[3]]);
    let nowhere = BookingFilter { show_id: Some(nowhere()), ..BookingFilter::default() };
    assert_eq!(world.store.bookings.list(&nowhere, page(9, None)).await, Ok(Vec::new()));
}

/// Bookings of two shows and two customers, made at different times, in every state; and every combination of filters on them.
pub async fn bookings_are_listed_by_any_filters_together(world: &World) {
    let shows = [world.store.show(99).await, world.store.show(99).await];
    let customers = ["ada", "bob"].map(|name| CustomerId::new(name).unwrap());
    let mut times = Vec::new();
    for round in 0..3 {
        times.push(world.clock.now());
        for (n, show) in shows.into_iter().enumerate() {
            for (m, customer) in customers.iter().map(Some).chain([None]).enumerate() {
                let first = i64::try_from(round * 30 + (n * 3 + m) * 5 + 1).unwrap();
                one_in_every_state(world, show, first, customer).await;
            }
        }
        // In the end the holds of the first round are dead, and nobody has said so.
        world.clock.advance(HOLD_FOR / 2);
    }
    let all = world.store.list(None, page(1_000, None)).await;
    assert_eq!(all.len(), 3 * 6 * 4);
    let any = |values: &[Timestamp]| values.iter().copied().map(Some).chain([None]).collect::<Vec<_>>();
    for status in [None, Some(BookingStatus::Pending), Some(BookingStatus::Confirmed), Some(BookingStatus::Failed)] {
        for (show_id, customer, refund_due) in [None, Some(shows[0]), Some(nowhere())].into_iter().flat_map(|show_id| {
            let customers = [None, Some(customers[1].clone()), Some(CustomerId::new("b").unwrap())];
            let refunds = [None, Some(true), Some(false)];
            customers.into_iter().flat_map(move |customer| refunds.map(|refund_due| (show_id, customer.clone(), refund_due)))
        }) {
            for made_from in any(&times[1..2]) {
                for made_before in any(&times[1..]) {
                    let customer = customer.clone();
                    let filter = BookingFilter { status, show_id, customer, made_from, made_before, refund_due };
                    lists_what_passes(world, &filter, &all).await;
                }
            }
        }
    }
}

/// A hold, a sale, a hold that was given up, and a sale that was taken back, of the seats from this one on.
async fn one_in_every_state(world: &World, show_id: ShowId, first: i64, customer: Option<&CustomerId>) {
    let mut ids = Vec::new();
    for seat in first..first + 4 {
        let Command::Hold(hold) = hold(show_id, &[seat]) else { unreachable!("a hold") };
        let outcome = world.store.decide(Command::Hold(Hold { customer: customer.cloned(), ..hold })).await;
        ids.push(held(&outcome).unwrap_or_else(|| panic!("{outcome:?}")));
    }
    world.store.execute(&[confirm(ids[1]), cancel(ids[2]), confirm(ids[3])]).await;
    world.store.ask(Request::new(cancel(ids[3]), house())).await;
}

/// The filter gives what passes it of all bookings, page by page.
async fn lists_what_passes(world: &World, filter: &BookingFilter, all: &[Booking]) {
    let passes = |booking: &&Booking| {
        let BookingFilter { status, show_id, customer, made_from, made_before, refund_due } = filter;
        status.is_none_or(|status| booking.state.status() == status)
            && show_id.is_none_or(|show_id| booking.show_id == show_id)
            && customer.as_ref().is_none_or(|customer| booking.customer.as_ref() == Some(customer))
            && made_from.is_none_or(|from| booking.created_at >= from)
            && made_before.is_none_or(|before| booking.created_at < before)
            && refund_due.is_none_or(|due| booking.state.refund_due() == due)
    };
    let expected: Vec<Booking> = all.iter().filter(passes).cloned().collect();
    let listed = world.store.bookings.list(filter, page(1_000, None)).await.unwrap();
    assert_eq!(listed, expected, "{filter:?}");
    if let [_, second, .., last] = &expected[..] {
        let rest = world.store.bookings.list(filter, page(2, Some(second.id.get()))).await.unwrap();
        assert_eq!(rest, expected[2..expected.len().min(4)], "{filter:?}");
        assert_eq!(world.store.bookings.list(filter, page(9, Some(last.id.get()))).await, Ok(Vec::new()));
    }
}

/// A show alone, and its seats and bookings in numbers, as of now.
pub async fn a_show_is_found_and_counted(world: &World) {
    let show = world.store.show_named("Macbeth", 9).await;
    let id = show.id;
    assert_eq!(world.store.shows.find(id).await, Ok(Some(show)));
    assert_eq!((world.store.shows.find(nowhere()).await, world.store.shows.counts(nowhere()).await), (Ok(None), Ok(None)));
    let counts = async || world.store.shows.counts(id).await.unwrap().unwrap();
    assert_eq!(counts().await, ShowCounts { available: 9, ..ShowCounts::default() });
    let (sold, _) = world.store.sell(id, &[1, 2]).await;
    let (given_up, _) = world.store.hold(id, &[3]).await;
    world.store.decide(cancel(given_up)).await;
    world.store.hold(id, &[4, 5, 6]).await;
    let (returned, _) = world.store.sell(id, &[7]).await;
    world.store.ask(Request::new(cancel(returned), house())).await;
    let before = ShowCounts { available: 4, held: 3, sold: 2, blocked: 0, pending: 1, confirmed: 1, failed: 2, refunds_due: 1 };
    assert_eq!(counts().await, before);
    world.clock.advance(HOLD_FOR);
    let after = ShowCounts { available: 7, held: 0, pending: 0, failed: 3, ..before };
    assert_eq!(counts().await, after);
    world.store.sweep_all(10).await;
    assert_eq!(counts().await, after);
    assert_eq!(world.store.state(sold).await.status(), BookingStatus::Confirmed);
}
