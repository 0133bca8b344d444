//! How a customer takes a "not now".

use std::time::{Duration, Instant};

use crate::client::{CallError, Connection, Held};
use crate::progress::Progress;
use crate::tally::Tally;

/// How often a call is made before its customer gives up.
const TRIES_MAX: u32 = 20;

/// The wait after a 503 that does not say how long, and the longest wait after one that does.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Creates a show with so many seats, trying again while the answer is 503: its identity.
///
/// # Errors
/// [`CallError`]: `Refused` with 503 after so many tries.
pub(crate) async fn show(connection: &mut Connection, name: &str, seats: u32) -> Result<i64, CallError> {
    for _ in 1..TRIES_MAX {
        match connection.create_show(name, seats).await {
            Err(CallError::Refused { status: 503, .. }) => tokio::time::sleep(PAUSE).await,
            made => return made,
        }
    }
    connection.create_show(name, seats).await
}

/// Holds these seats, trying again while the answer is 503. Every answer is counted.
pub(crate) async fn hold(
    connection: &mut Connection,
    (show_id, seats): (i64, &[u32]),
    tally: &mut Tally,
    progress: &Progress,
) -> Option<Held> {
    for _ in 0..TRIES_MAX {
        let began = Instant::now();
        match connection.book(show_id, seats).await {
            Ok(answer) => {
                tally.answered(answer.status, began.elapsed());
                progress.step();
                if answer.status != 503 {
                    return answer.held;
                }
                tokio::time::sleep(answer.retry_after_seconds.map_or(PAUSE, Duration::from_secs).min(PAUSE_MAX)).await;
            }
            Err(error) => {
                tally.failed(&error);
                // A server that is gone must not be asked in a circle.
                tokio::time::sleep(PAUSE).await;
                return None;
            }
        }
    }
    None
}

/// Confirms a hold, trying again while the answer is 503: whether it is confirmed. Every answer is counted.
pub(crate) async fn confirm(connection: &mut Connection, held: &Held, tally: &mut Tally, progress: &Progress) -> bool {
    for _ in 0..TRIES_MAX {
        let began = Instant::now();
        match connection.confirm(held).await {
            Ok(status) => {
                tally.answered(status, began.elapsed());
                progress.step();
                if status != 503 {
                    return status == 200;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tally.failed(&error);
                tokio::time::sleep(PAUSE).await;
                return false;
            }
        }
    }
    false
}
