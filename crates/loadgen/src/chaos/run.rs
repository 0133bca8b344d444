//! A run, from the first program's start to the last one's end.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::books::{self, Books};
use super::history::{History, Micros};
use super::inject::inject;
use super::look::{Looks, look};
use super::options::Options;
use super::plan::Plan;
use super::pulse::Pulse;
use super::recovery::{Recovery, THROUGHPUT_LIMIT};
use super::report::{ChaosReport, Finding, Injected};
use super::served::Served;
use super::stage::Stage;
use super::{check, logs, report, workload};
use crate::verify;

/// What customers may take to come to an end.
const LEAVE_LIMIT: Duration = Duration::from_mins(1);

/// Runs customers against a service of its own while everything around it breaks, and judges what they were answered.
///
/// # Errors
/// If the service can't be started. What goes wrong later is in the report.
pub async fn run(options: &Options) -> anyhow::Result<ChaosReport> {
    let seed = options.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let again = options.again(seed);
    // At once, for the case that not even a report comes of it.
    let _ = writeln!(std::io::stderr(), "loadgen: {again}");
    let times = Times::of(options.seconds);
    let plan = Plan::draw(seed, times.faults, &options.chosen_faults()?);
    let stage = Stage::start(&options.programs()?, options.hold_seconds, options.standby, &plan).await?;
    let stage = Arc::new(stage);
    let Played { history, books, injected, looks, recovery, missed, findings } =
        match play(&stage, options.workload_options(seed), &plan, &times).await {
            Ok(played) => played,
            Err(error) => return Err(error.context(leave(&stage, &[])?)),
        };
    let mut report = ChaosReport {
        again,
        seed,
        seconds: options.seconds,
        standby: options.standby,
        shows: history.shows.len(),
        bookings: books.bookings.len(),
        calls: report::calls(&history),
        repeats: history.repeats(),
        latency: report::latency(&history),
        each_second: Served::each_second(&history),
        missed_seconds: missed.as_secs_f64(),
        faults: injected,
        looks: looks.done,
        looks_in_vain: looks.in_vain,
        recovery,
        findings,
        folder: None,
    };
    if options.keep || !report.findings.is_empty() {
        report.folder = Some(stage.folder().to_owned());
        let files = [("history.json", serde_json::to_string(&history)?), ("books.json", serde_json::to_string(&books)?)];
        leave(&stage, &files)?;
    }
    if let Some(file) = &options.report {
        std::fs::write(file, format!("{report}\n")).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(report)
}

/// Leaves the logs behind, with these files beside them; says where.
fn leave(stage: &Stage, files: &[(&str, String)]) -> anyhow::Result<String> {
    stage.keep_folder()?;
    let folder = stage.folder();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).with_context(|| format!("can't write {name}"));
    for (name, log) in stage.database.logs() {
        write(&format!("{name}.log"), &log)?;
    }
    for (name, text) in files {
        write(name, text)?;
    }
    Ok(format!("the run broke off; its logs are in {}", folder.display()))
}

/// How the time is divided.
struct Times {
    /// Nothing happens yet.
    calm: Duration,
    faults: Duration,
    /// Nothing happens any more.
    after: Duration,
}

impl Times {
    fn of(seconds: u64) -> Self {
        let total = Duration::from_secs(seconds);
        let calm = (total / 10).clamp(Duration::from_secs(3), Duration::from_secs(15));
        let after = THROUGHPUT_LIMIT;
        Self { calm, faults: total.saturating_sub(calm + after), after }
    }
}

/// What has come of it.
struct Played {
    history: History,
    books: Books,
    injected: Vec<Injected>,
    looks: Looks,
    recovery: Recovery,
    /// How long we did not get to run.
    missed: Duration,
    findings: Vec<Finding>,
}

async fn play(stage: &Arc<Stage>, customers: workload::Options, plan: &Plan, times: &Times) -> anyhow::Result<Played> {
    let (stop, stopped) = watch::channel(false);
    let servers = stage.servers();
    let calling = tokio::spawn({
        let stopped = stopped.clone();
        async move { workload::run(&servers, &customers, stopped).await }
    });
    let looking = tokio::spawn(look(Arc::clone(stage), stopped));
    let pulse = Pulse::start();
    let began = Instant::now();
    // The customers' first calls open connections, theirs and the apis'.
    sleep(times.calm / 3).await;
    let calm_began = now();
    sleep_until(began + times.calm).await;
    let calm_ended = now();
    let (injected, mut findings) = inject(stage, plan, began, began + times.calm).await;
    stage.lift_all().await?;
    let (lifted, quiet_until) = (now(), Instant::now() + times.after);
    let missed_before = pulse.missed();
    let mut recovery = Recovery::watch(stage, &pulse).await;
    sleep_until(quiet_until).await;
    sleep(pulse.missed().saturating_sub(missed_before)).await;
    let quiet_ended = now();
    let missed = pulse.missed();
    stop.send_replace(true);
    let history = timeout(LEAVE_LIMIT, calling).await.context("the customers don't leave")?.context("the customers failed")??;
    let mut looks = looking.await.context("nobody looked at the books")?;
    recovery.judge(&history, (calm_began, calm_ended), (lifted, quiet_ended));
    let books = books::read(&stage.database.url()).await?;
    looks.at(verify::postgres(&stage.database.url(), false).await?);
    findings.extend(recovery.findings());
    findings.extend(std::mem::take(&mut looks.findings));
    let violations = check::check(&history, &books);
    findings.extend(violations.iter().map(|violation| Finding::new(violation.kind.to_string(), &violation.says)));
    findings.extend(logs::of_all(stage).await);
    Ok(Played { history, books, injected, looks, recovery, missed, findings })
}

/// The time, as the history has it.
#[expect(clippy::disallowed_methods, reason = "nothing here decides about a booking")]
fn now() -> Micros {
    chrono::Utc::now().timestamp_micros()
}
