//! Single stories: what can be told, and what can't by a microsecond.

use loadgen::chaos::history::Micros;
use loadgen::chaos::linear::{Claim, Event, Hold, SeatHistory, Sight, Span, Verdict};

/// A hold that was decided at 1000 and answered at 1300, with its deadline at 5000, and these other calls.
fn verdict(unknown_confirm: Option<Micros>, calls: &[(Micros, Micros, Claim)]) -> Verdict {
    let hold = Hold {
        operation: 1,
        booking_id: 1,
        decided: Span::exactly(1000),
        deadline: Span::exactly(5000),
        sold: false,
        ended: Some(1300),
        unknown_confirm,
        known_sold: Micros::MAX,
    };
    let event = |(operation, (began, ended, claim)): (u64, &(Micros, Micros, Claim))| Event {
        operation,
        began: *began,
        ended: *ended,
        claim: *claim,
    };
    let mut seat = SeatHistory { holds: vec![hold], events: (2..).zip(calls).map(event).collect() };
    seat.sort_events();
    seat.verdict()
}

const FREE: Claim = Claim::Free(Sight::Sharp);
const LOST: Claim = Claim::Lost(0, Sight::Sharp);

fn can_be(calls: &[(Micros, Micros, Claim)]) -> bool {
    verdict(None, calls) == Verdict::Possible
}

#[test]
fn a_hold_shows_between_its_decision_and_its_answer() {
    assert!(can_be(&[(900, 950, FREE), (1301, 1400, Claim::HeldBy(0))]));
    assert!(can_be(&[(1100, 1150, FREE), (1200, 1250, Claim::Held)]));
    assert!(!can_be(&[(1100, 1150, Claim::Held), (1200, 1250, FREE)]));
    assert!(!can_be(&[(900, 999, Claim::Held)]));
    assert!(!can_be(&[(1301, 1400, FREE)]));
}

#[test]
fn it_is_live_before_its_deadline_and_dead_from_it_on() {
    assert!(can_be(&[(4999, 5001, Claim::Held), (4999, 5001, FREE)]));
    assert!(can_be(&[(4990, 5000, LOST)]));
    assert!(!can_be(&[(4990, 4999, LOST)]));
    assert!(can_be(&[(4999, 5100, Claim::HeldUntil(5000))]));
    assert!(!can_be(&[(5000, 5100, Claim::HeldUntil(5000))]));
    assert!(!can_be(&[(4000, 5100, Claim::HeldUntil(6000))]));
}

#[test]
fn a_confirm_takes_effect_once_before_the_deadline() {
    let confirms = Claim::Confirms(0);
    assert!(can_be(&[(4999, 6000, confirms), (5500, 5600, Claim::Sold)]));
    assert!(!can_be(&[(5000, 6000, confirms)]));
    assert!(!can_be(&[(2000, 2100, confirms), (2200, 2300, confirms)]));
    assert!(!can_be(&[(2000, 2100, confirms), (2200, 2300, Claim::Held)]));
    assert!(!can_be(&[(2000, 2100, confirms), (6000, 6100, FREE)]));
    assert!(!can_be(&[(2000, 2100, Claim::Sold)]));
    // Held when it is sold, and what came first was told so.
    assert!(!can_be(&[(2000, 2600, confirms), (2100, 2200, Claim::Sold), (2300, 2400, Claim::Held)]));
}

#[test]
fn a_confirm_that_was_not_answered_may_or_may_not_have_happened() {
    for sold_or_not in [Claim::SoldTo(0), LOST] {
        assert_eq!(verdict(Some(2000), &[(6000, 6100, sold_or_not)]), Verdict::Possible);
    }
    let both = [(6000, 6100, Claim::SoldTo(0)), (6200, 6300, LOST)];
    assert!(matches!(verdict(Some(2000), &both), Verdict::Impossible(_)));
    assert!(matches!(verdict(Some(2000), &[(1500, 1900, Claim::Sold)]), Verdict::Impossible(_)));
    assert!(matches!(verdict(Some(5000), &[(6000, 6100, Claim::Sold)]), Verdict::Impossible(_)));
}

#[test]
fn the_call_that_does_not_fit_is_named() {
    let Verdict::Impossible(end) = verdict(None, &[(2000, 2100, Claim::Held), (3000, 3100, FREE), (3050, 4100, Claim::Held)])
    else {
        panic!("there is no story");
    };
    assert_eq!((end.operation, end.claim, end.phase.holds, end.phase.sold), (3, Some(FREE), 1, false));
}
