//! Calling off: the bookings of a cancelled show fail, a batch at a time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use domain::{BookingFilter, BookingRepository, BookingStatus, CalledOff, Command, Page, Request, ShowRepository, StoreError};

use crate::panics::caught;

/// Between two looks for shows whose bookings have not all failed: nothing can be done with those by then, whether they have or not.
const EVERY: Duration = Duration::from_secs(1);

/// So many bookings fail in one transaction: those who want others of these seats wait for it.
const BATCH: NonZeroU32 = NonZeroU32::new(100).expect("more than none");

/// So often a batch is tried that others are in the way of.
const TRIES_MAX: u32 = 20;

/// Fails every booking of a cancelled show. One that can't fail keeps no other from it.
///
/// # Errors
/// [`StoreError`]: what is left fails with the next call.
pub async fn call_off(
    shows: &dyn ShowRepository,
    bookings: &dyn BookingRepository,
    CalledOff { show_id, by }: &CalledOff,
) -> Result<(), StoreError> {
    let mut left = None;
    for status in [BookingStatus::Pending, BookingStatus::Confirmed] {
        let mut before = None;
        loop {
            let filter = BookingFilter { status: Some(status), show_id: Some(*show_id), ..BookingFilter::default() };
            let found = bookings.list(&filter, Page { limit: BATCH, before }).await?;
            let Some(last) = found.last() else { break };
            before = Some(last.id.get());
            // In a cancelled show that is what a cancellation finds done.
            let cancel = |id| Request::new(Command::Cancel { booking_id: id }, by.clone());
            let batch: Vec<Request> = found.iter().map(|booking| cancel(booking.id)).collect();
            left = left.or(execute(bookings, &batch).await?);
        }
    }
    match left {
        None => shows.called_off(*show_id).await,
        Some(error) => Err(error),
    }
}

/// Executes the batch, or what is good in it: why something was left out, if something was.
///
/// # Errors
/// [`StoreError`] that is nobody's fault in the batch.
async fn execute(bookings: &dyn BookingRepository, batch: &[Request]) -> Result<Option<StoreError>, StoreError> {
    let Err(error) = try_often(bookings, batch).await else { return Ok(None) };
    match error {
        StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => Err(error),
        StoreError::Contended(_) | StoreError::Corrupt(_) => {
            let mut left = None;
            for request in batch {
                match try_often(bookings, std::slice::from_ref(request)).await {
                    Ok(()) => {}
                    Err(error @ (StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))) => return Err(error),
                    Err(error @ (StoreError::Contended(_) | StoreError::Corrupt(_))) => left = Some(error),
                }
            }
            Ok(left)
        }
    }
}

/// Executes the batch, again and again if others are in the way.
async fn try_often(bookings: &dyn BookingRepository, batch: &[Request]) -> Result<(), StoreError> {
    for _ in 1..TRIES_MAX {
        match bookings.execute(batch).await {
            Err(StoreError::Contended(_)) => tokio::task::yield_now().await,
            done => return done.map(drop),
        }
    }
    bookings.execute(batch).await.map(drop)
}

/// Goes on with every show that was cancelled and not called off to its end, until `stop` resolves. A batch
/// that has begun by then happens wholly or not at all.
pub async fn call_off_shows(
    shows: Arc<dyn ShowRepository>,
    bookings: Arc<dyn BookingRepository>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        let rest = async {
            let mut done = Ok(());
            for show in shows.calling_off().await? {
                // One show that can't be called off keeps no other from it.
                done = done.and(call_off(shows.as_ref(), bookings.as_ref(), &show).await);
            }
            done
        };
        let rest = caught(rest);
        tokio::select! {
            biased;
            () = &mut stop => return,
            done = rest => if let Err(error) = done {
                tracing::warn!(%error, "a cancelled show can't be called off");
            }
        }
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
