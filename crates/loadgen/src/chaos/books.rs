//! What the database says when all is over, read by SQL of our own.

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::{Client, NoTls, Row};

use super::history::{BookingStatus, Micros, SeatStatus};

/// Every booking and every seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// The bookings, by identity.
    pub bookings: Vec<BookingRow>,
    /// The seats, by show and number.
    pub seats: Vec<SeatRow>,
}

/// A row of `bookings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookingRow {
    /// Its identity.
    pub id: i64,
    /// The show.
    pub show_id: i64,
    /// For whom.
    pub user_name: String,
    /// The seats that it lists.
    pub seats: Vec<u32>,
    /// How it stands in its row.
    pub status: BookingStatus,
    /// Its deadline.
    pub expires_at: Micros,
    /// When it was confirmed.
    pub confirmed_at: Option<Micros>,
    /// When its seats were held.
    pub created_at: Micros,
}

/// A row of `seats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeatRow {
    /// The show.
    pub show_id: i64,
    /// Its number.
    pub number: u32,
    /// How it stands in its row.
    pub status: SeatStatus,
    /// The booking that has it.
    pub booking_id: Option<i64>,
}

/// One snapshot, in UTC microseconds.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5min'";
const BOOKINGS: &str = "SELECT id, show_id, user_name, seat_numbers, status,
        (extract(epoch FROM expires_at) * 1000000)::bigint AS expires_at,
        (extract(epoch FROM confirmed_at) * 1000000)::bigint AS confirmed_at,
        (extract(epoch FROM created_at) * 1000000)::bigint AS created_at
    FROM bookings ORDER BY id";
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
    let seats = client.query(SEATS, &[]).await.context("can't read the seats")?;
    client.batch_execute("COMMIT").await.context("can't end reading")?;
    Ok(Books {
        bookings: bookings.iter().map(booking).collect::<anyhow::Result<_>>()?,
        seats: seats.iter().map(seat).collect::<anyhow::Result<_>>()?,
    })
}

fn booking(row: &Row) -> anyhow::Result<BookingRow> {
    let seats: Vec<i32> = row.try_get("seat_numbers")?;
    Ok(BookingRow {
        id: row.try_get("id")?,
        show_id: row.try_get("show_id")?,
        user_name: row.try_get("user_name")?,
        seats: seats.into_iter().map(u32::try_from).collect::<Result<_, _>>()?,
        status: match row.try_get("status")? {
            "PENDING" => BookingStatus::Pending,
            "CONFIRMED" => BookingStatus::Confirmed,
            "FAILED" => BookingStatus::Failed,
            other => anyhow::bail!("a booking is {other}"),
        },
        expires_at: row.try_get("expires_at")?,
        confirmed_at: row.try_get("confirmed_at")?,
        created_at: row.try_get("created_at")?,
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
