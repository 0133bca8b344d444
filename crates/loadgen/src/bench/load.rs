//! Customers who call for a while, and are counted for the better part of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::deal::Deal;
use super::watch::{Used, Watch};
use crate::client::{CallError, Connection, Held};
use crate::crowd::Crowd;
use crate::target::Target;

/// What a customer does, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Holds a basket. Done: a 201.
    Hold,
    /// Wants a basket of a house that is sold out. Done: a 409.
    Lose,
    /// Holds a basket and confirms it. Done: a 200 to the confirm.
    Buy,
    /// Looks at the seat map, holds, confirms, looks at the booking twice. Done: any call that was served.
    Visit,
}

/// How long customers call: so long to warm up, then so long counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) warm_up: Duration,
    pub(super) counted: Duration,
}

/// A hold that was answered with 201.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) booking_id: i64,
    /// Which basket it got.
    pub(super) basket: u64,
    pub(super) confirmed: bool,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Done, in the counted part.
    pub(super) done: u64,
    /// Latencies of all calls in the counted part.
    pub(super) latencies_us: Vec<u32>,
    /// All answers.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Calls without an answer, and what the first of them said.
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    /// Every 201.
    pub(super) answered: Vec<Answered>,
    /// Whether the baskets did not last.
    pub(super) ran_out: bool,
}

/// The work of all customers.
struct Work {
    deal: Deal,
    step: u64,
    script: Script,
    span: Span,
    next: AtomicU64,
    began: OnceLock<Instant>,
}

/// Lets customers work, while `watch` looks at what it costs.
pub(super) async fn run(
    target: &Target,
    clients: u32,
    (deal, script): (Deal, Script),
    span: Span,
    watch: &Watch<'_>,
) -> anyhow::Result<(Loaded, Used)> {
    let mut crowd = Crowd::gather(target, clients as usize).await?;
    let work = Work { deal, step: deal.step(), script, span, next: AtomicU64::new(0), began: OnceLock::new() };
    let work = Arc::new(work);
    let working = crowd.work(|connection| Customer::new(connection, Arc::clone(&work)).work());
    let (worked, used) = tokio::join!(working, watch.over(span));
    let (customers, _) = worked?;
    Ok((customers.into_iter().fold(Loaded::default(), Loaded::and), used))
}

/// One customer, and what it has counted.
struct Customer {
    connection: Connection,
    work: Arc<Work>,
    count_from: Instant,
    ends: Instant,
    loaded: Loaded,
    seats: Vec<u32>,
}

impl Customer {
    fn new(connection: Connection, work: Arc<Work>) -> Self {
        let now = Instant::now();
        Self { connection, work, count_from: now, ends: now, loaded: Loaded::default(), seats: Vec::new() }
    }

    async fn work(mut self) -> (Connection, Loaded) {
        // Whoever is first begins for all.
        let began = *self.work.began.get_or_init(Instant::now);
        self.count_from = began + self.work.span.warm_up;
        self.ends = self.count_from + self.work.span.counted;
        while Instant::now() < self.ends {
            let k = self.work.next.fetch_add(1, Ordering::Relaxed);
            let baskets = self.work.deal.baskets();
            match self.work.script {
                Script::Lose => self.lose(k % baskets).await,
                _ if k >= baskets => {
                    self.loaded.ran_out = true;
                    break;
                }
                Script::Hold => drop(self.hold(k).await),
                Script::Buy => self.buy(k).await,
                Script::Visit => self.visit(k).await,
            }
        }
        (self.connection, self.loaded)
    }

    async fn hold(&mut self, k: u64) -> Option<Held> {
        let show_id = self.work.deal.basket(k, self.work.step, &mut self.seats);
        let began = Instant::now();
        let answer = self.connection.book(show_id, &self.seats).await;
        let held = answer.as_ref().ok().and_then(|answer| answer.held.clone());
        let counts = matches!(self.work.script, Script::Hold);
        self.count(began, answer.map(|answer| answer.status), |status| counts && status == 201).await;
        if let Some(held) = &held {
            self.loaded.answered.push(Answered { booking_id: held.booking_id, basket: k, confirmed: false });
        }
        held
    }

    async fn lose(&mut self, k: u64) {
        let show_id = self.work.deal.basket(k, self.work.step, &mut self.seats);
        let began = Instant::now();
        let answer = self.connection.book(show_id, &self.seats).await;
        self.count(began, answer.map(|answer| answer.status), |status| status == 409).await;
    }

    async fn buy(&mut self, k: u64) {
        let Some(held) = self.hold(k).await else { return };
        let began = Instant::now();
        let status = self.connection.confirm(&held).await;
        let confirmed = status.as_ref().is_ok_and(|status| *status == 200);
        let counts = matches!(self.work.script, Script::Buy);
        self.count(began, status, |status| status == 200 && counts).await;
        if let Some(last) = self.loaded.answered.last_mut() {
            last.confirmed = confirmed;
        }
    }

    async fn visit(&mut self, k: u64) {
        let show_id = self.work.deal.basket(k, self.work.step, &mut self.seats);
        self.look(&format!("/shows/{show_id}/seats")).await;
        let before = self.loaded.answered.len();
        self.buy(k).await;
        let Some(booking_id) = self.loaded.answered.get(before).map(|answered| answered.booking_id) else { return };
        for _ in 0..2 {
            self.look(&format!("/book/{booking_id}")).await;
        }
    }

    async fn look(&mut self, path: &str) {
        let began = Instant::now();
        let answer = self.connection.get(path).await;
        self.count(began, answer.map(|answer| answer.status), |_| false).await;
    }

    async fn count(&mut self, began: Instant, answer: Result<u16, CallError>, is_done: impl Fn(u16) -> bool) {
        let now = Instant::now();
        match answer {
            Ok(status) => {
                *self.loaded.statuses.entry(status).or_default() += 1;
                if (self.count_from..self.ends).contains(&now) {
                    let us = u32::try_from(now.duration_since(began).as_micros()).unwrap_or(u32::MAX);
                    self.loaded.latencies_us.push(us);
                    let served = matches!(self.work.script, Script::Visit) && status < 400;
                    self.loaded.done += u64::from(served || is_done(status));
                }
            }
            Err(error) => {
                self.loaded.errors += 1;
                self.loaded.first_error.get_or_insert_with(|| error.to_string());
                // A server that is gone must not be asked in a circle.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

impl Loaded {
    fn and(mut self, other: Self) -> Self {
        self.done += other.done;
        self.latencies_us.extend(other.latencies_us);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.errors += other.errors;
        self.first_error = self.first_error.or(other.first_error);
        self.answered.extend(other.answered);
        self.ran_out |= other.ran_out;
        self
    }
}
