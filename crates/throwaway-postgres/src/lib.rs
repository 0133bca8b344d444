//! A real PostgreSQL that lives as long as whoever started it.
//!
//! For tests and fault runs: [`Cluster::start`] makes a cluster in a new folder under `/tmp`, on a free port of the
//! loopback interface, for user `postgres` without a password. It leaves nothing behind, however this process ends: a
//! [`Drop`] tidies up at once, and after an exit, a panic or a SIGKILL a small shell in a process group of its own does.

mod error;
mod ports;
mod programs;
mod server;
mod standby;
mod trouble;
mod watchdog;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

pub use error::{PsqlError, StartError};
pub use ports::free_port;
use programs::Programs;
use server::{Attempt, Server};
pub use standby::REPLICATED;
use watchdog::{Disk, Watchdog};

/// How a throw-away cluster differs from PostgreSQL's defaults: it is small, and forgets in a crash of the machine (never
/// in one of its own processes).
const THROWAWAY: [(&str, &str); 14] = [
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_connections", "200"),
    ("shared_buffers", "32MB"),
    ("huge_pages", "off"),
    // Its files lie in the folder, so that they go when the folder goes.
    ("dynamic_shared_memory_type", "mmap"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] %d "),
];

/// What makes a commit survive a crash. [`Cluster::start_durable`] uses it; it can also go into [`Cluster::start_with`].
pub const DURABLE: [(&str, &str); 3] = [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")];

/// How often a start is tried when the port is taken.
const ATTEMPTS: u32 = 40;

/// A running PostgreSQL cluster. Dropping it stops the server and removes everything.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    // Before the server: fields are dropped in order, and the watchdog shuts the server down more gently.
    watchdog: Watchdog,
    settings: Vec<String>,
    port: u16,
    server: Mutex<Option<Server>>,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts a cluster that is fast and not durable.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// Starts a cluster in which a commit survives a crash.
    pub fn start_durable() -> Result<Self, StartError> {
        Self::start_with(&DURABLE)
    }

    /// Starts a cluster with more settings, as in `postgresql.conf`; they win over the ones a throw-away cluster has.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self, StartError> {
        Self::start_in(Programs::find()?, Disk::Ordinary, settings)
    }

    fn start_in(programs: Programs, disk: Disk, settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let watchdog = Watchdog::start(&programs, disk)?;
        initdb(&programs, &watchdog)?;
        let settings = THROWAWAY.iter().chain(settings).map(|(name, value)| format!("{name}={value}")).collect();
        Self::serve(programs, watchdog, settings)
    }

    /// Starts a server on the data directory that is there.
    fn serve(programs: Programs, watchdog: Watchdog, settings: Vec<String>) -> Result<Self, StartError> {
        let (port, server) = start_on(free_port, &programs, &watchdog, &settings)?;
        let server = Mutex::new(Some(server));
        Ok(Self { programs, watchdog, settings, port, server, databases: AtomicU32::new(0) })
    }

    /// The cluster of this process, started by whoever asks first. It ends with the process.
    ///
    /// # Panics
    /// When PostgreSQL can't be started: a test that needs it must fail loudly.
    #[expect(clippy::panic, reason = "a test without its database has to fail, with the reason in one line")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("{error}")))
    }

    /// The URL of one of its databases; `postgres` always exists.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1. It stays the same for the cluster's life.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data directory.
    pub fn data_directory(&self) -> PathBuf {
        self.watchdog.folder().join("data")
    }

    /// The postmaster's process id, while the server runs.
    pub fn process_id(&self) -> Option<u32> {
        self.server().as_ref().map(Server::id)
    }

    /// Makes an empty database with a name of its own, and returns its URL.
    ///
    /// # Panics
    /// When the server is down or full.
    #[expect(clippy::panic, reason = "a test without its database has to fail")]
    pub fn fresh_database(&self) -> String {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        let create = format!("CREATE DATABASE {name} {}", self.programs.fastest_copy());
        self.psql("postgres", &create).unwrap_or_else(|error| panic!("{error}"));
        self.url(&name)
    }

    /// Runs SQL by `psql`, each statement on its own, and returns the rows: one a line, columns parted by `|`.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, PsqlError> {
        let failed = |error: std::io::Error| PsqlError(error.to_string());
        let mut command = self.programs.client("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database)]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut psql = command.spawn().map_err(failed)?;
        let input = psql.stdin.take();
        // Beside the reading, so that a long script and a long answer don't wait for each other. It stops reading at an
        // error, which it then reports itself.
        let output = thread::scope(|scope| {
            scope.spawn(move || input.map(|mut input| input.write_all(sql.as_bytes())));
            psql.wait_with_output()
        });
        let output = output.map_err(failed)?;
        if !output.status.success() {
            return Err(PsqlError(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        server::log(self.watchdog.folder())
    }

    /// A fast shutdown. Does nothing when the server is down.
    pub fn stop(&self) {
        if let Some(mut server) = self.server().take() {
            server.stop();
        }
    }

    /// A crash: SIGKILL to the postmaster and to all its processes. Does nothing when the server is down.
    pub fn kill(&self) {
        if let Some(mut server) = self.server().take() {
            server.kill();
        }
    }

    /// Starts the server again after [`stop`](Self::stop) or [`kill`](Self::kill), on the same port and data. Does nothing
    /// when it runs.
    pub fn start_again(&self) -> Result<(), StartError> {
        let mut server = self.server();
        if server.is_none() {
            let (_, started) = start_on(|| self.port, &self.programs, &self.watchdog, &self.settings)?;
            *server = Some(started);
        }
        Ok(())
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        // A server is put in whole or not at all, so a panic elsewhere can't have left half of one.
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn initdb(programs: &Programs, watchdog: &Watchdog) -> Result<(), StartError> {
    let mut command = watchdog.adopt(programs.server("initdb"));
    command.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
    let output = command.arg(watchdog.folder().join("data")).output().map_err(StartError::io("can't run initdb"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Initdb(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}

/// Starts the server on the port that `port` gives, again while something is in the way.
fn start_on(
    port: impl Fn() -> u16,
    programs: &Programs,
    watchdog: &Watchdog,
    settings: &[String],
) -> Result<(u16, Server), StartError> {
    let mut attempt = 1;
    loop {
        let port = port();
        match Server::start(programs, watchdog, port, settings) {
            Ok(server) => return Ok((port, server)),
            Err(Attempt::Busy(_)) if attempt < ATTEMPTS => thread::sleep(Duration::from_millis(100)),
            Err(Attempt::Busy(error) | Attempt::Failed(error)) => return Err(error),
        }
        attempt += 1;
    }
}
