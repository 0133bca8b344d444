//! A look: which holds are refused, without a lock. One round trip, one statement.

use domain::{Hold, Keys, Look, Refusal, StoreError, TimeSource};

use crate::connection::Lease;
use crate::{rows, statements};

/// The refusals as of the snapshot in which the seats are read.
pub(crate) async fn run(lease: Lease, time: &TimeSource, holds: &[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError> {
    let keys = Keys::of_holds(holds.iter().copied());
    let shows: Vec<i64> = keys.seats.iter().map(|key| key.show_id.get()).collect();
    let numbers: Vec<i64> = keys.seats.iter().map(|key| key.number.get()).collect();
    let read = lease.read(statements::LOOK_SEATS, &[&shows, &numbers, &time.fixed()]).await?;
    let Some(first) = read.first() else { return Ok(vec![None; holds.len()]) };
    let seats = read.iter().map(rows::locked_seat).collect::<Result<_, _>>()?;
    let look = Look::new(rows::column(first, "before")?, rows::column(first, "after")?, seats);
    Ok(holds.iter().map(|hold| look.refusal(hold)).collect())
}
