//! The worker's binary on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has to fail")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use throwaway_postgres::Cluster;

/// A worker process; killed when dropped.
struct Worker {
    child: Child,
    health_port: u16,
    log: Arc<Mutex<String>>,
}

fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_expiry-worker"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.envs([("WORKER_HEALTH_PORT", "0"), ("LOG_FORMAT", "json"), ("SWEEP_SECONDS", "0.2"), ("WORKER_METRICS_ADDR", "off")]);
    command.envs(settings.iter().copied()).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Worker {
    fn start(url: &str) -> Self {
        Self::start_with(&[("DATABASE_URL", url)])
    }

    fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut child = command(settings).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, written) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        let (port, listening) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(address) = event["address"].as_str() {
                    let _ = port.send(address.rsplit(':').next().unwrap().parse().unwrap());
                }
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let health_port = listening.recv_timeout(Duration::from_secs(30)).expect("the worker starts");
        Self { child, health_port, log }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn exited(&mut self) -> ExitStatus {
        until("the worker exits", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    fn is_healthy(&self) -> bool {
        let port = self.health_port.to_string();
        command(&[("WORKER_HEALTH_PORT", &port), ("DATABASE_URL", "host=unused")]).arg("health").status().unwrap().success()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A database with one show and this many holds of two seats each, that end `expires_in` from now.
struct House {
    url: String,
    name: String,
}

impl House {
    fn new(cluster: &Cluster, holds: u32, expires_in: &str) -> Self {
        let url = cluster.fresh_database();
        let name = url.rsplit('/').next().unwrap().to_owned();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(postgres_adapter::migrate(&postgres_adapter::PgSettings::new(url.as_str()))).unwrap();
        let seats = holds * 2;
        let fill = format!(
            "INSERT INTO shows (name, start_time, total_seats, created_at) VALUES ('Hamlet', now(), {seats}, now());
             INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
             SELECT 1, 'Ada', ARRAY[2 * n - 1, 2 * n], 'PENDING', now() + interval '{expires_in}', now() - interval '1 hour', now(), n
             FROM generate_series(1, {holds}) n;
             INSERT INTO seats (show_id, seat_number, status, booking_id, held_until)
             SELECT show_id, unnest(seat_numbers), 'PENDING', id, expires_at FROM bookings;
             INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
             SELECT show_id, last_change, id, created_at, 'held', 'customer', seat_numbers FROM bookings;"
        );
        cluster.psql(&name, &fill).unwrap();
        Self { url, name }
    }

    fn count(&self, cluster: &Cluster, status: &str) -> u32 {
        let sql = format!("SELECT count(*) FROM bookings WHERE status = '{status}'");
        cluster.psql(&self.name, &sql).unwrap().parse().unwrap()
    }

    fn verify(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let report = runtime.block_on(loadgen::verify::postgres(&self.url, false)).unwrap();
        let broken: Vec<_> = report.findings.iter().filter(|finding| finding.offenders > 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

#[test]
fn a_hold_is_failed_soon_after_its_deadline() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 3, "700 milliseconds");
    let _worker = Worker::start(&house.url);
    until("all holds have failed", || house.count(cluster, "FAILED") == 3);
    let lag =
        "SELECT max(updated_at - expires_at) < interval '2 seconds', min(updated_at - expires_at) >= interval '0' FROM bookings";
    assert_eq!(cluster.psql(&house.name, lag).unwrap(), "t|t");
    house.verify();
}

/// What the page says, and no more: without labels that nobody bounds. One sweep takes all: two at once share what is left as it comes.
#[test]
fn its_metrics_count_what_it_sweeps() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 30, "-30 minutes");
    let settings = [("DATABASE_URL", house.url.as_str()), ("SWEEP_BATCH", "100"), ("WORKER_METRICS_ADDR", "127.0.0.1:0")];
    let worker = Worker::start_with(&settings);
    until("all holds have failed", || house.count(cluster, "FAILED") == 30);
    let served = || {
        let log = worker.log.lock().unwrap();
        let mut events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let event = events.find(|event| event["message"] == "serving metrics")?;
        event["at"].as_str().unwrap().rsplit(':').next()?.parse::<u16>().ok()
    };
    until("metrics are served", || served().is_some());
    let page = || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", served().unwrap())).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    };
    // A sweep is counted when its commit has been heard of.
    until("the sweeps are counted", || page().contains("\nrowlock_expired_bookings_total 30\n"));
    let page = page();
    for line in [
        "rowlock_expiry_lag_seconds_count 1",
        "rowlock_expiry_lag_seconds_bucket{le=\"300\"} 0",
        "rowlock_oldest_dead_hold_seconds 0",
        "rowlock_store_ready 1",
        "rowlock_sweeps_total{result=\"failed\"} 0",
        "rowlock_build_info{program=\"expiry-worker\",version=",
        "rowlock_pool_connections{pool=\"writers\",state=\"idle\"}",
    ] {
        assert!(page.contains(&format!("\n{line}")), "{line} in {page}");
    }
    assert!(worker.is_healthy());
}

#[test]
fn it_sweeps_in_batches_until_nothing_is_due_beside_other_workers() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 5_000, "-1 second");
    let workers: Vec<Worker> =
        (0..3).map(|_| Worker::start_with(&[("DATABASE_URL", house.url.as_str()), ("SWEEP_BATCH", "100")])).collect();
    until("all holds have failed", || house.count(cluster, "FAILED") == 5_000);
    house.verify();
    assert!(workers.iter().all(Worker::is_healthy));
    let once = "SELECT count(*) FROM seats WHERE status = 'AVAILABLE' AND booking_id IS NULL";
    assert_eq!(cluster.psql(&house.name, once).unwrap(), "10000");
}

/// The lock on the table lets the sweep read and lock rows, but not write: it is caught between the two.
#[test]
fn killed_in_the_middle_of_a_batch_it_leaves_nothing_half_done() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 50, "-1 second");
    let name = house.name.clone();
    let blocking = thread::spawn(move || {
        Cluster::shared().psql(&name, "BEGIN; LOCK TABLE seats IN SHARE MODE; SELECT pg_sleep(3); COMMIT").unwrap()
    });
    until("the table is locked", || {
        let locked = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event = 'PgSleep'", house.name);
        cluster.psql("postgres", &locked).unwrap() == "1"
    });
    let mut worker = Worker::start(&house.url);
    until("the sweep waits to write", || {
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND cardinality(pg_blocking_pids(pid)) > 0",
            house.name
        );
        cluster.psql("postgres", &waits).unwrap() == "1"
    });
    worker.signal(Signal::KILL);
    worker.exited();
    assert_eq!(house.count(cluster, "FAILED"), 0);
    blocking.join().unwrap();
    house.verify();
    let _worker = Worker::start(&house.url);
    until("all holds have failed", || house.count(cluster, "FAILED") == 50);
    house.verify();
}

#[test]
fn it_survives_a_database_that_is_away_and_reports_it() {
    let cluster = Cluster::start().unwrap();
    let house = House::new(&cluster, 2, "-1 second");
    cluster.stop();
    let worker = Worker::start(&house.url);
    until("the failure is reported", || worker.log.lock().unwrap().contains("not ready"));
    cluster.start_again().unwrap();
    until("all holds have failed", || house.count(&cluster, "FAILED") == 2);
    assert!(worker.is_healthy());
    assert!(!worker.log.lock().unwrap().contains("panicked"));
}

#[test]
fn a_signal_ends_it_cleanly() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 2_000, "-1 second");
    for signal in [Signal::TERM, Signal::INT] {
        let mut worker = Worker::start_with(&[("DATABASE_URL", house.url.as_str()), ("SWEEP_BATCH", "10")]);
        let before = house.count(cluster, "FAILED");
        until("it sweeps", || house.count(cluster, "FAILED") > before || house.count(cluster, "PENDING") == 0);
        worker.signal(signal);
        assert!(worker.exited().success());
        assert!(worker.log.lock().unwrap().contains("closed"));
        house.verify();
    }
}

#[test]
fn without_a_database_it_says_what_it_needs() {
    let output = command(&[("SWEEP_SECONDS", "never")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("DATABASE_URL") && text.contains("SWEEP_SECONDS"), "{text}");
    assert!(!command(&[("WORKER_HEALTH_PORT", "1"), ("DATABASE_URL", "host=unused")]).arg("health").status().unwrap().success());
}

/// Whoever cancels a show need not live to see its bookings fail: here they are more than one batch, sold and held.
#[test]
fn the_bookings_of_a_cancelled_show_fail() {
    let cluster = Cluster::shared();
    let house = House::new(cluster, 250, "1 hour");
    let sell = "UPDATE bookings SET status = 'CONFIRMED', confirmed_at = now() WHERE id % 2 = 0;
                UPDATE seats s SET status = 'CONFIRMED', held_until = NULL FROM bookings b WHERE b.id = s.booking_id AND b.status = 'CONFIRMED';
                UPDATE shows SET cancelled_at = now(), cancelled_by = 'admin:boss', calling_off = true, revision = 1";
    cluster.psql(&house.name, sell).unwrap();
    let _worker = Worker::start(&house.url);
    until("the show is called off", || {
        cluster.psql(&house.name, "SELECT count(*) FROM shows WHERE calling_off").unwrap().trim() == "0"
    });
    let ends = "SELECT count(*), count(*) FILTER (WHERE refund_due) FROM bookings
                WHERE status = 'FAILED' AND failure_reason = 'show_cancelled'";
    assert_eq!(cluster.psql(&house.name, ends).unwrap().trim(), "250|125");
    let by = "SELECT count(*) FROM booking_history WHERE event = 'show_cancelled' AND actor = 'admin:boss'";
    assert_eq!(cluster.psql(&house.name, by).unwrap().trim(), "250");
    assert_eq!(cluster.psql(&house.name, "SELECT count(*) FROM seats WHERE status <> 'AVAILABLE'").unwrap().trim(), "0");
}
