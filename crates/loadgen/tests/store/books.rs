//! Small books that are in order, and every way to falsify them, for both stores.
//!
//! `@n@` stands for an instant, n seconds after the beginning of 2100; `#1,2#` for a list of seats.

/// The tables without their constraints, so that anything can be written into them.
pub(crate) const TABLES: &str = "
    CREATE TABLE shows (id bigint, name text, start_time INSTANT, total_seats integer, created_at INSTANT);
    CREATE TABLE seats (id bigint, show_id bigint, seat_number integer, status text, booking_id bigint, held_until INSTANT);
    CREATE TABLE bookings (id bigint, show_id bigint, user_name text, seat_numbers SEAT_LIST, status text,
        failure_reason text, expires_at INSTANT, confirmed_at INSTANT, created_at INSTANT, updated_at INSTANT,
        refund_due boolean, blocked_for text, payment_reference text, reclaimed boolean);
    CREATE TABLE booking_history (show_id bigint, number bigint, booking_id bigint, happened_at INSTANT, event text, from_status text,
        actor text, seat_numbers SEAT_LIST);
    CREATE TABLE payments (reference text, show_id bigint, booking_id bigint, in_vain boolean);
    CREATE TABLE idempotency_keys (key text, outcome text);";

/// Booking 1 holds seats 1 and 2 of show 1, having held seat 4 before, booking 2 has seat 3, booking 3 has lost seat 4, and booking 4 has
/// given it back after it was sold. Show 2 is empty. In show 3 booking 5 was reclaimed, booking 6 is the house's, and so was booking 7, which
/// it has released; booking 8 was paid too late, and booking 9 once too often.
pub(crate) const IN_ORDER: &str = "
    INSERT INTO shows VALUES (1, 'Hamlet', @0@, 4, @0@), (2, 'Macbeth', @0@, 2, @0@), (3, 'Faust', @0@, 3, @0@);
    INSERT INTO seats VALUES
        (1, 1, 1, 'PENDING', 1, @120@), (2, 1, 2, 'PENDING', 1, @120@), (3, 1, 3, 'CONFIRMED', 2, NULL),
        (4, 1, 4, 'AVAILABLE', NULL, NULL), (5, 2, 1, 'AVAILABLE', NULL, NULL), (6, 2, 2, 'AVAILABLE', NULL, NULL),
        (7, 3, 1, 'CONFIRMED', 5, NULL), (8, 3, 2, 'CONFIRMED', 6, NULL), (9, 3, 3, 'CONFIRMED', 9, NULL);
    INSERT INTO bookings VALUES
        (1, 1, 'Alice', #1,2#, 'PENDING', NULL, @120@, NULL, @0@, @0@, false, NULL, NULL, false),
        (2, 1, 'Bob', #3#, 'CONFIRMED', NULL, @120@, @119@, @0@, @119@, false, NULL, NULL, false),
        (3, 1, 'Carol', #4#, 'FAILED', 'expired', @120@, NULL, @0@, @120@, false, NULL, NULL, false),
        (4, 1, 'Dora', #4#, 'FAILED', 'cancelled', @240@, NULL, @120@, @122@, true, NULL, 'pay-4', false),
        (5, 3, 'Emma', #1#, 'CONFIRMED', NULL, @120@, @130@, @0@, @130@, false, NULL, 'pay-5', true),
        (6, 3, 'house', #2#, 'CONFIRMED', NULL, @1@, @0@, @0@, @0@, false, 'camera', NULL, false),
        (7, 3, 'house', #3#, 'FAILED', 'cancelled', @1@, NULL, @0@, @1@, false, 'camera', NULL, false),
        (8, 3, 'Fritz', #1,3#, 'FAILED', 'expired', @131@, NULL, @10@, @132@, true, NULL, 'pay-8', false),
        (9, 3, 'Grete', #3#, 'CONFIRMED', NULL, @240@, @200@, @140@, @200@, false, NULL, 'pay-9', false);
    INSERT INTO payments VALUES ('pay-4', 1, 4, false), ('pay-5', 3, 5, false), ('pay-8', 3, 8, true), ('pay-8-again', 3, 8, true),
        ('pay-9', 3, 9, false), ('pay-9-again', 3, 9, true);
    INSERT INTO booking_history VALUES
        (1, 1, 1, @0@, 'held', NULL, 'customer', #4#), (1, 2, 1, @0@, 'changed', 'PENDING', 'customer', #1,2#),
        (1, 3, 1, @0@, 'extended', 'PENDING', 'customer', #1,2#), (1, 4, 2, @0@, 'held', NULL, 'customer', #3#),
        (1, 5, 3, @0@, 'held', NULL, 'customer', #4#), (1, 6, 2, @119@, 'confirmed', 'PENDING', 'customer', #3#),
        (1, 7, 3, @120@, 'expired', 'PENDING', 'system', #4#), (1, 8, 4, @120@, 'held', NULL, 'customer', #4#),
        (1, 9, 4, @121@, 'confirmed', 'PENDING', 'customer', #4#),
        (1, 10, 4, @122@, 'cancelled', 'CONFIRMED', 'admin:ann', #4#),
        (3, 1, 5, @0@, 'held', NULL, 'customer', #1#), (3, 2, 6, @0@, 'blocked', NULL, 'admin:ann', #2#),
        (3, 3, 7, @0@, 'blocked', NULL, 'admin:ann', #3#), (3, 4, 7, @1@, 'cancelled', 'CONFIRMED', 'admin:ann', #3#),
        (3, 5, 8, @10@, 'held', NULL, 'customer', #3#), (3, 6, 5, @121@, 'expired', 'PENDING', 'system', #1#),
        (3, 7, 5, @130@, 'reclaimed', 'FAILED', 'customer', #1#), (3, 8, 8, @131@, 'changed', 'PENDING', 'customer', #1,3#),
        (3, 9, 8, @132@, 'expired', 'PENDING', 'system', #1,3#), (3, 10, 8, @132@, 'refund_due', 'FAILED', 'customer', #1,3#),
        (3, 11, 8, @133@, 'refund_due', 'FAILED', 'customer', #1,3#), (3, 12, 8, @134@, 'refund_due', 'FAILED', 'customer', #1,3#),
        (3, 13, 9, @140@, 'held', NULL, 'customer', #3#), (3, 14, 9, @200@, 'confirmed', 'PENDING', 'customer', #3#),
        (3, 15, 9, @201@, 'refund_due', 'CONFIRMED', 'customer', #3#);
    INSERT INTO idempotency_keys VALUES ('a', 'held 1 4102444920000000'), ('b', 'changed 1 1,2 4102444920000000'),
        ('c', 'held 4 4102445040000000'), ('d', 'cancelled 4 true'), ('e', 'seats_not_free 3 sold'), ('f', 'show_created 2'),
        ('g', 'not_pending 2 confirmed'), ('h', 'reclaimed 5'), ('i', 'blocked 6'),
        ('j', 'refund_due hold_expired 8 4102444931000000');";

/// What is done to the books, and exactly which invariants it breaks.
pub(crate) const FALSIFICATIONS: &[(&str, &[&str])] = &[
    (
        "INSERT INTO bookings VALUES (15, 1, 'Dave', #3#, 'CONFIRMED', NULL, @120@, @60@, @0@, @60@, false, NULL, NULL, false)",
        &["seat-sold-once", "booking-owns-the-seats-it-lists", "history-begins-with-a-hold"],
    ),
    (
        "INSERT INTO bookings VALUES (15, 1, 'Dave', #2#, 'PENDING', NULL, @120@, NULL, @0@, @0@, false, NULL, NULL, false)",
        &["seat-sold-once", "booking-owns-the-seats-it-lists", "history-begins-with-a-hold"],
    ),
    ("UPDATE seats SET status = 'CONFIRMED', held_until = NULL WHERE id = 1", &["seat-agrees-with-its-booking"]),
    ("UPDATE seats SET booking_id = 99 WHERE id = 3", &["seat-agrees-with-its-booking", "booking-owns-the-seats-it-lists"]),
    ("UPDATE seats SET booking_id = 2 WHERE id = 4", &["seat-agrees-with-its-booking", "seat-is-listed-by-its-booking"]),
    ("UPDATE seats SET status = 'CONFIRMED', booking_id = 2 WHERE id = 4", &["seat-is-listed-by-its-booking"]),
    (
        "UPDATE seats SET status = 'AVAILABLE', booking_id = NULL, held_until = NULL WHERE id = 2",
        &["booking-owns-the-seats-it-lists"],
    ),
    (
        "UPDATE seats SET status = 'CONFIRMED', booking_id = 3 WHERE id = 4",
        &["seat-agrees-with-its-booking", "failed-booking-owns-nothing"],
    ),
    (
        "UPDATE bookings SET status = 'FAILED', failure_reason = 'expired' WHERE id = 1",
        &["seat-agrees-with-its-booking", "failed-booking-owns-nothing", "history-agrees-with-its-booking"],
    ),
    ("UPDATE bookings SET seat_numbers = ## WHERE id = 3", &["booking-lists-its-seats", "history-agrees-with-its-booking"]),
    ("UPDATE bookings SET seat_numbers = NULL WHERE id = 3", &["booking-lists-its-seats"]),
    ("UPDATE bookings SET seat_numbers = #2,1# WHERE id = 1", &["booking-lists-its-seats", "history-agrees-with-its-booking"]),
    ("UPDATE bookings SET seat_numbers = #1,1,2# WHERE id = 1", &["booking-lists-its-seats", "history-agrees-with-its-booking"]),
    (
        "UPDATE bookings SET seat_numbers = #5# WHERE id = 3",
        &["booking-lists-seats-of-its-show", "history-agrees-with-its-booking"],
    ),
    (
        "UPDATE bookings SET show_id = 7 WHERE id = 3",
        &["booking-lists-seats-of-its-show", "booking-has-its-show", "history-is-of-its-show"],
    ),
    ("UPDATE bookings SET failure_reason = NULL WHERE id = 3", &["booking-state-is-whole"]),
    (
        "UPDATE bookings SET failure_reason = 'expired' WHERE id = 1",
        &["booking-state-is-whole", "history-agrees-with-its-booking"],
    ),
    ("UPDATE bookings SET confirmed_at = NULL WHERE id = 2", &["booking-state-is-whole"]),
    ("UPDATE bookings SET confirmed_at = @1@ WHERE id = 1", &["booking-state-is-whole"]),
    ("UPDATE bookings SET status = 'LOST' WHERE id = 3", &["booking-state-is-whole", "history-agrees-with-its-booking"]),
    ("UPDATE bookings SET expires_at = @0@ WHERE id = 3", &["booking-state-is-whole"]),
    ("UPDATE bookings SET confirmed_at = @120@ WHERE id = 2", &["confirmed-before-the-deadline"]),
    ("UPDATE seats SET held_until = @121@ WHERE id = 1", &["held-until-is-the-deadline"]),
    ("UPDATE seats SET held_until = NULL WHERE id = 1", &["held-until-is-the-deadline"]),
    ("UPDATE seats SET held_until = @120@ WHERE id = 3", &["held-until-is-the-deadline"]),
    ("DELETE FROM seats WHERE id = 6", &["show-has-all-its-seats", "seats-add-up"]),
    ("DELETE FROM seats WHERE show_id = 2", &["show-has-all-its-seats", "seats-add-up"]),
    ("INSERT INTO seats VALUES (17, 2, 3, 'AVAILABLE', NULL, NULL)", &["show-has-all-its-seats", "seats-add-up"]),
    ("UPDATE seats SET seat_number = 0 WHERE id = 5", &["show-has-all-its-seats"]),
    ("UPDATE seats SET seat_number = 2 WHERE id = 5", &["show-has-all-its-seats"]),
    ("UPDATE seats SET status = 'LOST' WHERE id = 5", &["seat-agrees-with-its-booking", "seats-add-up"]),
    ("DELETE FROM shows WHERE id = 2", &["seat-has-its-show", "kept-outcome-has-happened"]),
    ("UPDATE seats SET id = 5 WHERE id = 6", &["ids-are-unique"]),
    (
        "INSERT INTO bookings VALUES (3, 2, 'Dave', #1#, 'FAILED', 'expired', @120@, NULL, @0@, @0@, false, NULL, NULL, false)",
        &["ids-are-unique", "history-agrees-with-its-booking", "history-is-of-its-show"],
    ),
    (
        "UPDATE bookings SET created_at = @-3200000000@, expires_at = @-3100000000@ WHERE id = 1;
         UPDATE seats SET held_until = @-3100000000@ WHERE booking_id = 1",
        &["dead-holds-are-swept"],
    ),
];

/// What is done to the history and to what is kept, and exactly which invariants it breaks.
pub(crate) const REWRITINGS: &[(&str, &[&str])] = &[
    ("UPDATE booking_history SET number = number + 1", &["changes-are-numbered-without-gaps"]),
    ("UPDATE booking_history SET number = 11 WHERE show_id = 1 AND number = 10", &["changes-are-numbered-without-gaps"]),
    ("UPDATE booking_history SET number = 4 WHERE show_id = 1 AND number = 5", &["changes-are-numbered-without-gaps"]),
    ("DELETE FROM booking_history WHERE show_id = 1 AND number = 3", &["changes-are-numbered-without-gaps"]),
    (
        "DELETE FROM booking_history WHERE booking_id = 4",
        &["history-begins-with-a-hold", "refund-is-due-for-a-reason", "kept-outcome-has-happened"],
    ),
    (
        "DELETE FROM booking_history WHERE show_id = 1 AND number = 5; UPDATE booking_history SET number = number - 1 WHERE show_id = 1 AND number > 5",
        &["history-begins-with-a-hold", "history-is-one-story"],
    ),
    (
        "UPDATE booking_history SET event = 'extended' WHERE show_id = 1 AND number = 5",
        &["history-begins-with-a-hold", "history-is-one-story"],
    ),
    ("UPDATE booking_history SET from_status = 'FAILED' WHERE show_id = 1 AND number = 6", &["history-is-one-story"]),
    ("UPDATE booking_history SET from_status = NULL WHERE show_id = 1 AND number = 6", &["history-is-one-story"]),
    (
        "UPDATE booking_history SET event = 'expired' WHERE show_id = 1 AND number = 10;
         UPDATE bookings SET failure_reason = 'expired', refund_due = false WHERE id = 4;
         DELETE FROM payments WHERE booking_id = 4; UPDATE bookings SET payment_reference = NULL WHERE id = 4;
         DELETE FROM idempotency_keys",
        &["history-is-one-story"],
    ),
    ("UPDATE booking_history SET event = 'expired' WHERE show_id = 1 AND number = 6", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET event = 'cancelled' WHERE show_id = 1 AND number = 7", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET seat_numbers = #1# WHERE show_id = 1 AND number = 3", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET show_id = 2, number = number - 7 WHERE show_id = 1 AND number > 7", &["history-is-of-its-show"]),
    ("INSERT INTO booking_history VALUES (1, 11, 99, @0@, 'held', NULL, 'customer', #4#)", &["history-is-of-its-show"]),
    ("UPDATE bookings SET refund_due = true WHERE id = 3", &["refund-is-due-for-a-reason"]),
    ("UPDATE bookings SET refund_due = true WHERE id = 2", &["refund-is-due-for-a-reason"]),
    ("UPDATE bookings SET refund_due = false WHERE id = 4", &["refund-is-due-for-a-reason", "payment-has-bought-something"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held 99 4102444920000000')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held nobody')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'confirmed 1')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'show_created 4')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held 1 4102444920000000')", &["key-made-its-own-booking"]),
    ("INSERT INTO idempotency_keys VALUES ('k', 'blocked 6')", &["key-made-its-own-booking"]),
    ("INSERT INTO idempotency_keys VALUES ('k', 'reclaimed 9')", &["kept-outcome-has-happened"]),
];

/// What is done to payments, refunds and the house's seats, and exactly which invariants it breaks.
pub(crate) const MISPAYMENTS: &[(&str, &[&str])] = &[
    (
        "UPDATE payments SET booking_id = 99 WHERE reference = 'pay-8-again'",
        &["refund-is-put-down-once", "payment-has-its-booking"],
    ),
    ("UPDATE payments SET show_id = 1 WHERE reference = 'pay-5'", &["payment-has-its-booking"]),
    (
        "DELETE FROM seats WHERE show_id = 2; UPDATE payments SET show_id = 2 WHERE reference = 'pay-5';
         DELETE FROM shows WHERE id = 2; DELETE FROM idempotency_keys",
        &["payment-has-its-booking"],
    ),
    (
        "INSERT INTO payments VALUES ('pay-5', 3, 5, true)",
        &["refund-is-put-down-once", "payment-is-known-once", "sale-is-not-paid-in-vain"],
    ),
    ("UPDATE bookings SET payment_reference = 'pay-5' WHERE id = 2", &["payment-named-by-its-booking"]),
    ("UPDATE bookings SET payment_reference = 'nobody' WHERE id = 8", &["payment-named-by-its-booking"]),
    ("DELETE FROM payments WHERE reference = 'pay-5'", &["payment-named-by-its-booking"]),
    (
        "UPDATE payments SET in_vain = false WHERE reference = 'pay-9-again'",
        &["refund-is-put-down-once", "payment-has-bought-something"],
    ),
    ("INSERT INTO payments VALUES ('pay-3', 1, 3, false)", &["payment-has-bought-something"]),
    (
        "INSERT INTO payments VALUES ('pay-3', 1, 3, false); UPDATE bookings SET payment_reference = 'pay-3' WHERE id = 3",
        &["payment-has-bought-something"],
    ),
    (
        "UPDATE bookings SET payment_reference = 'pay-9-again' WHERE id = 9",
        &["payment-has-bought-something", "sale-is-not-paid-in-vain"],
    ),
    ("UPDATE payments SET in_vain = true WHERE reference = 'pay-5'", &["refund-is-put-down-once", "sale-is-not-paid-in-vain"]),
    (
        "INSERT INTO payments VALUES ('pay-6', 3, 6, false); UPDATE bookings SET payment_reference = 'pay-6' WHERE id = 6",
        &["house-pays-nothing"],
    ),
    ("UPDATE bookings SET refund_due = true WHERE id = 7", &["refund-is-due-for-a-reason", "house-pays-nothing"]),
    ("UPDATE bookings SET refund_due = false WHERE id = 8", &["refund-is-due-for-a-reason", "refund-is-put-down-once"]),
    (
        "INSERT INTO booking_history VALUES (3, 16, 8, @140@, 'refund_due', 'FAILED', 'customer', #1,3#)",
        &["refund-is-put-down-once"],
    ),
    (
        "INSERT INTO booking_history VALUES (3, 16, 9, @220@, 'refund_due', 'CONFIRMED', 'customer', #3#)",
        &["refund-is-put-down-once"],
    ),
    ("DELETE FROM booking_history WHERE show_id = 3 AND number = 15", &["refund-is-put-down-once"]),
    ("UPDATE bookings SET confirmed_at = @119@ WHERE id = 5", &["confirmed-before-the-deadline"]),
    ("UPDATE bookings SET reclaimed = false WHERE id = 5", &["confirmed-before-the-deadline", "reclaimed-as-its-history-says"]),
    ("UPDATE bookings SET reclaimed = true WHERE id = 2", &["confirmed-before-the-deadline", "reclaimed-as-its-history-says"]),
    ("UPDATE bookings SET reclaimed = true WHERE id = 8", &["reclaimed-as-its-history-says"]),
    (
        "UPDATE booking_history SET event = 'confirmed' WHERE show_id = 3 AND number = 7; DELETE FROM idempotency_keys",
        &["history-is-one-story", "reclaimed-as-its-history-says"],
    ),
    ("UPDATE booking_history SET event = 'cancelled' WHERE show_id = 3 AND number = 6", &["history-is-one-story"]),
    ("UPDATE booking_history SET from_status = 'CONFIRMED' WHERE show_id = 3 AND number = 10", &["history-is-one-story"]),
    ("UPDATE bookings SET blocked_for = NULL WHERE id = 6", &["history-begins-with-a-hold"]),
    ("UPDATE bookings SET blocked_for = 'camera' WHERE id = 2", &["history-begins-with-a-hold"]),
    (
        "UPDATE booking_history SET event = 'held' WHERE show_id = 3 AND number = 2; DELETE FROM idempotency_keys",
        &["history-begins-with-a-hold", "history-agrees-with-its-booking"],
    ),
];

/// SQL in one store's words.
pub(crate) fn in_words_of(sql: &str, instant: impl Fn(&str) -> String, seat_list: impl Fn(&str) -> String) -> String {
    let sql = replace(sql, '@', instant);
    replace(&sql, '#', seat_list)
}

fn replace(sql: &str, mark: char, word: impl Fn(&str) -> String) -> String {
    sql.split(mark).enumerate().map(|(i, part)| if i % 2 == 0 { part.to_owned() } else { word(part) }).collect()
}
