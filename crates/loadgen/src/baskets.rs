//! Baskets that overlap, in random order: where locking without an order deadlocks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::seq::SliceRandom;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::client::{CallError, Connection};
use crate::crowd::Crowd;
use crate::patience;
use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::seat_audit::Sales;
use crate::tally::Tally;
use crate::target::Target;

/// Who wants what, for how long.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Options {
    /// Seats of the house
    #[arg(long, default_value_t = 40)]
    pub seats: u32,
    /// Seats in a basket
    #[arg(long, default_value_t = 4)]
    pub basket: u32,
    /// Customers, each with one connection and one call at a time
    #[arg(long, default_value_t = 64)]
    pub customers: usize,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// Never confirm
    #[arg(long)]
    pub hold_only: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BasketsReport {
    /// The holds: 201 won, 409 lost.
    pub holds: PhaseReport,
    /// The confirms.
    pub confirms: PhaseReport,
    /// Shows that were sold, one after the other.
    pub shows: usize,
    /// What should not have happened.
    pub wrong: Vec<String>,
}

/// A confirm that was answered with 200.
struct Bought {
    show_id: i64,
    seats: Vec<u32>,
    booking_id: i64,
}

/// Lets customers fight over one small house after the other.
///
/// # Errors
/// If the server can't be reached, or a show can't be created or read. Answers of any kind are in the report.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<BasketsReport> {
    anyhow::ensure!((1..=options.seats).contains(&options.basket), "a basket must have a seat, and fit into the house");
    let time_limit = Duration::try_from_secs_f64(options.seconds).context("no length of time")?;
    let mut crowd = Crowd::gather(target, options.customers).await?;
    let playing = Arc::new(Playing::open(target, options).await?);
    let line = progress.phase("baskets");
    let ends = Instant::now() + time_limit;
    let (done, measured) =
        crowd.work(|connection| fight(connection, Arc::clone(&playing), options.clone(), ends, progress.clone())).await?;
    drop(line);
    let (tallies, bought): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let (holds, confirms): (Vec<_>, Vec<_>) = tallies.into_iter().unzip();
    let (holds, confirms) = (Tally::sum(holds), Tally::sum(confirms));

    let mut sales = Sales::default();
    let mut wrong = Vec::new();
    let shows = playing.shows.lock().await;
    for show_id in &shows.all {
        sales.include(*show_id);
    }
    for Bought { show_id, seats, booking_id } in bought.into_iter().flatten() {
        sales.confirmed(show_id, &seats, booking_id);
    }
    let answers_missing = confirms.outcome_unknown || confirms.server_errors() > 0;
    wrong.extend(sales.audit(crowd.someone()?, answers_missing).await?);
    let failures = holds.server_errors() + confirms.server_errors();
    if failures > 0 {
        wrong.push(format!("{failures} answers say that the server failed"));
    }
    let unanswered = holds.errors + confirms.errors;
    if unanswered > 0 {
        wrong.push(format!("{unanswered} calls had no answer"));
    }
    let (hold_time, confirm_time) = (measured.shared_with(&holds, &confirms), measured.shared_with(&confirms, &holds));
    Ok(BasketsReport {
        holds: PhaseReport::new("holds", 201, holds, hold_time)?,
        confirms: PhaseReport::new("confirms", 200, confirms, confirm_time)?,
        shows: shows.all.len(),
        wrong,
    })
}

async fn fight(
    mut connection: Connection,
    playing: Arc<Playing>,
    options: Options,
    ends: Instant,
    progress: Progress,
) -> (Connection, ((Tally, Tally), Vec<Bought>)) {
    let (mut holds, mut confirms, mut bought) = (Tally::default(), Tally::default(), Vec::new());
    let mut seats: Vec<u32> = (1..=options.seats).collect();
    while Instant::now() < ends {
        let (basket, _) = seats.partial_shuffle(&mut rand::rng(), options.basket as usize);
        let show_id = playing.show_id();
        let held = patience::hold(&mut connection, (show_id, basket), &mut holds, &progress).await;
        if let Err(error) = playing.count(show_id, held.is_some()).await {
            holds.failed(&error);
        }
        let Some(held) = held.filter(|_| !options.hold_only) else { continue };
        if patience::confirm(&mut connection, &held, &mut confirms, &progress).await {
            bought.push(Bought { show_id, seats: basket.to_vec(), booking_id: held.booking_id });
        }
    }
    (connection, ((holds, confirms), bought))
}

/// The show that is being sold. Once everybody keeps losing it is sold out, and the next one begins.
struct Playing {
    show_id: AtomicI64,
    lost_in_a_row: AtomicU64,
    sold_out_after: u64,
    seats: u32,
    shows: Mutex<Shows>,
}

struct Shows {
    all: Vec<i64>,
    box_office: Connection,
}

impl Playing {
    async fn open(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let mut box_office = target.connect().await?;
        let show_id = new_show(&mut box_office, options.seats).await.context("can't create a show")?;
        Ok(Self {
            show_id: AtomicI64::new(show_id),
            lost_in_a_row: AtomicU64::new(0),
            sold_out_after: 50.max(2 * options.customers as u64),
            seats: options.seats,
            shows: Mutex::new(Shows { all: vec![show_id], box_office }),
        })
    }

    fn show_id(&self) -> i64 {
        self.show_id.load(Ordering::Relaxed)
    }

    /// Counts a call for seats of this show.
    async fn count(&self, show_id: i64, won: bool) -> Result<(), CallError> {
        if won {
            self.lost_in_a_row.store(0, Ordering::Relaxed);
            return Ok(());
        }
        if self.lost_in_a_row.fetch_add(1, Ordering::Relaxed) < self.sold_out_after {
            return Ok(());
        }
        let mut shows = self.shows.lock().await;
        // Somebody else may have begun the next one meanwhile.
        if self.show_id() == show_id {
            let next = new_show(&mut shows.box_office, self.seats).await?;
            shows.all.push(next);
            self.lost_in_a_row.store(0, Ordering::Relaxed);
            self.show_id.store(next, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn new_show(box_office: &mut Connection, seats: u32) -> Result<i64, CallError> {
    patience::show(box_office, "Baskets that overlap", seats).await
}

impl Report for BasketsReport {
    fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for BasketsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holds, confirms, shows, wrong } = self;
        writeln!(f, "{holds}\n{confirms}\n{shows} shows")?;
        crate::report::list(f, wrong)
    }
}
