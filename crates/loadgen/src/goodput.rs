//! How much a server can serve: what a closed loop of customers gets out of it.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::client::Connection;
use crate::crowd::Crowd;
use crate::open_loop::Arrival;
use crate::target::Target;

/// One look at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// Customers, each with one call at a time.
    pub customers: usize,
    /// Calls that were served a second.
    pub per_second: f64,
    /// Customers who made these calls, a second: a customer may make several.
    pub visits_per_second: f64,
}

/// Lets customers visit one after the other for a while. `visit` yields how many of its calls were served.
pub(crate) async fn probe<F>(
    target: &Target,
    customers: usize,
    lasts: Duration,
    visit: impl Fn(Connection, Arrival) -> F + Clone + Send + 'static,
) -> anyhow::Result<Probe>
where
    F: Future<Output = (Connection, u32)> + Send + 'static,
{
    let mut crowd = Crowd::gather(target, customers).await?;
    let ends = Instant::now() + lasts;
    let (served, measured) = crowd
        .work(|mut connection| {
            let visit = visit.clone();
            async move {
                let (mut served, mut visits) = (0, 0_u32);
                loop {
                    let at = Instant::now();
                    if at >= ends {
                        return (connection, (served, visits));
                    }
                    let (kept, done) = visit(connection, Arrival { at, stretch: 0 }).await;
                    connection = kept;
                    served += done;
                    visits += 1;
                }
            }
        })
        .await?;
    let (served, visits) = served.iter().fold((0, 0), |(served, visits), &(more, came)| (served + more, visits + came));
    let a_second = |count: u32| f64::from(count) / measured.elapsed.as_secs_f64();
    Ok(Probe { customers, per_second: a_second(served), visits_per_second: a_second(visits) })
}

/// The best of them.
pub(crate) fn best(probes: &[Probe]) -> anyhow::Result<Probe> {
    let best = probes.iter().copied().max_by(|one, other| one.per_second.total_cmp(&other.per_second));
    best.filter(|best| best.per_second >= 1.0).context("the server serves nothing")
}
