//! The one place that reads the machine's clock.

use domain::{TimeSource, Timestamp};

/// The instant it is, to the microsecond. An embedded store has no other clock than the machine's.
#[expect(clippy::disallowed_methods, reason = "the store's clock is read here, and nowhere else")]
pub(crate) fn now(time: &TimeSource) -> Timestamp {
    time.fixed().unwrap_or_else(|| {
        let now = chrono::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    })
}
