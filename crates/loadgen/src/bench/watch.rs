//! What a run costs in processor time and in log, measured beside it.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::Client;

use super::load::Span;
use super::processor;
use super::record::Cost;

/// The processes to look at, and a connection that tells how far the log has come.
pub(super) struct Watch<'a> {
    /// The contestant's server.
    pub(super) server: Option<u32>,
    /// PostgreSQL's first process, if it is on this machine.
    pub(super) postmaster: Option<u32>,
    /// What makes the load.
    pub(super) client: Option<u32>,
    /// A session of PostgreSQL, if that is what is measured.
    pub(super) session: Option<&'a Client>,
}

/// What was used in a span of time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    seconds: f64,
    server: Option<Duration>,
    postgres: Option<Duration>,
    client: Option<Duration>,
    wal_bytes: Option<f64>,
}

struct Reading {
    at: Instant,
    server: Option<Duration>,
    postgres: Option<Duration>,
    client: Option<Duration>,
    log_position: Option<f64>,
}

impl Watch<'_> {
    /// Waits for the counted part of the span, and sees what is used in it.
    pub(super) async fn over(&self, span: Span) -> Used {
        sleep(span.warm_up).await;
        let before = self.read().await;
        sleep(span.counted).await;
        let after = self.read().await;
        let passed = |before: Option<Duration>, after: Option<Duration>| after?.checked_sub(before?);
        Used {
            seconds: after.at.duration_since(before.at).as_secs_f64(),
            server: passed(before.server, after.server),
            postgres: passed(before.postgres, after.postgres),
            client: passed(before.client, after.client),
            wal_bytes: before.log_position.zip(after.log_position).map(|(before, after)| after - before),
        }
    }

    async fn read(&self) -> Reading {
        Reading {
            at: Instant::now(),
            server: self.server.and_then(processor::of_process),
            postgres: self.postmaster.and_then(processor::of_family),
            client: self.client.and_then(processor::of_process),
            log_position: match self.session {
                Some(session) => log_position(session).await,
                None => None,
            },
        }
    }
}

/// Bytes that PostgreSQL has written to its log so far.
async fn log_position(session: &Client) -> Option<f64> {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8";
    session.query_one(sql, &[]).await.ok()?.try_get(0).ok()
}

impl Used {
    /// The same for each thing of which so many were done a second.
    pub(super) fn for_each(&self, per_second: f64) -> Cost {
        let count = per_second * self.seconds;
        let each = |used: f64| (count > 0.0).then_some(used / count);
        let us_each = |time: Option<Duration>| time.and_then(|time| each(time.as_secs_f64() * 1e6));
        Cost {
            server_us: us_each(self.server),
            postgres_us: us_each(self.postgres),
            client_us: us_each(self.client),
            wal_bytes: self.wal_bytes.and_then(each),
        }
    }
}
