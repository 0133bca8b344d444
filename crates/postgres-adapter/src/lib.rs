//! The ports on PostgreSQL: row locks, batches, migrations.
//!
//! | call | round trips | statements |
//! |---|---|---|
//! | `execute` of a batch that comes true as foreseen | 1 | one: lock, compare, save |
//! | `execute` otherwise, whatever the size of the batch | 2 | `BEGIN`, lock seats, lock bookings, shows, clock; save, `COMMIT` |
//! | `execute` when every command is refused | 2 | as above; `ROLLBACK`, which waits for no disk |
//! | `execute` when a wanted seat is blocked by a dead hold that no sweep has found | 4 | the first trip twice, `ROLLBACK` in between |
//! | `expire_due` | 2 | `BEGIN`, lock what is due, clock; save, `COMMIT`, next deadline |
//! | `find`, `list`, `seat_map` | 1 | one |
//! | `find` of a hold that is dead but not FAILED in its row | 3 | find, wait for whoever is changing it, find |
//! | `create` | 1 | `BEGIN`, time limit, one for show and seats, `COMMIT` |
//!
//! Locks are taken on seats in key order, then on bookings in id order, in every path but the sweep, which never waits.

mod batch;
mod booking_repository;
mod connection;
mod encoding;
mod error;
mod figures;
mod foreseen;
mod foresight;
mod health;
mod lists;
mod look;
mod migrations;
mod numbering;
mod row_address;
mod rows;
mod save;
mod show_repository;
mod statements;
mod sweep;
mod tls;
mod words;

pub use booking_repository::PgBookingRepository;
pub use connection::{Foresee, PgSettings, SettingsError};
pub use figures::{PgFigures, PoolUse};
pub use health::PgStoreHealth;
pub use migrations::{MigrateError, Migrated, migrate};
pub use show_repository::PgShowRepository;

use connection::Connections;
use domain::TimeSource;
use figures::Tally;
use std::sync::Arc;

/// A PostgreSQL database as a store. It connects when it is first asked something.
#[derive(Clone)]
pub struct PgStore {
    connections: Connections,
    time: TimeSource,
    foresee: Foresee,
    tally: Arc<Tally>,
}

impl PgStore {
    /// A store on this database.
    ///
    /// # Errors
    /// [`SettingsError`] if the settings can't be used; that the database can't be reached shows later.
    pub fn new(settings: &PgSettings, time: TimeSource) -> Result<Self, SettingsError> {
        Ok(Self { connections: Connections::new(settings)?, time, foresee: settings.foresee, tally: Arc::default() })
    }

    /// Its bookings.
    pub fn bookings(&self) -> Arc<PgBookingRepository> {
        let (connections, tally) = (self.connections.clone(), Arc::clone(&self.tally));
        Arc::new(PgBookingRepository::new(connections, self.time.clone(), self.foresee, tally))
    }

    /// Its shows.
    pub fn shows(&self) -> Arc<PgShowRepository> {
        Arc::new(PgShowRepository::new(self.connections.clone(), self.time.clone()))
    }

    /// Its health.
    pub fn health(&self) -> Arc<PgStoreHealth> {
        Arc::new(PgStoreHealth::new(self.connections.clone(), self.time.clone()))
    }

    /// What it has done so far, and how its pools stand.
    pub fn figures(&self) -> PgFigures {
        self.tally.with_pools(self.connections.use_of_pools())
    }
}
