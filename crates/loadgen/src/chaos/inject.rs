//! Every fault at its time, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::fault::Fault;
use super::faults::strike;
use super::plan::{NEEDS, Plan, Planned};
use super::report::{Finding, Injected};
use super::stage::Stage;

/// How long undoing a fault may take after its time is over: PostgreSQL may have to recover.
const UNDO_LIMIT: Duration = Duration::from_secs(75);

/// Does everything that is planned, each at its time.
pub(super) async fn inject(
    stage: &Arc<Stage>,
    plan: &Plan,
    began: Instant,
    faults_begin: Instant,
) -> (Vec<Injected>, Vec<Finding>) {
    let mut striking = JoinSet::new();
    let turns: Arc<Vec<Mutex<()>>> = Arc::new((0..NEEDS).map(|_| Mutex::default()).collect());
    for planned in plan.faults.clone() {
        let (stage, turns) = (Arc::clone(stage), Arc::clone(&turns));
        striking.spawn(async move {
            sleep_until(faults_begin + planned.begins).await;
            let ends = faults_begin + planned.ends;
            let limit = planned.ends.saturating_sub(planned.begins) + UNDO_LIMIT;
            let mut from = began.elapsed();
            let struck = timeout(limit, async {
                let _mine = turns_of(&planned, &turns).await;
                let is_late = Instant::now() >= ends && planned.fault != Fault::FailOver;
                anyhow::ensure!(!is_late, "its time was over before the last one was undone");
                from = began.elapsed();
                strike(&stage, &planned, ends).await
            });
            let struck = struck.await.unwrap_or_else(|_| Err(anyhow::anyhow!("it could not be undone in time")));
            injected(&planned, from, began.elapsed(), struck)
        });
    }
    let mut findings = Vec::new();
    let mut done = Vec::new();
    while let Some(joined) = striking.join_next().await {
        match joined {
            Ok(injected) => {
                // Without it a run with a standby has shown nothing.
                let why = injected.not_done.as_ref().filter(|_| injected.fault == Fault::FailOver.to_string());
                findings.extend(why.map(|why| Finding::new("stage", format!("the standby did not take over: {why}"))));
                done.push(injected);
            }
            Err(error) => findings.push(Finding::new("stage", format!("a fault broke off: {error}"))),
        }
    }
    if let Some(shift) = plan.clock_shift_seconds {
        let not_done = stage.clock_trouble.clone();
        let (fault, place, note) = (Fault::WrongClock.to_string(), "api-1, worker-1".to_owned(), format!("by {shift} s"));
        let ended_seconds = began.elapsed().as_secs_f64();
        done.push(Injected { fault, place, began_seconds: 0.0, ended_seconds, note, not_done });
    }
    done.sort_by(|one, other| one.began_seconds.total_cmp(&other.began_seconds));
    (done, findings)
}

/// Waits until nobody else is at what this fault needs: undoing a fault may take longer than was planned.
async fn turns_of<'a>(planned: &Planned, turns: &'a [Mutex<()>]) -> Vec<MutexGuard<'a, ()>> {
    let mut mine = Vec::new();
    // Everyone in the same order.
    for turn in planned.needs().into_iter().filter_map(|need| turns.get(need)) {
        mine.push(turn.lock().await);
    }
    mine
}

fn injected(planned: &Planned, from: Duration, to: Duration, struck: anyhow::Result<String>) -> Injected {
    let (note, not_done) = match struck {
        Ok(note) => (note, None),
        Err(why) => (String::new(), Some(format!("{why:#}"))),
    };
    let (began_seconds, ended_seconds) = (from.as_secs_f64(), to.as_secs_f64());
    Injected { fault: planned.fault.to_string(), place: planned.place(), began_seconds, ended_seconds, note, not_done }
}
