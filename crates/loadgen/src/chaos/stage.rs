//! Everything that a run starts: PostgreSQL, two apis, two expiry-workers, and a proxy on every line between them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use throwaway_postgres::free_port;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::clock;
use super::database::{Database, Session};
use super::guard::Guard;
use super::plan::{PROGRAMS, Plan};
use super::program::{Launch, Program};
use super::proxy::{Proxy, Weather};
use super::workload::HOLD_LIMIT;
use crate::client::{BaseUrl, Connection};

/// How long the programs may take to be ready in the beginning, when nothing is wrong.
const START_LIMIT: Duration = Duration::from_mins(1);
/// What is waited at most for a commit to come by.
const COMMIT_LIMIT: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);

/// What is played on. When it is dropped, and when this process ends in any other way, all of it ends.
#[derive(Debug)]
pub(super) struct Stage {
    parts: Vec<Part>,
    pub(super) database: Arc<Database>,
    guard: Guard,
    /// Why the clocks are right although they should not be.
    pub(super) clock_trouble: Option<String>,
}

/// A program of the product with its lines to the database.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) program: Program,
    /// One to each server, the first primary's first.
    lines: Vec<Proxy>,
    /// Where it answers, if it is an api.
    pub(super) server: Option<BaseUrl>,
}

impl Stage {
    /// Starts all of it, and waits until it is ready.
    pub(super) async fn start(programs: &Path, hold_seconds: f64, with_standby: bool, plan: &Plan) -> anyhow::Result<Self> {
        let guard = Guard::start()?;
        let needs_small_disk = plan.needs_small_disk();
        let database = spawn_blocking(move || Database::start(with_standby, needs_small_disk)).await.context("no database")??;
        let (library, clock_trouble) = match plan.clock_shift_seconds {
            Some(shift) => match clock::compile(guard.folder(), shift).await {
                Ok(library) => (Some(library.display().to_string()), None),
                Err(error) => (None, Some(format!("{error:#}"))),
            },
            None => (None, None),
        };
        let mut parts = Vec::new();
        for (index, name) in PROGRAMS.into_iter().enumerate() {
            let mut lines = Vec::new();
            for port in database.ports() {
                lines.push(Proxy::start(port).await?);
            }
            let ports: Vec<u16> = lines.iter().map(Proxy::port).collect();
            let mut environment = environment(&Database::url_through(&ports), hold_seconds);
            let server = name.starts_with("api").then(free_port);
            let file = if let Some(port) = server {
                environment.push(("PORT".to_owned(), port.to_string()));
                programs.join("api")
            } else {
                programs.join("expiry-worker")
            };
            anyhow::ensure!(file.is_file(), "{} is not there: build it, or say where with --programs", file.display());
            // The second of each kind is wrong about the time.
            environment.extend(library.iter().filter(|_| index % 2 == 1).map(|path| ("LD_PRELOAD".to_owned(), path.clone())));
            let program = Program::new(name, Launch { file, environment }, &guard);
            parts.push(Part { program, lines, server: server.map(BaseUrl::loopback) });
        }
        let stage = Self { parts, database: Arc::new(database), guard, clock_trouble };
        stage.part(0)?.program.run("migrate", START_LIMIT).await?;
        for part in &stage.parts {
            part.program.start().await?;
        }
        stage.until_ready(Instant::now() + START_LIMIT).await.context("the service does not start")?;
        Ok(stage)
    }

    /// The program with this index, and what belongs to it.
    pub(super) fn part(&self, index: usize) -> anyhow::Result<&Part> {
        self.parts.get(index).context("there is no such program")
    }

    /// All programs.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The apis' addresses.
    pub(super) fn servers(&self) -> Vec<BaseUrl> {
        self.parts.iter().filter_map(|part| part.server.clone()).collect()
    }

    /// Lets things go wrong, or well again, on all lines of these programs.
    pub(super) fn set_weather(&self, programs: &[usize], weather: Weather) {
        for line in programs.iter().filter_map(|index| self.parts.get(*index)).flat_map(|part| &part.lines) {
            line.set(weather);
        }
    }

    /// Waits a little for a commit of this program to come by.
    pub(super) async fn next_commit(&self, program: usize) {
        let line = usize::from(self.database.has_failed_over());
        if let Some(line) = self.parts.get(program).and_then(|part| part.lines.get(line)) {
            drop(timeout(COMMIT_LIMIT, line.next_commit()).await);
        }
    }

    /// A session on the primary, as soon as it lets us in.
    pub(super) async fn session(&self, limit: Instant) -> anyhow::Result<Session> {
        loop {
            match self.database.session().await {
                Ok(session) => return Ok(session),
                Err(error) if Instant::now() >= limit => return Err(error),
                Err(_) => sleep(POLL).await,
            }
        }
    }

    /// Waits until every api says that it is ready.
    pub(super) async fn until_ready(&self, limit: Instant) -> anyhow::Result<()> {
        for part in &self.parts {
            if let Some(server) = &part.server {
                let name = part.program.name();
                timeout_at(limit, is_ready(server)).await.with_context(|| format!("{name} is not ready in time"))?;
            }
        }
        Ok(())
    }

    /// Ends every fault that may still be there: all programs run, nothing is suspended, all lines are fair.
    pub(super) async fn lift_all(&self) -> anyhow::Result<()> {
        self.set_weather(&[0, 1, 2, 3], Weather::Fair);
        for part in &self.parts {
            part.program.resume().await;
            part.program.start().await?;
        }
        self.database.with_primary(throwaway_postgres::Cluster::resume).await?;
        self.database.start_again().await
    }

    /// Where the logs are.
    pub(super) fn folder(&self) -> &Path {
        self.guard.folder()
    }

    /// Lets the folder with the logs stay.
    pub(super) fn keep_folder(&self) -> anyhow::Result<()> {
        self.guard.keep_folder()
    }
}

/// Resolves when the api says that it is ready.
async fn is_ready(server: &BaseUrl) {
    loop {
        if let Ok(mut connection) = Connection::open(server).await {
            connection.set_time_limit(Duration::from_secs(3));
            if connection.get("/readyz").await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
        }
        sleep(POLL).await;
    }
}

/// What api and worker have in common; what one of them does not know it does not read.
fn environment(database_url: &str, hold_seconds: f64) -> Vec<(String, String)> {
    let hold_limit_seconds = (hold_seconds * f64::from(HOLD_LIMIT)).to_string();
    let hold_seconds = hold_seconds.to_string();
    let settings = [
        ("DATABASE_URL", database_url),
        ("HOLD_SECONDS", hold_seconds.as_str()),
        ("HOLD_LIMIT_SECONDS", hold_limit_seconds.as_str()),
        ("HTTP_WORKERS", "2"),
        ("WORKER_HEALTH_PORT", "0"),
        ("METRICS_ADDR", "off"),
        ("WORKER_METRICS_ADDR", "off"),
        ("RUST_LOG", "info,access=warn,actix_http=off"),
        ("LOG_FORMAT", "json"),
        ("RUST_BACKTRACE", "1"),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
