//! An open loop: customers arrive by a schedule, whether or not those before them have been served.
//!
//! In a closed loop a slow server is asked less, and hides behind that. Here a customer who has to wait is there all the same,
//! and its time counts from the moment at which it came.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::RngExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;

use crate::client::Connection;
use crate::report::cpu_time;
use crate::target::Target;

/// A stretch of time in which customers arrive at a steady rate, at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    /// Arrivals a second, on average.
    pub(crate) per_second: f64,
    /// How long it lasts.
    pub(crate) lasts: Duration,
}

/// A customer who came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When.
    pub(crate) at: Instant,
    /// In which stretch.
    pub(crate) stretch: usize,
}

/// How customers are let in.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The stretches, one after the other, without a pause between them.
    pub(crate) stretches: Vec<Stretch>,
    /// Most connections. The one that was used last is used first, so that few are used when few are needed; who finds all of
    /// them busy goes away. A queue of customers here would be the load generator's, not the server's.
    pub(crate) connections_max: usize,
}

/// What became of one stretch's customers, as far as the loop itself knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Who came.
    pub(crate) arrivals: u64,
    /// Who went away, having found every connection busy.
    pub(crate) turned_away: u64,
    /// Who could not connect.
    pub(crate) unconnected: u64,
    /// Processor time that the load generator used meanwhile, where the system tells.
    pub(crate) cpu: Option<Duration>,
}

/// What became of all.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    /// By stretch.
    pub(crate) stretches: Vec<Admitted>,
    /// Connections that were opened.
    pub(crate) connections: usize,
}

/// Lets customers in by the plan, beginning at `began`, and waits until the last one has left. `visit` is what a customer does.
pub(crate) async fn offer<F>(
    target: &Target,
    plan: Plan,
    began: Instant,
    visit: impl Fn(Connection, Arrival) -> F + Send + Sync + 'static,
) -> anyhow::Result<Offered>
where
    F: Future<Output = Connection> + Send + 'static,
{
    allow_open_files(plan.connections_max)?;
    let count = plan.stretches.len();
    let door = Arc::new(Door {
        target: target.clone(),
        visit,
        connections_max: plan.connections_max,
        lobby: Mutex::new(Lobby { idle: Vec::new(), opened: 0, admitted: vec![Admitted::default(); count] }),
    });
    // Every customer has a clone of the sender: the receiver hears when the last of them has left.
    let (inside, mut all_gone) = mpsc::channel::<Infallible>(1);
    let mut cpu = vec![None; count + 1];
    let mut stretch = None;
    for arrival in Schedule::new(plan.stretches, began) {
        if stretch != Some(arrival.stretch) {
            cpu[arrival.stretch] = cpu_time();
            stretch = Some(arrival.stretch);
        }
        if arrival.at > Instant::now() {
            tokio::time::sleep_until(arrival.at.into()).await;
        }
        door.let_in(arrival, &inside);
    }
    cpu[count] = cpu_time();
    drop(inside);
    let None = all_gone.recv().await;
    let lobby = door.lobby();
    let mut stretches = lobby.admitted.clone();
    for (i, admitted) in stretches.iter_mut().enumerate() {
        admitted.cpu = cpu[i].zip(cpu[i + 1]).and_then(|(before, after)| after.checked_sub(before));
    }
    Ok(Offered { stretches, connections: lobby.opened })
}

struct Door<V> {
    target: Target,
    visit: V,
    connections_max: usize,
    lobby: Mutex<Lobby>,
}

struct Lobby {
    idle: Vec<Connection>,
    opened: usize,
    admitted: Vec<Admitted>,
}

impl<V, F> Door<V>
where
    V: Fn(Connection, Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = Connection> + Send + 'static,
{
    fn lobby(&self) -> MutexGuard<'_, Lobby> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_in(self: &Arc<Self>, arrival: Arrival, inside: &mpsc::Sender<Infallible>) {
        let mut lobby = self.lobby();
        lobby.admitted[arrival.stretch].arrivals += 1;
        let idle = lobby.idle.pop();
        if idle.is_none() && lobby.opened >= self.connections_max {
            lobby.admitted[arrival.stretch].turned_away += 1;
            return;
        }
        lobby.opened += usize::from(idle.is_none());
        drop(lobby);
        let (door, inside) = (Arc::clone(self), inside.clone());
        tokio::spawn(async move {
            door.serve(idle, arrival).await;
            drop(inside);
        });
    }

    async fn serve(&self, idle: Option<Connection>, arrival: Arrival) {
        let opened = match idle {
            Some(connection) => Ok(connection),
            None => self.target.connect().await,
        };
        if let Ok(connection) = opened {
            let connection = (self.visit)(connection, arrival).await;
            self.lobby().idle.push(connection);
        } else {
            let mut lobby = self.lobby();
            lobby.opened -= 1;
            lobby.admitted[arrival.stretch].unconnected += 1;
        }
    }
}

/// The moments of the arrivals: a Poisson process, as customers who know nothing of each other make it.
struct Schedule {
    stretches: Vec<Stretch>,
    stretch: usize,
    stretch_began: Instant,
    seconds: f64,
}

impl Schedule {
    const fn new(stretches: Vec<Stretch>, began: Instant) -> Self {
        Self { stretches, stretch: 0, stretch_began: began, seconds: 0.0 }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let Stretch { per_second, lasts } = *self.stretches.get(self.stretch)?;
            // From a number that is never 0, whose logarithm is none.
            self.seconds += -(1.0 - rand::rng().random::<f64>()).ln() / per_second;
            if self.seconds < lasts.as_secs_f64() {
                let at = self.stretch_began + Duration::from_secs_f64(self.seconds);
                return Some(Arrival { at, stretch: self.stretch });
            }
            // The process has no memory, so that the next stretch may begin as if nobody had been awaited.
            self.stretch_began += lasts;
            self.stretch += 1;
            self.seconds = 0.0;
        }
    }
}

/// Lets this process have as many connections open, and some files.
fn allow_open_files(connections: usize) -> anyhow::Result<()> {
    let wanted = u64::try_from(connections)? + 64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    raised.with_context(|| format!("{connections} connections need a limit of {wanted} open files (ulimit -n)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_random_in_order_and_at_the_rate_of_their_stretch() {
        let stretch = |per_second, seconds| Stretch { per_second, lasts: Duration::from_secs(seconds) };
        let began = Instant::now();
        let arrivals: Vec<Arrival> = Schedule::new(vec![stretch(100.0, 100), stretch(1000.0, 20)], began).collect();
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        // A Poisson count of 10,000 is off by more than 600 once in a thousand million runs.
        let first = arrivals.iter().filter(|arrival| arrival.stretch == 0).count();
        assert!((9_400..=10_600).contains(&first), "{first}");
        let second = arrivals.len() - first;
        assert!((19_100..=20_900).contains(&second), "{second}");
        assert!(arrivals[first].at >= began + Duration::from_secs(100));
        // Some gaps are much shorter than the average, some much longer.
        let gaps: Vec<Duration> = arrivals.windows(2).take(first - 1).map(|pair| pair[1].at - pair[0].at).collect();
        assert!(gaps.iter().any(|gap| gap.as_millis() < 1) && gaps.iter().any(|gap| gap.as_millis() > 40));
    }
}
