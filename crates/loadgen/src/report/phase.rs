//! A phase of a run: many calls of one kind, made by all customers at once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::LatencyMs;
use crate::tally::Tally;

/// What a phase measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseReport {
    /// What was done.
    pub name: &'static str,
    /// How many answers said that it was done.
    pub done: u64,
    /// From the moment that everyone was let loose to the last answer.
    pub seconds: f64,
    /// `done` a second.
    pub per_second: f64,
    /// Latencies of all answers.
    pub latency_ms: LatencyMs,
    /// Answers by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Calls that had no answer.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Processor time of the load generator itself for each call, in microseconds, where the system tells.
    pub client_cpu_us_per_call: Option<f64>,
}

/// How long a phase took, on the clock and on the processors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// On the clock.
    pub(crate) elapsed: Duration,
    /// On the processors, by this process.
    pub(crate) cpu: Option<Duration>,
}

/// Processor time is counted in hundredths of a second: less than this is too little to divide.
const CPU_MIN: Duration = Duration::from_millis(100);

impl Measured {
    /// What one of two phases took that ran at the same time: all of the time, its share of the processors.
    pub(crate) fn shared_with(self, mine: &Tally, others: &Tally) -> Self {
        let all = number(mine.calls() + others.calls());
        let share = if all > 0.0 { number(mine.calls()) / all } else { 0.0 };
        Self { cpu: self.cpu.map(|cpu| cpu.mul_f64(share)), ..self }
    }
}

impl PhaseReport {
    /// The report of a phase in which `success` is the status that means "done".
    pub(crate) fn new(name: &'static str, success: u16, tally: Tally, measured: Measured) -> anyhow::Result<Self> {
        let done = tally.count(success);
        let calls = tally.calls();
        let seconds = measured.elapsed.as_secs_f64();
        Ok(Self {
            name,
            done,
            seconds,
            per_second: if seconds > 0.0 { number(done) / seconds } else { 0.0 },
            latency_ms: LatencyMs::of(&tally.latencies_us)?,
            statuses: tally.statuses,
            errors: tally.errors,
            first_error: tally.first_error,
            client_cpu_us_per_call: measured
                .cpu
                .filter(|cpu| calls > 0 && *cpu >= CPU_MIN)
                .map(|cpu| cpu.as_secs_f64() * 1e6 / number(calls)),
        })
    }

    /// How many answers said that the server failed.
    pub fn server_errors(&self) -> u64 {
        self.statuses.range(500..600).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for PhaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, done, seconds, per_second, latency_ms, .. } = self;
        write!(f, "{name:<9} {done:>8} in {seconds:.2} s  {per_second:>7.0}/s  {latency_ms}  answers")?;
        for (status, count) in &self.statuses {
            write!(f, " {status}×{count}")?;
        }
        write!(f, "  errors {}", self.errors)?;
        if let Some(cpu) = self.client_cpu_us_per_call {
            write!(f, "  (client: {cpu:.1} µs of processor a call)")?;
        }
        if let Some(error) = &self.first_error {
            write!(f, "\n          first error: {error}")?;
        }
        Ok(())
    }
}

/// Processor time used by this process so far, to the hundredth of a second; `None` where `/proc` does not tell.
pub(crate) fn cpu_time() -> Option<Duration> {
    // Linux counts it in ticks, of which every platform that Rust runs on has 100 a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, which may hold anything but ends at the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(TICK * user.checked_add(system)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_counts_what_was_done_and_what_was_not() {
        let mut tally = Tally::default();
        for (status, count) in [(201_u16, 6), (409, 3), (503, 1)] {
            for _ in 0..count {
                tally.answered(status, Duration::from_millis(2));
            }
        }
        let measured = Measured { elapsed: Duration::from_millis(500), cpu: Some(Duration::from_millis(200)) };
        let report = PhaseReport::new("holds", 201, tally, measured).unwrap();
        assert_eq!((report.done, report.server_errors(), report.errors), (6, 1, 0));
        assert!((report.per_second - 12.0).abs() < 1e-9);
        assert!((report.client_cpu_us_per_call.unwrap() - 20_000.0).abs() < 1e-9);
        let text = report.to_string();
        assert!(text.contains("12/s") && text.contains("201×6 409×3 503×1"), "{text}");
    }

    #[test]
    fn phases_at_the_same_time_share_the_processors_by_calls() {
        let (mut mine, mut others) = (Tally::default(), Tally::default());
        mine.answered(201, Duration::ZERO);
        for _ in 0..3 {
            others.answered(200, Duration::ZERO);
        }
        let both = Measured { elapsed: Duration::from_secs(1), cpu: Some(Duration::from_secs(4)) };
        let measured = both.shared_with(&mine, &others);
        assert_eq!((measured.elapsed, measured.cpu), (Duration::from_secs(1), Some(Duration::from_secs(1))));
    }

    #[test]
    fn processor_time_grows_with_work() {
        let Some(before) = cpu_time() else { return };
        let mut x = 1_u64;
        for _ in 0..200 {
            if cpu_time().is_some_and(|now| now > before) {
                return;
            }
            for i in 0..1_000_000_u64 {
                x = std::hint::black_box(x.wrapping_mul(i | 1));
            }
        }
        panic!("200 million multiplications took no processor time");
    }
}
