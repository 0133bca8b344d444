-- Shows, their seats, and the bookings that take them.
--
-- The rules live in the domain crate; the constraints here are the last line of defence against a store that can't be true.
-- Names are those of the PostgreSQL schema. Instants are microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE shows (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    start_time  INTEGER NOT NULL,
    total_seats INTEGER NOT NULL CHECK (total_seats BETWEEN 1 AND 1000000),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE bookings (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    show_id        INTEGER NOT NULL REFERENCES shows (id),
    user_name      TEXT    NOT NULL CHECK (length(user_name) BETWEEN 1 AND 200),
    seat_numbers   TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    failure_reason TEXT,
    expires_at     INTEGER NOT NULL,
    confirmed_at   INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CONSTRAINT bookings_list_seats           CHECK (json_type(seat_numbers) = 'array' AND json_array_length(seat_numbers) >= 1),
    CONSTRAINT bookings_status_known         CHECK (status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    CONSTRAINT bookings_failed_for_a_reason  CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
    CONSTRAINT bookings_failure_reason_known CHECK (failure_reason IN ('expired')),
    CONSTRAINT bookings_confirmed_when       CHECK ((status = 'CONFIRMED') = (confirmed_at IS NOT NULL)),
    CONSTRAINT bookings_confirmed_in_time    CHECK (confirmed_at < expires_at),
    CONSTRAINT bookings_held_for_a_while     CHECK (created_at < expires_at)
) STRICT;

-- What the sweep and the list of live holds walk along. Sales and failures leave it.
CREATE INDEX bookings_deadline ON bookings (expires_at) WHERE status = 'PENDING';

-- One row a seat is what makes a double sale impossible to write down: a seat has one booking_id.
-- The key is the table's order, so that the seats of a show lie side by side.
CREATE TABLE seats (
    id          INTEGER NOT NULL UNIQUE,
    show_id     INTEGER NOT NULL REFERENCES shows (id),
    seat_number INTEGER NOT NULL CHECK (seat_number >= 1),
    status      TEXT    NOT NULL,
    booking_id  INTEGER REFERENCES bookings (id),
    held_until  INTEGER,
    PRIMARY KEY (show_id, seat_number),
    CONSTRAINT seats_status_known     CHECK (status IN ('AVAILABLE', 'PENDING', 'CONFIRMED')),
    CONSTRAINT seats_taken_by_someone CHECK ((status = 'AVAILABLE') = (booking_id IS NULL)),
    CONSTRAINT seats_held_until_when  CHECK ((status = 'PENDING') = (held_until IS NOT NULL))
) STRICT, WITHOUT ROWID;
