-- A hold writes fewer pages, and costs half the time. Names are those of the PostgreSQL schema, but for how the history is found.
--
-- The history lies by booking, not by show: what happens next happens mostly to new bookings, and goes to the table's end, not to a
-- page of each show. Shows count their changes themselves. A show's bookings are found by its seats, and those that failed by an index
-- that a sale does not touch.
--
-- A CHECK names values one by one: for IN with more than two of them SQLite makes a table of the values each time a row is written.
--
-- Ids need no AUTOINCREMENT, which keeps a count in a table of its own: a booking has a history, and is never deleted.

ALTER TABLE shows ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
UPDATE shows SET changes = (SELECT max(number) FROM booking_history WHERE show_id = shows.id)
 WHERE id IN (SELECT show_id FROM booking_history);

-- Constraints can't be changed in place: the tables are made anew. (The program switches foreign keys off meanwhile, and checks them.)
CREATE TABLE bookings_anew (
    id                INTEGER PRIMARY KEY,
    show_id           INTEGER NOT NULL REFERENCES shows (id),
    user_name         TEXT    NOT NULL CHECK (length(user_name) BETWEEN 1 AND 200),
    customer          TEXT    CHECK (length(customer) BETWEEN 1 AND 128),
    blocked_for       TEXT    CHECK (length(blocked_for) BETWEEN 1 AND 200),
    payment_reference TEXT    CHECK (length(payment_reference) BETWEEN 1 AND 255),
    seat_numbers      TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    failure_reason    TEXT,
    refund_due        INTEGER NOT NULL DEFAULT 0 CHECK (refund_due IN (0, 1)),
    reclaimed         INTEGER NOT NULL DEFAULT 0 CHECK (reclaimed IN (0, 1)),
    expires_at        INTEGER NOT NULL,
    confirmed_at      INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    -- What is no array has no length.
    CONSTRAINT bookings_list_seats               CHECK (json_array_length(seat_numbers) >= 1),
    CONSTRAINT bookings_status_known             CHECK (status = 'PENDING' OR status = 'CONFIRMED' OR status = 'FAILED'),
    CONSTRAINT bookings_failed_for_a_reason      CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
    CONSTRAINT bookings_failure_reason_known     CHECK (failure_reason = 'expired' OR failure_reason = 'cancelled'
                                                        OR failure_reason = 'show_cancelled'),
    CONSTRAINT bookings_refund_of_what_failed    CHECK (NOT refund_due OR status = 'FAILED'),
    CONSTRAINT bookings_confirmed_when           CHECK ((status = 'CONFIRMED') = (confirmed_at IS NOT NULL)),
    CONSTRAINT bookings_confirmed_in_time        CHECK (confirmed_at < expires_at OR reclaimed),
    CONSTRAINT bookings_reclaimed_when_confirmed CHECK (NOT reclaimed OR status = 'CONFIRMED'),
    CONSTRAINT bookings_held_for_a_while         CHECK (created_at < expires_at)
) STRICT;
INSERT INTO bookings_anew
       (id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
        expires_at, confirmed_at, created_at, updated_at)
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings;
DROP TABLE bookings;
ALTER TABLE bookings_anew RENAME TO bookings;
CREATE INDEX bookings_deadline ON bookings (expires_at) WHERE status = 'PENDING';
CREATE INDEX bookings_of_customer ON bookings (show_id, customer) WHERE customer IS NOT NULL AND status <> 'FAILED';
CREATE INDEX bookings_refund_due ON bookings (id) WHERE refund_due;
CREATE INDEX bookings_failed ON bookings (show_id) WHERE status = 'FAILED';

CREATE TABLE seats_anew (
    id          INTEGER NOT NULL UNIQUE,
    show_id     INTEGER NOT NULL REFERENCES shows (id),
    seat_number INTEGER NOT NULL CHECK (seat_number >= 1),
    status      TEXT    NOT NULL,
    booking_id  INTEGER REFERENCES bookings (id),
    held_until  INTEGER,
    PRIMARY KEY (show_id, seat_number),
    CONSTRAINT seats_status_known     CHECK (status = 'AVAILABLE' OR status = 'PENDING' OR status = 'CONFIRMED'),
    CONSTRAINT seats_taken_by_someone CHECK ((status = 'AVAILABLE') = (booking_id IS NULL)),
    CONSTRAINT seats_held_until_when  CHECK ((status = 'PENDING') = (held_until IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO seats_anew (id, show_id, seat_number, status, booking_id, held_until)
SELECT id, show_id, seat_number, status, booking_id, held_until
  FROM seats;
DROP TABLE seats;
ALTER TABLE seats_anew RENAME TO seats;

DROP TRIGGER booking_history_is_not_rewritten;
DROP TRIGGER booking_history_is_not_forgotten;
CREATE TABLE booking_history_anew (
    booking_id   INTEGER NOT NULL REFERENCES bookings (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    show_id      INTEGER NOT NULL REFERENCES shows (id),
    happened_at  INTEGER NOT NULL,
    event        TEXT    NOT NULL CHECK (
        event = 'held' OR event = 'confirmed' OR event = 'expired' OR event = 'cancelled' OR event = 'extended' OR event = 'changed'
        OR event = 'blocked' OR event = 'reclaimed' OR event = 'show_cancelled' OR event = 'refund_due'),
    from_status  TEXT    CHECK (from_status = 'PENDING' OR from_status = 'CONFIRMED' OR from_status = 'FAILED'),
    actor        TEXT    NOT NULL,
    seat_numbers TEXT    NOT NULL,
    PRIMARY KEY (booking_id, number),
    CONSTRAINT booking_history_begins_with_a_hold CHECK ((event = 'held' OR event = 'blocked') = (from_status IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO booking_history_anew (booking_id, number, show_id, happened_at, event, from_status, actor, seat_numbers)
SELECT booking_id, number, show_id, happened_at, event, from_status, actor, seat_numbers
  FROM booking_history
 ORDER BY booking_id, number;
DROP TABLE booking_history;
ALTER TABLE booking_history_anew RENAME TO booking_history;
CREATE TRIGGER booking_history_is_not_rewritten BEFORE UPDATE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;
CREATE TRIGGER booking_history_is_not_forgotten BEFORE DELETE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;
