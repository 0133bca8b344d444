//! A line between one program and one PostgreSQL, on which things can go wrong.

mod line;
mod messages;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// Nothing.
    Fair,
    /// Each piece waits, up to this many milliseconds.
    Slow(u64),
    /// Every connection is reset as this begins, and later ones at some piece.
    Resets,
    /// Connections are accepted, and nothing passes either way until this ends.
    Silence,
    /// What is asked passes; the answers wait until this ends.
    NoAnswers,
    /// What is asked waits until this ends.
    NoQuestions,
    /// Some COMMITs pass, and their connection is cut before the answer does; some never pass.
    CutCommits,
}

/// A listening proxy in front of one server. It ends when it is dropped, and resets what is still connected.
#[derive(Debug)]
pub(super) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    commits: Arc<Notify>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a port of the loopback interface, for the server on this one.
    pub(super) async fn start(server: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("can't listen for a proxy")?;
        let port = listener.local_addr().context("can't listen for a proxy")?.port();
        let (weather, seen) = watch::channel(Weather::Fair);
        let commits = Arc::new(Notify::new());
        let line = line::Line { server, weather: seen, commits: Arc::clone(&commits) };
        let accepting = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((client, _)) => drop(tokio::spawn(line.clone().carry(client))),
                    // Out of descriptors, or a connection that was gone before it was accepted.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
        Ok(Self { port, weather, commits, accepting })
    }

    /// Where it listens.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Lets things go wrong from now on, or go well again.
    pub(super) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resolves when a COMMIT comes by, before it is passed on.
    pub(super) async fn next_commit(&self) {
        self.commits.notified().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
