//! Forgetting: requests are known again for a time, and then only take up room.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use domain::BookingRepository;

use crate::panics::caught;

/// Between two looks. Nothing depends on it: a key is as new from the end of its time on, forgotten or not.
const EVERY: Duration = Duration::from_mins(1);

/// Forgets keys whose time is over, at most `batch` in one transaction, until `stop` resolves. A batch that has begun is finished.
pub async fn forget_keys(bookings: Arc<dyn BookingRepository>, batch: NonZeroU32, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let wait = match caught(bookings.forget_keys(batch)).await {
            Ok(forgotten) if forgotten >= batch.get() => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "old keys can't be forgotten");
                EVERY
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
