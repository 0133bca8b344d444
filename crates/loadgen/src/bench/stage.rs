//! The PostgreSQL that everyone works on: one's own, or one that is started for it and goes with it.

use std::collections::BTreeMap;

use anyhow::Context;
use throwaway_postgres::{Cluster, DURABLE};
use tokio_postgres::{Client, NoTls};

use super::processor;

/// As docker-compose.yml has them; more connections, so that pgbench can have 256 of its own.
const LIKE_COMPOSE: [(&str, &str); 11] = [
    ("max_connections", "300"),
    ("shared_buffers", "512MB"),
    ("effective_cache_size", "1GB"),
    ("max_wal_size", "4GB"),
    ("min_wal_size", "1GB"),
    ("checkpoint_timeout", "15min"),
    ("random_page_cost", "1.1"),
    ("log_lock_waits", "on"),
    // PostgreSQL's defaults, which a throw-away cluster does without.
    ("wal_level", "replica"),
    ("max_wal_senders", "10"),
    ("jit", "on"),
];

/// What a budget needs besides; it costs a little, so the other runs do without.
const COUNTING: [(&str, &str); 4] = [
    ("shared_preload_libraries", "pg_stat_statements"),
    ("pg_stat_statements.track", "all"),
    ("track_io_timing", "on"),
    ("track_wal_io_timing", "on"),
];

/// The settings that are written down with the figures.
const TOLD: &str = "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', \
    'full_page_writes', 'wal_sync_method', 'wal_level', 'wal_compression', 'max_wal_size', 'checkpoint_timeout', 'shared_buffers', \
    'effective_cache_size', 'random_page_cost', 'max_connections', 'autovacuum', 'data_checksums', 'jit', 'shared_preload_libraries')";

/// A PostgreSQL to measure on.
pub(super) struct Stage {
    database_url: String,
    session: Client,
    postmaster: Option<u32>,
    cluster: Option<Cluster>,
}

impl Stage {
    /// Uses this database, or starts a durable cluster.
    pub(super) async fn open(database_url: Option<&str>, counting: bool) -> anyhow::Result<Self> {
        let (cluster, database_url) = if let Some(url) = database_url {
            (None, url.to_owned())
        } else {
            let mut settings = [&DURABLE[..], &LIKE_COMPOSE[..]].concat();
            if counting {
                settings.extend(COUNTING);
            }
            let cluster = Cluster::start_with(&settings).context("can't start a PostgreSQL")?;
            let url = cluster.url("postgres");
            (Some(cluster), url)
        };
        let session = connect(&database_url).await?;
        if cluster.is_some() {
            if session.batch_execute("ALTER SYSTEM SET wal_compression = lz4").await.is_err() {
                // Built without it.
                session.batch_execute("ALTER SYSTEM SET wal_compression = on").await?;
            }
            session.batch_execute("SELECT pg_reload_conf()").await?;
        }
        let backend: i32 = session.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        let postmaster = u32::try_from(backend).ok().and_then(|backend| processor::parent_named(backend, "postgres"));
        Ok(Self { database_url, session, postmaster, cluster })
    }

    /// Its first process, if it is on this machine.
    pub(super) const fn postmaster(&self) -> Option<u32> {
        self.postmaster
    }

    /// An empty database of this name; one's own database if it is not ours.
    pub(super) async fn database(&self, name: &str) -> anyhow::Result<String> {
        let Some(cluster) = &self.cluster else { return Ok(self.database_url.clone()) };
        self.session.batch_execute(&format!("CREATE DATABASE {name}")).await.context("can't create a database")?;
        Ok(cluster.url(name))
    }

    /// Removes a database that [`database`](Self::database) has made.
    pub(super) async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        if self.cluster.is_some() {
            self.session.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }

    /// Gets what the last run has left to write out of the way of the next one.
    pub(super) async fn settle(&self, rest: std::time::Duration) {
        // On one's own database not everyone may; the runs are still comparable without, only noisier.
        let _ = self.session.batch_execute("CHECKPOINT").await;
        tokio::time::sleep(rest).await;
    }

    /// Its version, the settings that matter, and the time in UTC.
    pub(super) async fn tell(&self) -> anyhow::Result<(String, BTreeMap<String, String>, String)> {
        let sql = "SELECT version(), to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')";
        let told = self.session.query_one(sql, &[]).await?;
        let mut settings = BTreeMap::new();
        for row in self.session.query(TOLD, &[]).await? {
            settings.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok((told.try_get(0)?, settings, told.try_get(1)?))
    }

    /// The folder of the cluster's data, if it is ours.
    pub(super) fn data_directory(&self) -> Option<std::path::PathBuf> {
        self.cluster.as_ref().map(Cluster::data_directory)
    }
}

/// A session of a database.
pub(super) async fn connect(database_url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("can't connect to the database")?;
    // It ends with the client; what goes wrong on it is seen by the statement on it.
    tokio::spawn(connection);
    Ok(client)
}
