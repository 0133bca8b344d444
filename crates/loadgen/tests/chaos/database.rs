//! The books, read from a real database.

use loadgen::chaos::books::{self, BookingRow, Books, PaymentRow, SeatRow, Step, StepKind};
use loadgen::chaos::history::{BookingStatus, SeatStatus};
use throwaway_postgres::Cluster;
use tokio_postgres::NoTls;

const TABLES: &str = "
    CREATE TABLE seats (id bigint, show_id bigint, seat_number integer, status text, booking_id bigint, held_until timestamptz);
    CREATE TABLE bookings (id bigint, show_id bigint, user_name text, blocked_for text, customer text, seat_numbers integer[], status text, refund_due boolean,
        failure_reason text, expires_at timestamptz, confirmed_at timestamptz, created_at timestamptz, updated_at timestamptz);
    CREATE TABLE booking_history (show_id bigint, number bigint, booking_id bigint, happened_at timestamptz, event text,
        from_status text, actor text, seat_numbers integer[]);
    CREATE TABLE payments (reference text, show_id bigint, booking_id bigint, in_vain boolean, recorded_at timestamptz);
    CREATE TABLE shows (id bigint, name text, cancelled_at timestamptz);
    INSERT INTO shows VALUES (6, 'a', NULL), (7, 'b', '2030-01-01Z');
    INSERT INTO payments VALUES ('p', 7, 3, true, '2030-01-01Z');
    INSERT INTO booking_history VALUES
        (7, 3, 3, '2030-01-01Z', 'refund_due', 'FAILED', 'customer', '{1,2}'),
        (7, 2, 4, '2030-01-01 00:00:00.000001Z', 'changed', 'PENDING', 'customer', '{1}'),
        (7, 1, 4, '2030-01-01Z', 'held', NULL, 'customer', '{2}');
    INSERT INTO seats VALUES (2, 7, 2, 'AVAILABLE', NULL, NULL), (1, 7, 1, 'CONFIRMED', 4, NULL);
    INSERT INTO bookings VALUES
        (4, 7, 'house', 'op-9', NULL, '{1}', 'CONFIRMED', false, NULL, '2030-01-01 00:00:02.000001Z', '2030-01-01 00:00:01.5Z', '2030-01-01Z', now()),
        (3, 7, 'op-8', NULL, 'c', '{1,2}', 'FAILED', true, 'expired', '2029-12-31 23:59:59.999999+01', NULL, '2029-12-31Z', now());";

#[tokio::test]
async fn books_are_read_to_the_microsecond() {
    let url = Cluster::shared().fresh_database();
    let error = books::read(&url).await.unwrap_err();
    assert!(format!("{error:#}").contains("can't read the bookings"), "{error:#}");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(TABLES).await.unwrap();

    let new_year = 1_893_456_000_000_000;
    let failed = BookingRow {
        id: 3,
        show_id: 7,
        user_name: "op-8".into(),
        is_block: false,
        customer: Some("c".into()),
        seats: vec![1, 2],
        status: BookingStatus::Failed,
        refund_due: true,
        expires_at: new_year - 3_600_000_001,
        confirmed_at: None,
        created_at: new_year - 86_400_000_000,
        steps: vec![Step { number: 3, at: new_year, event: StepKind::RefundDue, was_sold: false, seats: vec![1, 2] }],
    };
    let confirmed = BookingRow {
        id: 4,
        user_name: "op-9".into(),
        is_block: true,
        customer: None,
        seats: vec![1],
        status: BookingStatus::Confirmed,
        refund_due: false,
        expires_at: new_year + 2_000_001,
        confirmed_at: Some(new_year + 1_500_000),
        created_at: new_year,
        steps: vec![
            Step { number: 1, at: new_year, event: StepKind::Held, was_sold: false, seats: vec![2] },
            Step { number: 2, at: new_year + 1, event: StepKind::Changed, was_sold: false, seats: vec![1] },
        ],
        ..failed.clone()
    };
    let seats = [(1, SeatStatus::Confirmed, Some(4)), (2, SeatStatus::Available, None)];
    let seats = seats.map(|(number, status, booking_id)| SeatRow { show_id: 7, number, status, booking_id });
    let payments = vec![PaymentRow { reference: "p".into(), booking_id: 3, in_vain: true, recorded_at: new_year }];
    let (bookings, cancelled_shows) = (vec![failed, confirmed], [(7, new_year)].into());
    let show_names = [(6, "a".to_owned()), (7, "b".to_owned())].into();
    let expected = Books { bookings, seats: seats.into(), payments, cancelled_shows, show_names };
    assert_eq!(books::read(&url).await.unwrap(), expected);

    client.batch_execute("UPDATE bookings SET status = 'LOST' WHERE id = 3").await.unwrap();
    assert_eq!(books::read(&url).await.unwrap_err().to_string(), "a booking is LOST");
}
