//! Connections: the pools, what a session is set to, and a lease that never returns a connection in doubt.

use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::{Client, Hook, HookError, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime};
use domain::StoreError;
use thiserror::Error;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row, Statement, ToStatement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error;
use crate::figures::PoolUse;
use crate::tls;

/// How to reach the database, and how patient to be.
#[derive(Clone)]
pub struct PgSettings {
    /// A `postgres://` URL or a `key=value` string. Several hosts and `target_session_attrs=read-write` are understood.
    pub url: String,
    /// Certificates to trust besides the system's, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Connections for batches and sweeps.
    pub writers_max: usize,
    /// Connections for reads and for creating shows.
    pub readers_max: usize,
    /// How long a statement waits for a row lock. Others in the same batch wait with it, so keep it short.
    pub lock_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// When to try a batch in one round trip.
    pub foresee: Foresee,
}

/// When to try whether a batch comes true as foreseen, which takes one round trip instead of two, and one more if it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foresee {
    /// Never.
    Never,
    /// Whenever it can be foreseen, unless it did not come true a moment ago.
    #[default]
    WhenLikely,
    /// Whenever it can be foreseen.
    Always,
}

impl PgSettings {
    /// The defaults for this database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            writers_max: 8,
            readers_max: 8,
            lock_timeout: Duration::from_millis(100),
            statement_timeout: Duration::from_secs(5),
            foresee: Foresee::default(),
        }
    }
}

/// Why settings can't be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The database URL.
    #[error("the database URL can't be read: {0}")]
    Url(String),
    /// The certificates.
    #[error("certificates: {0}")]
    Certificates(String),
    /// The pools.
    #[error("connection pool: {0}")]
    Pool(String),
}

/// The pools. Reads can't use up what the lanes need, nor can big shows what the reads need.
#[derive(Clone)]
pub(crate) struct Connections {
    writers: Pool,
    creators: Pool,
    readers: Pool,
    /// Longer than the server's own limits: reached only when the server does not answer at all.
    trip_timeout: Duration,
}

/// How long to wait for a new connection, or for one of a pool to come free.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Most statements that follow each other on a connection before it is given back.
const SENT_MAX: u32 = 16;

/// Shows that are created at the same time.
const CREATORS_MAX: usize = 2;

/// How long creating a show may take: a million seats.
pub(crate) const CREATE_TIMEOUT: Duration = Duration::from_mins(1);

impl Connections {
    pub(crate) fn new(settings: &PgSettings) -> Result<Self, SettingsError> {
        let (config, tls) = driver_config(settings)?;
        let limits = session_limits(settings);
        // The writers' statements are key look-ups, whatever the tables' sizes were when they were first planned: one plan
        // for good, by nested loops over primary keys.
        let keyed = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; \
                     SET enable_hashjoin = off; \
                     SET enable_mergejoin = off; SET jit = off;";
        Ok(Self {
            writers: pool(config.clone(), tls.clone(), settings.writers_max, format!("{limits} {keyed}"))?,
            // A new show locks no row that anybody else has: what it may wait for is room in the tables, and that comes.
            creators: pool(config.clone(), tls.clone(), CREATORS_MAX, format!("{limits} SET lock_timeout = 0;"))?,
            readers: pool(config, tls, settings.readers_max, limits)?,
            trip_timeout: settings.statement_timeout + Duration::from_secs(2),
        })
    }

    /// A connection for a batch.
    pub(crate) async fn writer(&self) -> Result<Lease, StoreError> {
        let lease = Lease::from(&self.writers, self.trip_timeout).await?;
        if lease.is_due_for_new_plans() {
            let discarded = lease.within(lease.batch_execute("DISCARD PLANS")).await.map_err(|TimedOut| no_answer())?;
            discarded.map_err(|error| error::before_commit(&error))?;
        }
        Ok(lease)
    }

    /// A connection for creating a show, which takes as long as it has seats.
    pub(crate) async fn creator(&self) -> Result<Lease, StoreError> {
        Lease::from(&self.creators, CREATE_TIMEOUT + Duration::from_secs(2)).await
    }

    /// How the pools stand.
    pub(crate) fn use_of_pools(&self) -> [PoolUse; 3] {
        [("writers", &self.writers), ("creators", &self.creators), ("readers", &self.readers)].map(|(name, pool)| {
            let status = pool.status();
            let in_use = status.size.saturating_sub(status.available);
            PoolUse { name, max: status.max_size, in_use, idle: status.available, waiting: status.waiting }
        })
    }

    /// A connection for a read.
    pub(crate) async fn reader(&self) -> Result<Lease, StoreError> {
        Lease::from(&self.readers, self.trip_timeout).await
    }
}

/// The driver's configuration and its TLS for these settings.
pub(crate) fn driver_config(settings: &PgSettings) -> Result<(Config, MakeRustlsConnect), SettingsError> {
    // The driver knows no verify-full; with our TLS `require` verifies the certificate and the host's name.
    let url = settings.url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut config = Config::from_str(&url).map_err(|error| SettingsError::Url(error::with_sources(&error)))?;
    if config.get_application_name().is_none() {
        config.application_name("rowlock");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(Duration::from_secs(30));
    config.tcp_user_timeout(settings.statement_timeout + Duration::from_secs(5));
    Ok((config, tls::connector(settings.ca_file.as_deref())?))
}

fn session_limits(settings: &PgSettings) -> String {
    format!(
        "SET lock_timeout = {}; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {};",
        settings.lock_timeout.as_millis(),
        settings.statement_timeout.as_millis(),
        settings.statement_timeout.as_millis(),
    )
}

fn pool(config: Config, tls: MakeRustlsConnect, size: usize, session: String) -> Result<Pool, SettingsError> {
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        // The connection that was used last is the one whose session, here and there, is still in the processors' caches.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .post_create(Hook::async_fn(move |client, _| {
            let session = session.clone();
            Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(|error| SettingsError::Pool(error.to_string()))
}

/// A connection that goes back to its pool only when it is known to be between transactions. Dropped before that (an error, a
/// cancelled caller), it is closed, and the server rolls back.
pub(crate) struct Lease {
    object: Option<Object>,
    trip_timeout: Duration,
    between_transactions: bool,
}

/// A round trip that took too long.
pub(crate) struct TimedOut;

impl Lease {
    async fn from(pool: &Pool, trip_timeout: Duration) -> Result<Self, StoreError> {
        // The pool's own limits leave out the setting up of a new session.
        let object = tokio::time::timeout(CONNECT_TIMEOUT * 2, pool.get()).await.map_err(|_| no_answer())?;
        let object = object.map_err(|error| error::of_pool(&error))?;
        Ok(Self { object: Some(object), trip_timeout, between_transactions: false })
    }

    /// Whether it was used 1, 2, 4, 8, … times. A plan that was made while a table was empty, and analysed as such, scans the table
    /// for good; so plans are made anew while the tables may have grown manifold, ever more seldom.
    fn is_due_for_new_plans(&self) -> bool {
        self.object.as_ref().is_some_and(|object| Object::metrics(object).recycle_count.is_power_of_two())
    }

    /// When the connection was made. Until then the database may have been another one, set back as from a backup.
    pub(crate) fn made_at(&self) -> Option<Instant> {
        self.object.as_ref().map(|object| Object::metrics(object).created)
    }

    /// The statement, prepared once a connection.
    pub(crate) async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        let prepared = self.within(self.prepare_cached(sql)).await;
        prepared.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))
    }

    /// One round trip, given up when the server does not answer.
    pub(crate) async fn within<T>(&self, trip: impl Future<Output = T>) -> Result<T, TimedOut> {
        tokio::time::timeout(self.trip_timeout, trip).await.map_err(|_| TimedOut)
    }

    /// One read, outside of any transaction.
    pub(crate) async fn read(self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql).await?;
        self.read_with(&statement, parameters).await
    }

    /// The same, planned for these very parameters: one more round trip, for reads whose best plan depends on them. A statement that
    /// stays prepared gets one plan for all of them after some uses, if those were costly anyway.
    pub(crate) async fn read_as_asked(self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        self.read_with(sql, parameters).await
    }

    async fn read_with<S>(self, statement: &S, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError>
    where
        S: ToStatement + Sync + ?Sized,
    {
        let read = self.within(self.query(statement, parameters)).await.map_err(|TimedOut| no_answer())?;
        // Whatever the database said, a single statement leaves no transaction open.
        let found = read.map_err(|error| error::before_commit(&error))?;
        self.give_back();
        Ok(found)
    }

    /// Gives the connection back to its pool. To be called only when no transaction is open.
    pub(crate) fn give_back(mut self) {
        self.between_transactions = true;
    }

    /// Ends the transaction that failed, and keeps the connection if that works.
    pub(crate) async fn roll_back(self) {
        if matches!(self.within(self.batch_execute("ROLLBACK")).await, Ok(Ok(()))) {
            self.give_back();
        }
    }
}

/// The server did not answer a round trip that can have changed nothing.
pub(crate) fn no_answer() -> StoreError {
    StoreError::Unavailable("the database does not answer".to_owned())
}

impl Deref for Lease {
    type Target = Client;

    #[expect(clippy::expect_used, reason = "taken out by drop only")]
    fn deref(&self) -> &Client {
        self.object.as_ref().expect("a lease has its connection until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(object), false) = (self.object.take(), self.between_transactions) {
            drop(Object::take(object));
        }
    }
}

/// A connection on which one statement may be sent behind another that is being executed still, each a transaction of its own. When nobody
/// has it any more it goes back to its pool, if all of them were answered; else it is closed.
pub(crate) struct Line {
    lease: Lease,
    sent: AtomicU32,
    unanswered: AtomicU32,
}

impl Line {
    pub(crate) fn on(lease: Lease) -> Self {
        Self { lease, sent: AtomicU32::new(0), unanswered: AtomicU32::new(0) }
    }

    /// A statement is about to be sent.
    pub(crate) fn sending(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// The trip of the statement that was sent last: those before it take their time first.
    pub(crate) async fn within<T>(&self, trip: impl Future<Output = T>) -> Result<T, TimedOut> {
        let in_turn = self.unanswered.load(Ordering::Relaxed).max(1);
        tokio::time::timeout(self.lease.trip_timeout * in_turn, trip).await.map_err(|_| TimedOut)
    }

    /// One was answered, whatever the answer was, and has left no transaction open.
    pub(crate) fn answered(&self) {
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether one more may be sent: behind one only, so that nobody waits for long behind one that waits for a lock; and now and then the
    /// connection has to be given back, as plans are made anew when it is taken.
    pub(crate) fn takes_another(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed) == 1 && self.sent.load(Ordering::Relaxed) < SENT_MAX && !self.lease.is_closed()
    }
}

impl Deref for Line {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.lease
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.lease.between_transactions = *self.unanswered.get_mut() == 0;
    }
}
