//! Latency percentiles.

use std::fmt;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Percentiles of latencies, in milliseconds. All zero if there was nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LatencyMs {
    /// Half were at most this.
    pub p50: f64,
    /// Nine of ten were at most this.
    pub p90: f64,
    /// Ninety-nine of a hundred were at most this.
    pub p99: f64,
    /// Nine hundred and ninety-nine of a thousand were at most this.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl LatencyMs {
    /// The percentiles of these latencies, exact to three digits.
    ///
    /// # Errors
    /// Never, in truth: the histogram's bounds are good ones and it grows by itself.
    pub(crate) fn of(latencies_us: &[u32]) -> anyhow::Result<Self> {
        let mut histogram = Histogram::<u64>::new(3)?;
        for &latency in latencies_us {
            histogram.record(u64::from(latency))?;
        }
        let at = |quantile| ms(histogram.value_at_quantile(quantile));
        let max = ms(latencies_us.iter().copied().max().unwrap_or(0).into());
        Ok(Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max })
    }
}

fn ms(us: u64) -> f64 {
    // Latencies are far below 2^32 µs, about an hour: a longer one is shown as that.
    f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1000.0
}

impl fmt::Display for LatencyMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50:.2} ms  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_latencies() {
        let latencies: Vec<u32> = (1..=1000).rev().map(|n| n * 1000).collect();
        let found = LatencyMs::of(&latencies).unwrap();
        for (found, exact) in
            [(found.p50, 500.0), (found.p90, 900.0), (found.p99, 990.0), (found.p999, 999.0), (found.max, 1000.0_f64)]
        {
            assert!((found - exact).abs() <= exact / 1000.0, "{found} for {exact}");
        }
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(LatencyMs::of(&[]).unwrap(), LatencyMs::default());
    }
}
