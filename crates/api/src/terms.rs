//! The members that say on what terms the seats of a show are sold.

use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{Terms, Timestamp};

use crate::body::Body;
use crate::start_time;

/// The terms that the body says; a member that is missing is as in `before`, and a null leaves it open.
pub(crate) fn terms(body: &mut Body, before: Terms, zone: Tz) -> Terms {
    Terms {
        hold_for: body.if_given("hold_seconds", before.hold_for, |body| seconds(body, "hold_seconds")),
        hold_limit: body.if_given("hold_limit_seconds", before.hold_limit, |body| seconds(body, "hold_limit_seconds")),
        customers_may_cancel: flag(body, "customers_may_cancel", before.customers_may_cancel),
        late_confirm: flag(body, "late_confirm", before.late_confirm),
        seats_per_booking: limit(body, "seats_per_booking", before.seats_per_booking),
        seats_per_customer: limit(body, "seats_per_customer", before.seats_per_customer),
        holds_per_customer: limit(body, "holds_per_customer", before.holds_per_customer),
        on_sale_at: instant(body, "on_sale_at", before.on_sale_at, zone),
        off_sale_at: instant(body, "off_sale_at", before.off_sale_at, zone),
    }
}

/// More seconds than there can be are as wrong as the most that can be said.
fn seconds(body: &mut Body, member: &'static str) -> Option<TimeDelta> {
    body.optional_integer(member).map(|seconds| TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX))
}

fn flag(body: &mut Body, member: &'static str, before: bool) -> bool {
    body.if_given(member, before, |body| body.optional_boolean(member))
}

/// What is no number of things is as wrong as none of them, or too many.
fn limit(body: &mut Body, member: &'static str, before: Option<u32>) -> Option<u32> {
    let clamped = |limit: i64| u32::try_from(limit.max(0)).unwrap_or(u32::MAX);
    body.if_given(member, before, |body| body.optional_integer(member).map(clamped))
}

fn instant(body: &mut Body, member: &'static str, before: Option<Timestamp>, zone: Tz) -> Option<Timestamp> {
    body.if_given(member, before, |body| {
        let text = body.optional_text(member)?;
        let instant = start_time::parse(&text, zone);
        if instant.is_none() {
            body.mistake(member, start_time::EXPECTED);
        }
        instant
    })
}
