-- What happened to each booking, requests that are known again, and the terms on which a show's seats are sold.
--
-- Locks: seats in the order of their primary key, then bookings in the order of their id, then shows in the order of their id.

-- What a show leaves open is the service's to say.
ALTER TABLE shows
    ADD COLUMN hold_seconds       integer CHECK (hold_seconds BETWEEN 1 AND 86400),
    ADD COLUMN hold_limit_seconds integer CHECK (hold_limit_seconds BETWEEN 1 AND 86400),
    ADD COLUMN customers_may_cancel   boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT shows_hold_within_limit CHECK (hold_seconds <= hold_limit_seconds);

ALTER TABLE bookings
    ADD COLUMN refund_due boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT bookings_refund_of_what_failed CHECK (NOT refund_due OR status = 'FAILED'),
    DROP CONSTRAINT bookings_failure_reason_known,
    ADD CONSTRAINT bookings_failure_reason_known CHECK (failure_reason IN ('expired', 'cancelled'));

-- A row for every transition, never changed. The key is what numbers the changes of a show: nobody can use a number twice, and
-- whoever holds the lock on the show's row uses the next one. The number is looked up, not counted on a row of the show: a row that
-- every booking updates grows a chain of dead versions as long as somebody's snapshot is open.
CREATE TABLE booking_history (
    show_id      bigint      NOT NULL,
    number       bigint      NOT NULL CHECK (number >= 1),
    booking_id   bigint      NOT NULL,
    happened_at  timestamptz NOT NULL,
    event        text        NOT NULL CHECK (event IN ('held', 'extended', 'changed', 'confirmed', 'expired', 'cancelled')),
    from_status  text        CHECK (from_status IN ('PENDING', 'CONFIRMED', 'FAILED')),
    actor        text        NOT NULL,
    seat_numbers integer[]   NOT NULL,
    PRIMARY KEY (show_id, number),
    CONSTRAINT booking_history_begins_with_a_hold CHECK ((event = 'held') = (from_status IS NULL))
);
CREATE INDEX booking_history_of_booking ON booking_history (booking_id);

CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of bookings is never changed';
END
$$;
CREATE TRIGGER booking_history_is_final BEFORE UPDATE OR DELETE ON booking_history
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();

-- What is known of bookings that were made before there was a history.
INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT show_id, row_number() OVER (PARTITION BY show_id ORDER BY happened_at, booking_id, from_status NULLS FIRST),
       booking_id, happened_at, event, from_status, actor, seat_numbers
FROM (
    SELECT show_id, id AS booking_id, created_at AS happened_at, 'held' AS event, NULL AS from_status, 'customer' AS actor, seat_numbers
    FROM bookings
    UNION ALL
    SELECT show_id, id, updated_at, CASE status WHEN 'CONFIRMED' THEN 'confirmed' ELSE 'expired' END, 'PENDING',
           CASE status WHEN 'CONFIRMED' THEN 'customer' ELSE 'system' END, seat_numbers
    FROM bookings
    WHERE status <> 'PENDING'
) AS known;

-- Requests that are known again, each with what came of it.
CREATE TABLE idempotency_keys (
    expires_at  timestamptz NOT NULL,
    key         text        COLLATE "C" PRIMARY KEY CHECK (octet_length(key) BETWEEN 1 AND 255),
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    outcome     text        NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

-- What the worker walks along to forget them.
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
