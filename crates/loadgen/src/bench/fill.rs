//! Tables as they are on the day: filled by SQL, as fast as PostgreSQL takes it.

use anyhow::Context;
use tokio_postgres::{Client, Row};

use super::deal::Deal;

/// Seats of the houses that a table is filled with.
const HOUSE: i32 = 1000;

/// New shows, all of their seats free.
pub(super) async fn new_shows(session: &Client, shows: u64, seats_a_show: u64) -> anyhow::Result<(i64, i64)> {
    let (shows, seats) = (i32::try_from(shows)?, i32::try_from(seats_a_show)?);
    let sql = include_str!("../../sql/bench/new-shows.sql");
    neighbours(&session.query_one(sql, &[&shows, &seats]).await.context("can't create shows")?)
}

/// A build from before bookings knew their last change has no room for it. Nobody but us writes it there.
async fn room_for_last_changes(session: &Client) -> anyhow::Result<()> {
    let sql = "ALTER TABLE bookings ADD COLUMN IF NOT EXISTS last_change bigint";
    session.batch_execute(sql).await.context("can't make room for the last change")
}

/// The ids of new shows, which follow each other unless somebody else is at work.
fn neighbours(created: &Row) -> anyhow::Result<(i64, i64)> {
    let (first, last, count): (i64, i64, i64) = (created.try_get(0)?, created.try_get(1)?, created.try_get(2)?);
    anyhow::ensure!(last - first + 1 == count, "somebody else creates shows in this database");
    Ok((first, last))
}

/// Fills a database with so many seats, the older half of the shows booked out, and tidies up.
pub(super) async fn table(session: &Client, seats: u64) -> anyhow::Result<()> {
    let shows = i32::try_from(seats / u64::from(HOUSE.unsigned_abs()))?.max(2);
    let sql = include_str!("../../sql/bench/shows.sql");
    let (first, _) = neighbours(&session.query_one(sql, &[&shows, &HOUSE]).await.context("can't create shows")?)?;
    let sold = shows / 2;
    book_out(session, first, sold, HOUSE).await?;
    let free = include_str!("../../sql/bench/free-seats.sql");
    session.execute(free, &[&(first + i64::from(sold)), &(shows - sold), &HOUSE]).await.context("can't create seats")?;
    tidy(session).await
}

/// One show that is sold out.
pub(super) async fn sold_out(session: &Client, seats: u64) -> anyhow::Result<Deal> {
    let seats_in_pairs = i32::try_from(seats)?;
    let sql = include_str!("../../sql/bench/shows.sql");
    let created = session.query_one(sql, &[&1_i32, &seats_in_pairs]).await.context("can't create a show")?;
    let (first_show, _) = neighbours(&created)?;
    book_out(session, first_show, 1, seats_in_pairs).await?;
    tidy(session).await?;
    Ok(Deal { first_show, shows: 1, seats_a_show: seats, basket: 1, in_turn: false })
}

async fn book_out(session: &Client, first_show: i64, shows: i32, seats: i32) -> anyhow::Result<()> {
    room_for_last_changes(session).await?;
    let first_booking = reserve(session, i64::from(shows) * i64::from(seats / 2)).await?;
    for sql in [include_str!("../../sql/bench/old-bookings.sql"), include_str!("../../sql/bench/old-seats.sql")] {
        session.execute(sql, &[&first_show, &shows, &seats, &first_booking]).await.context("can't book shows out")?;
    }
    Ok(())
}

/// Steps in which seats are held.
const STEPS: i64 = 20;

/// A show all of whose seats are held by bookings that have run out, so many by each: its id, and the last booking to be swept. The
/// seats lie as a sale leaves them, which has cleared each page of what seats were before, again and again.
pub(super) async fn dead_holds(session: &Client, seats: u64, basket: u64) -> anyhow::Result<(i64, i64)> {
    let (bookings, seats, basket) = (i32::try_from(seats / basket)?, i32::try_from(seats)?, i32::try_from(basket)?);
    let sql = include_str!("../../sql/bench/shows.sql");
    let created = session.query_one(sql, &[&1_i32, &seats]).await.context("can't create a show")?;
    let (show, _) = neighbours(&created)?;
    let sql = include_str!("../../sql/bench/free-seats.sql");
    session.execute(sql, &[&show, &1_i32, &seats]).await.context("can't create seats")?;
    room_for_last_changes(session).await?;
    let first_booking = reserve(session, i64::from(bookings)).await?;
    let sql = include_str!("../../sql/bench/dead-bookings.sql");
    session.execute(sql, &[&show, &bookings, &basket, &first_booking]).await.context("can't make dead holds")?;
    session.batch_execute("ANALYZE bookings, seats").await?;
    let hold = as_seats_are(session, include_str!("../../sql/bench/dead-seats.sql")).await?;
    for step in 0..STEPS {
        session.execute(&hold, &[&show, &bookings, &first_booking, &STEPS, &step]).await.context("can't hold their seats")?;
    }
    Ok((show, first_booking + i64::from(bookings) - 1))
}

/// The statement as this build has seats: one from before they had padding knows no such column.
async fn as_seats_are(session: &Client, sql: &str) -> anyhow::Result<String> {
    let known = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'seats' AND column_name = 'padding'";
    let known: i64 = session.query_one(known, &[]).await.context("can't look at the columns of seats")?.try_get(0)?;
    Ok(if known == 0 { sql.replace(", padding = NULL", "") } else { sql.to_owned() })
}

/// So many booking ids, which nobody else gets: the first of them.
async fn reserve(session: &Client, bookings: i64) -> anyhow::Result<i64> {
    let sql = "SELECT nextval('bookings_id_seq')";
    let first: i64 = session.query_one(sql, &[]).await.context("can't take booking ids")?.try_get(0)?;
    session.execute("SELECT setval('bookings_id_seq', $1)", &[&(first + bookings)]).await.context("can't take booking ids")?;
    Ok(first)
}

async fn tidy(session: &Client) -> anyhow::Result<()> {
    session.batch_execute("VACUUM (ANALYZE) shows, seats, bookings").await.context("can't vacuum")
}
