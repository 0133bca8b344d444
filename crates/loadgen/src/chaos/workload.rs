//! The customers.
//!
//! Each has one connection and one call at a time. It holds seats that others want too, confirms (all of them or some), cancels, extends
//! and changes some of its bookings, often around their deadlines, does it again, tries other people's bookings, looks, hangs up, and goes
//! to the other server when one does not answer. It is the house, too: it keeps seats from sale, edits shows and cancels some. Most of what
//! it wants it asks for under a key, and repeats until it is answered. What it decides depends on the seed and on what it was answered, and
//! on nothing else. Some shows take late confirms, the others limit their customers.

mod calls;
mod customer;
mod on_sale;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::history::{History, Micros};
use crate::client::BaseUrl;
use calls::Counter;
use customer::Customer;
use on_sale::OnSale;

/// How many times as long as a hold one can live that is extended.
pub(super) const HOLD_LIMIT: u8 = 2;

/// Who calls, how often, and what for. The servers are open ones: nobody asks for a token.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Options {
    /// Customers, each with one connection and one call at a time
    #[arg(long, default_value_t = 48)]
    pub customers: u32,
    /// Shows on sale at the same time; one that is nearly sold out gives way to a new one
    #[arg(long, default_value_t = 3)]
    pub shows: u32,
    /// Seats of a show
    #[arg(long, default_value_t = 20)]
    pub seats: u32,
    /// Calls a second, of all customers together
    #[arg(long, default_value_t = 1500.0)]
    pub rate: f64,
    /// What decides everything that a customer decides
    #[arg(skip)]
    pub seed: u64,
    /// How long the servers hold a seat
    #[arg(skip = 2.0)]
    pub hold_seconds: f64,
    /// How long a customer waits for an answer
    #[arg(skip = 2.0)]
    pub time_limit_seconds: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { customers: 48, shows: 3, seats: 20, rate: 1500.0, seed: 0, hold_seconds: 2.0, time_limit_seconds: 2.0 }
    }
}

/// Lets customers book on these servers until told to stop, and returns all that they have seen.
///
/// A call that is under way when it is told to stop is waited for. The books are to be read after that.
///
/// # Errors
/// If no show can be created in the beginning. Answers of any kind, and none at all, are in the history.
pub async fn run(servers: &[BaseUrl], options: &Options, stop: watch::Receiver<bool>) -> anyhow::Result<History> {
    anyhow::ensure!(!servers.is_empty() && options.customers > 0, "there must be a server and a customer");
    let time_limit = Duration::try_from_secs_f64(options.time_limit_seconds).context("no time limit")?;
    let pause = Duration::try_from_secs_f64(f64::from(options.customers) / options.rate).context("no rate")?;
    let hold_for = Duration::try_from_secs_f64(options.hold_seconds).context("no time to hold a seat")?;
    let hold_for = Micros::try_from(hold_for.as_micros())?;

    let servers: Arc<[BaseUrl]> = servers.into();
    let on_sale = Arc::new(OnSale::open(&servers, options.shows, options.seats, time_limit).await?);
    let counter = Arc::new(Counter::default());
    let mut customers = JoinSet::new();
    for number in 0..options.customers {
        let customer = Customer::new(number, options.seed, &servers, time_limit, Arc::clone(&counter), Arc::clone(&on_sale));
        customers.spawn(customer.book(pause, hold_for, stop.clone()));
    }
    let box_office = tokio::spawn(Arc::clone(&on_sale).keep_shows_on_sale(servers, time_limit));
    let mut operations = Vec::new();
    while let Some(seen) = customers.join_next().await {
        operations.extend(seen.context("a customer broke down")?);
    }
    box_office.abort();
    operations.sort_unstable_by_key(|operation| operation.id);
    Ok(History { operations, shows: on_sale.all(), hold_for, hold_limit: hold_for * Micros::from(HOLD_LIMIT) })
}
