//! A whole house sold: everybody holds, then everybody confirms.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::client::Held;
use crate::crowd::Crowd;
use crate::house::{self, Basket, Pile};
use crate::patience;
use crate::progress::Progress;
use crate::report::{Measured, PhaseReport, Report};
use crate::seat_audit::Sales;
use crate::tally::Tally;
use crate::target::Target;

/// How a house is sold.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Seats to sell, over all shows
    #[arg(long, default_value_t = 20_000)]
    pub seats: u32,
    /// Customers, each with one connection and one call at a time
    #[arg(long, default_value_t = 256)]
    pub customers: usize,
    /// Seats in a booking
    #[arg(long, default_value_t = 1)]
    pub seats_per_booking: u32,
    /// Shows to spread the seats over
    #[arg(long, default_value_t = 1)]
    pub shows: u32,
    /// Each customer confirms right after its hold, instead of everyone holding first
    #[arg(long)]
    pub interleaved: bool,
    /// Holds and confirms on a show of their own beforehand, not counted: they warm connections, plans and caches
    #[arg(long, default_value_t = 2000)]
    pub warm_up_holds: u32,
}

impl Default for Options {
    fn default() -> Self {
        let warm_up_holds = 2000;
        Self { seats: 20_000, customers: 256, seats_per_booking: 1, shows: 1, interleaved: false, warm_up_holds }
    }
}

/// How a house was sold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SellOutReport {
    /// The holds.
    pub holds: PhaseReport,
    /// The confirms. Interleaved, both took the same time together.
    pub confirms: PhaseReport,
    /// Seats that customers were told they had bought.
    pub seats_sold: usize,
    /// Seats there were.
    pub seats: u32,
    /// Where answers and seat map differ, or a seat was not sold.
    pub wrong: Vec<String>,
}

/// A hold that got its basket.
struct Sale {
    basket: Basket,
    held: Held,
    confirmed: bool,
}

/// Sells a house, and looks at the seat map afterwards.
///
/// # Errors
/// If the server can't be reached, or a show can't be created or read. Answers of any kind are in the report.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<SellOutReport> {
    let mut crowd = Crowd::gather(target, options.customers).await?;
    if options.warm_up_holds > 0 {
        let warm_up = house::build(crowd.someone()?, options.warm_up_holds, 1, 1).await?;
        sell(&mut crowd, warm_up, options.interleaved, progress).await?;
    }
    let baskets = house::build(crowd.someone()?, options.seats, options.shows, options.seats_per_booking).await?;
    let shows: Vec<i64> = baskets.iter().map(|basket| basket.show_id).collect();
    let (holds, confirms, sold) = sell(&mut crowd, baskets, options.interleaved, progress).await?;

    let mut sales = Sales::default();
    for show_id in shows {
        sales.include(show_id);
    }
    for sale in sold.iter().filter(|sale| sale.confirmed) {
        sales.confirmed(sale.basket.show_id, &sale.basket.seats, sale.held.booking_id);
    }
    let seats_sold = sold.iter().filter(|sale| sale.confirmed).map(|sale| sale.basket.seats.len()).sum();
    let mut wrong = sales.audit(crowd.someone()?, confirms.errors > 0 || confirms.server_errors() > 0).await?;
    if seats_sold != options.seats as usize {
        wrong.push(format!("{seats_sold} of {} seats were sold", options.seats));
    }
    Ok(SellOutReport { holds, confirms, seats_sold, seats: options.seats, wrong })
}

/// The hold phase alone, on connections and a show of its own.
pub(crate) async fn hold_only(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<PhaseReport> {
    let mut crowd = Crowd::gather(target, options.customers).await?;
    if options.warm_up_holds > 0 {
        let warm_up = house::build(crowd.someone()?, options.warm_up_holds, 1, 1).await?;
        hold_all(&mut crowd, warm_up, progress).await?;
    }
    let baskets = house::build(crowd.someone()?, options.seats, options.shows, options.seats_per_booking).await?;
    let (tally, measured, _) = hold_all(&mut crowd, baskets, progress).await?;
    PhaseReport::new("holds", 201, tally, measured)
}

async fn sell(
    crowd: &mut Crowd,
    baskets: Vec<Basket>,
    interleaved: bool,
    progress: &Progress,
) -> anyhow::Result<(PhaseReport, PhaseReport, Vec<Sale>)> {
    let ((holds, hold_time), (confirms, confirm_time), sales) = if interleaved {
        let (holds, confirms, time, sales) = hold_and_confirm_each(crowd, baskets, progress).await?;
        let (hold_time, confirm_time) = (time.shared_with(&holds, &confirms), time.shared_with(&confirms, &holds));
        ((holds, hold_time), (confirms, confirm_time), sales)
    } else {
        let (holds, hold_time, held) = hold_all(crowd, baskets, progress).await?;
        let (confirms, confirm_time, sales) = confirm_all(crowd, held, progress).await?;
        ((holds, hold_time), (confirms, confirm_time), sales)
    };
    let holds = PhaseReport::new("holds", 201, holds, hold_time)?;
    Ok((holds, PhaseReport::new("confirms", 200, confirms, confirm_time)?, sales))
}

async fn hold_all(crowd: &mut Crowd, baskets: Vec<Basket>, progress: &Progress) -> anyhow::Result<(Tally, Measured, Vec<Sale>)> {
    let _line = progress.phase("holds");
    let baskets = Arc::new(Pile::of(baskets));
    let (done, measured) = crowd
        .work(|mut connection| {
            let (baskets, progress) = (Arc::clone(&baskets), progress.clone());
            async move {
                let (mut tally, mut sales) = (Tally::default(), Vec::new());
                while let Some(basket) = baskets.take() {
                    let wanted = (basket.show_id, &*basket.seats);
                    if let Some(held) = patience::hold(&mut connection, wanted, &mut tally, &progress).await {
                        sales.push(Sale { basket: basket.clone(), held, confirmed: false });
                    }
                }
                (connection, (tally, sales))
            }
        })
        .await?;
    let (tallies, sales): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    Ok((Tally::sum(tallies), measured, sales.into_iter().flatten().collect()))
}

async fn confirm_all(
    crowd: &mut Crowd,
    mut held: Vec<Sale>,
    progress: &Progress,
) -> anyhow::Result<(Tally, Measured, Vec<Sale>)> {
    let _line = progress.phase("confirms");
    // In the order in which they were held, so that neighbours are confirmed at about the same time, as they were held.
    held.sort_unstable_by_key(|sale| sale.held.booking_id);
    let holds: Arc<Pile<(usize, Held)>> = Arc::new(Pile::of(held.iter().map(|sale| sale.held.clone()).enumerate().collect()));
    let (done, measured) = crowd
        .work(|mut connection| {
            let (holds, progress) = (Arc::clone(&holds), progress.clone());
            async move {
                let (mut tally, mut confirmed) = (Tally::default(), Vec::new());
                while let Some((i, held)) = holds.take() {
                    if patience::confirm(&mut connection, held, &mut tally, &progress).await {
                        confirmed.push(*i);
                    }
                }
                (connection, (tally, confirmed))
            }
        })
        .await?;
    let (tallies, confirmed): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    for i in confirmed.into_iter().flatten() {
        held[i].confirmed = true;
    }
    Ok((Tally::sum(tallies), measured, held))
}

async fn hold_and_confirm_each(
    crowd: &mut Crowd,
    baskets: Vec<Basket>,
    progress: &Progress,
) -> anyhow::Result<(Tally, Tally, Measured, Vec<Sale>)> {
    let _line = progress.phase("holds and confirms");
    let baskets = Arc::new(Pile::of(baskets));
    let (done, measured) = crowd
        .work(|mut connection| {
            let (baskets, progress) = (Arc::clone(&baskets), progress.clone());
            async move {
                let (mut holds, mut confirms, mut sales) = (Tally::default(), Tally::default(), Vec::new());
                while let Some(basket) = baskets.take() {
                    let wanted = (basket.show_id, &*basket.seats);
                    if let Some(held) = patience::hold(&mut connection, wanted, &mut holds, &progress).await {
                        let confirmed = patience::confirm(&mut connection, &held, &mut confirms, &progress).await;
                        sales.push(Sale { basket: basket.clone(), held, confirmed });
                    }
                }
                (connection, (holds, (confirms, sales)))
            }
        })
        .await?;
    let (holds, rest): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let (confirms, sales): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
    Ok((Tally::sum(holds), Tally::sum(confirms), measured, sales.into_iter().flatten().collect()))
}

impl Report for SellOutReport {
    fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for SellOutReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holds, confirms, seats_sold, seats, wrong } = self;
        writeln!(f, "{holds}\n{confirms}\n{seats_sold} of {seats} seats sold")?;
        crate::report::list(f, wrong)
    }
}
