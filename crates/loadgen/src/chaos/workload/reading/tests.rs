//! What each answer is read as.

use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;

use super::*;

const HOLD: Call = Call::Hold { show_id: 1, seats: Vec::new() };
const BLOCK: Call = Call::Block { show_id: 1, seats: Vec::new() };
const EDIT_SHOW: Call = Call::EditShow { show_id: 1 };
const CANCEL_SHOW: Call = Call::CancelShow { show_id: 1 };
const CONFIRM: Call = Call::Confirm { booking_id: 1, pays: false, seats: None };
const CANCEL: Call = Call::Cancel { booking_id: 1, by_house: false };
const EXTEND: Call = Call::Extend { booking_id: 1 };
const CHANGE: Call = Call::Change { booking_id: 1, add: Vec::new(), remove: Vec::new() };
const FIND: Call = Call::Find { booking_id: 1 };
const MAP: Call = Call::SeatMap { show_id: 1 };
const LIST: Call = Call::List { status: None, limit: 1 };

fn answer(status: u16, body: &str) -> client::Answer {
    client::Answer { status, headers: HeaderMap::new(), body: body.to_owned().into() }
}

fn later(body: &str) -> client::Answer {
    let headers = [(RETRY_AFTER, "1".try_into().unwrap())].into_iter().collect();
    client::Answer { headers, ..answer(503, body) }
}

#[test]
fn what_was_done_is_read() {
    let held = answer(201, r#"{"bookingId":5,"status":"PENDING","expiresAt":"1970-01-01T00:00:01.234Z"}"#);
    assert_eq!(read(&HOLD, &held), Answer::Held { booking_id: 5, expires_at: 1_234_000 });
    assert_eq!(read(&CONFIRM, &answer(200, r#"{"bookingId":5}"#)), Answer::Confirmed { booking_id: 5, reclaimed: false });
    let reclaimed = answer(200, r#"{"bookingId":5,"reclaimed":true}"#);
    assert_eq!(read(&CONFIRM, &reclaimed), Answer::Confirmed { booking_id: 5, reclaimed: true });
    let show = answer(200, r#"{"message":"Show cancelled","showId":1}"#);
    assert_eq!(read(&CANCEL_SHOW, &show), Answer::ShowCancelled);
    assert_eq!(read(&EDIT_SHOW, &answer(200, r#"{"message":"Show edited","showId":1}"#)), Answer::ShowEdited);
    let blocked = answer(201, r#"{"bookingId":5,"status":"CONFIRMED"}"#);
    assert_eq!(read(&BLOCK, &blocked), Answer::Blocked { booking_id: 5 });
    let cancelled = answer(200, r#"{"bookingId":5,"status":"FAILED","refundDue":true}"#);
    assert_eq!(read(&CANCEL, &cancelled), Answer::Cancelled { booking_id: 5, refund_due: true });
    let extended = answer(200, r#"{"bookingId":5,"status":"PENDING","expiresAt":"1970-01-01T00:00:01.234Z"}"#);
    assert_eq!(read(&EXTEND, &extended), Answer::Extended { booking_id: 5, expires_at: 1_234_000 });
    let changed = answer(200, r#"{"bookingId":5,"status":"PENDING","seats":[2,3],"expiresAt":"1970-01-01T00:00:01.234Z"}"#);
    assert_eq!(read(&CHANGE, &changed), Answer::Changed { booking_id: 5, seats: vec![2, 3], expires_at: 1_234_000 });
    let booking = r#"{"id":5,"show_id":2,"user_name":"op-9","status":"FAILED","expires_at":"1970-01-01T00:00:01.000Z"}"#;
    let found = answer(200, &format!(r#"{{"booking":{booking},"seats":[{{"seat_number":3,"status":"AVAILABLE"}}]}}"#));
    assert_eq!(
        read(&FIND, &found),
        Answer::Found(FoundBooking {
            id: 5,
            show_id: 2,
            user_name: "op-9".into(),
            status: BookingStatus::Failed,
            expires_at: 1_000_000,
            seats: vec![(3, SeatStatus::Available)],
        })
    );
    let map = answer(200, r#"[{"id":8,"seat_number":1,"status":"PENDING","booking_id":5}]"#);
    let seat = MapSeat { number: 1, status: SeatStatus::Pending, booking_id: Some(5) };
    assert_eq!(read(&MAP, &map), Answer::SeatMap(vec![seat]));
    let list = answer(200, r#"[{"id":5,"status":"CONFIRMED"}]"#);
    let listed = ListedBooking { id: 5, status: BookingStatus::Confirmed };
    assert_eq!(read(&LIST, &list), Answer::Bookings(vec![listed]));
}

#[test]
fn refusals_are_read_with_their_facts() {
    let held = r#"{"seat_number":1,"reason":"held","free_at":"1970-01-01T00:00:00.001Z"}"#;
    let others = r#"{"seat_number":2,"reason":"sold"},{"seat_number":3,"reason":"unknown"},
        {"seat_number":4,"reason":"had_already"},{"seat_number":5,"reason":"not_had"}"#;
    let refused = answer(409, &format!(r#"{{"code":"seats_not_free","seats":[{held},{others}]}}"#));
    let seat = |number, reason| OffendingSeat { number, reason };
    assert_eq!(
        read(&HOLD, &refused),
        Answer::Refused(Refusal::SeatsNotFree(vec![
            seat(1, OffendingReason::Held { free_at: 1000 }),
            seat(2, OffendingReason::Sold),
            seat(3, OffendingReason::Unknown),
            seat(4, OffendingReason::HadAlready),
            seat(5, OffendingReason::NotHad),
        ]))
    );
    let refusals = [
        (
            409,
            r#"{"code":"hold_expired","expired_at":"1970-01-01T00:00:00.001Z","refundDue":true}"#,
            Refusal::HoldExpired { expired_at: 1000, refund_due: true },
        ),
        (
            409,
            r#"{"code":"booking_not_pending","status_now":"CONFIRMED"}"#,
            Refusal::NotPending { status: BookingStatus::Confirmed, refund_due: false },
        ),
        (409, r#"{"code":"sale_is_final"}"#, Refusal::SaleIsFinal),
        (
            409,
            r#"{"code":"hold_limit_reached","expires_at":"1970-01-01T00:00:00.001Z"}"#,
            Refusal::HoldLimit { expires_at: 1000 },
        ),
        (409, r#"{"code":"too_many_seats"}"#, Refusal::SeatCount),
        (409, r#"{"code":"no_seat_left"}"#, Refusal::SeatCount),
        (409, r#"{"code":"show_cancelled"}"#, Refusal::ShowCancelled),
        (409, r#"{"code":"customer_limit","max":4,"has":3}"#, Refusal::CustomerLimit { max: 4, has: Some(3) }),
        (409, r#"{"code":"customer_limit","max":2}"#, Refusal::CustomerLimit { max: 2, has: None }),
        (422, r#"{"code":"idempotency_key_reused"}"#, Refusal::KeyReused),
        (404, r#"{"code":"no_such_booking"}"#, Refusal::NoSuchBooking),
        (404, r#"{"code":"no_such_show"}"#, Refusal::NoSuchShow),
    ];
    for (status, body, refusal) in refusals {
        assert_eq!(read(&CONFIRM, &answer(status, body)), Answer::Refused(refusal));
    }
}

#[test]
fn a_503_says_that_nothing_has_happened_unless_it_says_otherwise() {
    assert_eq!(read(&HOLD, &later(r#"{"code":"busy"}"#)), Answer::NotDone(NotDone::Declined("busy".into())));
    assert_eq!(read(&HOLD, &later(r#"{"code":"outcome_unknown"}"#)), Answer::Unknown(Unknown::Said));
    assert_eq!(read(&CANCEL_SHOW, &later(r#"{"code":"contended"}"#)), Answer::NotDone(NotDone::Declined("contended".into())));
}

#[test]
fn anything_else_is_unforeseen() {
    let may_have_happened = [
        later("busy"),
        answer(503, r#"{"code":"busy"}"#),
        answer(500, r#"{"code":"internal"}"#),
        answer(302, ""),
        answer(200, r#"{"bookingId":5,"expiresAt":"1970-01-01T00:00:01Z"}"#),
        answer(201, r#"{"bookingId":5}"#),
        answer(201, r#"{"bookingId":5,"expiresAt":"soon"}"#),
        answer(201, "nonsense"),
    ];
    for answer in may_have_happened {
        assert!(matches!(read(&HOLD, &answer), Answer::Unknown(Unknown::Unforeseen(_))), "{answer:?}");
    }
    let has_not_happened = [
        answer(400, r#"{"code":"invalid_request"}"#),
        answer(404, "nonsense"),
        answer(409, r#"{"code":"no_such_show"}"#),
        answer(409, r#"{"code":"hold_expired"}"#),
        answer(409, r#"{"code":"payment_used","refundDue":true}"#),
        answer(409, r#"{"code":"sale_is_final","refundDue":true}"#),
        answer(409, r#"{"code":"seats_not_free","seats":[{"seat_number":1,"reason":"held"}]}"#),
    ];
    for answer in has_not_happened {
        assert!(matches!(read(&HOLD, &answer), Answer::NotDone(NotDone::Unforeseen(_))), "{answer:?}");
    }
}
