//! More load than the server can serve: what it still sells, how it turns the others away, and how soon it is itself again.
//!
//! First the best goodput, in a closed loop. Then one open loop without a break: half of it, several times as much, half again.

mod counter;
mod report;
mod stock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::client::Connection;
use crate::goodput::{self, Probe};
use crate::open_loop::{self, Plan, Stretch};
use crate::process_memory::Watch;
use crate::progress::Progress;
use crate::target::Target;
use counter::Counter;
pub use report::{MemoryMib, OverloadReport, StretchReport};
use stock::Stock;

/// How much too much.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Options {
    /// How long the overload lasts
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// How many times the best goodput is offered
    #[arg(long, default_value_t = 3.0)]
    pub times: f64,
    /// How long a customer waits, counted from when it came; a hold that is answered later is no use to anybody
    #[arg(long, default_value_t = 2.0)]
    pub patience_seconds: f64,
    /// Most connections; a customer who finds all of them busy goes away. Not fewer than the server lets wait (`QUEUE_MAX`), or
    /// else its queue never fills
    #[arg(long, default_value_t = 6000)]
    pub connections: usize,
    /// The numbers of customers with which the best goodput is looked for
    #[arg(long, value_delimiter = ',', default_value = "64,128,256")]
    pub customers: Vec<usize>,
    /// How long each of these looks lasts
    #[arg(long, default_value_t = 1.0)]
    pub probe_seconds: f64,
    /// How long half the load lasts, before the overload and after it
    #[arg(long, default_value_t = 5.0)]
    pub calm_seconds: f64,
    /// The server's process, whose memory is watched
    #[arg(long)]
    pub pid: Option<u32>,
    /// How long a hold lives on this server (`HOLD_SECONDS`): younger ones must be in the seat map at the end
    #[arg(long, default_value_t = 120.0)]
    pub hold_seconds: f64,
}

/// After the overload, the time to recover is measured in steps of this.
const STEP: Duration = Duration::from_millis(500);

/// The stretch before the overload, and the overload itself; those after it are the steps.
const BEFORE: usize = 0;
const OVERLOAD: usize = 1;

/// Overloads the server, and looks at the seat map afterwards.
///
/// # Errors
/// If the server can't be reached, a show can't be created or read, or the server serves nothing at all.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<OverloadReport> {
    let length = |seconds| Duration::try_from_secs_f64(seconds).context("no length of time");
    anyhow::ensure!(options.times > 0.0 && !options.customers.is_empty(), "there must be a load, and customers");
    let calm = length(options.calm_seconds)?.max(STEP);
    let (lasts, patience) = (length(options.seconds)?, length(options.patience_seconds)?);
    let mut box_office = target.connect().await.with_context(|| format!("can't connect to {}", target.url))?;
    let stock = Arc::new(Stock::default());
    let probes = look_for_best(target, options, &stock, &mut box_office, progress).await?;
    let best = goodput::best(&probes)?;

    let half = Stretch { per_second: best.per_second / 2.0, lasts: calm };
    let overload = Stretch { per_second: best.per_second * options.times, lasts };
    let step = Stretch { per_second: half.per_second, lasts: STEP };
    let steps = usize::try_from(calm.as_millis() / STEP.as_millis())?;
    let stretches: Vec<Stretch> = [half, overload].into_iter().chain(std::iter::repeat_n(step, steps)).collect();
    // With some to spare: the server may do better than it did, and every connection may have one in its hands.
    let seats = best.per_second * (2.0 * options.calm_seconds + 1.3 * options.seconds);
    stock.fill_up_to(seats_of(seats)? + u32::try_from(options.connections)?, &mut box_office).await?;

    let watch = options.pid.map(Watch::start);
    let began = Instant::now();
    let counter = Arc::new(Counter::new(Arc::clone(&stock), began, &stretches, patience));
    let line = progress.phase("overload");
    let plan = Plan { stretches: stretches.clone(), connections_max: options.connections };
    let visitors = (Arc::clone(&counter), progress.clone());
    let offered = open_loop::offer(target, plan, began, move |mut connection, arrival| {
        let (counter, progress) = visitors.clone();
        async move {
            counter.hold(&mut connection, arrival).await;
            progress.step();
            connection
        }
    })
    .await?;
    drop(line);
    let memory = match watch {
        Some(watch) => report::memory(&watch.finish().await, began + calm, began + calm + lasts),
        None => None,
    };
    let wrong = stock.audit(&mut box_office, length(options.hold_seconds)?).await?;
    report::write(probes, best, options.times, &stretches, &offered, counter.told(), memory, wrong)
}

/// A few short looks, after one that is not counted.
async fn look_for_best(
    target: &Target,
    options: &Options,
    stock: &Arc<Stock>,
    box_office: &mut Connection,
    progress: &Progress,
) -> anyhow::Result<Vec<Probe>> {
    /// For the first look, when nothing is known yet.
    const FIRST_PER_SECOND: f64 = 30_000.0;
    let lasts = Duration::try_from_secs_f64(options.probe_seconds).context("no length of time")?;
    let _line = progress.phase("looking for the best goodput");
    let mut probes: Vec<Probe> = Vec::new();
    let warm_up = options.customers.first().copied();
    for customers in warm_up.into_iter().chain(options.customers.iter().copied()) {
        let known = probes.last().map_or(FIRST_PER_SECOND, |probe| 2.0 * probe.per_second);
        stock.fill_up_to(seats_of(known * options.probe_seconds)?, box_office).await?;
        let whole = Stretch { per_second: 0.0, lasts };
        let counter = Arc::new(Counter::new(Arc::clone(stock), Instant::now(), &[whole], Duration::MAX));
        let visitors = (counter, progress.clone());
        let probe = goodput::probe(target, customers, lasts, move |mut connection, arrival| {
            let (counter, progress) = visitors.clone();
            async move {
                let served = counter.hold(&mut connection, arrival).await;
                progress.step();
                (connection, u32::from(served))
            }
        });
        probes.push(probe.await?);
    }
    // The first was for the caches.
    probes.remove(0);
    Ok(probes)
}

fn seats_of(seats: f64) -> anyhow::Result<u32> {
    const SEATS_MAX: f64 = 50e6;
    anyhow::ensure!((0.0..SEATS_MAX).contains(&seats), "this load needs {seats:.0} seats: too many");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    let seats = seats as u32;
    Ok(seats.max(1000))
}
