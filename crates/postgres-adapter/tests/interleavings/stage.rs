//! A database in which a call can be stopped half-way, and where it is seen who waits for whom.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{BookingRepository, StoreError, TimeSource, Timestamp};
use postgres_adapter::{Foresee, PgBookingRepository, PgSettings, PgStore, migrate};
use throwaway_postgres::Cluster;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::books::{self, Books};
use crate::operation::{Answer, Ask, Operation};

/// Where the first call is stopped, with all of its locks held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "they read as they are meant")]
pub(crate) enum Stop {
    /// It has read everything but the time, and decided nothing.
    BeforeTheClock,
    /// It has decided, and written nothing.
    BeforeTheSave,
    /// It has written everything.
    BeforeTheCommit,
}

/// What happens while the first call is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// The others are called.
    Nothing,
    /// The live hold dies, and then the others are called.
    AHoldDiesBefore,
    /// The others are called, and then the live hold dies.
    AHoldDiesAfter,
    /// The others are called, and then the first one's connection breaks.
    TheFirstBreaks,
}

/// Who is called, in this order, and what happens while the first one is stopped.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) calls: Vec<Operation>,
    pub(crate) stop: Stop,
    pub(crate) meanwhile: Meanwhile,
}

impl Schedule {
    /// When the calls after the first one begin.
    pub(crate) fn others_begin(&self) -> Timestamp {
        if self.meanwhile == Meanwhile::AHoldDiesBefore { books::later() } else { books::start() }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, others @ ..] = &self.calls[..] else { return Ok(()) };
        let others: Vec<String> = others.iter().map(|call| format!("“{}”", call.name)).collect();
        let stop = match self.stop {
            Stop::BeforeTheClock => "before it reads the clock",
            Stop::BeforeTheSave => "before it saves",
            Stop::BeforeTheCommit => "before it commits",
        };
        let others = others.join(", ");
        let meanwhile = match self.meanwhile {
            Meanwhile::Nothing => others,
            Meanwhile::AHoldDiesBefore => format!("a hold dies, {others}"),
            Meanwhile::AHoldDiesAfter => format!("{others}, a hold dies"),
            Meanwhile::TheFirstBreaks => format!("{others}, its connection breaks"),
        };
        write!(f, "“{}” is stopped {stop}; {meanwhile}", first.name)
    }
}

/// What a call that is not the first did while the first one was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It came to its end.
    Done,
    /// It waited for one that was called before it.
    WaitingInLine,
    /// It waited where the first one is stopped, having got all of its locks.
    WaitingAtTheStop,
}

/// A schedule that has been played.
pub(crate) struct Played {
    pub(crate) answers: Vec<Result<Answer, StoreError>>,
    /// Of the calls after the first.
    pub(crate) seen: Vec<Seen>,
    pub(crate) books: Books,
    /// What plain SQL finds wrong.
    pub(crate) offences: Vec<String>,
}

pub(crate) const NAMES: [&str; 3] = ["first", "second", "third"];
/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// The first one waits in these triggers, while the gate has the lock that they ask for. They touch no row. And nobody but the
/// calls and the gate may be waited for.
///
/// The clock is read for each row that is locked, or, in one round trip, after all of them. The calls find another clock in their
/// search path, which is moved by hand, and which stops at their last reading.
const STOPS: &str = "
    CREATE SCHEMA stop;
    CREATE TABLE stop.last_readings (of text PRIMARY KEY, number bigint NOT NULL);
    INSERT INTO stop.last_readings VALUES ('first', 0), ('second', 0), ('third', 0);
    CREATE TABLE stop.clock (shows timestamptz NOT NULL);
    INSERT INTO stop.clock VALUES (pg_catalog.now());
    CREATE FUNCTION stop.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT shows FROM stop.clock); END $$;
    CREATE FUNCTION stop.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('stop.reading', (COALESCE(NULLIF(current_setting('stop.reading', true), ''), '0')::bigint + 1)::text, true);
        IF current_setting('stop.reading')::bigint
            = (SELECT number FROM stop.last_readings WHERE of = current_setting('application_name')) THEN
            PERFORM pg_advisory_xact_lock_shared(3);
        END IF;
        RETURN stop.now();
    END $$;
    CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('application_name') = 'first' THEN PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint); END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER before_save BEFORE INSERT OR UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION stop(1);
    CREATE TRIGGER before_save BEFORE UPDATE ON seats FOR EACH ROW EXECUTE FUNCTION stop(1);
    CREATE CONSTRAINT TRIGGER before_commit AFTER UPDATE ON seats DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION stop(2);
    ALTER TABLE seats SET (autovacuum_enabled = off);
    ALTER TABLE bookings SET (autovacuum_enabled = off);
    INSERT INTO shows (id, name, start_time, total_seats, created_at) VALUES (1, 'Hamlet', now(), 6, now())";

pub(crate) struct Stage {
    foresee: Foresee,
    /// Of the first, the second and the third, each on one connection.
    sessions: [Arc<PgBookingRepository>; 3],
    /// Closes and opens the stop.
    gate: Client,
    gate_pid: i32,
    watcher: Client,
    /// The queries of `loadgen verify`, each of which yields a row an offence.
    invariants: String,
}

impl Stage {
    pub(crate) async fn set_up(foresee: Foresee) -> Self {
        let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
        migrate(&PgSettings::new(url.as_str())).await.unwrap();
        let (gate, watcher) = (connect(&url).await, connect(&url).await);
        watcher.batch_execute(STOPS).await.unwrap();
        let gate_pid = gate.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        let sessions = NAMES.map(|name| {
            // Whoever waits, waits until the script goes on.
            let settings = PgSettings {
                writers_max: 1,
                lock_timeout: PATIENCE,
                statement_timeout: PATIENCE,
                foresee,
                ..PgSettings::new(format!("{url}?application_name={name}&options=-c%20search_path%3Dstop,public,pg_catalog"))
            };
            PgStore::new(&settings, TimeSource::Store).unwrap().bookings()
        });
        let stage = Self { foresee, sessions, gate, gate_pid, watcher, invariants: invariants() };
        for session in &stage.sessions {
            prepare(session).await;
        }
        stage
    }

    pub(crate) async fn play(&self, schedule: &Schedule) -> Played {
        let play = async {
            self.reset().await;
            for (i, (name, call)) in NAMES.iter().zip(&schedule.calls).enumerate() {
                // Whoever finds the show locked gives up its one trip, and makes two.
                let rows = call.ask.readings_at_first(if i == 0 { self.foresee } else { Foresee::Never });
                let number = format!("UPDATE stop.last_readings SET number = {rows} WHERE of = '{name}'");
                self.gate.batch_execute(&number).await.unwrap();
            }
            self.close_gate(schedule.stop).await;
            let first = self.call(0, schedule);
            assert_eq!(self.until_it_waits_or_ends(0, &first).await, Seen::WaitingAtTheStop, "the first one");
            let (mut calls, mut seen) = (vec![first], Vec::new());
            self.set_clock(schedule.others_begin()).await;
            for i in 1..schedule.calls.len() {
                let call = self.call(i, schedule);
                seen.push(self.until_it_waits_or_ends(i, &call).await);
                calls.push(call);
            }
            match schedule.meanwhile {
                Meanwhile::Nothing | Meanwhile::AHoldDiesBefore => {}
                Meanwhile::AHoldDiesAfter => self.set_clock(books::later()).await,
                Meanwhile::TheFirstBreaks => self.end_session(NAMES[0]).await,
            }
            self.gate.batch_execute("COMMIT").await.unwrap();
            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.await.unwrap());
            }
            if schedule.meanwhile == Meanwhile::TheFirstBreaks {
                prepare(&self.sessions[0]).await;
            }
            let books = Books::read(&self.watcher).await;
            Played { answers, seen, books, offences: self.offences().await }
        };
        tokio::time::timeout(PATIENCE, play).await.unwrap_or_else(|_| panic!("{schedule}: it hangs"))
    }

    async fn reset(&self) {
        Books::write_start(&self.watcher).await;
        self.set_clock(books::start()).await;
        // So that they know what to expect of it, and what time it is.
        for session in &self.sessions {
            prepare(session).await;
            session.find(books::id(books::LIVE)).await.unwrap();
        }
    }

    async fn set_clock(&self, now: Timestamp) {
        self.watcher.execute("UPDATE stop.clock SET shows = $1", &[&now]).await.unwrap();
    }

    async fn close_gate(&self, stop: Stop) {
        let close = match stop {
            Stop::BeforeTheClock => "BEGIN; SELECT pg_advisory_xact_lock(3)",
            Stop::BeforeTheSave => "BEGIN; SELECT pg_advisory_xact_lock(1)",
            Stop::BeforeTheCommit => "BEGIN; SELECT pg_advisory_xact_lock(2)",
        };
        self.gate.batch_execute(close).await.unwrap();
    }

    fn call(&self, i: usize, schedule: &Schedule) -> JoinHandle<Result<Answer, StoreError>> {
        let (bookings, ask) = (Arc::clone(&self.sessions[i]), schedule.calls[i].ask);
        tokio::spawn(async move { ask.of(&*bookings, NAMES[i]).await })
    }

    async fn until_it_waits_or_ends(&self, i: usize, call: &JoinHandle<Result<Answer, StoreError>>) -> Seen {
        let blockers = "SELECT pg_blocking_pids(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name = $1 AND cardinality(pg_blocking_pids(pid)) > 0";
        loop {
            if call.is_finished() {
                return Seen::Done;
            }
            if let Some(row) = self.watcher.query_opt(blockers, &[&NAMES[i]]).await.unwrap() {
                let pids: Vec<i32> = row.get(0);
                return if pids == [self.gate_pid] { Seen::WaitingAtTheStop } else { Seen::WaitingInLine };
            }
            // Leaves the processors to those whom it watches.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn end_session(&self, name: &str) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = $1 AND state <> 'idle'";
        self.watcher.execute(end, &[&name]).await.unwrap();
    }

    async fn offences(&self) -> Vec<String> {
        let found = self.watcher.simple_query(&self.invariants).await.unwrap();
        let rows = found.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_)));
        rows.map(|row| format!("{row:?}")).collect()
    }
}

/// Statements are prepared, and the show is known, before anything is stopped.
async fn prepare(session: &PgBookingRepository) {
    let no_such_seat = Ask::Hold(&[99]).command("nobody").unwrap();
    session.execute(&[no_such_seat.into()]).await.unwrap();
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// All of them but one, which is about a worker that runs.
fn invariants() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen/sql/postgres");
    let mut queries = Vec::new();
    for file in folder.read_dir().unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap() != "dead-holds-are-swept.sql" {
            queries.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(queries.len() > 5, "{}", folder.display());
    queries.join(";\n")
}
