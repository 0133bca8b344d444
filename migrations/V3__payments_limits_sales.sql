-- Payments and late confirms, how much a customer may have, when a show's seats are sold, seats that the house keeps from sale, and
-- shows that are cancelled.
--
-- Locks: as before.

-- The revision counts how often anything else of the row has changed: what a batch expects of a show it compares by this number.
ALTER TABLE shows
    ADD COLUMN late_confirm       boolean NOT NULL DEFAULT false,
    ADD COLUMN seats_per_booking  integer CHECK (seats_per_booking BETWEEN 1 AND 1000000),
    ADD COLUMN seats_per_customer integer CHECK (seats_per_customer BETWEEN 1 AND 1000000),
    ADD COLUMN holds_per_customer integer CHECK (holds_per_customer BETWEEN 1 AND 1000000),
    ADD COLUMN on_sale_at         timestamptz,
    ADD COLUMN off_sale_at        timestamptz,
    ADD COLUMN cancelled_at       timestamptz,
    ADD COLUMN cancelled_by       text,
    ADD COLUMN calling_off        boolean NOT NULL DEFAULT false,
    ADD COLUMN revision           integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT shows_sale_begins_and_ends CHECK (on_sale_at < off_sale_at),
    ADD CONSTRAINT shows_cancelled_by_someone CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL)),
    ADD CONSTRAINT shows_called_off_if_cancelled CHECK (NOT calling_off OR cancelled_at IS NOT NULL);

-- Cancelled shows some of whose bookings may not have failed yet.
CREATE INDEX shows_calling_off ON shows (id) WHERE calling_off;

ALTER TABLE bookings
    ADD COLUMN customer          text CHECK (octet_length(customer) BETWEEN 1 AND 128),
    ADD COLUMN blocked_for       text CHECK (char_length(blocked_for) BETWEEN 1 AND 200),
    ADD COLUMN payment_reference text CHECK (octet_length(payment_reference) BETWEEN 1 AND 255),
    ADD COLUMN reclaimed         boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT bookings_confirmed_in_time,
    ADD CONSTRAINT bookings_confirmed_in_time CHECK (confirmed_at < expires_at OR reclaimed),
    ADD CONSTRAINT bookings_reclaimed_when_confirmed CHECK (NOT reclaimed OR status = 'CONFIRMED'),
    DROP CONSTRAINT bookings_failure_reason_known,
    ADD CONSTRAINT bookings_failure_reason_known CHECK (failure_reason IN ('expired', 'cancelled', 'show_cancelled'));

-- What a customer has in a show.
CREATE INDEX bookings_of_customer ON bookings (show_id, customer) WHERE customer IS NOT NULL AND status <> 'FAILED';

ALTER TABLE booking_history
    DROP CONSTRAINT booking_history_event_check,
    ADD CONSTRAINT booking_history_event_check CHECK (event IN (
        'held', 'blocked', 'extended', 'changed', 'confirmed', 'reclaimed', 'expired', 'cancelled', 'show_cancelled', 'refund_due')),
    DROP CONSTRAINT booking_history_begins_with_a_hold,
    ADD CONSTRAINT booking_history_begins_with_a_hold CHECK ((event IN ('held', 'blocked')) = (from_status IS NULL));

-- Each payment that came with a confirm, once. In vain is one that bought nothing.
CREATE TABLE payments (
    show_id     bigint      NOT NULL,
    booking_id  bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    in_vain     boolean     NOT NULL,
    reference   text        COLLATE "C" PRIMARY KEY CHECK (octet_length(reference) BETWEEN 1 AND 255)
);

-- Money that has to be given back: nearly nothing of either table.
CREATE INDEX bookings_refund_due ON bookings (id) WHERE refund_due;
CREATE INDEX payments_in_vain ON payments (booking_id DESC, reference) WHERE in_vain;
