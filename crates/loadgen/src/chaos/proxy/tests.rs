//! The proxy in front of a server that speaks just enough of PostgreSQL's protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::messages::Messages;
use super::{Proxy, Weather};

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const START_UP: &[u8] = b"\0\0\0\x0f\0\x03\0\0user\0a\0";
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
const SELECT: &[u8] = b"Q\0\0\0\x14SELECT 'COMMIT'\0";
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I";

/// A server that answers COMMIT with COMMITTED, anything else with itself, and counts its commits.
async fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut messages = Messages::default();
                let mut piece = [0; 256];
                while let Ok(length @ 1..) = stream.read(&mut piece).await {
                    let commit = messages.hold_commit(&piece[..length]);
                    counter.fetch_add(usize::from(commit), Ordering::SeqCst);
                    let answer = if commit { COMMITTED } else { &piece[..length] };
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, commits)
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap()
}

/// Asks, and reads an answer of the same length, or however much comes before the end.
async fn ask(client: &mut TcpStream, question: &[u8], answer: &[u8]) -> bool {
    let mut read = vec![0; answer.len()];
    let asked = client.write_all(question).await.is_ok() && client.read_exact(&mut read).await.is_ok();
    assert!(!asked || read == answer, "another answer: {read:?}");
    asked
}

async fn started(proxy: &Proxy) -> TcpStream {
    let mut client = connect(proxy).await;
    assert!(ask(&mut client, START_UP, START_UP).await);
    client
}

/// Whether nothing is there to be read now.
async fn is_silent(client: &mut TcpStream) -> bool {
    timeout(Duration::ZERO, client.read_u8()).await.is_err()
}

/// Waits for a commit. Nothing here waits for long; a test that does has failed.
async fn more_than(before: usize, commits: &AtomicUsize) {
    let more = async {
        while commits.load(Ordering::SeqCst) <= before {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), more).await.unwrap();
}

#[test]
fn a_commit_is_found_however_the_stream_is_cut_and_nothing_else_is() {
    let execute = b"P\0\0\0\x10\0COMMIT\0\0\0\0\0B\0\0\0\x04";
    let prepare = b"P\0\0\0\x20s1\0INSERT INTO bookings \0\0\0\0";
    let make: &[u8] = b"B\0\0\0\x09\0s1\0\0";
    let look: &[u8] = b"B\0\0\0\x09\0s2\0\0";
    a_commit_is_found(&[SSL_REQUEST, START_UP, SELECT, execute].concat(), COMMIT, SELECT);
    a_commit_is_found(&[SSL_REQUEST, START_UP, look, prepare, look].concat(), make, look);
}

/// There, and only there, wherever the stream is cut.
fn a_commit_is_found(before: &[u8], commit: &[u8], after: &[u8]) {
    let commit_ends = before.len() + commit.len();
    let stream = [before, commit, after].concat();
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let mut messages = Messages::default();
            let pieces = [0..first, first..second, second..stream.len()];
            for piece in pieces {
                let found = messages.hold_commit(&stream[piece.clone()]);
                assert_eq!(found, piece.start < commit_ends && commit_ends <= piece.end, "{piece:?}");
            }
        }
    }
}

#[tokio::test]
async fn in_fair_weather_all_passes_and_a_commit_is_noticed() {
    let (port, commits) = server().await;
    let proxy = Proxy::start(port).await.unwrap();
    let mut client = started(&proxy).await;
    let (noticed, answered) = tokio::join!(proxy.next_commit(), ask(&mut client, COMMIT, COMMITTED));
    assert_eq!((noticed, answered, commits.load(Ordering::SeqCst)), ((), true, 1));
}

#[tokio::test]
async fn slow_is_slow_both_ways() {
    let proxy = Proxy::start(server().await.0).await.unwrap();
    proxy.set(Weather::Slow(30));
    let mut client = connect(&proxy).await;
    let began = Instant::now();
    assert!(ask(&mut client, SELECT, SELECT).await);
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn what_is_held_back_comes_when_the_weather_turns() {
    let (port, commits) = server().await;
    let proxy = Proxy::start(port).await.unwrap();
    for held in [Weather::Silence, Weather::NoQuestions, Weather::NoAnswers] {
        let before = commits.load(Ordering::SeqCst);
        let mut client = started(&proxy).await;
        proxy.set(held);
        client.write_all(COMMIT).await.unwrap();
        if held == Weather::NoAnswers {
            more_than(before, &commits).await;
        }
        assert!(is_silent(&mut client).await, "{held:?}");
        assert_eq!(commits.load(Ordering::SeqCst) > before, held == Weather::NoAnswers, "{held:?}");
        proxy.set(Weather::Fair);
        assert!(ask(&mut client, &[], COMMITTED).await, "{held:?}");
    }
}

#[tokio::test]
async fn what_a_client_has_sent_arrives_after_it_has_gone() {
    let (port, commits) = server().await;
    let proxy = Proxy::start(port).await.unwrap();
    let mut client = started(&proxy).await;
    proxy.set(Weather::NoQuestions);
    client.write_all(COMMIT).await.unwrap();
    drop(client);
    // Another client, to be sure that the proxy has had its turn.
    assert!(is_silent(&mut connect(&proxy).await).await);
    proxy.set(Weather::Fair);
    more_than(0, &commits).await;
}

#[tokio::test]
async fn resets_reach_open_connections_and_some_later_ones() {
    let proxy = Proxy::start(server().await.0).await.unwrap();
    let mut client = started(&proxy).await;
    proxy.set(Weather::Resets);
    let error = client.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let mut later = connect(&proxy).await;
    let mut questions = 0;
    while ask(&mut later, SELECT, SELECT).await {
        questions += 1;
        assert!(questions < 10_000, "no piece is ever reset");
    }
    proxy.set(Weather::Fair);
    started(&proxy).await;
}

#[tokio::test]
async fn a_cut_commit_may_have_happened_or_not_and_an_answered_one_has() {
    let (port, commits) = server().await;
    let proxy = Proxy::start(port).await.unwrap();
    proxy.set(Weather::CutCommits);
    let (mut passed, mut unanswered, mut lost) = (0, 0, 0);
    for _ in 0..1000 {
        if passed > 0 && unanswered > 0 && lost > 0 {
            return;
        }
        let before = commits.load(Ordering::SeqCst);
        let mut client = started(&proxy).await;
        assert!(ask(&mut client, SELECT, SELECT).await, "only commits are cut");
        let answered = ask(&mut client, COMMIT, COMMITTED).await;
        match (answered, commits.load(Ordering::SeqCst) - before) {
            (true, 1) => passed += 1,
            (false, 1) => unanswered += 1,
            (false, 0) => lost += 1,
            impossible => panic!("{impossible:?}"),
        }
    }
    panic!("passed {passed}, unanswered {unanswered}, lost {lost}");
}

#[tokio::test]
async fn a_server_that_is_down_and_a_proxy_that_has_ended_refuse() {
    let (port, _) = server().await;
    // Bound, so that nobody else gets it, and not listening.
    let unused = TcpSocket::new_v4().unwrap();
    unused.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = Proxy::start(unused.local_addr().unwrap().port()).await.unwrap();
    assert!(!ask(&mut connect(&proxy).await, START_UP, START_UP).await);
    let proxy = Proxy::start(port).await.unwrap();
    let mut client = started(&proxy).await;
    drop(proxy);
    assert!(client.read_u8().await.is_err());
}
