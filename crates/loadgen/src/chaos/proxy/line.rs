//! One connection through the proxy.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::Weather;
use super::messages::Messages;

/// One piece in so many resets a connection in [`Weather::Resets`].
const RESET_ONE_IN: u32 = 20;
/// One COMMIT in so many is cut, and as many lose their answer, in [`Weather::CutCommits`].
const CUT_ONE_IN: u32 = 4;
/// How long an answer may take that is waited for to be thrown away.
const CUT_ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// `ReadyForQuery`, outside of any transaction: what follows the answer to COMMIT.
const READY: &[u8] = b"Z\0\0\0\x05I";
const PIECE: usize = 16 * 1024;

/// What every connection of a proxy knows.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) server: u16,
    pub(super) weather: watch::Receiver<Weather>,
    pub(super) commits: Arc<Notify>,
}

/// A connection is to be reset, both ways.
struct Reset;

/// What becomes of a piece that a client has sent.
enum Fate {
    Pass,
    /// It passes, and what the server answers does not.
    PassWithoutAnswer,
    Reset,
}

impl Line {
    /// Carries everything between this client and the server, as the weather allows.
    pub(super) async fn carry(self, mut client: TcpStream) {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)).await;
        let Ok(mut server) = server else {
            // As if there were no proxy: the port of a server that is down refuses.
            return drop(client.set_zero_linger());
        };
        // A delay that nobody has asked for is no use.
        drop((client.set_nodelay(true), server.set_nodelay(true)));
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let answer_is_cut = AtomicBool::new(false);
        let ended = tokio::select! {
            reset = self.clone().until_resets() => Err(reset),
            asked = self.clone().questions(from_client, to_server, &answer_is_cut) => asked,
            answered = self.clone().answers(from_server, to_client, &answer_is_cut) => answered,
        };
        if let Err(Reset) = ended {
            drop((client.set_zero_linger(), server.set_zero_linger()));
        }
    }

    /// Resolves when the weather turns to resets, or the proxy ends.
    async fn until_resets(mut self) -> Reset {
        self.weather.mark_unchanged();
        while self.weather.changed().await.is_ok() {
            if *self.weather.borrow_and_update() == Weather::Resets {
                break;
            }
        }
        Reset
    }

    async fn questions(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, cut: &AtomicBool) -> Result<(), Reset> {
        let mut messages = Messages::default();
        let mut piece = vec![0; PIECE];
        loop {
            let length = from.read(&mut piece).await.unwrap_or(0);
            if length == 0 {
                // What it has asked is done all the same, and the server says when.
                drop(to.shutdown().await);
                return std::future::pending().await;
            }
            let piece = &piece[..length];
            let commit = messages.hold_commit(piece);
            if commit {
                self.commits.notify_waiters();
            }
            match self.question(commit).await {
                Fate::Pass => {}
                Fate::PassWithoutAnswer => cut.store(true, Ordering::Release),
                Fate::Reset => return Err(Reset),
            }
            // A server that is gone shows where its answers are read.
            drop(to.write_all(piece).await);
        }
    }

    /// Waits as long as the weather makes a question wait.
    async fn question(&mut self, commit: bool) -> Fate {
        loop {
            let weather = *self.weather.borrow_and_update();
            match weather {
                Weather::Slow(ms_max) => {
                    pause(ms_max).await;
                    return Fate::Pass;
                }
                Weather::Resets => return if one_in(RESET_ONE_IN) { Fate::Reset } else { Fate::Pass },
                Weather::CutCommits if commit && one_in(CUT_ONE_IN) => return Fate::Reset,
                Weather::CutCommits if commit && one_in(CUT_ONE_IN) => return Fate::PassWithoutAnswer,
                Weather::Fair | Weather::NoAnswers | Weather::CutCommits => return Fate::Pass,
                Weather::Silence | Weather::NoQuestions => {
                    if self.weather.changed().await.is_err() {
                        return Fate::Reset;
                    }
                }
            }
        }
    }

    async fn answers(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, cut: &AtomicBool) -> Result<(), Reset> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = from.read(&mut piece).await.unwrap_or(0);
            if length == 0 {
                return Ok(());
            }
            if cut.load(Ordering::Acquire) {
                drop(timeout(CUT_ANSWER_LIMIT, swallow(&mut from, &piece[..length])).await);
                return Err(Reset);
            }
            self.answer().await?;
            // Into the void, if the client has gone: the server must still come to its end.
            drop(to.write_all(&piece[..length]).await);
        }
    }

    /// Waits as long as the weather makes an answer wait.
    async fn answer(&mut self) -> Result<(), Reset> {
        loop {
            let weather = *self.weather.borrow_and_update();
            match weather {
                Weather::Fair | Weather::NoQuestions | Weather::CutCommits => return Ok(()),
                Weather::Slow(ms_max) => {
                    pause(ms_max).await;
                    return Ok(());
                }
                Weather::Resets => return if one_in(RESET_ONE_IN) { Err(Reset) } else { Ok(()) },
                Weather::Silence | Weather::NoAnswers => self.weather.changed().await.map_err(|_| Reset)?,
            }
        }
    }
}

/// Reads on until the server has answered the COMMIT, and all that was asked before it.
async fn swallow(from: &mut ReadHalf<'_>, beginning: &[u8]) -> io::Result<()> {
    let mut swallowed = beginning.to_vec();
    while !swallowed.windows(READY.len()).any(|window| window == READY) {
        if from.read_buf(&mut swallowed).await? == 0 {
            break;
        }
    }
    Ok(())
}

async fn pause(ms_max: u64) {
    let ms = rand::rng().random_range(ms_max.min(10)..=ms_max);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn one_in(many: u32) -> bool {
    rand::rng().random_ratio(1, many)
}
