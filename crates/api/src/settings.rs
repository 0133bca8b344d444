//! The settings of the server.

mod access;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use box_office::{Plan, SweepPlan};
use chrono::TimeDelta;
use chrono_tz::Tz;
use postgres_adapter::PgSettings;
use settings::{LogSettings, Mistakes, Reader, Setting, StoreSettings, SweepSettings, TraceSettings, Value, parse};

use crate::access::Access;
use crate::client_address::TrustedProxies;
use crate::rate_limit::Rate;
use crate::store::Database;

/// All that the server needs to know.
pub struct ApiSettings {
    pub(crate) database: Database,
    pub(crate) migrate_on_start: bool,
    pub(crate) address: SocketAddr,
    pub(crate) http_workers: usize,
    pub(crate) connections_max: usize,
    pub(crate) hold_for: TimeDelta,
    pub(crate) hold_limit: TimeDelta,
    pub(crate) keep_keys_for: TimeDelta,
    pub(crate) seats_per_booking_max: usize,
    pub(crate) time_zone: Tz,
    pub(crate) access: Access,
    pub(crate) trusted_proxies: TrustedProxies,
    /// None: without a limit.
    pub(crate) rate_limit_reads: Option<Rate>,
    pub(crate) rate_limit_writes: Option<Rate>,
    pub(crate) cors_allowed_origins: Vec<String>,
    pub(crate) plan: Plan,
    pub(crate) sweep: SweepPlan,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) traces: TraceSettings,
    log: LogSettings,
}

const fn setting(name: &'static str, default: Option<&'static str>, help: &'static str) -> Setting {
    Setting { name, default, secret: false, help }
}

const OWN: [Setting; 18] = [
    setting("HOST", Some("127.0.0.1"), "address to listen on; anything but loopback needs admins' tokens and BOOKING_SECRET"),
    setting("PORT", Some("4000"), "port to listen on"),
    setting("HOLD_SECONDS", Some("120"), "how long a hold lives"),
    setting(
        "HOLD_LIMIT_SECONDS",
        Some("600"),
        "how long a hold can live with its extensions; at least as long as one lives anyway",
    ),
    setting("IDEMPOTENCY_SECONDS", Some("86400"), "how long a request is known again by its Idempotency-Key"),
    setting("SEATS_PER_BOOKING_MAX", Some("50"), "most seats in one booking"),
    setting("TIME_ZONE", Some("UTC"), "zone in which a start_time without an offset is read"),
    setting(
        "CORS_ALLOWED_ORIGINS",
        Some("http://localhost:3000,http://localhost:5173"),
        "origins whose pages may call, comma-separated; * for any",
    ),
    setting("MIGRATE_ON_START", Some("true"), "whether to apply pending migrations when starting on PostgreSQL"),
    setting("DATABASE_CA_FILE", None, "certificates to trust for PostgreSQL besides the system's, a PEM file"),
    setting("DATABASE_READERS_MAX", Some("8"), "most connections to PostgreSQL for reads"),
    setting("LANES", Some("1"), "queues, each served batch after batch on a connection of its own"),
    setting("BATCH_MAX", Some("768"), "most commands in one batch; it takes twice as many that wait"),
    setting("QUEUE_MAX", Some("4096"), "most commands that wait for one lane; one more is answered with 503"),
    setting("PATIENCE_SECONDS", Some("5"), "how long a command may wait before it is begun"),
    setting("HTTP_WORKERS", None, "threads that serve HTTP; default: one for two cores"),
    setting("CONNECTIONS_MAX", Some("25000"), "most clients at once; whoever comes then waits to be let in, unanswered"),
    setting("METRICS_ADDR", Some("127.0.0.1:4002"), "address and port of the metrics, for Prometheus; off for none"),
];

/// The other half is for the batches, and for a database on the same machine.
fn half_of_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

impl ApiSettings {
    /// Every setting of the server, for `--help`.
    pub fn table() -> Vec<Setting> {
        [&OWN[..], &access::TABLE, &StoreSettings::TABLE, &SweepSettings::TABLE, &TraceSettings::TABLE, &LogSettings::TABLE]
            .concat()
    }

    /// The settings.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(mut reader: Reader) -> Result<Self, Mistakes> {
        let all = Self::read_all(&mut reader);
        reader.finish(|| all)
    }

    /// What to log.
    pub const fn log(&self) -> &LogSettings {
        &self.log
    }

    /// Batches in flight at once.
    pub const fn lanes(&self) -> usize {
        self.plan.lanes
    }

    /// Where to listen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which store to use.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Every setting is read, whatever is wrong with those before it.
    fn read_all(reader: &mut Reader) -> Option<Self> {
        let plan = plan(reader);
        let database = database(reader, plan.as_ref());
        let migrate_on_start = reader.get("MIGRATE_ON_START", parse::boolean);
        let host = reader.get("HOST", parse::host);
        let port = reader.get("PORT", parse::port);
        let http_workers = reader.find("HTTP_WORKERS", parse::count(1..=256_usize));
        let connections_max = reader.get("CONNECTIONS_MAX", parse::count(1..=1_000_000_usize));
        let hold_for = reader.get("HOLD_SECONDS", parse::seconds(Duration::from_millis(100)..=Duration::from_hours(24)));
        let hold_limit = reader.get("HOLD_LIMIT_SECONDS", parse::seconds(Duration::from_millis(100)..=Duration::from_hours(24)));
        let keep_keys_for =
            reader.get("IDEMPOTENCY_SECONDS", parse::seconds(Duration::from_secs(1)..=Duration::from_hours(24 * 30)));
        let seats_per_booking_max = reader.get("SEATS_PER_BOOKING_MAX", parse::count(1..=1000_usize));
        let time_zone = reader.get("TIME_ZONE", parse::time_zone);
        let access = host.and_then(|host| access::read(reader, host));
        let trusted_proxies = access::trusted_proxies(reader);
        let rate_limit_reads = reader.get("RATE_LIMIT_READS", access::rate);
        let rate_limit_writes = reader.get("RATE_LIMIT_WRITES", access::rate);
        let cors_allowed_origins = reader.get("CORS_ALLOWED_ORIGINS", origins);
        let sweep = SweepSettings::read(reader);
        let metrics = reader.get("METRICS_ADDR", parse::address_or_off);
        let traces = TraceSettings::read(reader);
        let log = LogSettings::read(reader);
        let sweep = sweep?;
        Some(Self {
            database: database?,
            migrate_on_start: migrate_on_start?,
            address: SocketAddr::new(host?, port?),
            http_workers: http_workers.unwrap_or_else(half_of_the_cores),
            connections_max: connections_max?,
            hold_for: TimeDelta::from_std(hold_for?).ok()?,
            hold_limit: TimeDelta::from_std(hold_limit?).ok()?,
            keep_keys_for: TimeDelta::from_std(keep_keys_for?).ok()?,
            seats_per_booking_max: seats_per_booking_max?,
            time_zone: time_zone?,
            access: access?,
            trusted_proxies: trusted_proxies?,
            rate_limit_reads: rate_limit_reads?,
            rate_limit_writes: rate_limit_writes?,
            cors_allowed_origins: cors_allowed_origins?,
            plan: plan?,
            sweep: SweepPlan { tick: sweep.tick, batch: sweep.batch },
            metrics: metrics?,
            traces: traces?,
            log: log?,
        })
    }
}

fn plan(reader: &mut Reader) -> Option<Plan> {
    let lanes = reader.get("LANES", parse::count(1..=64_usize));
    let batch_max = reader.get("BATCH_MAX", parse::count(1..=4096_usize));
    let queue_max = reader.get("QUEUE_MAX", parse::count(1..=1_000_000_usize));
    let patience = reader.get("PATIENCE_SECONDS", parse::seconds(Duration::from_millis(10)..=Duration::from_mins(1)));
    Some(Plan { lanes: lanes?, batch_max: batch_max?, queue_max: queue_max?, patience: patience?, ..Plan::default() })
}

fn database(reader: &mut Reader, plan: Option<&Plan>) -> Option<Database> {
    let ca_file: Option<PathBuf> = reader.find("DATABASE_CA_FILE", parse::path);
    let readers_max = reader.get("DATABASE_READERS_MAX", parse::count(1..=1000_usize));
    let store = StoreSettings::read(reader)?;
    let Some(url) = store.database_url else { return Some(Database::Sqlite(store.data_dir)) };
    let settings = PgSettings::new(url.expose());
    // Two connections for each lane, as a batch that follows another stays on the first one's while that takes another one where it was not
    // as foreseen; one for each command that is tried or retried beside the lanes; and one to spare.
    let writers_max = plan.map_or(settings.writers_max, |plan| 2 * plan.lanes + 2 * plan.aside_max + 1);
    Some(Database::Postgres(Box::new(PgSettings { ca_file, readers_max: readers_max?, writers_max, ..settings })))
}

/// Origins as browsers send them: a scheme, a host, perhaps a port, and nothing behind.
fn origins(value: &Value) -> Result<Vec<String>, String> {
    let is_origin = |origin: &String| {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let is_host = |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        origin == "*" || rest.is_some_and(is_host)
    };
    let origins = parse::list(value)?;
    if origins.iter().all(is_origin) { Ok(origins) } else { Err("origins like https://tickets.example, or *".to_owned()) }
}
