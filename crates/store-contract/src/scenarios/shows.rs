//! Shows and their seats.

use chrono::DateTime;
use domain::{NewShow, Outcome, Refusal, SeatState, Show, ShowId, Terms, Timestamp, UserName};
use tokio::task::JoinSet;

use crate::World;
use crate::calls::{HOLD_FOR, all, hold, hold_as, nowhere, page};

/// A freshly migrated store can serve.
pub async fn a_migrated_store_is_ready(world: &World) {
    assert_eq!(world.store.health.ready().await, Ok(()));
}

/// A show comes back as it was asked for, with all of its seats, numbered from 1 and free.
pub async fn a_show_is_created_with_its_seats(world: &World) {
    let start_time = Timestamp::from_timestamp_micros(1_893_456_000_000_001).unwrap();
    let new = NewShow::new("Hamlet", start_time, 7).unwrap();
    let show = world.store.create(&new).await;
    let (created_at, terms) = (world.clock.now(), Terms::default());
    let expected = Show {
        id: show.id,
        name: "Hamlet".to_owned(),
        start_time,
        total_seats: 7,
        created_at,
        terms,
        cancelled_at: None,
        revision: 0,
    };
    assert_eq!(show, expected);
    assert_eq!(world.store.shows.list(page(10, None)).await.unwrap(), vec![show.clone()]);
    let seats = world.store.shows.seat_map(show.id).await.unwrap().unwrap();
    assert_eq!(seats.iter().map(|seat| seat.number.get()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert!(seats.iter().all(|seat| seat.state == SeatState::Available));
}

/// Whoever sees a show while others are being created sees all of its seats.
pub async fn a_show_is_never_seen_without_its_seats(world: &World) {
    let mut creators = JoinSet::new();
    for _ in 0..4 {
        let store = world.store.clone();
        creators.spawn(async move { store.show(500).await });
    }
    let reader = world.database.open().await;
    let mut seen = 0;
    while seen < 4 {
        let shows = reader.shows.list(page(10, None)).await.unwrap();
        for show in &shows {
            assert_eq!(reader.map(show.id).await.len(), 500);
        }
        seen = shows.len();
        while let Some(created) = creators.try_join_next() {
            created.unwrap();
        }
    }
    all(creators).await;
}

/// A thousand seats are created, read, held in one booking, and sold.
pub async fn a_show_of_a_thousand_seats(world: &World) {
    let show = world.store.show(1_000).await;
    assert_eq!(world.store.map(show).await, vec![SeatState::Available; 1_000]);
    let every_seat: Vec<i64> = (1..=1_000).collect();
    let (id, _) = world.store.sell(show, &every_seat).await;
    assert_eq!(world.store.map(show).await, vec![SeatState::Sold { to: id }; 1_000]);
    assert_eq!(world.store.find(id).await.seats.len(), 1_000);
}

/// Shows are listed from the highest identity down, page by page.
pub async fn shows_are_listed_newest_first(world: &World) {
    assert_eq!(world.store.shows.list(page(10, None)).await.unwrap(), []);
    let mut newest_first = Vec::new();
    for n in 0..5 {
        newest_first.insert(0, world.store.show_named(&format!("Show {n}"), 1).await);
    }
    let list = async |rows, before: Option<ShowId>| world.store.shows.list(page(rows, before.map(ShowId::get))).await.unwrap();
    assert_eq!(list(10, None).await, newest_first);
    assert_eq!(list(2, None).await, newest_first[..2]);
    assert_eq!(list(2, Some(newest_first[1].id)).await, newest_first[2..4]);
    assert_eq!(list(2, Some(newest_first[3].id)).await, newest_first[4..]);
    assert_eq!(list(2, Some(newest_first[4].id)).await, []);
}

/// In an empty store the identities of shows, seats and bookings begin with 1 and leave nothing out.
pub async fn ids_count_from_one(world: &World) {
    let mut seat_ids = Vec::new();
    for expected in 1..=3 {
        let show = world.store.show(4).await;
        assert_eq!(show.get(), expected, "show ids");
        let seats = world.store.shows.seat_map(show).await.unwrap().unwrap();
        seat_ids.extend(seats.iter().map(|seat| seat.id.get()));
        let (booking, _) = world.store.hold(show, &[1]).await;
        assert_eq!(booking.get(), expected, "booking ids");
    }
    assert_eq!(seat_ids, (1..=12).collect::<Vec<_>>(), "seat ids");
}

/// Whatever is a name comes back letter by letter, and instants to the microsecond, from the first year to the last.
pub async fn names_and_instants_survive(world: &World) {
    let long = "🎭".repeat(200);
    let names =
        ["🎭 Ünïcødé 東京", "O'Hara \"the\" `cat`", r"back\slash \n %s $1 ?1 {}", "'; DROP TABLE shows; --", "a\u{301}", &long];
    let instants = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"];
    for (name, instant) in names.iter().zip(instants.iter().cycle()) {
        let start_time = DateTime::parse_from_rfc3339(instant).unwrap().to_utc();
        let created = world.store.create(&NewShow::new(name, start_time, 1).unwrap()).await;
        assert_eq!((created.name.as_str(), created.start_time), (*name, start_time));
        assert_eq!(world.store.shows.list(page(1, None)).await.unwrap(), vec![created.clone()]);

        world.store.decide(hold_as(name, created.id, &[1], HOLD_FOR)).await;
        let booking = world.store.list(None, page(1, None)).await.remove(0);
        assert_eq!(booking.user_name, UserName::new(name).unwrap());
        assert_eq!(world.store.find(booking.id).await.booking, booking);
    }
}

/// Seat 1 of one show has nothing to do with seat 1 of another.
pub async fn two_shows_with_the_same_seat_numbers(world: &World) {
    let (this, other) = (world.store.show(3).await, world.store.show(3).await);
    let (sold, _) = world.store.sell(this, &[1, 2]).await;
    assert_eq!(world.store.map(other).await, vec![SeatState::Available; 3]);
    let outcomes = world.store.execute(&[hold(other, &[1]), hold(other, &[2, 3]), hold(this, &[3])]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held { .. })), "{outcomes:?}");
    let sold = SeatState::Sold { to: sold };
    assert_eq!(world.store.map(this).await[..2], [sold, sold]);

    world.clock.advance(HOLD_FOR);
    assert_eq!(world.store.sweep(10).await.expired.len(), 3);
    assert_eq!(world.store.map(this).await, [sold, sold, SeatState::Available]);
    assert_eq!(world.store.map(other).await, vec![SeatState::Available; 3]);
}

/// A show that does not exist has no seat map, not an empty one, and can't be booked.
pub async fn an_unknown_show_has_no_seats(world: &World) {
    let known = world.store.show(1).await;
    let next = ShowId::new(known.get() + 1).unwrap();
    for show_id in [next, nowhere()] {
        assert_eq!(world.store.shows.seat_map(show_id).await, Ok(None));
        let refused = Outcome::Refused(Refusal::NoSuchShow { show_id });
        assert_eq!(world.store.decide(hold(show_id, &[1, 2])).await, refused);
    }
}
