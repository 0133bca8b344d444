//! A running server, and a client that speaks JSON.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use loadgen::client::{BaseUrl, Connection, Method};
use loadgen::verify;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use throwaway_postgres::Cluster;

/// Expands each scenario, an async function of a [`Kind`], to a test on either store.
macro_rules! on_both_stores {
    ($($scenario:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario($crate::support::Kind::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario($crate::support::Kind::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Where a server keeps its data; outlives the server.
pub(crate) enum Data {
    Sqlite(TempDir),
    Postgres(String),
}

impl Data {
    pub(crate) fn fresh(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Postgres(Cluster::shared().fresh_database()),
        }
    }

    pub(crate) fn environment(&self) -> (&'static str, String) {
        match self {
            Self::Sqlite(directory) => ("DATA_DIR", directory.path().display().to_string()),
            Self::Postgres(url) => ("DATABASE_URL", url.clone()),
        }
    }

    /// The design's invariants, by SQL.
    pub(crate) async fn verify(&self) {
        let report = match self {
            Self::Sqlite(directory) => verify::sqlite(&directory.path().join("rowlock.db"), false),
            Self::Postgres(url) => verify::postgres(url, false).await,
        };
        let report = report.unwrap();
        let broken: Vec<_> = report.findings.iter().filter(|finding| finding.offenders > 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

/// A server process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts one on this data, and waits until it is ready.
    pub(crate) async fn start(data: &Data, settings: &[(&str, &str)]) -> Self {
        let server = Self::start_unready(data, settings);
        server.until_ready().await;
        server
    }

    /// Starts one on this data, and waits until it listens.
    pub(crate) fn start_unready(data: &Data, settings: &[(&str, &str)]) -> Self {
        let (name, value) = data.environment();
        let mut settings = settings.to_vec();
        settings.push((name, value.as_str()));
        let mut child = command(&settings).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (port, listening) = mpsc::channel();
        let (lines, written) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(address) = event["address"].as_str() {
                    let _ = port.send(address.rsplit(':').next().unwrap().parse::<u16>().unwrap());
                }
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let port = listening.recv_timeout(Duration::from_secs(30));
        let port = port.unwrap_or_else(|_| panic!("the server did not start: {}", log.lock().unwrap()));
        Self { child, port, log }
    }

    pub(crate) async fn until_ready(&self) {
        let mut client = self.client().await;
        let until = Instant::now() + Duration::from_secs(30);
        while client.get("/readyz").await.status != 200 {
            assert!(Instant::now() < until, "the server did not become ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn base_url(&self) -> BaseUrl {
        BaseUrl::loopback(self.port)
    }

    pub(crate) async fn client(&self) -> Client {
        Client(Connection::open(&self.base_url()).await.unwrap())
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log, which comes by another way than the answers, has this text.
    pub(crate) async fn until_logged(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(text) {
            assert!(Instant::now() < until, "{text} is not logged: {}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) async fn exited(mut self) -> ExitStatus {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the server did not exit: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, with these settings and nothing of the caller's environment, on a free port.
pub(crate) fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.envs([("PORT", "0"), ("LOG_FORMAT", "json"), ("RUST_LOG", "info,access=warn"), ("SWEEP_SECONDS", "0.1")]);
    command.env("METRICS_ADDR", "off");
    command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// An answer with its body read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) content_type: String,
    pub(crate) headers: loadgen::client::HeaderMap,
}

impl Reply {
    /// The body, if the status is this one.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    /// The body of a well-formed failure with this status and code.
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["error"].as_str().is_some_and(|sentence| sentence.len() > 5), "{self:?}");
        assert!(self.body["title"].is_string() && self.body["detail"].is_string() && self.body["retryable"].is_boolean());
        self.body
    }
}

pub(crate) struct Client(pub(crate) Connection);

impl Client {
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.call(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body.to_string().as_bytes()), &[]).await
    }

    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Option<&[u8]>, headers: &[(&str, &str)]) -> Reply {
        let answer = self.0.call(method, path, body, headers).await.unwrap();
        Reply {
            status: answer.status,
            body: answer.json().unwrap_or_else(|_| answer.text().into()),
            content_type: answer.header("content-type").unwrap_or_default().to_owned(),
            headers: answer.headers,
        }
    }

    /// A show with this many seats.
    pub(crate) async fn show(&mut self, seats: u32) -> i64 {
        let body = serde_json::json!({"name": "Avengers Movie", "start_time": "2025-12-11 19:00", "total_seats": seats});
        self.post("/admin/shows", body).await.expect(201)["showId"].as_i64().unwrap()
    }

    /// A request to book.
    pub(crate) async fn book(&mut self, show: i64, seats: &[i64]) -> Reply {
        self.post("/book", serde_json::json!({"showId": show, "seats": seats, "userName": "Alice"})).await
    }

    /// A booking of these seats.
    pub(crate) async fn booked(&mut self, show: i64, seats: &[i64]) -> i64 {
        self.book(show, seats).await.expect(201)["bookingId"].as_i64().unwrap()
    }

    pub(crate) async fn confirm(&mut self, booking: i64) -> Reply {
        self.post("/book/confirm", serde_json::json!({"bookingId": booking})).await
    }
}
