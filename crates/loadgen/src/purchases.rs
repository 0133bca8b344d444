//! Customers on a bad line: each buys what it asked for, once, whatever is cut, lost, doubled or late on the way.
//!
//! Every request goes through a proxy that cuts connections and holds requests back, and is made four times at least, twice at once.
//! In the end bookings, payments and answers must agree to the last one.

mod audit;
mod books;
mod customer;
mod line;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::client::BaseUrl;
use crate::patience;
use crate::progress::Progress;
use crate::report::Report;
use crate::target::Target;
use crate::verify;
use customer::{Customer, Told};
use line::BadLine;
pub use line::Fates;

/// Seats of a show. There are so many shows that a third of the seats is left.
const SEATS: u32 = 600;
/// What customers want: one to three seats, two on average.
const SEATS_WANTED: u32 = 2;

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[group(id = "buyers")]
pub struct Options {
    /// Purchases to make
    #[arg(long, default_value_t = 10_000)]
    pub purchases: u32,
    /// Customers at a time, each with three connections
    #[arg(long, default_value_t = 32)]
    pub customers: u32,
    /// The server's store
    #[command(flatten)]
    pub store: verify::Options,
}

/// A purchase that was made, as its customer knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Purchase {
    /// Named like nobody else.
    user_name: String,
    payment: String,
    show_id: i64,
    seats: Vec<u32>,
    booking_id: i64,
    token: Option<Box<str>>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PurchasesReport {
    /// Purchases that were made.
    pub purchases: usize,
    /// Holds that were refused, as a seat was taken: their customers chose others.
    pub holds_refused: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Those among them that had no answer.
    pub lost: u64,
    /// What the line did to requests and answers.
    pub line: Fates,
    /// How long it took.
    pub seconds: f64,
    /// Invariants that `verify` has checked.
    pub invariants: usize,
    /// What should not have happened.
    pub wrong: Vec<String>,
}

/// Lets customers buy, and looks what they have.
///
/// # Errors
/// If the server or its store can't be reached, or a customer never gets an answer.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<PurchasesReport> {
    let shows = open_shows(target, options.purchases).await?;
    let bad_line = BadLine::start(&target.url).await?;
    let shown = progress.phase("purchases");
    let began = Instant::now();
    let told = buy(&bad_line.url(), &shows, options, progress).await?;
    let seconds = began.elapsed().as_secs_f64();
    drop(shown);
    let Told { purchases, holds_refused, requests, lost, mut wrong } = told;
    if purchases.len() != options.purchases as usize {
        wrong.push(format!("{} of {} purchases were made", purchases.len(), options.purchases));
    }
    wrong.extend(audit::read_back(target, &purchases).await?);
    wrong.extend(audit::judge(&purchases, &books::read(&options.store, &shows).await?));
    let verified = verify::run(&options.store).await?;
    if !verified.passed() {
        wrong.push(verified.to_string());
    }
    Ok(PurchasesReport {
        purchases: purchases.len(),
        holds_refused,
        requests,
        lost,
        line: bad_line.fates(),
        seconds,
        invariants: verified.findings.len(),
        wrong,
    })
}

async fn open_shows(target: &Target, purchases: u32) -> anyhow::Result<Arc<[i64]>> {
    let mut box_office = target.connect().await.with_context(|| format!("can't connect to {}", target.url))?;
    let mut shows = Vec::new();
    for _ in 0..(purchases * SEATS_WANTED * 3 / 2).div_ceil(SEATS) {
        shows.push(patience::show(&mut box_office, "Purchases on a bad line", SEATS).await.context("can't create a show")?);
    }
    Ok(shows.into())
}

async fn buy(line: &BaseUrl, shows: &Arc<[i64]>, options: &Options, progress: &Progress) -> anyhow::Result<Told> {
    // Keys, names and payments of another run on the same store are others.
    let run = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let mut customers = JoinSet::new();
    for number in 0..options.customers {
        let mine = (number..options.purchases).step_by(options.customers as usize);
        let customer = Customer::new(line.clone(), Arc::clone(shows), format!("{run}-{number}"), progress.clone());
        customers.spawn(async move { customer.buy(mine.len()).await });
    }
    let mut told = Told::default();
    while let Some(customer) = customers.join_next().await {
        told.add(customer.context("a customer broke down")??);
    }
    Ok(told)
}

/// How long a customer waits for an answer before it asks again: shorter than the line holds some requests back.
const PATIENCE: Duration = Duration::from_millis(400);

impl Report for PurchasesReport {
    fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for PurchasesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purchases, holds_refused, requests, lost, line, seconds, invariants, wrong } = self;
        writeln!(f, "{purchases} purchases in {seconds:.1} s; {holds_refused} holds were refused, as a seat was taken")?;
        writeln!(f, "{requests} requests, {lost} of them without an answer; on the line: {line}")?;
        writeln!(f, "{invariants} invariants checked")?;
        match &wrong[..] {
            [] => write!(f, "ok: everybody has what it asked for, once"),
            _ => crate::report::list(f, wrong),
        }
    }
}
