//! Small books that are in order, and every way to falsify them, for both stores.
//!
//! `@n@` stands for an instant, n seconds after the beginning of 2100; `#1,2#` for a list of seats.

/// The tables without their constraints, so that anything can be written into them.
pub(crate) const TABLES: &str = "
    CREATE TABLE shows (id bigint, name text, start_time INSTANT, total_seats integer, created_at INSTANT);
    CREATE TABLE seats (id bigint, show_id bigint, seat_number integer, status text, booking_id bigint, held_until INSTANT);
    CREATE TABLE bookings (id bigint, show_id bigint, user_name text, seat_numbers SEAT_LIST, status text,
        failure_reason text, expires_at INSTANT, confirmed_at INSTANT, created_at INSTANT, updated_at INSTANT,
        refund_due boolean);
    CREATE TABLE booking_history (show_id bigint, number bigint, booking_id bigint, happened_at INSTANT, event text, from_status text,
        actor text, seat_numbers SEAT_LIST);
    CREATE TABLE idempotency_keys (key text, outcome text);";

/// Booking 1 holds seats 1 and 2 of show 1, having held seat 4 before, booking 2 has seat 3, booking 3 has lost seat 4, and booking 4 has
/// given it back after it was sold. Show 2 is empty.
pub(crate) const IN_ORDER: &str = "
    INSERT INTO shows VALUES (1, 'Hamlet', @0@, 4, @0@), (2, 'Macbeth', @0@, 2, @0@);
    INSERT INTO seats VALUES
        (1, 1, 1, 'PENDING', 1, @120@), (2, 1, 2, 'PENDING', 1, @120@), (3, 1, 3, 'CONFIRMED', 2, NULL),
        (4, 1, 4, 'AVAILABLE', NULL, NULL), (5, 2, 1, 'AVAILABLE', NULL, NULL), (6, 2, 2, 'AVAILABLE', NULL, NULL);
    INSERT INTO bookings VALUES
        (1, 1, 'Alice', #1,2#, 'PENDING', NULL, @120@, NULL, @0@, @0@, false),
        (2, 1, 'Bob', #3#, 'CONFIRMED', NULL, @120@, @119@, @0@, @119@, false),
        (3, 1, 'Carol', #4#, 'FAILED', 'expired', @120@, NULL, @0@, @120@, false),
        (4, 1, 'Dora', #4#, 'FAILED', 'cancelled', @240@, NULL, @120@, @122@, true);
    INSERT INTO booking_history VALUES
        (1, 1, 1, @0@, 'held', NULL, 'customer', #4#), (1, 2, 1, @0@, 'changed', 'PENDING', 'customer', #1,2#),
        (1, 3, 1, @0@, 'extended', 'PENDING', 'customer', #1,2#), (1, 4, 2, @0@, 'held', NULL, 'customer', #3#),
        (1, 5, 3, @0@, 'held', NULL, 'customer', #4#), (1, 6, 2, @119@, 'confirmed', 'PENDING', 'customer', #3#),
        (1, 7, 3, @120@, 'expired', 'PENDING', 'system', #4#), (1, 8, 4, @120@, 'held', NULL, 'customer', #4#),
        (1, 9, 4, @121@, 'confirmed', 'PENDING', 'customer', #4#),
        (1, 10, 4, @122@, 'cancelled', 'CONFIRMED', 'admin:ann', #4#);
    INSERT INTO idempotency_keys VALUES ('a', 'held 1 4102444920000000'), ('b', 'changed 1 1,2 4102444920000000'),
        ('c', 'held 4 4102445040000000'), ('d', 'cancelled 4 true'), ('e', 'seats_not_free 3 sold'), ('f', 'show_created 2'),
        ('g', 'not_pending 2 confirmed');";

/// What is done to the books, and exactly which invariants it breaks.
pub(crate) const FALSIFICATIONS: &[(&str, &[&str])] = &[
    (
        "INSERT INTO bookings VALUES (5, 1, 'Dave', #3#, 'CONFIRMED', NULL, @120@, @60@, @0@, @60@, false)",
        &["seat-sold-once", "booking-owns-the-seats-it-lists", "history-begins-with-a-hold"],
    ),
    (
        "INSERT INTO bookings VALUES (5, 1, 'Dave', #2#, 'PENDING', NULL, @120@, NULL, @0@, @0@, false)",
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
    ("INSERT INTO seats VALUES (7, 2, 3, 'AVAILABLE', NULL, NULL)", &["show-has-all-its-seats", "seats-add-up"]),
    ("UPDATE seats SET seat_number = 0 WHERE id = 5", &["show-has-all-its-seats"]),
    ("UPDATE seats SET seat_number = 2 WHERE id = 5", &["show-has-all-its-seats"]),
    ("UPDATE seats SET status = 'LOST' WHERE id = 5", &["seat-agrees-with-its-booking", "seats-add-up"]),
    ("DELETE FROM shows WHERE id = 2", &["seat-has-its-show", "kept-outcome-has-happened"]),
    ("UPDATE seats SET id = 5 WHERE id = 6", &["ids-are-unique"]),
    (
        "INSERT INTO bookings VALUES (3, 2, 'Dave', #1#, 'FAILED', 'expired', @120@, NULL, @0@, @0@, false)",
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
    ("UPDATE booking_history SET number = 11 WHERE number = 10", &["changes-are-numbered-without-gaps"]),
    ("UPDATE booking_history SET number = 4 WHERE number = 5", &["changes-are-numbered-without-gaps"]),
    ("DELETE FROM booking_history WHERE number = 3", &["changes-are-numbered-without-gaps"]),
    (
        "DELETE FROM booking_history WHERE booking_id = 4",
        &["history-begins-with-a-hold", "refund-is-due-for-a-cancelled-sale", "kept-outcome-has-happened"],
    ),
    (
        "DELETE FROM booking_history WHERE number = 5; UPDATE booking_history SET number = number - 1 WHERE number > 5",
        &["history-begins-with-a-hold", "history-is-one-story"],
    ),
    ("UPDATE booking_history SET event = 'extended' WHERE number = 5", &["history-begins-with-a-hold", "history-is-one-story"]),
    ("UPDATE booking_history SET from_status = 'FAILED' WHERE number = 6", &["history-is-one-story"]),
    ("UPDATE booking_history SET from_status = NULL WHERE number = 6", &["history-is-one-story"]),
    (
        "UPDATE booking_history SET event = 'expired' WHERE number = 10;
         UPDATE bookings SET failure_reason = 'expired', refund_due = false WHERE id = 4;
         DELETE FROM idempotency_keys",
        &["history-is-one-story"],
    ),
    ("UPDATE booking_history SET event = 'expired' WHERE number = 6", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET event = 'cancelled' WHERE number = 7", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET seat_numbers = #1# WHERE number = 3", &["history-agrees-with-its-booking"]),
    ("UPDATE booking_history SET show_id = 2, number = number - 7 WHERE number > 7", &["history-is-of-its-show"]),
    ("INSERT INTO booking_history VALUES (1, 11, 99, @0@, 'held', NULL, 'customer', #4#)", &["history-is-of-its-show"]),
    ("UPDATE bookings SET refund_due = true WHERE id = 3", &["refund-is-due-for-a-cancelled-sale"]),
    ("UPDATE bookings SET refund_due = true WHERE id = 2", &["refund-is-due-for-a-cancelled-sale"]),
    ("UPDATE bookings SET refund_due = false WHERE id = 4", &["refund-is-due-for-a-cancelled-sale"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held 99 4102444920000000')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held nobody')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'confirmed 1')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'show_created 3')", &["kept-outcome-has-happened"]),
    ("INSERT INTO idempotency_keys VALUES ('h', 'held 1 4102444920000000')", &["key-made-its-own-booking"]),
];

/// SQL in one store's words.
pub(crate) fn in_words_of(sql: &str, instant: impl Fn(&str) -> String, seat_list: impl Fn(&str) -> String) -> String {
    let sql = replace(sql, '@', instant);
    replace(&sql, '#', seat_list)
}

fn replace(sql: &str, mark: char, word: impl Fn(&str) -> String) -> String {
    sql.split(mark).enumerate().map(|(i, part)| if i % 2 == 0 { part.to_owned() } else { word(part) }).collect()
}
