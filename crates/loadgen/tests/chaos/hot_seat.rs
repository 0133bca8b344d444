//! One seat that everybody wants, for a long time.

use loadgen::chaos::history::Micros;
use loadgen::chaos::linear::{Claim, Event, Hold, SeatHistory, Sight, Span, Verdict};

const HOLD_FOR: Micros = 2_000_000;

/// A seat that is held again and again and never sold, and customers who look at it all the time, a new one every 800 µs, each
/// call taking up to 40 ms. Every third hold was not answered, and of every hold there is a confirm that nobody knows the
/// outcome of.
fn wanted(rounds: i64) -> SeatHistory {
    let mut seat = SeatHistory::default();
    let mut operations = 1..;
    for (index, decided) in (0..).zip((0..rounds).map(|round| round * (HOLD_FOR + 30_000))) {
        let (end, next) = (decided + HOLD_FOR, decided + HOLD_FOR + 30_000);
        seat.holds.push(Hold {
            operation: operations.next().unwrap(),
            booking_id: decided,
            decided: Span::cut(decided),
            deadline: Span::cut(end),
            sold: false,
            ended: (index % 3 != 0).then_some(decided + 25_000),
            unknown_confirm: Some(decided + 1_000_000),
            known_sold: Micros::MAX,
        });
        // The hold shows after 20 ms.
        for (look, began) in (0..).zip((decided + 20_000..next).step_by(800)) {
            let took = 1 + (look * 7919) % 40_000;
            let (seen, ended) = (began + (look * 104_729) % took, began + took);
            let claim = match look % 2 {
                0 if seen < end => Claim::HeldUntil(end),
                _ if seen < end => Claim::HeldBy(index),
                0 if ended < next => Claim::Free(Sight::Sharp),
                _ => Claim::Lost(index, Sight::Sharp),
            };
            seat.events.push(Event { operation: operations.next().unwrap(), began, ended, claim });
        }
    }
    seat.sort_holds();
    seat.sort_events();
    seat
}

#[test]
fn a_hundred_thousand_calls_on_one_seat_are_decided() {
    let mut seat = wanted(40);
    assert!(seat.events.len() > 100_000, "{}", seat.events.len());
    assert_eq!(seat.verdict(), Verdict::Possible);

    // One lie in the middle, told by a call that saw the seat held.
    let liar = seat.events.len() / 2;
    let liar = liar + seat.events[liar..].iter().position(|event| matches!(event.claim, Claim::HeldBy(_))).unwrap();
    seat.events[liar].claim = Claim::Sold;
    let verdict = seat.verdict();
    assert!(matches!(verdict, Verdict::Impossible(_)), "{verdict:?}");
}
