//! PostgreSQL and the server in trouble: nothing answered is lost, nothing is half done, and it recovers by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loadgen::client::{BaseUrl, Connection, Method};
use rustix::process::Signal;
use serde_json::{Value, json};
use throwaway_postgres::Cluster;
use tokio::task::JoinHandle;

use crate::support::{Client, Data, Server};

/// Customers that each hold and confirm seats of their own until they are stopped, whatever they are answered; they remember
/// every promise.
struct Crowd {
    stop: Arc<AtomicBool>,
    promises: Arc<AtomicU64>,
    customers: Vec<JoinHandle<Promises>>,
}

#[derive(Default)]
struct Promises {
    confirmed: Vec<i64>,
    held: Vec<i64>,
    statuses: Vec<u16>,
}

const CUSTOMERS: u64 = 8;
const SEATS: u64 = 20_000;

impl Crowd {
    fn enter(base: &BaseUrl, show: i64) -> Self {
        let (stop, promises) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let customers = (1..=CUSTOMERS)
            .map(|customer| {
                let seats = (customer..=SEATS).step_by(usize::try_from(CUSTOMERS).unwrap());
                tokio::spawn(buy(base.clone(), show, seats, Arc::clone(&stop), Arc::clone(&promises)))
            })
            .collect();
        Self { stop, promises, customers }
    }

    /// Waits until this many more promises have been made.
    async fn buys(&self, more: u64) {
        let target = self.promises.load(Ordering::SeqCst) + more;
        let until = Instant::now() + Duration::from_mins(1);
        while self.promises.load(Ordering::SeqCst) < target {
            assert!(Instant::now() < until, "nothing is sold any more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn leave(self) -> Promises {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Promises::default();
        for customer in self.customers {
            let promises = customer.await.unwrap();
            all.confirmed.extend(promises.confirmed);
            all.held.extend(promises.held);
            all.statuses.extend(promises.statuses);
        }
        all
    }
}

async fn buy(
    base: BaseUrl,
    show: i64,
    seats: impl Iterator<Item = u64>,
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
) -> Promises {
    let mut promises = Promises::default();
    let mut connection = None;
    for seat in seats.take_while(|_| !stop.load(Ordering::SeqCst)) {
        let Some(booked) = call(&mut connection, &base, "/book", json!({"showId": show, "seats": [seat]}), &mut promises).await
        else {
            continue;
        };
        let id = booked["bookingId"].as_i64().unwrap();
        promises.held.push(id);
        count.fetch_add(1, Ordering::SeqCst);
        if call(&mut connection, &base, "/book/confirm", json!({"bookingId": id}), &mut promises).await.is_some() {
            promises.confirmed.push(id);
        }
    }
    promises
}

/// The body of a success. After anything else the customer breathes for a moment.
async fn call(at: &mut Option<Connection>, base: &BaseUrl, path: &str, body: Value, seen: &mut Promises) -> Option<Value> {
    if at.is_none() {
        *at = Connection::open(base).await.ok();
    }
    if let Some(connection) = at {
        match connection.call(Method::POST, path, Some(body.to_string().as_bytes()), &[]).await {
            Ok(answer) if answer.is_success() => return answer.json().ok(),
            Ok(answer) => seen.statuses.push(answer.status),
            Err(_) => *at = None,
        }
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    None
}

/// A cluster whose commits survive a crash, and a server on it.
async fn selling() -> (Cluster, Data, Server, i64) {
    let (cluster, data) = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::start_durable().unwrap();
        let data = Data::Postgres(cluster.fresh_database());
        (cluster, data)
    })
    .await
    .unwrap();
    let server = Server::start(&data, &[]).await;
    let show = server.client().await.show(u32::try_from(SEATS).unwrap()).await;
    (cluster, data, server, show)
}

/// Every promise is kept, and the books are in order.
async fn check(promises: &Promises, data: &Data, client: &mut Client, show: i64) {
    data.verify().await;
    let bookings = client.get("/admin/bookings?status=CONFIRMED").await.expect(200);
    let confirmed: std::collections::HashSet<i64> =
        bookings.as_array().unwrap().iter().map(|booking| booking["id"].as_i64().unwrap()).collect();
    assert!(confirmed.len() < 10_000, "more than one page");
    for id in &promises.confirmed {
        assert!(confirmed.contains(id), "booking {id} of show {show} was confirmed and is lost");
    }
    for id in promises.held.iter().rev().take(200) {
        client.get(&format!("/book/{id}")).await.expect(200);
    }
    let odd: Vec<_> = promises.statuses.iter().filter(|status| ![503, 409].contains(*status)).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_killed_and_stopped_and_restarted_under_load() {
    let (cluster, data, server, show) = selling().await;
    let cluster = Arc::new(cluster);
    let crowd = Crowd::enter(&server.base_url(), show);
    for crash in [true, false] {
        crowd.buys(50).await;
        let at = Arc::clone(&cluster);
        blocking(move || if crash { at.kill() } else { at.stop() }).await;
        let mut client = server.client().await;
        let refused = client.book(show, &[1]).await;
        assert_eq!(refused.headers.get("retry-after").map(|seconds| seconds.to_str().unwrap()), Some("1"), "{refused:?}");
        let body = refused.problem(503, "store_unavailable");
        assert!(body["request_id"].is_string() && body["retryable"] == true);
        assert_eq!(client.get("/readyz").await.status, 503);
        assert_eq!(client.get("/healthz").await.status, 200);
        assert_eq!(client.get("/shows").await.status, 503);
        let at = Arc::clone(&cluster);
        blocking(move || at.start_again().unwrap()).await;
        server.until_ready().await;
    }
    crowd.buys(50).await;
    let promises = crowd.leave().await;
    check(&promises, &data, &mut server.client().await, show).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_connections_are_killed_under_load() {
    let (cluster, data, server, show) = selling().await;
    let crowd = Crowd::enter(&server.base_url(), show);
    let cluster = Arc::new(cluster);
    for _ in 0..10 {
        crowd.buys(20).await;
        let at = Arc::clone(&cluster);
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'rowlock'";
        blocking(move || at.psql("postgres", kill).unwrap()).await;
    }
    crowd.buys(50).await;
    let promises = crowd.leave().await;
    check(&promises, &data, &mut server.client().await, show).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_killed_under_load() {
    let cluster = blocking(|| Cluster::start_durable().unwrap()).await;
    killed_under_load(&Data::Postgres(cluster.fresh_database())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_server_is_killed_under_load() {
    killed_under_load(&Data::fresh(crate::support::Kind::Sqlite)).await;
}

async fn killed_under_load(data: &Data) {
    let port = lasting_port().to_string();
    let server = Server::start(data, &[("PORT", &port)]).await;
    let show = server.client().await.show(u32::try_from(SEATS).unwrap()).await;
    let crowd = Crowd::enter(&server.base_url(), show);
    crowd.buys(100).await;
    server.signal(Signal::KILL);
    server.exited().await;
    let server = Server::start(data, &[("PORT", &port)]).await;
    crowd.buys(100).await;
    let promises = crowd.leave().await;
    check(&promises, data, &mut server.client().await, show).await;
}

/// A free port that stays free while its server is down: the system gives none of these to outgoing connections.
fn lasting_port() -> u16 {
    // Far from where the other tests of this process, and other processes, begin to look.
    static ASKED: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 5_000).unwrap() * 2 + 20_000 + ASKED.fetch_add(500, Ordering::SeqCst);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(free).unwrap()
}

/// A psql session that locks rows, and sleeps on them until it is told to rise.
async fn sitter(cluster: &Arc<Cluster>, data: &Data, rows: &str) -> JoinHandle<()> {
    let Data::Postgres(url) = data else { unreachable!() };
    let name = url.rsplit('/').next().unwrap().to_owned();
    let sit = format!("BEGIN; SELECT FROM {rows} FOR UPDATE; SELECT pg_sleep(300); COMMIT");
    let at = Arc::clone(cluster);
    // It is ended in its sleep.
    let sitter = tokio::task::spawn_blocking(move || drop(at.psql(&name, &sit)));
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    loop {
        let at = Arc::clone(cluster);
        if blocking(move || at.psql("postgres", asleep).unwrap()).await == "1" {
            return sitter;
        }
    }
}

/// Ends the sitter's session: its locks are gone when it has ended.
async fn rise(cluster: &Arc<Cluster>, sitter: JoinHandle<()>) {
    assert!(!sitter.is_finished(), "all of it was while the rows were locked");
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let at = Arc::clone(cluster);
    assert_eq!(blocking(move || at.psql("postgres", end).unwrap()).await, "t");
    sitter.await.unwrap();
}

/// Somebody sits on a booking: its show is cancelled all the same, and said to be; the booking is left for the worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_cancelled_whoever_has_its_bookings() {
    let (cluster, data, server, show) = selling().await;
    let mut client = server.client().await;
    let id = client.booked(show, &[9]).await;
    let cluster = Arc::new(cluster);
    let sitter = sitter(&cluster, &data, &format!("bookings WHERE id = {id}")).await;
    let cancelled = client.post(&format!("/admin/shows/{show}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled["message"], "Show cancelled");
    client.book(show, &[10]).await.problem(409, "show_cancelled");
    rise(&cluster, sitter).await;
    data.verify().await;
}

/// A psql session sits on a row: those who want that seat are told so, everyone else is served, and all is well afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_locked_by_someone_else() {
    let (cluster, data, server, show) = selling().await;
    let cluster = Arc::new(cluster);
    let sitter = sitter(&cluster, &data, &format!("seats WHERE show_id = {show} AND seat_number = 9")).await;
    let mut blocked = server.client().await;
    let blocked = tokio::spawn(async move { blocked.book(show, &[9, 10]).await });
    // A crowd that wants the blocked seat, and among it those that want free ones.
    let mut crowd = Vec::new();
    for seat in 100..200_i64 {
        let (mut fan, mut other) = (server.client().await, server.client().await);
        crowd.push((
            tokio::spawn(async move { fan.book(show, &[9]).await }),
            // On a busy machine more of them may queue behind the blocked batch than can be served in good time.
            tokio::spawn(async move {
                loop {
                    let reply = other.book(show, &[seat]).await;
                    if reply.body["code"] != "busy" {
                        return reply;
                    }
                }
            }),
        ));
    }
    for (fan, other) in crowd {
        other.await.unwrap().expect(201);
        assert_eq!(fan.await.unwrap().status, 503);
    }
    let mut others = server.client().await;
    let refused = blocked.await.unwrap();
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.status, 503);
    rise(&cluster, sitter).await;
    others.booked(show, &[9, 10]).await;
    data.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_a_database_that_is_not_there_yet() {
    let (cluster, data) = blocking(|| {
        let cluster = Cluster::start().unwrap();
        let data = Data::Postgres(cluster.fresh_database());
        cluster.stop();
        (cluster, data)
    })
    .await;
    let server = Server::start_unready(&data, &[]);
    let mut client = server.client().await;
    client.get("/readyz").await.problem(503, "store_unavailable");
    client.get("/shows").await.problem(503, "store_unavailable");
    let _cluster = blocking(move || {
        cluster.start_again().unwrap();
        cluster
    })
    .await;
    server.until_ready().await;
    client.show(5).await;
}
