//! What customers write down, and a sample of it every few seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::report::Sample;
use super::tables;
use crate::client::CallError;
use crate::process_memory::resident_kib;
use crate::report::LatencyMs;

/// A journal that all customers write into.
#[derive(Default)]
pub(super) struct Journal(Mutex<Page>);

/// The task that takes the samples.
pub(super) struct Keeping {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<Vec<Sample>>>,
}

/// What was written since the last sample.
#[derive(Default)]
struct Page {
    writes_us: Vec<u32>,
    reads_us: Vec<u32>,
    refused: u64,
    others: BTreeMap<u16, u64>,
    errors: u64,
    first_error: Option<String>,
}

impl Journal {
    fn page<T>(&self, write: impl FnOnce(&mut Page) -> T) -> T {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A hold or a confirm was answered; `good` is the status that means "done".
    pub(super) fn wrote(&self, status: u16, good: u16, took: Duration) {
        self.page(|page| match status {
            status if status == good => page.writes_us.push(us(took)),
            503 | 429 => page.refused += 1,
            status => *page.others.entry(status).or_default() += 1,
        });
    }

    /// Something was read.
    pub(super) fn read(&self, took: Duration) {
        self.page(|page| page.reads_us.push(us(took)));
    }

    /// A call had no answer.
    pub(super) fn failed(&self, error: &CallError) {
        self.page(|page| {
            page.errors += 1;
            page.first_error.get_or_insert_with(|| error.to_string());
        });
    }

    /// Begins to take a sample every so often.
    pub(super) fn keep(self: &Arc<Self>, every: Duration, pid: Option<u32>, tables: Option<tables::Watch>) -> Keeping {
        let (stop, mut stopped) = oneshot::channel();
        let journal = Arc::clone(self);
        let task = tokio::spawn(async move {
            let began = Instant::now();
            let (mut samples, mut last) = (Vec::new(), began);
            loop {
                let is_over = tokio::time::timeout_at((last + every).into(), &mut stopped).await.is_ok();
                let page = journal.page(std::mem::take);
                let now = Instant::now();
                let (at, lasted) = (now - began, now - last);
                last = now;
                let looked = match &tables {
                    Some(tables) => tables.look().await?,
                    None => Vec::new(),
                };
                samples.push(page.sample(at, lasted, pid.and_then(resident_kib), looked)?);
                if is_over {
                    return Ok(samples);
                }
            }
        });
        Keeping { stop, task }
    }
}

impl Keeping {
    /// The samples; the last of them is a short one.
    pub(super) async fn finish(self) -> anyhow::Result<Vec<Sample>> {
        let _ = self.stop.send(());
        self.task.await.context("the journal broke down")?
    }
}

impl Page {
    fn sample(self, at: Duration, lasted: Duration, kib: Option<u64>, tables: Vec<super::Table>) -> anyhow::Result<Sample> {
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
        let calls_per_second = (self.writes_us.len() + self.reads_us.len()) as f64 / lasted.as_secs_f64();
        Ok(Sample {
            seconds: at.as_secs_f64(),
            calls_per_second,
            writes_ms: LatencyMs::of(&self.writes_us)?,
            reads_ms: LatencyMs::of(&self.reads_us)?,
            refused: self.refused,
            others: self.others,
            errors: self.errors,
            first_error: self.first_error,
            server_kib: kib,
            tables,
        })
    }
}

fn us(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
