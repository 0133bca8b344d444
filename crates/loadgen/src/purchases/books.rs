//! Bookings and payments of some shows, as they are in the store.

use std::path::Path;

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::NoTls;

use crate::verify;

/// What is in the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) bookings: Vec<BookingRow>,
    pub(super) payments: Vec<PaymentRow>,
}

#[derive(Clone, Debug)]
pub(super) struct BookingRow {
    pub(super) id: i64,
    pub(super) show_id: i64,
    pub(super) user_name: String,
    pub(super) status: String,
    pub(super) refund_due: bool,
    pub(super) payment: Option<String>,
    pub(super) seats: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct PaymentRow {
    pub(super) reference: String,
    pub(super) booking_id: i64,
    pub(super) in_vain: bool,
}

/// Reads the bookings and payments of these shows.
pub(super) async fn read(store: &verify::Options, shows: &[i64]) -> anyhow::Result<Books> {
    match &store.database_url {
        Some(url) => postgres(url, shows).await.context("can't read the database"),
        None => sqlite(&store.data_dir.join("rowlock.db"), shows).context("can't read the file"),
    }
}

async fn postgres(url: &str, shows: &[i64]) -> anyhow::Result<Books> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let bookings = "SELECT id, show_id, user_name, status, refund_due, payment_reference, seat_numbers FROM bookings WHERE show_id = ANY ($1)";
    let payments = "SELECT reference, booking_id, in_vain FROM payments WHERE show_id = ANY ($1)";
    let mut books = Books::default();
    for row in client.query(bookings, &[&shows]).await? {
        let seats: Vec<i32> = row.try_get(6)?;
        books.bookings.push(BookingRow {
            id: row.try_get(0)?,
            show_id: row.try_get(1)?,
            user_name: row.try_get(2)?,
            status: row.try_get(3)?,
            refund_due: row.try_get(4)?,
            payment: row.try_get(5)?,
            seats: seats.into_iter().map(i32::unsigned_abs).collect(),
        });
    }
    for row in client.query(payments, &[&shows]).await? {
        let (reference, booking_id, in_vain) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        books.payments.push(PaymentRow { reference, booking_id, in_vain });
    }
    drop(client);
    connection.abort();
    Ok(books)
}

fn sqlite(file: &Path, shows: &[i64]) -> anyhow::Result<Books> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let bookings = "SELECT id, show_id, user_name, status, refund_due, payment_reference, seat_numbers FROM bookings
                    WHERE show_id IN (SELECT value FROM json_each(?1))";
    let payments = "SELECT reference, booking_id, in_vain FROM payments WHERE show_id IN (SELECT value FROM json_each(?1))";
    let shows = serde_json::to_string(shows)?;
    let mut books = Books::default();
    let mut statement = connection.prepare(bookings)?;
    let mut rows = statement.query([&shows])?;
    while let Some(row) = rows.next()? {
        books.bookings.push(BookingRow {
            id: row.get(0)?,
            show_id: row.get(1)?,
            user_name: row.get(2)?,
            status: row.get(3)?,
            refund_due: row.get(4)?,
            payment: row.get(5)?,
            seats: serde_json::from_str(&row.get::<_, String>(6)?)?,
        });
    }
    let mut statement = connection.prepare(payments)?;
    let mut rows = statement.query([&shows])?;
    while let Some(row) = rows.next()? {
        books.payments.push(PaymentRow { reference: row.get(0)?, booking_id: row.get(1)?, in_vain: row.get(2)? });
    }
    Ok(books)
}
