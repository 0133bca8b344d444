//! What an overload showed, and what it should have.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::counter::Told;
use super::{BEFORE, OVERLOAD, STEP};
use crate::goodput::Probe;
use crate::open_loop::{Admitted, Offered, Stretch};
use crate::report::{LatencyMs, Report, list};

/// The least goodput under overload, of the best.
const GOODPUT_SHARE_MIN: f64 = 0.8;

/// Within so many milliseconds 99 of 100 refusals must be there.
const REFUSED_MS_P99_MAX: f64 = 50.0;

/// A p99 of so many times the one before is a server that is itself again.
const RECOVERED: f64 = 1.5;

/// How much the server's memory may grow from the first half of the overload to the second.
const MEMORY_GROWTH_MAX: f64 = 1.2;
const MEMORY_SLACK_MIB: f64 = 16.0;

/// The least of the load that has to get as far as the server.
const SENT_SHARE_MIN: f64 = 0.9;

/// How a stretch of time went. Latencies count from the moment that a customer came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StretchReport {
    /// How long it was.
    pub seconds: f64,
    /// Customers who came.
    pub arrivals: u64,
    /// The same, a second.
    pub offered_per_second: f64,
    /// Calls that were sent a second.
    pub sent_per_second: f64,
    /// Until a call was sent: what the load generator itself adds, and opening a connection.
    pub sent_ms: LatencyMs,
    /// 201s within the customers' patience that came in this stretch, a second.
    pub goodput_per_second: f64,
    /// 201s, whenever they came.
    pub served: usize,
    /// Their latencies.
    pub served_ms: LatencyMs,
    /// 201s that came after their customer's patience.
    pub served_too_late: u64,
    /// 503s and 429s.
    pub refused: usize,
    /// Their latencies.
    pub refused_ms: LatencyMs,
    /// Customers who went away, having found every connection busy: the server neither served nor refused those before them.
    pub turned_away: u64,
    /// Any other answer, by status code.
    pub others: BTreeMap<u16, u64>,
    /// Calls without an answer, and customers who could not connect.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Processors that the load generator kept busy, where the system tells.
    pub client_cores: Option<f64>,
}

/// Resident memory of the server, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MemoryMib {
    /// Just before the overload.
    pub before: f64,
    /// The most in the first half of the overload, and in the second.
    pub peaks: (f64, f64),
    /// At the end.
    pub after: f64,
}

/// How the server took it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverloadReport {
    /// Looks for the best goodput, in a closed loop.
    pub probes: Vec<Probe>,
    /// The best of them, a second.
    pub best_per_second: f64,
    /// How many times as much was offered.
    pub times: f64,
    /// Half the load, before.
    pub before: StretchReport,
    /// The overload.
    pub overload: StretchReport,
    /// Half the load again: the last step, when all is over.
    pub after: StretchReport,
    /// Connections that were opened.
    pub connections: usize,
    /// Goodput under overload, of the best.
    pub goodput_share: f64,
    /// From the end of the overload until p99 was back within 1.5 times of before and nobody was refused; to the half second.
    pub recovery_seconds: Option<f64>,
    /// The server's memory.
    pub memory_mib: Option<MemoryMib>,
    /// Targets that were not met.
    pub missed: Vec<String>,
    /// What should never happen.
    pub wrong: Vec<String>,
}

#[expect(clippy::too_many_arguments, reason = "a report is where everything comes together")]
pub(super) fn write(
    probes: Vec<Probe>,
    best: Probe,
    times: f64,
    stretches: &[Stretch],
    offered: &Offered,
    told: Vec<Told>,
    memory_mib: Option<MemoryMib>,
    wrong: Vec<String>,
) -> anyhow::Result<OverloadReport> {
    let each = stretches.iter().zip(&offered.stretches).zip(told);
    let mut reports = each.map(|((stretch, admitted), told)| report(stretch, *admitted, told)).collect::<Result<Vec<_>, _>>()?;
    let without_seat = reports.iter().map(|(_, without_seat)| without_seat).sum::<u64>();
    let failures = wrong_answers(reports.iter().map(|(report, _)| report));
    let p99_before = reports[BEFORE].0.served_ms.p99;
    let itself_again = reports[OVERLOAD + 1..].iter().position(|(step, _)| is_calm(step, p99_before));
    let after = reports.pop().map(|(report, _)| report);
    let overload = reports.swap_remove(OVERLOAD).0;
    let before = reports.swap_remove(BEFORE).0;
    let mut report = OverloadReport {
        probes,
        best_per_second: best.per_second,
        times,
        goodput_share: overload.goodput_per_second / best.per_second,
        after: after.unwrap_or_else(|| overload.clone()),
        before,
        overload,
        connections: offered.connections,
        recovery_seconds: itself_again.and_then(|steps| u32::try_from(steps).ok()).map(|steps| (STEP * steps).as_secs_f64()),
        memory_mib,
        missed: Vec::new(),
        wrong: wrong.into_iter().chain(failures).collect(),
    };
    if without_seat > 0 {
        report.wrong.push(format!("the load generator had no seat left for {without_seat} customers"));
    }
    report.missed = missed(&report);
    Ok(report)
}

fn report(stretch: &Stretch, admitted: Admitted, told: Told) -> anyhow::Result<(StretchReport, u64)> {
    let seconds = stretch.lasts.as_secs_f64();
    let a_second = |count: u64| count_as_number(count) / seconds;
    let report = StretchReport {
        seconds,
        arrivals: admitted.arrivals,
        offered_per_second: a_second(admitted.arrivals),
        sent_per_second: a_second(told.sent_us.len() as u64),
        sent_ms: LatencyMs::of(&told.sent_us)?,
        goodput_per_second: a_second(told.good),
        served: told.served_us.len(),
        served_ms: LatencyMs::of(&told.served_us)?,
        served_too_late: told.too_late,
        refused: told.refused_us.len(),
        refused_ms: LatencyMs::of(&told.refused_us)?,
        turned_away: admitted.turned_away,
        others: told.others,
        errors: told.errors + admitted.unconnected,
        first_error: told.first_error.or_else(|| (admitted.unconnected > 0).then(|| "no connection".to_owned())),
        client_cores: admitted.cpu.map(|cpu| cpu.as_secs_f64() / seconds),
    };
    Ok((report, told.without_seat))
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
const fn count_as_number(count: u64) -> f64 {
    count as f64
}

fn is_calm(step: &StretchReport, p99_before: f64) -> bool {
    step.refused == 0 && step.turned_away == 0 && step.served > 0 && step.served_ms.p99 <= RECOVERED * p99_before
}

/// What is neither a sale nor a refusal.
fn wrong_answers<'a>(reports: impl Iterator<Item = &'a StretchReport>) -> Vec<String> {
    let (mut others, mut errors, mut first_error) = (BTreeMap::<u16, u64>::new(), 0, None);
    for report in reports {
        for (status, count) in &report.others {
            *others.entry(*status).or_default() += count;
        }
        errors += report.errors;
        first_error = first_error.or(report.first_error.as_ref());
    }
    let mut wrong: Vec<String> = others.iter().map(|(status, count)| format!("{count} answers are {status}")).collect();
    if errors > 0 {
        wrong.push(format!("{errors} calls had no answer, the first: {}", first_error.map_or("", |text| text)));
    }
    wrong
}

fn missed(report: &OverloadReport) -> Vec<String> {
    let mut missed = Vec::new();
    let OverloadReport { overload, goodput_share, memory_mib, recovery_seconds, .. } = report;
    if *goodput_share < GOODPUT_SHARE_MIN {
        missed.push(format!("goodput is {:.0} % of the best, not {:.0} %", 100.0 * goodput_share, 100.0 * GOODPUT_SHARE_MIN));
    }
    if overload.refused > 0 && overload.refused_ms.p99 > REFUSED_MS_P99_MAX {
        missed.push(format!("a refusal took {:.0} ms (p99), not {REFUSED_MS_P99_MAX:.0} ms", overload.refused_ms.p99));
    }
    if overload.served_too_late * 100 > overload.served as u64 {
        missed.push(format!("{} of {} sales came after the customer's patience", overload.served_too_late, overload.served));
    }
    if overload.sent_per_second < SENT_SHARE_MIN * overload.offered_per_second {
        let (sent, offered) = (overload.sent_per_second, overload.offered_per_second);
        let busy = report.connections;
        missed.push(format!(
            "only {sent:.0} of {offered:.0} calls a second could be sent: the others found {busy} connections busy"
        ));
    }
    if recovery_seconds.is_none() {
        missed.push("p99 is not back within 1.5 times of before".to_owned());
    }
    if let Some(MemoryMib { peaks: (first, second), .. }) = memory_mib
        && *second > MEMORY_GROWTH_MAX * first + MEMORY_SLACK_MIB
    {
        missed.push(format!("the server's memory still grows: {first:.0} MiB, then {second:.0} MiB"));
    }
    missed
}

/// What was seen of the server's memory, around an overload from here to there.
pub(super) fn memory(seen: &[(Instant, u64)], from: Instant, to: Instant) -> Option<MemoryMib> {
    let mib = |kib: u64| count_as_number(kib) / 1024.0;
    let most = |from: Instant, to: Instant| {
        let within = seen.iter().filter(|(at, _)| (from..to).contains(at));
        within.map(|(_, kib)| mib(*kib)).fold(0.0, f64::max)
    };
    let middle = from + (to - from) / 2;
    let before = seen.iter().rfind(|(at, _)| *at < from).or(seen.first())?;
    // What is still waiting when it ends belongs to it.
    let peaks = (most(from, middle), most(middle, to + Duration::from_secs(1)));
    Some(MemoryMib { before: mib(before.1), peaks, after: mib(seen.last()?.1) })
}

impl Report for OverloadReport {
    fn passed(&self) -> bool {
        self.wrong.is_empty() && self.missed.is_empty()
    }
}

impl fmt::Display for OverloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Probe { customers, per_second, .. } in &self.probes {
            writeln!(f, "closed loop, {customers:>4} customers: {per_second:>7.0}/s")?;
        }
        for (name, stretch) in [("half", &self.before), ("overload", &self.overload), ("half again", &self.after)] {
            writeln!(f, "{name:<10} {stretch}")?;
        }
        write!(f, "goodput under {} times the load: {:.0} % of the best; ", self.times, 100.0 * self.goodput_share)?;
        match self.recovery_seconds {
            Some(seconds) => write!(f, "itself again after {seconds} s")?,
            None => write!(f, "not itself again")?,
        }
        writeln!(f, "; {} connections", self.connections)?;
        if let Some(MemoryMib { before, peaks, after }) = self.memory_mib {
            writeln!(
                f,
                "memory of the server: {before:.0} MiB, at most {:.0} and then {:.0}, {after:.0} at the end",
                peaks.0, peaks.1
            )?;
        }
        for missed in &self.missed {
            writeln!(f, "MISSED: {missed}")?;
        }
        list(f, &self.wrong)
    }
}

impl fmt::Display for StretchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offered_per_second, sent_per_second, goodput_per_second, served_ms, refused, refused_ms, .. } = self;
        write!(f, "{offered_per_second:>7.0}/s offered {sent_per_second:>7.0}/s sent (p99 {:.2} ms late)", self.sent_ms.p99)?;
        write!(f, "  {goodput_per_second:>7.0}/s sold in time, {} too late", self.served_too_late)?;
        write!(f, "\n           sold: {served_ms}")?;
        write!(f, "\n           refused {refused}: {refused_ms}")?;
        write!(f, "\n           found all busy {}  other answers {:?}  errors {}", self.turned_away, self.others, self.errors)?;
        if let Some(cores) = self.client_cores {
            write!(f, "  (client: {cores:.2} processors)")?;
        }
        if let Some(error) = &self.first_error {
            write!(f, "\n           first error: {error}")?;
        }
        Ok(())
    }
}
