//! The metrics of a program, and how they are made.

use std::fmt;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};
use prometheus::{Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use crate::process;

/// A metric that can't be made: two of one name, or a name that Prometheus does not take.
pub use prometheus::Error as MetricsError;

/// From a quarter of a millisecond to ten seconds.
pub(crate) const SECONDS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Every metric of a program.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

/// What a figure is that someone else keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A figure with the values of its labels.
pub type Sample = (Vec<&'static str>, f64);

impl Metrics {
    /// Those that every program has: what it is, how much memory and processor it takes, and since when it runs.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new(program: &'static str, version: &'static str) -> Result<Self, MetricsError> {
        let metrics = Self { registry: Registry::new() };
        let help = "1; which program this is, by its labels.";
        metrics.pull(Kind::Gauge, "rowlock_build_info", help, &["program", "version"], move || {
            vec![(vec![program, version], 1.0)]
        })?;
        process::register(&metrics)?;
        Ok(metrics)
    }

    /// Figures that someone else keeps: read whenever the page is asked for.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn pull(
        &self,
        kind: Kind,
        name: &str,
        help: &str,
        labels: &[&str],
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Result<(), MetricsError> {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let desc = Desc::new(name.to_owned(), help.to_owned(), labels, std::collections::HashMap::new())?;
        self.registry.register(Box::new(Pulled { desc, kind, read: Box::new(read) }))
    }

    /// The page.
    pub(crate) fn text(&self) -> Result<String, MetricsError> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.registered(IntCounter::new(name, help)?)
    }

    pub(crate) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, MetricsError> {
        self.registered(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> Result<Gauge, MetricsError> {
        self.registered(Gauge::new(name, help)?)
    }

    pub(crate) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, MetricsError> {
        self.registered(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
    }

    pub(crate) fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        labels: &[&str],
    ) -> Result<HistogramVec, MetricsError> {
        self.registered(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?)
    }

    fn registered<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M, MetricsError> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

/// What [`Metrics::pull`] registers.
struct Pulled {
    desc: Desc,
    kind: Kind,
    read: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
}

impl fmt::Debug for Pulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulled").field("desc", &self.desc).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Pulled {
    fn metric(&self, (values, figure): Sample) -> proto::Metric {
        let labels = self.desc.variable_labels.iter().zip(values).map(|(name, value)| {
            let mut label = LabelPair::default();
            label.set_name(name.clone());
            label.set_value(value.to_owned());
            label
        });
        let mut metric = proto::Metric::default();
        metric.set_label(labels.collect());
        match self.kind {
            Kind::Counter => {
                let mut counter = proto::Counter::default();
                counter.set_value(figure);
                metric.set_counter(counter);
            }
            Kind::Gauge => {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(figure);
                metric.set_gauge(gauge);
            }
        }
        metric
    }
}

impl Collector for Pulled {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(match self.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
        });
        family.set_metric((self.read)().into_iter().map(|sample| self.metric(sample)).collect());
        vec![family]
    }
}
