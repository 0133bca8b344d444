-- What happened to each booking, requests that are known again, and the terms on which a show's seats are sold.
-- Names are those of the PostgreSQL schema.

-- What a show leaves open is the service's to say.
ALTER TABLE shows ADD COLUMN hold_seconds INTEGER CHECK (hold_seconds BETWEEN 1 AND 86400);
ALTER TABLE shows ADD COLUMN hold_limit_seconds INTEGER
    CHECK (hold_limit_seconds BETWEEN 1 AND 86400 AND COALESCE(hold_seconds, 1) <= hold_limit_seconds);
ALTER TABLE shows ADD COLUMN customers_may_cancel INTEGER NOT NULL DEFAULT 0 CHECK (customers_may_cancel IN (0, 1));

-- A constraint can't be changed in place: the table is made anew. (The program switches foreign keys off meanwhile, and checks them.)
CREATE TABLE bookings_anew (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    show_id        INTEGER NOT NULL REFERENCES shows (id),
    user_name      TEXT    NOT NULL CHECK (length(user_name) BETWEEN 1 AND 200),
    seat_numbers   TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    failure_reason TEXT,
    refund_due     INTEGER NOT NULL DEFAULT 0 CHECK (refund_due IN (0, 1)),
    expires_at     INTEGER NOT NULL,
    confirmed_at   INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CONSTRAINT bookings_list_seats            CHECK (json_type(seat_numbers) = 'array' AND json_array_length(seat_numbers) >= 1),
    CONSTRAINT bookings_status_known          CHECK (status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    CONSTRAINT bookings_failed_for_a_reason   CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
    CONSTRAINT bookings_failure_reason_known  CHECK (failure_reason IN ('expired', 'cancelled')),
    CONSTRAINT bookings_refund_of_what_failed CHECK (NOT refund_due OR status = 'FAILED'),
    CONSTRAINT bookings_confirmed_when        CHECK ((status = 'CONFIRMED') = (confirmed_at IS NOT NULL)),
    CONSTRAINT bookings_confirmed_in_time     CHECK (confirmed_at < expires_at),
    CONSTRAINT bookings_held_for_a_while      CHECK (created_at < expires_at)
) STRICT;
INSERT INTO bookings_anew
       (id, show_id, user_name, seat_numbers, status, failure_reason, expires_at, confirmed_at, created_at, updated_at)
SELECT id, show_id, user_name, seat_numbers, status, failure_reason, expires_at, confirmed_at, created_at, updated_at
  FROM bookings;
DROP TABLE bookings;
ALTER TABLE bookings_anew RENAME TO bookings;
CREATE INDEX bookings_deadline ON bookings (expires_at) WHERE status = 'PENDING';

-- A row for every transition, never changed, numbered in its show without gaps.
CREATE TABLE booking_history (
    show_id      INTEGER NOT NULL REFERENCES shows (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    booking_id   INTEGER NOT NULL REFERENCES bookings (id),
    happened_at  INTEGER NOT NULL,
    event        TEXT    NOT NULL CHECK (event IN ('held', 'extended', 'changed', 'confirmed', 'expired', 'cancelled')),
    from_status  TEXT    CHECK (from_status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    actor        TEXT    NOT NULL,
    seat_numbers TEXT    NOT NULL,
    PRIMARY KEY (show_id, number),
    CONSTRAINT booking_history_begins_with_a_hold CHECK ((event = 'held') = (from_status IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_history_of_booking ON booking_history (booking_id);

CREATE TRIGGER booking_history_is_not_rewritten BEFORE UPDATE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;
CREATE TRIGGER booking_history_is_not_forgotten BEFORE DELETE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;

-- What is known of bookings that were made before there was a history.
INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT show_id, row_number() OVER (PARTITION BY show_id ORDER BY happened_at, booking_id, from_status NULLS FIRST),
       booking_id, happened_at, event, from_status, actor, seat_numbers
  FROM (
    SELECT show_id, id AS booking_id, created_at AS happened_at, 'held' AS event, NULL AS from_status, 'customer' AS actor,
           seat_numbers
      FROM bookings
     UNION ALL
    SELECT show_id, id, updated_at, CASE status WHEN 'CONFIRMED' THEN 'confirmed' ELSE 'expired' END, 'PENDING',
           CASE status WHEN 'CONFIRMED' THEN 'customer' ELSE 'system' END, seat_numbers
      FROM bookings
     WHERE status <> 'PENDING'
  );

-- Requests that are known again, each with what came of it.
CREATE TABLE idempotency_keys (
    key         TEXT    NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    outcome     TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the worker walks along to forget them.
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
