//! What the person in front of the terminal sees while a run lasts.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A counter that shows itself on the terminal, if standard error is one.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    shown: bool,
    done: Arc<AtomicU64>,
}

/// Shows the counter until dropped.
pub(crate) struct Line(Option<tokio::task::JoinHandle<()>>);

impl Progress {
    /// Shown if standard error is a terminal.
    pub fn on_terminal() -> Self {
        Self { shown: stderr().is_terminal(), done: Arc::default() }
    }

    /// Never shown.
    pub fn hidden() -> Self {
        Self::default()
    }

    /// Counts one.
    pub(crate) fn step(&self) {
        // Cheaper than a shared write a call when nobody looks.
        if self.shown {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins to show a phase, which counts from zero.
    pub(crate) fn phase(&self, name: &'static str) -> Line {
        if !self.shown {
            return Line(None);
        }
        self.done.store(0, Ordering::Relaxed);
        let done = Arc::clone(&self.done);
        Line(Some(tokio::spawn(async move {
            let began = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let count = done.load(Ordering::Relaxed);
                let _ = write!(stderr(), "\r\x1b[K{name}: {count} calls in {:.1} s", began.elapsed().as_secs_f64());
            }
        })))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
