//! Whether something stays as it is: the last third of a soak against the first.

use std::collections::BTreeSet;

use serde::Serialize;

use super::report::Sample;

/// Samples of this share at the beginning are not judged: caches fill, tables leave their first pages.
const WARM_UP: f64 = 0.1;

/// Fewer samples in a third show nothing.
const SAMPLES_MIN: usize = 2;

/// How something changed, by its median in the first third and in the last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// What.
    pub what: String,
    /// Its median in the first third, after the warm-up.
    pub first: f64,
    /// Its median in the last third.
    pub last: f64,
    /// The most that it may be in the last third.
    pub last_max: f64,
}

impl Trend {
    /// Whether it stayed as it was.
    pub fn is_flat(&self) -> bool {
        self.last <= self.last_max
    }
}

/// A figure of a sample, if it has it.
type Figure<'a> = dyn Fn(&Sample) -> Option<f64> + 'a;

/// What is judged, and how much it may grow: by a factor, and by so much besides, since what is near nothing easily doubles.
struct Measure<'a> {
    what: String,
    of: Box<Figure<'a>>,
    factor: f64,
    slack: f64,
}

/// All trends; none if there are too few samples.
pub(super) fn trends(samples: &[Sample]) -> Vec<Trend> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few samples")]
    let warm_up = ((samples.len() as f64 * WARM_UP).ceil() as usize).min(samples.len());
    let judged = &samples[warm_up..];
    let third = judged.len() / 3;
    if third < SAMPLES_MIN {
        return Vec::new();
    }
    let (first, last) = (&judged[..third], &judged[judged.len() - third..]);
    let trend = |Measure { what, of, factor, slack }: Measure<'_>| {
        let (first, last) = (median(first, &of)?, median(last, &of)?);
        Some(Trend { what, first, last, last_max: factor * first + slack })
    };
    measures(samples).into_iter().filter_map(trend).collect()
}

fn measures(samples: &[Sample]) -> Vec<Measure<'_>> {
    fn measure<'a>(what: &str, factor: f64, slack: f64, of: impl Fn(&Sample) -> Option<f64> + 'a) -> Measure<'a> {
        Measure { what: what.to_owned(), of: Box::new(of), factor, slack }
    }
    let mut measures = vec![
        measure("p50 of writes, ms", 1.5, 1.0, |sample| Some(sample.writes_ms.p50)),
        measure("p99 of writes, ms", 1.5, 2.0, |sample| Some(sample.writes_ms.p99)),
        measure("p99 of reads, ms", 1.5, 2.0, |sample| Some(sample.reads_ms.p99)),
        measure("memory of the server, MiB", 1.1, 8.0, |sample| sample.server_kib.map(|kib| number(kib) / 1024.0)),
    ];
    let tables: BTreeSet<&str> = samples.iter().flat_map(|sample| &sample.tables).map(|table| table.name.as_str()).collect();
    // What has been sold stays, so that the tables grow by nature: a row of them must not.
    for name in tables.into_iter().filter(|name| *name != "shows") {
        let table = move |sample: &Sample| sample.tables.iter().find(|table| table.name == name).cloned();
        let a_row = |bytes: i64, rows: i64| Some(signed(bytes) / signed(rows.max(1)));
        measures.push(measure(&format!("heap of {name}, bytes a row"), 1.2, 8.0, move |sample| {
            table(sample).and_then(|table| a_row(table.heap_bytes, table.live_rows))
        }));
        measures.push(measure(&format!("indexes of {name}, bytes a row"), 1.2, 8.0, move |sample| {
            table(sample).and_then(|table| a_row(table.index_bytes, table.live_rows))
        }));
        measures.push(measure(&format!("updates of {name} that touch an index, %"), 1.1, 10.0, move |sample| {
            table(sample).map(|table| 100.0 - 100.0 * signed(table.hot_updates) / signed(table.updates.max(1)))
        }));
    }
    measures
}

fn median(samples: &[Sample], of: &Figure<'_>) -> Option<f64> {
    let mut values: Vec<f64> = samples.iter().map(of).collect::<Option<_>>()?;
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn number(count: u64) -> f64 {
    signed(i64::try_from(count).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^52")]
const fn signed(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;
    use crate::report::LatencyMs;

    fn sample(p99: f64, kib: u64, heap_bytes: i64) -> Sample {
        let writes_ms = LatencyMs { p99, ..LatencyMs::default() };
        let (live_rows, dead_rows, updates, hot_updates) = (1000, 0, 100, 90);
        let name = "seats".to_owned();
        let table = Table { name, heap_bytes, index_bytes: 0, live_rows, dead_rows, updates, hot_updates, vacuums: 0 };
        Sample { writes_ms, server_kib: Some(kib), tables: vec![table], ..Sample::default() }
    }

    fn growing(what: &[Sample]) -> Vec<String> {
        trends(what).into_iter().filter(|trend| !trend.is_flat()).map(|trend| trend.what).collect()
    }

    #[test]
    fn what_stays_is_flat_whatever_happens_once_and_in_the_warm_up() {
        let mut samples = vec![sample(5.0, 100_000, 100_000); 20];
        samples[0] = sample(900.0, 1, 1);
        samples[18] = sample(900.0, 900_000, 900_000);
        assert_eq!(growing(&samples), [""; 0]);
    }

    #[test]
    fn what_grows_is_found() {
        let leak = |i: u32| sample(5.0, 100_000 + 4_000 * u64::from(i), 100_000);
        assert_eq!(growing(&(0..20).map(leak).collect::<Vec<_>>()), ["memory of the server, MiB"]);
        let slower = |i: u32| sample(5.0 + f64::from(i), 100_000, 100_000);
        assert_eq!(growing(&(0..20).map(slower).collect::<Vec<_>>()), ["p99 of writes, ms"]);
        let bloat = |i: u32| sample(5.0, 100_000, 100_000 + 5_000 * i64::from(i));
        assert_eq!(growing(&(0..20).map(bloat).collect::<Vec<_>>()), ["heap of seats, bytes a row"]);
    }

    #[test]
    fn a_few_samples_show_nothing() {
        assert_eq!(trends(&vec![sample(5.0, 1, 1); 6]), []);
        assert!(!trends(&vec![sample(5.0, 1, 1); 7]).is_empty());
    }
}
