//! Requests, by route and status; refusals, by code.

use std::cell::OnceCell;
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use crate::few::Few;
use crate::metrics::{Metrics, MetricsError, SECONDS};

/// Methods by name; any other is `other`.
const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];

/// Most statuses of one route that are told apart, each with a method.
const STATUSES_MAX: usize = 48;

/// Most codes that are told apart; the interface has some fifty.
const CODES_MAX: usize = 128;

/// What a request is counted under that reached no route, as the access log has it.
const NO_ROUTE: &str = "unknown";

/// Counts requests.
#[derive(Debug)]
pub struct Requests {
    total: IntCounterVec,
    duration: HistogramVec,
    refused: IntCounterVec,
    refusals: Few<&'static str, IntCounter, CODES_MAX>,
    unrouted: Tally,
}

/// What one route has counted. Its handles are resolved once, so that a request costs no look-up by text.
#[derive(Debug)]
struct Tally {
    route: String,
    statuses: Few<(&'static str, u16), IntCounter, STATUSES_MAX>,
    duration: Histogram,
}

/// A place among the routes of one thread that requests are counted under.
#[derive(Debug, Default)]
pub struct Route {
    tally: OnceCell<Tally>,
    name: Option<&'static str>,
}

impl Route {
    /// A place with a name of its own; any other goes by its pattern.
    pub const fn named(name: &'static str) -> Self {
        Self { tally: OnceCell::new(), name: Some(name) }
    }
}

impl Requests {
    /// Adds the metrics of requests. The codes that someone waits for are there from the beginning: of a count that begins with its
    /// first refusal Prometheus could not see that one.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new(metrics: &Metrics, awaited: &[&str]) -> Result<Self, MetricsError> {
        let labels = &["method", "route", "status"];
        let total = metrics.counters("rowlock_http_requests_total", "Requests answered, by route and status.", labels)?;
        let help = "Time from a request's head to its answer's, in seconds.";
        let duration = metrics.histograms("rowlock_http_request_duration_seconds", help, SECONDS, &["route"])?;
        let refused = metrics.counters("rowlock_refusals_total", "Requests refused, by the code of the answer.", &["code"])?;
        for code in awaited {
            refused.with_label_values(&[code]);
        }
        let unrouted = Tally::new(NO_ROUTE.to_owned(), &duration);
        Ok(Self { total, duration, refused, refusals: Few::new(), unrouted })
    }

    /// A request has been answered: at this route, if it got to one, whose `pattern` is asked for once.
    pub fn answered(
        &self,
        route: Option<&Route>,
        pattern: impl FnOnce() -> Option<String>,
        method: &str,
        status: u16,
        took: Duration,
    ) {
        let tally = route.map_or(&self.unrouted, |route| {
            route.tally.get_or_init(|| {
                let name = route.name.map(str::to_owned).or_else(pattern);
                Tally::new(name.unwrap_or_else(|| NO_ROUTE.to_owned()), &self.duration)
            })
        });
        let method = known_method(method);
        let resolve = || self.total.with_label_values(&[method, &tally.route, &status.to_string()]);
        if let Some(counter) = tally.statuses.of((method, status), resolve) {
            counter.inc();
        }
        tally.duration.observe(took.as_secs_f64());
    }

    /// A request has been refused, by this code.
    pub fn refused(&self, code: &'static str) {
        if let Some(counter) = self.refusals.of(code, || self.refused.with_label_values(&[code])) {
            counter.inc();
        }
    }
}

/// The method by name, if it is one that anybody uses.
pub(crate) fn known_method(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

impl Tally {
    fn new(route: String, duration: &HistogramVec) -> Self {
        let duration = duration.with_label_values(&[route.as_str()]);
        Self { route, statuses: Few::new(), duration }
    }
}
