//! A proxy in front of the server that treats its customers badly.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::client::BaseUrl;

/// A request is sent in one piece, and so is the answer.
const PIECE: usize = 16 * 1024;
/// The longest that a request is held back.
const HELD_BACK_MS_MAX: u64 = 900;
/// How long the server may take with what nobody waits for any more.
const UNHEARD_LIMIT: Duration = Duration::from_secs(5);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    /// It is cut before it is passed on.
    CutBefore,
    /// It is passed on, and cut at once.
    CutAfter,
    /// It is passed on, and cut when its answer comes.
    CutAnswer,
    /// Half of its answer comes.
    CutInside,
    /// It is passed on later, whether anybody waits for it or not.
    Late(Duration),
}

/// How often what became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    /// Cut before they were passed on.
    pub cut_before: u64,
    /// Cut after they were passed on, before an answer.
    pub cut_after: u64,
    /// Cut in the middle of the answer.
    pub cut_inside: u64,
    /// Held back.
    pub late: u64,
    /// Passed as they came.
    pub passed: u64,
}

#[derive(Debug, Default)]
struct Counts {
    before: AtomicU64,
    after: AtomicU64,
    inside: AtomicU64,
    late: AtomicU64,
    passed: AtomicU64,
}

/// A listening proxy. It ends when it is dropped.
pub(super) struct BadLine {
    port: u16,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

impl BadLine {
    /// Listens on a port of the loopback interface for this server.
    pub(super) async fn start(server: &BaseUrl) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("can't listen for a proxy")?;
        let port = listener.local_addr().context("can't listen for a proxy")?.port();
        let (server, counts) = (server.clone(), Arc::new(Counts::default()));
        let counted = Arc::clone(&counts);
        let accepting = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((client, _)) => drop(tokio::spawn(carry(client, server.clone(), Arc::clone(&counted)))),
                    // Out of descriptors, or a connection that was gone before it was accepted.
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        });
        Ok(Self { port, counts, accepting })
    }

    /// Where customers connect.
    pub(super) fn url(&self) -> BaseUrl {
        BaseUrl::loopback(self.port)
    }

    /// What has become of the requests so far.
    pub(super) fn fates(&self) -> Fates {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { before, after, inside, late, passed } = &*self.counts;
        Fates {
            cut_before: read(before),
            cut_after: read(after),
            cut_inside: read(inside),
            late: read(late),
            passed: read(passed),
        }
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Fate {
    fn draw() -> Self {
        let mut random = rand::rng();
        match random.random_range(0..100) {
            0..5 => Self::CutBefore,
            5..9 => Self::CutAfter,
            9..13 => Self::CutAnswer,
            13..17 => Self::CutInside,
            17..22 => Self::Late(Duration::from_millis(random.random_range(1..HELD_BACK_MS_MAX))),
            _ => Self::Pass,
        }
    }

    fn count(self, counts: &Counts) {
        let count = match self {
            Self::Pass => &counts.passed,
            Self::CutBefore => &counts.before,
            Self::CutAfter | Self::CutAnswer => &counts.after,
            Self::CutInside => &counts.inside,
            Self::Late(_) => &counts.late,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

async fn carry(client: TcpStream, server: BaseUrl, counts: Arc<Counts>) {
    // Whatever breaks here breaks for the client too, as on any bad line.
    if let Ok(mut server) = TcpStream::connect(server.address()).await {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let _ = exchange(client, &mut server, &counts).await;
        // What was passed on is to have its effect, heard or not.
        let _ = server.shutdown().await;
        let mut unheard = tokio::io::sink();
        let _ = timeout(UNHEARD_LIMIT, tokio::io::copy(&mut server, &mut unheard)).await;
    }
}

/// Passes requests and answers, until one is cut or the client is gone. The client's connection ends with it.
async fn exchange(mut client: TcpStream, server: &mut TcpStream, counts: &Counts) -> io::Result<()> {
    let (mut question, mut answer) = (vec![0; PIECE], vec![0; PIECE]);
    let mut fate = Fate::Pass;
    loop {
        tokio::select! {
            asked = client.read(&mut question) => {
                let asked = asked?;
                if asked == 0 {
                    return Ok(());
                }
                fate = Fate::draw();
                fate.count(counts);
                match fate {
                    Fate::CutBefore => return client.set_zero_linger(),
                    Fate::Late(wait) => sleep(wait).await,
                    Fate::Pass | Fate::CutAfter | Fate::CutAnswer | Fate::CutInside => {}
                }
                server.write_all(&question[..asked]).await?;
                if fate == Fate::CutAfter {
                    return client.set_zero_linger();
                }
            }
            answered = server.read(&mut answer) => {
                let answered = answered?;
                match fate {
                    _ if answered == 0 => return Ok(()),
                    Fate::CutAnswer => return client.set_zero_linger(),
                    Fate::CutInside => {
                        client.write_all(&answer[..answered / 2]).await?;
                        return Ok(());
                    }
                    Fate::Pass | Fate::CutBefore | Fate::CutAfter | Fate::Late(_) => client.write_all(&answer[..answered]).await?,
                }
            }
        }
    }
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut_before, cut_after, cut_inside, late, passed } = self;
        write!(f, "{cut_before} cut before, {cut_after} after, {cut_inside} in the answer, {late} late, {passed} passed")
    }
}
