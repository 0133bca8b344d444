-- The history of a booking is found without an index of its own: the booking names its last step, and each step the one before it.
-- Both are written with rows that are written anyway. An index by booking cost every hold a tenth of PostgreSQL's time.
--
-- Locks: as before.

ALTER TABLE booking_history ADD COLUMN previous bigint;
ALTER TABLE bookings ADD COLUMN last_change bigint;

ALTER TABLE booking_history DISABLE TRIGGER booking_history_is_final;
UPDATE booking_history h
SET previous = step.previous
FROM (SELECT show_id, number, lag(number) OVER (PARTITION BY booking_id ORDER BY number) AS previous FROM booking_history) AS step
WHERE step.previous IS NOT NULL AND h.show_id = step.show_id AND h.number = step.number;
ALTER TABLE booking_history ENABLE TRIGGER booking_history_is_final;

UPDATE bookings b
SET last_change = last.number
FROM (SELECT booking_id, max(number) AS number FROM booking_history GROUP BY booking_id) AS last
WHERE b.id = last.booking_id;

-- Each statement that writes into a table reads the table's CHECKs anew, and that costs a batch more than to keep them: one says what
-- four said. That a step came from where the one before it led was more than a CHECK can say, and is for verify.
ALTER TABLE booking_history
    DROP CONSTRAINT booking_history_number_check,
    DROP CONSTRAINT booking_history_from_status_check,
    ADD CONSTRAINT booking_history_is_a_chain CHECK ((from_status IS NULL) = (previous IS NULL) AND COALESCE(previous, 0) < number);
ALTER TABLE bookings ALTER COLUMN last_change SET NOT NULL;
DROP INDEX booking_history_of_booking;
