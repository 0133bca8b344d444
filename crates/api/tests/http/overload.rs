//! More than can be served: whoever is turned away hears of it before the body is read and keeps the connection, and when it is
//! over everyone is served again.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use throwaway_postgres::Cluster;
use tokio::task::JoinHandle;

use crate::support::{Data, Kind, Server};

/// For whatever has to come about.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server whose PostgreSQL has come to a halt, and a crowd that keeps its queue of one full.
struct World {
    cluster: Cluster,
    data: Data,
    server: Server,
    show: i64,
    is_over: Arc<AtomicBool>,
    crowd: Vec<JoinHandle<()>>,
}

impl World {
    async fn new() -> Self {
        let (cluster, data) = blocking(|| {
            let cluster = Cluster::start().unwrap();
            let data = Data::Postgres(cluster.fresh_database());
            (cluster, data)
        })
        .await;
        let server = Server::start(&data, &[("QUEUE_MAX", "1")]).await;
        let show = server.client().await.show(10_000).await;
        cluster.suspend();
        let is_over = Arc::new(AtomicBool::new(false));
        let mut crowd = Vec::new();
        for seat in 1..=4 {
            let (mut client, is_over) = (server.client().await, Arc::clone(&is_over));
            crowd.push(tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) && client.book(show, &[seat]).await.status == 503 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }));
        }
        Self { cluster, data, server, show, is_over, crowd }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.server.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Sends this, again and again on new connections if `renew` says so, until the answer is that there is no room: now and then
/// there is, when the server gives up on PostgreSQL and takes the next one.
fn until_busy(connection: &mut TcpStream, request: &str, renew: Option<&World>) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        connection.write_all(request.as_bytes()).unwrap();
        let answer = answer(connection);
        if answer.contains("\"code\":\"busy\"") {
            return answer;
        }
        assert!(Instant::now() < until, "nobody is turned away: {answer}");
        if let Some(world) = renew {
            *connection = world.connect();
        }
    }
}

/// The next answer on this connection: its head in lower case, and its body.
pub(crate) fn answer(connection: &mut TcpStream) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

pub(crate) fn head(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_turned_away_hears_of_it_before_the_body_is_read_and_all_are_served_when_it_is_over() {
    let world = Arc::new(World::new().await);
    let there = Arc::clone(&world);
    blocking(move || {
        // A head and no body: an answer all the same, and then the connection is closed, since the body may yet come.
        for path in ["/book", "/book/confirm"] {
            let mut connection = there.connect();
            let answer = until_busy(&mut connection, &head(path, 50), Some(&there));
            assert!(answer.starts_with("http/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n") && answer.contains("x-request-id"), "{answer}");
            connection.shutdown(Shutdown::Write).unwrap();
            assert_eq!(connection.read(&mut [0]).unwrap(), 0);
        }
        // A whole request, sense or nonsense: the connection can be used again.
        let mut connection = there.connect();
        for body in [format!(r#"{{"showId":{},"seats":[9]}}"#, there.show), "nonsense".to_owned()] {
            let request = head("/book", body.len()) + &body;
            let answer = until_busy(&mut connection, &request, None);
            assert!(answer.starts_with("http/1.1 503 ") && !answer.contains("\r\nconnection: close\r\n"), "{answer}");
        }
        // What is no command is no part of the queue.
        connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(answer(&mut connection).starts_with("http/1.1 200 "));
    })
    .await;

    let mut world = Arc::into_inner(world).unwrap();
    world.is_over.store(true, Ordering::SeqCst);
    world.cluster.resume();
    for customer in world.crowd.drain(..) {
        customer.await.unwrap();
    }
    world.server.until_ready().await;
    let mut client = world.server.client().await;
    let until = Instant::now() + PATIENCE;
    while client.book(world.show, &[10_000]).await.status != 201 {
        assert!(Instant::now() < until, "it does not serve any more: {}", world.server.log());
    }
    world.data.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_too_many_waits_until_another_one_leaves() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("CONNECTIONS_MAX", "2"), ("HTTP_WORKERS", "1")]).await;
    blocking(move || {
        const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut inside: Vec<TcpStream> = Vec::new();
        let mut waiting = loop {
            let mut next = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            next.write_all(ASK).unwrap();
            // Long enough to be answered, if at all; on a machine that is slower than that, the test asks less.
            next.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            if next.peek(&mut [0]).is_err() {
                break next;
            }
            assert!(answer(&mut next).starts_with("http/1.1 200 "));
            inside.push(next);
            assert!(inside.len() <= 2, "everyone is let in");
        };
        inside.clear();
        waiting.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(answer(&mut waiting).starts_with("http/1.1 200 "));
    })
    .await;
}
