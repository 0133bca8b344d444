//! The life of a booking, as one total function.

use crate::deadline::Life;

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BookingStatus {
    /// Its seats are held until the deadline.
    Pending,
    /// Its seats are sold.
    Confirmed,
    /// It ended without a sale, and owns no seat.
    Failed,
}

/// What can be asked of a booking that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The customer has paid.
    Confirm,
    /// The hold has run out.
    Expire,
}

/// Why a booking failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// It was not confirmed before its deadline.
    Expired,
}

/// A legal step out of PENDING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To CONFIRMED: every seat of the booking becomes sold.
    Confirm,
    /// To FAILED for this reason: every seat of the booking becomes free.
    Fail(FailureReason),
}

/// Why a step is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionRefused {
    /// The booking is at its end already.
    Final(BookingStatus),
    /// A confirm at or after the deadline.
    HoldExpired,
    /// An expiry before the deadline.
    HoldLive,
}

/// The step that `action` makes from `status` for a hold that is `life`, or why there is none.
///
/// ```text
///               confirm, live
///   ┌─────────┐ ────────────▶ ┌───────────┐
///   │ PENDING │               │ CONFIRMED │
///   └─────────┘               └───────────┘
///        │      expire, dead  ┌────────┐
///        └──────────────────▶ │ FAILED │   reason: expired
///                             └────────┘
/// ```
///
/// Exactly one of confirm and expire is legal at any instant, so whichever takes the locks, the other is refused.
///
/// # Errors
/// [`TransitionRefused`], which changes nothing.
pub const fn transition(status: BookingStatus, action: Action, life: Life) -> Result<Step, TransitionRefused> {
    use {Action as A, BookingStatus as B, Life as L};
    match (status, action, life) {
        (B::Pending, A::Confirm, L::Live) => Ok(Step::Confirm),
        (B::Pending, A::Confirm, L::Dead) => Err(TransitionRefused::HoldExpired),
        (B::Pending, A::Expire, L::Dead) => Ok(Step::Fail(FailureReason::Expired)),
        (B::Pending, A::Expire, L::Live) => Err(TransitionRefused::HoldLive),
        (B::Confirmed | B::Failed, A::Confirm | A::Expire, L::Live | L::Dead) => Err(TransitionRefused::Final(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_meets_every_action_live_and_dead() {
        use {Action as A, BookingStatus as B, Life as L};
        let table = [
            (B::Pending, A::Confirm, L::Live, Ok(Step::Confirm)),
            (B::Pending, A::Confirm, L::Dead, Err(TransitionRefused::HoldExpired)),
            (B::Pending, A::Expire, L::Live, Err(TransitionRefused::HoldLive)),
            (B::Pending, A::Expire, L::Dead, Ok(Step::Fail(FailureReason::Expired))),
            (B::Confirmed, A::Confirm, L::Live, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Confirmed, A::Confirm, L::Dead, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Confirmed, A::Expire, L::Live, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Confirmed, A::Expire, L::Dead, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Failed, A::Confirm, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Confirm, L::Dead, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Expire, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Expire, L::Dead, Err(TransitionRefused::Final(B::Failed))),
        ];
        for (status, action, life, expected) in table {
            assert_eq!(transition(status, action, life), expected, "{status:?} {action:?} {life:?}");
        }
    }
}
