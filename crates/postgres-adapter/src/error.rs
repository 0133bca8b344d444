//! What the driver, the pool and the database say, classed by what a caller can do. SQLSTATEs are read here and nowhere else.

use deadpool_postgres::PoolError;
use domain::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// A failure before the commit was sent: whatever it is, nothing has happened.
pub(crate) fn before_commit(error: &Error) -> StoreError {
    let Some(db) = error.as_db_error() else {
        return StoreError::Unavailable(with_sources(error));
    };
    let text = format!("{} {}", db.code().code(), db.message());
    if is_contention(db.code()) || is_used_meanwhile(db) {
        StoreError::Contended(text)
    } else if is_unavailability(db.code()) {
        StoreError::Unavailable(text)
    } else {
        StoreError::Corrupt(text)
    }
}

/// A failure of a statement that was sent together with the commit: what the database refused has not happened; if the
/// connection broke, nobody knows.
pub(crate) fn with_commit(error: &Error) -> StoreError {
    if error.as_db_error().is_some() { before_commit(error) } else { StoreError::OutcomeUnknown(with_sources(error)) }
}

/// A failure of the commit itself: even a refusal may have come after the fact, as when a server that is going down stops
/// waiting for its standby.
pub(crate) fn of_commit(error: &Error) -> StoreError {
    StoreError::OutcomeUnknown(with_sources(error))
}

/// A failure of a statement that commits by itself: as [`with_commit`], but a server that goes down while it commits says so in
/// answer to the statement.
pub(crate) fn of_one_trip(error: &Error) -> StoreError {
    match with_commit(error) {
        StoreError::Unavailable(text) => StoreError::OutcomeUnknown(text),
        class @ (StoreError::Contended(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_)) => class,
    }
}

/// A failure to get a connection.
pub(crate) fn of_pool(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => match before_commit(error) {
            // A wrong password or an unknown database is no answer to the caller's command.
            StoreError::Corrupt(text) => StoreError::Unavailable(text),
            class @ (StoreError::Unavailable(_) | StoreError::Contended(_) | StoreError::OutcomeUnknown(_)) => class,
        },
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            StoreError::Unavailable(error.to_string())
        }
    }
}

/// Someone else is in the way; the same again may succeed.
fn is_contention(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED]
        .contains(code)
}

/// Whether a statement failed for no other reason than that someone else has used a request's key, a payment, or the next number of a
/// show, or has written a row anew, since it began: the same again sees that.
pub(crate) fn is_overtaken(error: &Error) -> bool {
    error.as_db_error().is_some_and(is_used_meanwhile)
}

fn is_used_meanwhile(error: &DbError) -> bool {
    // So says `save_if_foreseen.sql` that it has not seen a row that it had locked.
    *error.code() == SqlState::DIVISION_BY_ZERO
        || *error.code() == SqlState::UNIQUE_VIOLATION
            && matches!(error.constraint(), Some("booking_history_pkey" | "idempotency_keys_pkey" | "payments_pkey"))
}

/// The server goes down, comes up, is full, or can't write.
fn is_unavailability(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    // 08 connection, 25 read-only or aborted transaction, 28 authorisation, 3D no such database, 53 out of resources,
    // 57 shutdown, 58 I/O.
    // 0A000 is a plan that a migration made stale; it is made anew on a new connection.
    matches!(class, "08" | "0A" | "25" | "28" | "3D" | "53" | "57" | "58") || *code == SqlState::UNDEFINED_TABLE
}

/// The driver's errors say little without their sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
