-- What a column may say is said by its domain. A session reads a domain's CHECK once, a table's CHECKs with every statement that
-- writes into the table: that was a third of what a batch of one hold cost PostgreSQL. A table's CHECKs are left where columns have to
-- agree with each other.
--
-- Each of these tables is written anew, once, and nobody can use it meanwhile.
--
-- Locks: as before.

CREATE DOMAIN seat_status AS text CHECK (VALUE IN ('AVAILABLE', 'PENDING', 'CONFIRMED'));
CREATE DOMAIN booking_status AS text CHECK (VALUE IN ('PENDING', 'CONFIRMED', 'FAILED'));
CREATE DOMAIN failure_reason AS text CHECK (VALUE IN ('expired', 'cancelled', 'show_cancelled'));
CREATE DOMAIN booking_event AS text CHECK (VALUE IN (
    'held', 'blocked', 'extended', 'changed', 'confirmed', 'reclaimed', 'expired', 'cancelled', 'show_cancelled', 'refund_due'));
CREATE DOMAIN seat_list AS integer[] CHECK (cardinality(VALUE) >= 1);
CREATE DOMAIN user_name AS text CHECK (char_length(VALUE) BETWEEN 1 AND 200);
CREATE DOMAIN block_reason AS text CHECK (char_length(VALUE) BETWEEN 1 AND 200);
CREATE DOMAIN customer_id AS text CHECK (octet_length(VALUE) BETWEEN 1 AND 128);
CREATE DOMAIN payment_reference AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 1 AND 255);
CREATE DOMAIN idempotency_key AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 1 AND 255);
CREATE DOMAIN request_fingerprint AS bytea CHECK (octet_length(VALUE) = 32);

ALTER TABLE seats
    DROP CONSTRAINT seats_status_known,
    DROP CONSTRAINT seats_taken_by_someone,
    DROP CONSTRAINT seats_held_until_when,
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN status TYPE seat_status,
    ALTER COLUMN status SET DEFAULT 'AVAILABLE',
    ADD CONSTRAINT seats_taken_by_someone CHECK ((status = 'AVAILABLE') = (booking_id IS NULL)),
    ADD CONSTRAINT seats_held_until_when CHECK ((status = 'PENDING') = (held_until IS NOT NULL));

DROP INDEX bookings_deadline, bookings_of_customer;
ALTER TABLE bookings
    DROP CONSTRAINT bookings_status_known,
    DROP CONSTRAINT bookings_failure_reason_known,
    DROP CONSTRAINT bookings_user_name_check,
    DROP CONSTRAINT bookings_customer_check,
    DROP CONSTRAINT bookings_blocked_for_check,
    DROP CONSTRAINT bookings_payment_reference_check,
    DROP CONSTRAINT bookings_seat_numbers_check,
    DROP CONSTRAINT bookings_confirmed_when,
    DROP CONSTRAINT bookings_failed_for_a_reason,
    DROP CONSTRAINT bookings_reclaimed_when_confirmed,
    DROP CONSTRAINT bookings_refund_of_what_failed,
    ALTER COLUMN status TYPE booking_status,
    ALTER COLUMN failure_reason TYPE failure_reason,
    ALTER COLUMN user_name TYPE user_name,
    ALTER COLUMN customer TYPE customer_id,
    ALTER COLUMN blocked_for TYPE block_reason,
    ALTER COLUMN payment_reference TYPE payment_reference,
    ALTER COLUMN seat_numbers TYPE seat_list,
    ADD CONSTRAINT bookings_confirmed_when CHECK ((status = 'CONFIRMED') = (confirmed_at IS NOT NULL)),
    ADD CONSTRAINT bookings_failed_for_a_reason CHECK ((status = 'FAILED') = (failure_reason IS NOT NULL)),
    ADD CONSTRAINT bookings_reclaimed_when_confirmed CHECK (NOT reclaimed OR confirmed_at IS NOT NULL),
    ADD CONSTRAINT bookings_refund_of_what_failed CHECK (NOT refund_due OR failure_reason IS NOT NULL);
CREATE INDEX bookings_deadline ON bookings (expires_at) WHERE status = 'PENDING';
CREATE INDEX bookings_of_customer ON bookings (show_id, customer) WHERE customer IS NOT NULL AND status <> 'FAILED';

-- That a show's changes are numbered from 1 on is for verify to see, as that they are numbered without gaps.
ALTER TABLE booking_history
    DROP CONSTRAINT booking_history_event_check,
    DROP CONSTRAINT booking_history_begins_with_a_hold,
    DROP CONSTRAINT booking_history_is_a_chain,
    ALTER COLUMN event TYPE booking_event,
    ALTER COLUMN from_status TYPE booking_status,
    ADD CONSTRAINT booking_history_begins_with_a_hold CHECK ((event IN ('held', 'blocked')) = (from_status IS NULL)),
    ADD CONSTRAINT booking_history_is_a_chain CHECK ((from_status IS NULL) = (previous IS NULL) AND previous < number);

ALTER TABLE payments
    DROP CONSTRAINT payments_reference_check,
    ALTER COLUMN reference TYPE payment_reference;

ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_key_check,
    DROP CONSTRAINT idempotency_keys_fingerprint_check,
    ALTER COLUMN key TYPE idempotency_key,
    ALTER COLUMN fingerprint TYPE request_fingerprint;
