//! The PostgreSQL of a run: a primary, and perhaps a standby that takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use throwaway_postgres::{Cluster, DURABLE, REPLICATED, StartError};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// The product's database and its owner, who is not allowed everything.
const NAME: &str = "rowlock";
/// So few that they can be used up.
const SESSIONS_MAX: &str = "80";
/// A disk that an hour does not fill and a ballast does.
const SMALL_DISK_MEGABYTES: u32 = 512;
/// How long a statement of the stage may take, connecting included: it may meet any fault.
const PATIENCE: Duration = Duration::from_secs(3);

/// One or two clusters, of which one is the primary.
#[derive(Debug)]
pub(super) struct Database {
    first: Cluster,
    standby: Option<Cluster>,
    promoted: AtomicBool,
    /// Whether the first one's disk can be filled.
    has_small_disk: bool,
}

/// A session of the stage's own. It is closed when this is dropped.
pub(super) struct Session {
    client: Client,
    connection: JoinHandle<()>,
}

impl Database {
    /// Starts what is asked for, durable, with an empty database; on a small disk if that can be had here.
    pub(super) fn start(with_standby: bool, on_small_disk: bool) -> anyhow::Result<Self> {
        let mut settings = DURABLE.to_vec();
        settings.push(("max_connections", SESSIONS_MAX));
        if with_standby {
            settings.extend(REPLICATED);
        }
        let small = on_small_disk.then(|| Cluster::start_on_small_disk(SMALL_DISK_MEGABYTES, &settings));
        let (first, has_small_disk) = match small {
            Some(Ok(cluster)) => (cluster, true),
            None | Some(Err(StartError::NoSmallDisk)) => (Cluster::start_with(&settings)?, false),
            Some(Err(error)) => return Err(error.into()),
        };
        first.psql("postgres", &format!("CREATE ROLE {NAME} LOGIN; CREATE DATABASE {NAME} OWNER {NAME}"))?;
        let standby = with_standby.then(|| first.start_synchronous_standby()).transpose()?;
        Ok(Self { first, standby, promoted: AtomicBool::new(false), has_small_disk })
    }

    /// The port of each server, the primary's first.
    pub(super) fn ports(&self) -> Vec<u16> {
        [Some(&self.first), self.standby.as_ref()].into_iter().flatten().map(Cluster::port).collect()
    }

    /// The product's URL, by way of these ports.
    pub(super) fn url_through(ports: &[u16]) -> String {
        let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("postgres://{NAME}@{}/{NAME}?target_session_attrs=read-write", hosts.join(","))
    }

    /// The stage's own URL, of a user who gets in when the others don't.
    pub(super) fn url(&self) -> String {
        self.primary().url(NAME)
    }

    /// A URL of the product's user, who is refused when all sessions are taken, straight to the primary.
    pub(super) fn url_as_owner(&self) -> String {
        format!("postgres://{NAME}@127.0.0.1:{}/{NAME}?application_name=chaos", self.primary().port())
    }

    /// The cluster that is written to.
    pub(super) fn primary(&self) -> &Cluster {
        match &self.standby {
            Some(standby) if self.promoted.load(Ordering::Acquire) => standby,
            Some(_) | None => &self.first,
        }
    }

    /// Whether the primary's disk can be filled.
    pub(super) fn has_small_disk(&self) -> bool {
        self.has_small_disk && !self.promoted.load(Ordering::Acquire)
    }

    /// Does something to the primary that takes its time.
    pub(super) async fn with_primary<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Cluster) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let this = Arc::clone(self);
        spawn_blocking(move || work(this.primary())).await.context("the work on the cluster failed")
    }

    /// Sees to it that the primary runs.
    pub(super) async fn start_again(self: &Arc<Self>) -> anyhow::Result<()> {
        let start = |primary: &Cluster| if primary.runs() { Ok(()) } else { primary.start_again() };
        self.with_primary(start).await?.context("PostgreSQL does not start again")
    }

    /// Kills the primary for good, and makes the standby take its place. Only if the standby has all that is visible: that is
    /// PostgreSQL's promise, except right after a crash, when the primary shows again what had not been sent yet.
    pub(super) async fn fail_over(self: &Arc<Self>) -> anyhow::Result<()> {
        anyhow::ensure!(self.standby.is_some(), "there is no standby");
        anyhow::ensure!(!self.promoted.load(Ordering::Acquire), "the standby has been promoted before");
        let in_sync = "SELECT count(*) = 1 FROM pg_stat_replication
                       WHERE sync_state = 'sync' AND flush_lsn >= pg_current_wal_flush_lsn()";
        let session = self.session().await?;
        while !session.ask::<bool>(in_sync).await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(session);
        let this = Arc::clone(self);
        let promoted = spawn_blocking(move || {
            this.first.kill();
            let promoted = this.standby.as_ref().map(Cluster::promote).transpose();
            this.promoted.store(true, Ordering::Release);
            promoted
        });
        promoted.await.context("the work on the cluster failed")?.context("the standby can't be promoted")?;
        Ok(())
    }

    /// Whether the standby has taken over.
    pub(super) fn has_failed_over(&self) -> bool {
        self.promoted.load(Ordering::Acquire)
    }

    /// What the servers have logged.
    pub(super) fn logs(&self) -> Vec<(&'static str, String)> {
        let standby = self.standby.as_ref().map(|standby| ("postgres-standby", standby.log()));
        [Some(("postgres", self.first.log())), standby].into_iter().flatten().collect()
    }

    /// A session on the primary.
    pub(super) async fn session(&self) -> anyhow::Result<Session> {
        let connecting = timeout(PATIENCE, tokio_postgres::connect(&self.url(), NoTls)).await;
        let (client, connection) = connecting.context("PostgreSQL does not answer")?.context("can't connect to PostgreSQL")?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok(Session { client, connection })
    }
}

impl Session {
    /// Runs statements.
    pub(super) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let ran = timeout(PATIENCE, self.client.batch_execute(sql)).await;
        ran.context("PostgreSQL does not answer")?.with_context(|| format!("can't run {sql:?}"))
    }

    /// The values in the first column.
    pub(super) async fn list<T>(&self, sql: &str) -> anyhow::Result<Vec<T>>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = timeout(PATIENCE, self.client.query(sql, &[])).await;
        let rows = rows.context("PostgreSQL does not answer")?.with_context(|| format!("can't run {sql:?}"))?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The one value.
    pub(super) async fn ask<T>(&self, sql: &str) -> anyhow::Result<T>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.list(sql).await?.into_iter().next().context("no row")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
