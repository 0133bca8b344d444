//! The five round trips, and the one.

use deadpool_postgres::Pool;
use tokio_postgres::Row;

/// How a hold ended.
pub(super) enum Ending {
    /// With this booking.
    Held(i64),
    /// A seat is not free, or is none of the show's.
    NotFree,
}

/// What goes wrong in a pool or a database.
pub(super) type Failure = Box<dyn std::error::Error>;

/// A new show, all of its seats free.
pub(super) async fn create_show(pool: &Pool, name: &str, total_seats: i32) -> Result<i64, Failure> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(include_str!("../../sql/baseline/create-show.sql")).await?;
    Ok(client.query_one(&statement, &[&name, &total_seats]).await?.try_get(0)?)
}

/// Holds these seats, which are in ascending order, by one statement, which is a transaction of its own.
pub(super) async fn hold_by_one(pool: &Pool, show_id: i64, seats: &[i32], user: &str) -> Result<Ending, Failure> {
    let client = pool.get().await?;
    let booking = if let [seat] = seats {
        let statement = client.prepare_cached(include_str!("../../sql/baseline/hold-one-seat.sql")).await?;
        client.query_opt(&statement, &[&show_id, seat, &user]).await?
    } else {
        let statement = client.prepare_cached(include_str!("../../sql/baseline/hold-basket.sql")).await?;
        client.query(&statement, &[&show_id, &seats, &user]).await?.into_iter().next()
    };
    booking.map_or(Ok(Ending::NotFree), |booking| Ok(Ending::Held(booking.try_get(0)?)))
}

/// Holds these seats, which are in ascending order, in one transaction of five statements.
pub(super) async fn hold_by_five(pool: &Pool, show_id: i64, seats: &[i32], user: &str) -> Result<Ending, Failure> {
    let mut client = pool.get().await?;
    let lock_seats = client.prepare_cached(include_str!("../../sql/baseline/lock-seats.sql")).await?;
    let insert_booking = client.prepare_cached(include_str!("../../sql/baseline/insert-booking.sql")).await?;
    let update_seats = client.prepare_cached(include_str!("../../sql/baseline/update-seats.sql")).await?;

    let transaction = client.transaction().await?;
    let locked = transaction.query(&lock_seats, &[&show_id, &seats]).await?;
    if locked.len() < seats.len() || !locked.iter().all(is_free) {
        transaction.rollback().await?;
        return Ok(Ending::NotFree);
    }
    let booking = transaction.query_one(&insert_booking, &[&show_id, &user, &seats]).await?;
    let (id, expires_at): (i64, chrono::DateTime<chrono::Utc>) = (booking.try_get(0)?, booking.try_get(1)?);
    transaction.execute(&update_seats, &[&show_id, &seats, &id, &expires_at]).await?;
    transaction.commit().await?;
    Ok(Ending::Held(id))
}

fn is_free(seat: &Row) -> bool {
    seat.try_get::<_, &str>(1).is_ok_and(|status| status == "AVAILABLE")
}
