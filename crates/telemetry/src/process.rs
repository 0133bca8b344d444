//! What this process takes, under the names that Prometheus' own libraries give it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::metrics::{Kind, Metrics, MetricsError, Sample};

pub(crate) fn register(metrics: &Metrics) -> Result<(), MetricsError> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let help = "When the process started, in seconds since 1970.";
    metrics.pull(Kind::Gauge, "process_start_time_seconds", help, &[], move || vec![plain(started)])?;
    let help = "Processor time used, in seconds.";
    metrics.pull(Kind::Counter, "process_cpu_seconds_total", help, &[], || vec![plain(processor_time().as_secs_f64())])?;
    let help = "Memory in use, in bytes.";
    metrics.pull(Kind::Gauge, "process_resident_memory_bytes", help, &[], || memory_bytes().map(plain).into_iter().collect())
}

fn plain(figure: f64) -> Sample {
    (Vec::new(), figure)
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// As Linux tells it; elsewhere the metric is left out.
fn memory_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}
