//! What every handler can reach.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use box_office::BoxOffice;
use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{BookingRepository, ShowRepository, StoreHealth};
use telemetry::{Requests, Traces};

use crate::access::Access;
use crate::client_address::TrustedProxies;
use crate::rate_limit::RateLimits;

/// The state of the server, built once and shared by all of its threads.
pub(crate) struct App {
    pub(crate) box_office: BoxOffice,
    pub(crate) bookings: Arc<dyn BookingRepository>,
    pub(crate) shows: Arc<dyn ShowRepository>,
    pub(crate) health: Arc<dyn StoreHealth>,
    /// Whether the store has been found to have this program's schema.
    pub(crate) prepared: AtomicBool,
    pub(crate) requests: Requests,
    pub(crate) traces: Option<Arc<Traces>>,
    pub(crate) access: Access,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limits: RateLimits,
    pub(crate) hold_for: TimeDelta,
    pub(crate) hold_limit: TimeDelta,
    /// For how long a request is known again by its key.
    pub(crate) keep_keys_for: TimeDelta,
    pub(crate) seats_per_booking_max: usize,
    pub(crate) time_zone: Tz,
}
