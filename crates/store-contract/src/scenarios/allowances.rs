//! What a show allows: how much a customer may have, when its seats are sold, and what the house keeps from sale.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    Block, BlockReason, BookingId, BookingState, Command, CustomerId, CustomerLimit, Event, FailureReason, Hold, NotOnSale,
    Outcome, Refusal, Request, SeatRefusalReason, SeatSelection, SeatState, ShowId, Terms, UserName,
};

use crate::World;
use crate::calls::{HOLD_FOR, TICK, cancel, change, confirm, held, hold, house, not_free, requests};

fn hold_by(customer: &str, show_id: ShowId, seats: &[i64]) -> Command {
    let seats = SeatSelection::new(seats, 1_000).unwrap();
    let (user_name, customer) = (UserName::new("Ada").unwrap(), Some(CustomerId::new(customer).unwrap()));
    Command::Hold(Hold { show_id, seats, user_name, customer, hold_for: HOLD_FOR })
}

fn block(show_id: ShowId, seats: &[i64]) -> Command {
    let seats = SeatSelection::new(seats, 1_000).unwrap();
    Command::Block(Block { show_id, seats, reason: BlockReason::new("the mayor's box").unwrap() })
}

fn too_many_seats(max: u32, has: u32) -> Outcome {
    Outcome::Refused(Refusal::CustomerLimit(CustomerLimit::Seats { max, has }))
}

fn too_many_holds(max: u32) -> Outcome {
    Outcome::Refused(Refusal::CustomerLimit(CustomerLimit::Holds { max }))
}

fn id(outcome: &Outcome) -> BookingId {
    held(outcome).unwrap_or_else(|| panic!("{outcome:?}"))
}

/// Seats that are held or sold count, in this batch and before it; what has ended does not; and others have limits of their own.
pub async fn a_customer_has_no_more_than_the_show_allows(world: &World) {
    let terms =
        Terms { seats_per_customer: Some(3), holds_per_customer: Some(2), seats_per_booking: Some(2), ..Terms::default() };
    let show = world.store.show_on(terms, 20).await;
    assert_eq!(world.store.decide(hold(show, &[1])).await, Outcome::Refused(Refusal::CustomerNeeded));
    let first = world.store.decide(hold_by("ada", show, &[1, 2])).await;
    let batch = [
        hold_by("ada", show, &[3, 4]),
        hold_by("ada", show, &[3, 4, 5]),
        hold_by("ada", show, &[3]),
        hold_by("ada", show, &[4]),
        hold_by("bob", show, &[4, 5]),
    ];
    let outcomes = world.store.execute(&batch).await;
    assert_eq!(outcomes[..2], [too_many_seats(3, 2), Outcome::Refused(Refusal::TooManySeats { max: 2 })]);
    let (second, bobs) = (id(&outcomes[2]), id(&outcomes[4]));
    assert_eq!(outcomes[3], too_many_seats(3, 3));
    assert_eq!(world.store.decide(change(bobs, &[6], &[])).await, Outcome::Refused(Refusal::TooManySeats { max: 2 }));
    assert_eq!(world.store.decide(change(second, &[6], &[])).await, too_many_seats(3, 3));
    assert!(matches!(world.store.decide(change(second, &[6], &[3])).await, Outcome::Changed { .. }), "as many as before");
    // A sale counts as seats, not as a hold.
    world.store.decide(confirm(id(&first))).await;
    world.store.decide(cancel(second)).await;
    let outcomes = world.store.execute(&[hold_by("ada", show, &[7]), hold_by("ada", show, &[8])]).await;
    assert_eq!(outcomes[1], too_many_seats(3, 3));
    // A dead hold counts no longer, whether or not anybody has swept.
    world.clock.advance(HOLD_FOR);
    id(&world.store.decide(hold_by("ada", show, &[8])).await);
    // The house is free of it.
    id(&world.store.ask(Request::new(hold(show, &[10, 11, 12, 13]), house())).await);
}

/// Live holds are counted too.
pub async fn a_customer_has_no_more_holds_than_the_show_allows(world: &World) {
    let show = world.store.show_on(Terms { holds_per_customer: Some(1), ..Terms::default() }, 5).await;
    let first = id(&world.store.decide(hold_by("ada", show, &[1])).await);
    assert_eq!(world.store.decide(hold_by("ada", show, &[2])).await, too_many_holds(1));
    world.store.decide(confirm(first)).await;
    id(&world.store.decide(hold_by("ada", show, &[2])).await);
    assert_eq!(world.store.decide(hold_by("ada", show, &[3])).await, too_many_holds(1));
    world.clock.advance(HOLD_FOR);
    id(&world.store.decide(hold_by("ada", show, &[3])).await);
}

/// However many requests one customer makes at once, through however many processes.
pub async fn one_customer_and_many_requests(world: &World) {
    let show = world.store.show_on(Terms { seats_per_customer: Some(5), ..Terms::default() }, 40).await;
    let batches = (1..=40).map(|seat| vec![hold_by("ada", show, &[seat])]).collect();
    let answers: Vec<Outcome> = super::races::side_by_side(world, batches).await.into_iter().flatten().collect();
    let got: BTreeSet<BookingId> = answers.iter().filter_map(held).collect();
    assert_eq!(got.len(), 5, "{answers:?}");
    for refused in answers.iter().filter(|outcome| held(outcome).is_none()) {
        assert_eq!(*refused, too_many_seats(5, 5));
    }
    assert_eq!(world.store.map(show).await.iter().filter(|seat| **seat != SeatState::Available).count(), 5);
}

/// Seats are sold from the very begin of the sale to right before its end; what is held by then can be confirmed.
pub async fn seats_are_sold_while_the_show_is_on_sale(world: &World) {
    let now = world.clock.now();
    let (begin, end) = (now + TimeDelta::seconds(60), now + TimeDelta::seconds(90));
    let show = world.store.show_on(Terms { on_sale_at: Some(begin), off_sale_at: Some(end), ..Terms::default() }, 9).await;
    let not = |reason| Outcome::Refused(Refusal::NotOnSale { show_id: show, reason });
    assert_eq!(world.store.decide(hold(show, &[1])).await, not(NotOnSale::Before(begin)));
    assert_eq!(world.store.decide(hold(show, &[10])).await, not_free(&[(10, SeatRefusalReason::Unknown)]));
    id(&world.store.ask(Request::new(hold(show, &[9]), house())).await);
    world.clock.advance(TimeDelta::seconds(60) - TICK);
    assert_eq!(world.store.decide(hold(show, &[1])).await, not(NotOnSale::Before(begin)));
    world.clock.advance(TICK);
    let first = id(&world.store.decide(hold(show, &[1])).await);
    let second = id(&world.store.decide(hold(show, &[2])).await);
    world.clock.advance(TimeDelta::seconds(30) - TICK);
    let third = id(&world.store.decide(hold(show, &[3])).await);
    world.clock.advance(TICK);
    assert_eq!(world.store.decide(hold(show, &[4])).await, not(NotOnSale::Since(end)));
    assert_eq!(world.store.decide(change(second, &[4], &[])).await, not(NotOnSale::Since(end)));
    assert!(matches!(world.store.decide(change(second, &[4], &[2])).await, Outcome::Refused(_)), "another seat is a sale too");
    for booking_id in [first, second, third] {
        assert_eq!(world.store.decide(confirm(booking_id)).await, Outcome::Confirmed { booking_id });
    }
}

/// Seats that the house keeps are nobody's to buy, until it lets them go; and no money is owed for them.
pub async fn the_house_keeps_seats_from_sale(world: &World) {
    let show = world.store.show(4).await;
    let by_house = |command| Request::new(command, house());
    let outcomes =
        world.store.request(&[by_house(block(show, &[1, 2])), by_house(block(show, &[2, 3])), hold(show, &[1]).into()]).await;
    let Outcome::Blocked { booking_id: kept } = outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(outcomes[1..], [not_free(&[(2, SeatRefusalReason::Sold)]), not_free(&[(1, SeatRefusalReason::Sold)])]);
    let sold = SeatState::Sold { to: kept };
    assert_eq!(world.store.map(show).await, [sold, sold, SeatState::Available, SeatState::Available]);
    let booking = world.store.find(kept).await.booking;
    assert_eq!(booking.blocked_for, Some(BlockReason::new("the mayor's box").unwrap()));
    assert_eq!(booking.user_name.as_str(), UserName::HOUSE);
    let counts = world.store.shows.counts(show).await.unwrap().unwrap();
    assert_eq!((counts.available, counts.sold, counts.blocked, counts.confirmed), (2, 0, 2, 0));
    let not_for_customers = [Outcome::Refused(Refusal::SaleIsFinal { booking_id: kept })];
    assert_eq!(world.store.request(&requests(&[cancel(kept)])).await, not_for_customers);
    let released = world.store.ask(by_house(cancel(kept))).await;
    assert_eq!(released, Outcome::Cancelled { booking_id: kept, refund_due: false });
    assert_eq!(world.store.state(kept).await, BookingState::Failed { reason: FailureReason::Cancelled, refund_due: false });
    let events: Vec<Event> = world.store.history(kept).await.iter().map(|transition| transition.event).collect();
    assert_eq!(events, [Event::Blocked, Event::Failed(FailureReason::Cancelled)]);
    world.store.hold(show, &[1, 2]).await;
    // A dead hold gives way to the house as to anybody.
    let (dead, _) = world.store.hold(show, &[3]).await;
    world.clock.advance(HOLD_FOR);
    assert!(matches!(world.store.ask(by_house(block(show, &[3]))).await, Outcome::Blocked { .. }));
    assert_eq!(world.store.state(dead).await, crate::calls::EXPIRED);
}
