-- Payments and late confirms, how much a customer may have, when a show's seats are sold, seats that the house keeps from sale, and
-- shows that are cancelled. Names are those of the PostgreSQL schema.

ALTER TABLE shows ADD COLUMN late_confirm INTEGER NOT NULL DEFAULT 0 CHECK (late_confirm IN (0, 1));
ALTER TABLE shows ADD COLUMN seats_per_booking INTEGER CHECK (seats_per_booking BETWEEN 1 AND 1000000);
ALTER TABLE shows ADD COLUMN seats_per_customer INTEGER CHECK (seats_per_customer BETWEEN 1 AND 1000000);
ALTER TABLE shows ADD COLUMN holds_per_customer INTEGER CHECK (holds_per_customer BETWEEN 1 AND 1000000);
ALTER TABLE shows ADD COLUMN on_sale_at INTEGER;
ALTER TABLE shows ADD COLUMN off_sale_at INTEGER CHECK (on_sale_at < off_sale_at);
ALTER TABLE shows ADD COLUMN cancelled_at INTEGER;
ALTER TABLE shows ADD COLUMN cancelled_by TEXT CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL));
ALTER TABLE shows ADD COLUMN calling_off INTEGER NOT NULL DEFAULT 0
    CHECK (calling_off IN (0, 1) AND (NOT calling_off OR cancelled_at IS NOT NULL));
ALTER TABLE shows ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- Cancelled shows some of whose bookings may not have failed yet.
CREATE INDEX shows_calling_off ON shows (id) WHERE calling_off;

-- Constraints can't be changed in place: the tables are made anew. (The program switches foreign keys off meanwhile, and checks them.)
CREATE TABLE bookings_anew (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
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
    CONSTRAINT bookings_list_seats               CHECK (json_type(seat_numbers) = 'array' AND json_array_length(seat_numbers) >= 1),
    CONSTRAINT bookings_status_known             CHECK (status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    CONSTRAINT bookings_failed_for_a_reason      CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
    CONSTRAINT bookings_failure_reason_known     CHECK (failure_reason IN ('expired', 'cancelled', 'show_cancelled')),
    CONSTRAINT bookings_refund_of_what_failed    CHECK (NOT refund_due OR status = 'FAILED'),
    CONSTRAINT bookings_confirmed_when           CHECK ((status = 'CONFIRMED') = (confirmed_at IS NOT NULL)),
    CONSTRAINT bookings_confirmed_in_time        CHECK (confirmed_at < expires_at OR reclaimed),
    CONSTRAINT bookings_reclaimed_when_confirmed CHECK (NOT reclaimed OR status = 'CONFIRMED'),
    CONSTRAINT bookings_held_for_a_while         CHECK (created_at < expires_at)
) STRICT;
INSERT INTO bookings_anew
       (id, show_id, user_name, seat_numbers, status, failure_reason, refund_due, expires_at, confirmed_at, created_at, updated_at)
SELECT id, show_id, user_name, seat_numbers, status, failure_reason, refund_due, expires_at, confirmed_at, created_at, updated_at
  FROM bookings;
DROP TABLE bookings;
ALTER TABLE bookings_anew RENAME TO bookings;
CREATE INDEX bookings_deadline ON bookings (expires_at) WHERE status = 'PENDING';

-- What a customer has in a show.
CREATE INDEX bookings_of_customer ON bookings (show_id, customer) WHERE customer IS NOT NULL AND status <> 'FAILED';

DROP TRIGGER booking_history_is_not_rewritten;
DROP TRIGGER booking_history_is_not_forgotten;
DROP INDEX booking_history_of_booking;
CREATE TABLE booking_history_anew (
    show_id      INTEGER NOT NULL REFERENCES shows (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    booking_id   INTEGER NOT NULL REFERENCES bookings (id),
    happened_at  INTEGER NOT NULL,
    event        TEXT    NOT NULL CHECK (event IN (
        'held', 'blocked', 'extended', 'changed', 'confirmed', 'reclaimed', 'expired', 'cancelled', 'show_cancelled', 'refund_due')),
    from_status  TEXT    CHECK (from_status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    actor        TEXT    NOT NULL,
    seat_numbers TEXT    NOT NULL,
    PRIMARY KEY (show_id, number),
    CONSTRAINT booking_history_begins_with_a_hold CHECK ((event IN ('held', 'blocked')) = (from_status IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO booking_history_anew (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers
  FROM booking_history;
DROP TABLE booking_history;
ALTER TABLE booking_history_anew RENAME TO booking_history;
CREATE INDEX booking_history_of_booking ON booking_history (booking_id);
CREATE TRIGGER booking_history_is_not_rewritten BEFORE UPDATE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;
CREATE TRIGGER booking_history_is_not_forgotten BEFORE DELETE ON booking_history
BEGIN
    SELECT RAISE(ABORT, 'the history of bookings is never changed');
END;

-- Each payment that came with a confirm, once. In vain is one that bought nothing.
CREATE TABLE payments (
    reference   TEXT    NOT NULL PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 255),
    show_id     INTEGER NOT NULL REFERENCES shows (id),
    booking_id  INTEGER NOT NULL REFERENCES bookings (id),
    recorded_at INTEGER NOT NULL,
    in_vain     INTEGER NOT NULL CHECK (in_vain IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Money that has to be given back: nearly nothing of either table.
CREATE INDEX bookings_refund_due ON bookings (id) WHERE refund_due;
CREATE INDEX payments_in_vain ON payments (booking_id DESC, reference) WHERE in_vain;
