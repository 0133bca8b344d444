//! The books, read from PostgreSQL.

use anyhow::Context;
use tokio_postgres::{Client, NoTls, Row};

use super::super::history::{BookingStatus, Micros, SeatStatus};
use super::{BookingRow, Books, PaymentRow, SeatRow, Step, StepKind};

/// One snapshot, in UTC microseconds.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5min'";
const BOOKINGS: &str = "SELECT id, show_id, COALESCE(blocked_for, user_name) AS user_name, blocked_for IS NOT NULL AS is_block,
        customer, seat_numbers, status, refund_due,
        (extract(epoch FROM expires_at) * 1000000)::bigint AS expires_at,
        (extract(epoch FROM confirmed_at) * 1000000)::bigint AS confirmed_at,
        (extract(epoch FROM created_at) * 1000000)::bigint AS created_at
    FROM bookings ORDER BY id";
const STEPS: &str = "SELECT booking_id, number, (extract(epoch FROM happened_at) * 1000000)::bigint AS at, event,
        COALESCE(from_status, '') = 'CONFIRMED' AS was_sold, seat_numbers
    FROM booking_history ORDER BY show_id, number";
const PAYMENTS: &str = "SELECT reference, booking_id, in_vain, (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_at
    FROM payments ORDER BY reference";
const SHOWS: &str = "SELECT id, name, (extract(epoch FROM cancelled_at) * 1000000)::bigint AS cancelled_at FROM shows";
const SEATS: &str = "SELECT show_id, seat_number, status, booking_id FROM seats ORDER BY show_id, seat_number";

/// Reads the books of a database.
///
/// # Errors
/// If it can't be read, or holds what no booking database holds.
pub async fn read(database_url: &str) -> anyhow::Result<Books> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("can't connect to the database")?;
    let connection = tokio::spawn(connection);
    let books = read_on(&client).await;
    drop(client);
    // What went wrong on the connection has been seen by the statement on it.
    let _ = connection.await;
    books
}

async fn read_on(client: &Client) -> anyhow::Result<Books> {
    client.batch_execute(BEGIN).await.context("can't begin to read")?;
    let bookings = client.query(BOOKINGS, &[]).await.context("can't read the bookings")?;
    let steps = client.query(STEPS, &[]).await.context("can't read the history")?;
    let seats = client.query(SEATS, &[]).await.context("can't read the seats")?;
    let payments = client.query(PAYMENTS, &[]).await.context("can't read the payments")?;
    let shows = client.query(SHOWS, &[]).await.context("can't read the shows")?;
    client.batch_execute("COMMIT").await.context("can't end reading")?;
    Ok(Books {
        bookings: with_steps(bookings.iter().map(booking).collect::<anyhow::Result<_>>()?, &steps)?,
        seats: seats.iter().map(seat).collect::<anyhow::Result<_>>()?,
        payments: payments.iter().map(payment).collect::<anyhow::Result<_>>()?,
        cancelled_shows: shows.iter().filter_map(cancelled_show).collect::<anyhow::Result<_>>()?,
        show_names: shows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("name")?))).collect::<anyhow::Result<_>>()?,
    })
}

fn with_steps(mut bookings: Vec<BookingRow>, steps: &[Row]) -> anyhow::Result<Vec<BookingRow>> {
    for row in steps {
        let id: i64 = row.try_get("booking_id")?;
        // A step of a booking that is not there: verify says so.
        if let Ok(index) = bookings.binary_search_by_key(&id, |booking| booking.id) {
            bookings[index].steps.push(step(row)?);
        }
    }
    Ok(bookings)
}

fn step(row: &Row) -> anyhow::Result<Step> {
    Ok(Step {
        number: row.try_get("number")?,
        at: row.try_get("at")?,
        event: match row.try_get("event")? {
            "held" => StepKind::Held,
            "extended" => StepKind::Extended,
            "changed" => StepKind::Changed,
            "blocked" => StepKind::Blocked,
            "confirmed" => StepKind::Confirmed,
            "reclaimed" => StepKind::Reclaimed,
            "expired" => StepKind::Expired,
            "cancelled" => StepKind::Cancelled,
            "show_cancelled" => StepKind::ShowCancelled,
            "refund_due" => StepKind::RefundDue,
            other => anyhow::bail!("a step is {other}"),
        },
        was_sold: row.try_get("was_sold")?,
        seats: seat_numbers(row)?,
    })
}

fn seat_numbers(row: &Row) -> anyhow::Result<Vec<u32>> {
    let seats: Vec<i32> = row.try_get("seat_numbers")?;
    Ok(seats.into_iter().map(u32::try_from).collect::<Result<_, _>>()?)
}

fn booking(row: &Row) -> anyhow::Result<BookingRow> {
    Ok(BookingRow {
        id: row.try_get("id")?,
        show_id: row.try_get("show_id")?,
        user_name: row.try_get("user_name")?,
        is_block: row.try_get("is_block")?,
        customer: row.try_get("customer")?,
        seats: seat_numbers(row)?,
        status: match row.try_get("status")? {
            "PENDING" => BookingStatus::Pending,
            "CONFIRMED" => BookingStatus::Confirmed,
            "FAILED" => BookingStatus::Failed,
            other => anyhow::bail!("a booking is {other}"),
        },
        refund_due: row.try_get("refund_due")?,
        expires_at: row.try_get("expires_at")?,
        confirmed_at: row.try_get("confirmed_at")?,
        created_at: row.try_get("created_at")?,
        steps: Vec::new(),
    })
}

fn cancelled_show(row: &Row) -> Option<anyhow::Result<(i64, Micros)>> {
    let read = || anyhow::Ok((row.try_get("id")?, row.try_get::<_, Option<Micros>>("cancelled_at")?));
    match read() {
        Ok((id, cancelled_at)) => cancelled_at.map(|cancelled_at| Ok((id, cancelled_at))),
        Err(error) => Some(Err(error)),
    }
}

fn payment(row: &Row) -> anyhow::Result<PaymentRow> {
    Ok(PaymentRow {
        reference: row.try_get("reference")?,
        booking_id: row.try_get("booking_id")?,
        in_vain: row.try_get("in_vain")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}

fn seat(row: &Row) -> anyhow::Result<SeatRow> {
    let number: i32 = row.try_get("seat_number")?;
    Ok(SeatRow {
        show_id: row.try_get("show_id")?,
        number: number.try_into()?,
        status: match row.try_get("status")? {
            "AVAILABLE" => SeatStatus::Available,
            "PENDING" => SeatStatus::Pending,
            "CONFIRMED" => SeatStatus::Confirmed,
            other => anyhow::bail!("a seat is {other}"),
        },
        booking_id: row.try_get("booking_id")?,
    })
}
