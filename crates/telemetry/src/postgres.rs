//! What the PostgreSQL adapter counts itself.

use postgres_adapter::{PgStore, PoolUse};

use crate::metrics::{Kind, Metrics, MetricsError, Sample};

/// Adds the metrics of the batches that a PostgreSQL store runs: round trips and locks.
///
/// # Errors
/// [`MetricsError`].
pub fn watch_batches(metrics: &Metrics, store: &PgStore) -> Result<(), MetricsError> {
    let help = "Batches of holds, confirms and the like, by their round trips to PostgreSQL: one, or several.";
    let of = store.clone();
    metrics.pull(Kind::Counter, "rowlock_store_batches_total", help, &["trips"], move || {
        let figures = of.figures();
        vec![(vec!["one"], number(figures.batches_in_one_trip)), (vec!["several"], number(figures.batches_locked))]
    })?;
    let help = "Of the batches in one round trip those that were sent behind another, which was being executed still.";
    let of = store.clone();
    metrics.pull(Kind::Counter, "rowlock_store_batches_behind_total", help, &[], move || {
        vec![(Vec::new(), number(of.figures().batches_behind))]
    })?;
    let help = "Batches that were tried in one round trip and did not come true as foreseen.";
    let of = store.clone();
    metrics.pull(Kind::Counter, "rowlock_store_forecasts_failed_total", help, &[], move || {
        vec![(Vec::new(), number(of.figures().forecasts_failed))]
    })?;
    let help = "Time that batches of several round trips took to lock their rows, waits included, in seconds.";
    let of = store.clone();
    metrics.pull(Kind::Counter, "rowlock_store_locking_seconds_total", help, &[], move || {
        vec![(Vec::new(), of.figures().locking.as_secs_f64())]
    })
}

/// Adds the metrics of a PostgreSQL store's connections.
///
/// # Errors
/// [`MetricsError`].
pub fn watch_pools(metrics: &Metrics, store: &PgStore) -> Result<(), MetricsError> {
    let of_pools = |store: &PgStore, read: fn(PoolUse) -> Vec<Sample>| {
        let store = store.clone();
        move || store.figures().pools.into_iter().flat_map(read).collect()
    };
    let help = "Open connections to PostgreSQL, by pool and by whether they are in use.";
    let read = of_pools(store, |pool| {
        vec![(vec![pool.name, "in_use"], number(pool.in_use)), (vec![pool.name, "idle"], number(pool.idle))]
    });
    metrics.pull(Kind::Gauge, "rowlock_pool_connections", help, &["pool", "state"], read)?;
    let read = of_pools(store, |pool| vec![(vec![pool.name], number(pool.max))]);
    metrics.pull(Kind::Gauge, "rowlock_pool_connections_max", "Most connections of a pool.", &["pool"], read)?;
    let read = of_pools(store, |pool| vec![(vec![pool.name], number(pool.waiting))]);
    metrics.pull(Kind::Gauge, "rowlock_pool_waiting", "Callers that wait for a connection of a pool.", &["pool"], read)
}

/// A count; beyond what a float holds exactly nobody counts.
#[expect(clippy::cast_precision_loss, reason = "it would take a century of batches")]
fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
