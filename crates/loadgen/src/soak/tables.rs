//! The tables of the server's PostgreSQL: how large, how tidy.

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::{Client, NoTls};

/// Purpose: size and tidiness of the three tables. Locks: none but the catalogue's.
const SQL: &str = "
    SELECT relname::text, pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd,
           vacuum_count + autovacuum_count
    FROM pg_stat_user_tables
    WHERE relname IN ('shows', 'seats', 'bookings')
    ORDER BY relname";

/// A table, as PostgreSQL's statistics show it. Its rows are estimates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Bytes of its heap, with the maps of free space and visibility.
    pub heap_bytes: i64,
    /// Bytes of its indexes.
    pub index_bytes: i64,
    /// Rows.
    pub live_rows: i64,
    /// Rows that are no more, and still take room.
    pub dead_rows: i64,
    /// Updates so far.
    pub updates: i64,
    /// Those of them that touched no index.
    pub hot_updates: i64,
    /// How often it was vacuumed so far.
    pub vacuums: i64,
}

/// A connection of its own to look through.
pub(super) struct Watch(Client);

impl Watch {
    pub(super) async fn connect(database_url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("can't connect to the database")?;
        // It ends with its client; what goes wrong on it is seen by the statement on it.
        tokio::spawn(connection);
        Ok(Self(client))
    }

    pub(super) async fn look(&self) -> anyhow::Result<Vec<Table>> {
        let rows = self.0.query(SQL, &[]).await.context("can't look at the tables")?;
        let table = |row: &tokio_postgres::Row| {
            Ok(Table {
                name: row.try_get(0)?,
                heap_bytes: row.try_get(1)?,
                index_bytes: row.try_get(2)?,
                live_rows: row.try_get(3)?,
                dead_rows: row.try_get(4)?,
                updates: row.try_get(5)?,
                hot_updates: row.try_get(6)?,
                vacuums: row.try_get(7)?,
            })
        };
        rows.iter().map(table).collect::<Result<_, tokio_postgres::Error>>().context("the statistics can't be read")
    }
}
