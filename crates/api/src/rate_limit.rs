//! How often a client may ask: token buckets by address, for reads and for writes, and what the answers say of them.
//!
//! The fields are those of draft-ietf-httpapi-ratelimit-headers-11. Whoever shows an admin's token is not limited: it is known by
//! name and can be shut out by name, and one box office serves many customers.

mod buckets;
mod rate;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::app::App;
use crate::client_address::FORWARDED_FOR;
use crate::problem::Problem;
use buckets::Buckets;
pub(crate) use rate::{EXPECTED, Rate};
use rate::{Standing, nanoseconds};

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits in force.
pub(crate) struct RateLimits {
    reads: Option<Limit>,
    writes: Option<Limit>,
    started: Instant,
    has_warned: AtomicBool,
}

/// A limit for each client.
struct Limit {
    name: &'static str,
    rate: Rate,
    policy: HeaderValue,
    buckets: Buckets,
}

/// What a limit says to a request.
pub(crate) struct Verdict {
    name: &'static str,
    policy: HeaderValue,
    standing: Standing,
}

impl Limit {
    fn new(name: &'static str, rate: Rate) -> Self {
        let policy = format!("\"{name}\";q={};w={}", rate.burst(), rate.window());
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(name));
        Self { name, rate, policy, buckets: Buckets::new() }
    }
}

impl RateLimits {
    pub(crate) fn new(reads: Option<Rate>, writes: Option<Rate>) -> Self {
        Self {
            reads: reads.map(|rate| Limit::new("reads", rate)),
            writes: writes.map(|rate| Limit::new("writes", rate)),
            started: Instant::now(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// What there is to say to a request, which is counted by that; nothing if no limit applies to it.
    pub(crate) fn judge(&self, request: &ServiceRequest, app: &App) -> Option<Verdict> {
        let limit = if request.method().is_safe() { &self.reads } else { &self.writes }.as_ref()?;
        if app.access.admin(request.headers()).is_some() {
            return None;
        }
        let client = app.trusted_proxies.client_of(request.head());
        let standing = limit.buckets.take(client.into(), limit.rate, nanoseconds(self.started.elapsed()));
        if !standing.is_admitted {
            self.warn_of_unknown_proxies(request, app);
        }
        Some(Verdict { name: limit.name, policy: limit.policy.clone(), standing })
    }

    /// Once: it is read by people, and whoever likes can be the reason for it.
    fn warn_of_unknown_proxies(&self, request: &ServiceRequest, app: &App) {
        let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return };
        let is_unknown = request.headers().contains_key(FORWARDED_FOR) && !app.trusted_proxies.trusts(peer);
        if is_unknown && !self.has_warned.swap(true, Ordering::Relaxed) {
            let sense = "a client over its limit sends X-Forwarded-For: if it is a proxy, name it in TRUSTED_PROXIES, or all who \
                         come through it count as one";
            tracing::warn!(%peer, "{sense}");
        }
    }
}

impl Verdict {
    /// The answer to one who has asked too often.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        if self.standing.is_admitted {
            return None;
        }
        let (name, seconds) = (self.name, self.standing.one_more_in);
        let plural = if seconds == 1 { "" } else { "s" };
        let detail = format!("Too many {name} from this address; please try again in {seconds} second{plural}.");
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retryable(true);
        Some(problem.with_header(header::RETRY_AFTER, seconds.into()))
    }

    /// Tells the client how it stands.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { name, policy, standing: Standing { left, one_more_in, .. } } = self;
        headers.insert(RATE_LIMIT_POLICY, policy);
        if let Ok(standing) = HeaderValue::try_from(format!("\"{name}\";r={left};t={one_more_in}")) {
            headers.insert(RATE_LIMIT, standing);
        }
    }
}
