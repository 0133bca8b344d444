//! Many callers at once, through two stores opened on the same data as by two processes.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{
    BookingId, BookingState, Command, Deadline, Outcome, Refusal, SeatKey, SeatNumber, SeatRefusalReason, SeatState, ShowId,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::World;
use crate::calls::{EXPIRED, HOLD_FOR, TICK, all, confirm, expire, held, hold, not_free};

/// Executes the batches side by side, alternately through one store and the other, all starting together.
pub(super) async fn side_by_side(world: &World, batches: Vec<Vec<Command>>) -> Vec<Vec<Outcome>> {
    let stores = [world.store.clone(), world.database.open().await];
    let start = Arc::new(Barrier::new(batches.len()));
    let mut callers = JoinSet::new();
    for (n, batch) in batches.into_iter().enumerate() {
        let (store, start) = (stores[n % 2].clone(), Arc::clone(&start));
        callers.spawn(async move {
            start.wait().await;
            (n, store.execute(&batch).await)
        });
    }
    let mut answers = all(callers).await;
    answers.sort_by_key(|(n, _)| *n);
    answers.into_iter().map(|(_, outcomes)| outcomes).collect()
}

/// The one hold that got through; all others were told that its seat is held until its deadline.
fn the_winner(answers: &[Vec<Outcome>], seat: i64) -> BookingId {
    let outcomes: Vec<&Outcome> = answers.iter().flatten().collect();
    let winners: Vec<&Outcome> = outcomes.iter().copied().filter(|outcome| held(outcome).is_some()).collect();
    let [Outcome::Held { booking_id, deadline }] = winners[..] else { panic!("one winner expected, not {winners:?}") };
    let refused = not_free(&[(seat, SeatRefusalReason::Held { free_at: *deadline })]);
    for outcome in outcomes {
        assert!(outcome == winners[0] || *outcome == refused, "{outcome:?}");
    }
    *booking_id
}

/// Of any number of callers who want one free seat exactly one gets it, and the others are told so.
pub async fn one_seat_and_many_callers(world: &World) {
    let show = world.store.show(4).await;
    for seat in 1..=4 {
        let answers = side_by_side(world, vec![vec![hold(show, &[seat])]; 24]).await;
        let winner = the_winner(&answers, seat);
        assert_eq!(world.store.state(winner).await, BookingState::Pending);
        assert_eq!(world.store.map(show).await[usize::try_from(seat - 1).unwrap()].booking_id(), Some(winner));
    }
}

/// The same for the seats of a dead hold: one heir, and the dead booking fails once.
pub async fn one_dead_hold_and_many_callers(world: &World) {
    let show = world.store.show(6).await;
    for seat in [1, 3, 5] {
        let (dead, _) = world.store.hold(show, &[seat, seat + 1]).await;
        world.clock.advance(HOLD_FOR);
        let answers = side_by_side(world, vec![vec![hold(show, &[seat])]; 24]).await;
        the_winner(&answers, seat);
        assert_eq!(world.store.state(dead).await, EXPIRED);
        assert_eq!(world.store.map(show).await[usize::try_from(seat).unwrap()], SeatState::Available);
    }
}

/// Baskets that overlap, and batches that name them in opposite orders, with confirms and expiries between: all come to an
/// end, and no seat is had twice.
pub async fn overlapping_baskets_in_opposite_orders(world: &World) {
    let show = world.store.show(12).await;
    for _ in 0..4 {
        // Dead holds for the baskets to fall over, so that bookings are locked beside seats.
        let mut dead = Vec::new();
        for seats in [[1, 12], [2, 11], [3, 10]] {
            dead.push(world.store.hold(show, &seats).await.0);
        }
        world.clock.advance(HOLD_FOR);
        let batches = (0..24).map(|n| basket(show, n, &dead)).collect();
        let answers = side_by_side(world, batches).await;
        assert!(answers.iter().flatten().any(|outcome| held(outcome).is_some()), "someone gets seats");
        crate::books::Books::read(&world.store).await.check();
        for id in dead {
            assert_eq!(world.store.state(id).await, EXPIRED);
        }
        world.clock.advance(HOLD_FOR);
        world.store.sweep_all(100).await;
    }
}

fn basket(show: ShowId, n: i64, dead: &[BookingId]) -> Vec<Command> {
    let mut batch: Vec<Command> = (0..4).map(|k| (n + k) % 11 + 1).map(|seat| hold(show, &[seat, seat % 12 + 1])).collect();
    batch.extend(dead.iter().map(|id| if n % 3 == 0 { expire(*id) } else { confirm(*id) }));
    if n % 2 == 1 {
        batch.reverse();
    }
    batch
}

/// A confirm, an expiry and a sweep meet while the clock passes the deadline: exactly one of them wins, every time.
pub async fn confirm_against_expire_at_the_deadline(world: &World) {
    let show = world.store.show(40).await;
    let other = world.database.open().await;
    for seat in 1..=40 {
        let (id, deadline) = world.store.hold(show, &[seat]).await;
        world.clock.advance(HOLD_FOR - TICK);
        let start = Barrier::new(4);
        let (confirmed, expired, sweep, ()) = tokio::join!(
            async {
                start.wait().await;
                world.store.decide(confirm(id)).await
            },
            async {
                start.wait().await;
                other.decide(expire(id)).await
            },
            async {
                start.wait().await;
                other.sweep(10).await
            },
            async {
                start.wait().await;
                world.clock.advance(TICK);
            },
        );
        let won = confirmed == Outcome::Confirmed { booking_id: id };
        let ended = expired == Outcome::Expired { booking_id: id, deadline };
        let swept = sweep.expired == [id];
        assert!(u8::from(won) + u8::from(ended) + u8::from(swept) <= 1, "{confirmed:?}, {expired:?}, {sweep:?}");
        assert!(won || matches!(confirmed, Outcome::Refused(Refusal::HoldExpired { .. } | Refusal::NotPending { .. })));
        assert!(ended || matches!(expired, Outcome::Refused(Refusal::HoldLive { .. } | Refusal::NotPending { .. })));
        // If the clock passed last of all, or the others came in each other's way, it is dead now and nobody has said so.
        let late = world.store.sweep(10).await.expired == [id];
        assert!(won || ended || swept || late, "nobody has won: {confirmed:?}, {expired:?}, {sweep:?}");
        let state = world.store.state(id).await;
        assert_eq!(matches!(state, BookingState::Confirmed { .. }), won, "{state:?}");
        assert_eq!(state == EXPIRED, !won, "{state:?}");
    }
}

/// A deadline that passes while a call waits for a lock has passed: the clock is read when the lock is had.
pub async fn a_wait_for_a_lock_does_not_stop_the_clock(world: &World) {
    let show = world.store.show(2).await;
    let seat = |number| SeatKey { show_id: show, number: SeatNumber::new(number).unwrap() };
    let (confirmed, deadline) = world.store.hold(show, &[1]).await;
    world.store.hold(show, &[2]).await;
    let commands = [(1, confirm(confirmed)), (2, hold(show, &[2]))];
    let mut outcomes = Vec::new();
    for (number, command) in commands {
        world.clock.advance(deadline.instant() - world.clock.now() - TICK);
        let mut blockade = world.database.block(seat(number)).await;
        let store = world.store.clone();
        let call = tokio::spawn(async move { store.decide(command).await });
        blockade.until_awaited().await;
        world.clock.advance(TICK);
        blockade.lift().await;
        outcomes.push(call.await.unwrap());
    }
    assert_eq!(outcomes[0], Outcome::Refused(Refusal::HoldExpired { booking_id: confirmed, deadline }));
    let Outcome::Held { deadline: until, .. } = outcomes[1] else { panic!("seat 2 had come free: {outcomes:?}") };
    assert_eq!(until, Deadline::after(deadline.instant(), HOLD_FOR), "a new hold lives its full time");
}

/// Any number of sweeps share the dead: each hold is reported by exactly one of them, and none is left.
pub async fn many_sweeps_fail_each_hold_once(world: &World) {
    let show = world.store.show(60).await;
    let outcomes = world.store.execute(&(1..=60).map(|seat| hold(show, &[seat])).collect::<Vec<_>>()).await;
    let dead: BTreeSet<BookingId> = outcomes.iter().filter_map(held).collect();
    assert_eq!(dead.len(), 60);
    world.clock.advance(HOLD_FOR);
    let stores = [world.store.clone(), world.database.open().await];
    let start = Arc::new(Barrier::new(8));
    let mut sweepers = JoinSet::new();
    for n in 0..8 {
        let (store, start) = (stores[n % 2].clone(), Arc::clone(&start));
        sweepers.spawn(async move {
            start.wait().await;
            store.sweep_all(7).await
        });
    }
    let mut expired: Vec<BookingId> = all(sweepers).await.concat();
    // Each may have left to the others what those had locked.
    expired.extend(world.store.sweep_all(7).await);
    assert_eq!(expired.len(), 60, "no hold is reported twice");
    assert_eq!(expired.into_iter().collect::<BTreeSet<_>>(), dead);
    assert_eq!(world.store.map(show).await, vec![SeatState::Available; 60]);
}

/// Customers who hold and confirm, a clock that runs, and sweepers: what was answered is what stands in the end.
pub async fn holds_confirms_and_sweeps_all_at_once(world: &World) {
    let show = world.store.show(10).await;
    let stores = [world.store.clone(), world.database.open().await];
    let mut customers = JoinSet::new();
    for n in 0..16_i64 {
        let store = stores[usize::try_from(n % 2).unwrap()].clone();
        let clock = Arc::clone(&world.clock);
        customers.spawn(async move {
            let mut bought = Vec::new();
            for round in 0..8 {
                let seat = (n + round * 3) % 10 + 1;
                let outcome = store.decide(hold(show, &[seat, seat % 10 + 1])).await;
                clock.advance(HOLD_FOR / 6);
                let Some(id) = held(&outcome) else { continue };
                if round % 2 == 0 && store.decide(confirm(id)).await == (Outcome::Confirmed { booking_id: id }) {
                    bought.push(id);
                }
                store.sweep(2).await;
            }
            bought
        });
    }
    let bought = all(customers).await.concat();
    for id in &bought {
        assert!(matches!(world.store.state(*id).await, BookingState::Confirmed { .. }), "{id} was sold");
    }
    let map = world.store.map(show).await;
    let sold: BTreeSet<BookingId> =
        map.iter().filter_map(|state| if let SeatState::Sold { to } = state { Some(*to) } else { None }).collect();
    assert_eq!(sold, bought.into_iter().collect(), "nothing is sold that was not answered");
}
