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
    /// The customer, or the house, gives it up.
    Cancel {
        /// Whether the caller may cancel a sale too, and not only a hold.
        sale: bool,
    },
    /// More time, or other seats.
    Amend,
    /// The customer has paid too late, and takes the same seats again.
    Reclaim,
    /// The show is cancelled.
    CallOff,
}

/// Why a booking failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// It was not confirmed before its deadline.
    Expired,
    /// It was given up.
    Cancelled,
    /// Its show was cancelled.
    ShowCancelled,
}

/// A legal step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To CONFIRMED: every seat of the booking becomes sold.
    Confirm,
    /// To FAILED for this reason: every seat of the booking becomes free.
    Fail(FailureReason),
    /// It stays PENDING, and may be amended.
    Stay,
}

/// Why a step is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionRefused {
    /// The booking is at its end already.
    Final(BookingStatus),
    /// A confirm, a cancellation or an amendment at or after the deadline.
    HoldExpired,
    /// An expiry before the deadline.
    HoldLive,
    /// A cancellation of a sale by someone who may not.
    SaleIsFinal,
}

/// The step that `action` makes from `status` for a hold that is `life`, or why there is none.
///
/// ```text
///   amend, live
///     ┌──┐
///     │  ▼     confirm, live
///   ┌─────────┐ ────────────▶ ┌───────────┐
///   │ PENDING │ reclaim, dead │ CONFIRMED │◀─┐
///   └─────────┘               └───────────┘  │ reclaim, dead
///        │ expire, dead             │ cancel, by whom may cancel a sale
///        │ cancel, live   ┌────────┐│        │
///        └──────────────▶ │ FAILED │◀ ───────┘
///          call off       └────────┘  call off
/// ```
///
/// Exactly one of confirm and expire is legal at any instant, so whichever takes the locks, the other is refused. Whether a
/// booking may be reclaimed is for its show and its seats to say: only one whose hold ran out, and whose money nobody owes yet.
///
/// # Errors
/// [`TransitionRefused`], which changes nothing.
pub const fn transition(status: BookingStatus, action: Action, life: Life) -> Result<Step, TransitionRefused> {
    use {Action as A, BookingStatus as B, Life as L};
    match (status, action, life) {
        (B::Pending, A::Confirm, L::Live) | (B::Pending | B::Failed, A::Reclaim, L::Dead) => Ok(Step::Confirm),
        (B::Pending, A::Cancel { .. }, L::Live) | (B::Confirmed, A::Cancel { sale: true }, L::Live | L::Dead) => {
            Ok(Step::Fail(FailureReason::Cancelled))
        }
        (B::Pending, A::Amend, L::Live) => Ok(Step::Stay),
        (B::Pending, A::Confirm | A::Cancel { .. } | A::Amend, L::Dead) => Err(TransitionRefused::HoldExpired),
        (B::Pending, A::Expire, L::Dead) => Ok(Step::Fail(FailureReason::Expired)),
        (B::Pending | B::Confirmed, A::CallOff, L::Live | L::Dead) => Ok(Step::Fail(FailureReason::ShowCancelled)),
        (B::Pending, A::Expire | A::Reclaim, L::Live) => Err(TransitionRefused::HoldLive),
        (B::Confirmed, A::Cancel { sale: false }, L::Live | L::Dead) => Err(TransitionRefused::SaleIsFinal),
        (B::Confirmed, A::Confirm | A::Expire | A::Amend | A::Reclaim, L::Live | L::Dead)
        | (B::Failed, A::Confirm | A::Expire | A::Cancel { .. } | A::Amend | A::CallOff, L::Live | L::Dead)
        | (B::Failed, A::Reclaim, L::Live) => Err(TransitionRefused::Final(status)),
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
            (B::Pending, A::Cancel { sale: false }, L::Live, Ok(Step::Fail(FailureReason::Cancelled))),
            (B::Pending, A::Cancel { sale: true }, L::Live, Ok(Step::Fail(FailureReason::Cancelled))),
            (B::Pending, A::Cancel { sale: false }, L::Dead, Err(TransitionRefused::HoldExpired)),
            (B::Pending, A::Cancel { sale: true }, L::Dead, Err(TransitionRefused::HoldExpired)),
            (B::Pending, A::Amend, L::Live, Ok(Step::Stay)),
            (B::Pending, A::Reclaim, L::Live, Err(TransitionRefused::HoldLive)),
            (B::Pending, A::Reclaim, L::Dead, Ok(Step::Confirm)),
            (B::Confirmed, A::Reclaim, L::Live, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Confirmed, A::Reclaim, L::Dead, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Failed, A::Reclaim, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Reclaim, L::Dead, Ok(Step::Confirm)),
            (B::Pending, A::CallOff, L::Live, Ok(Step::Fail(FailureReason::ShowCancelled))),
            (B::Pending, A::CallOff, L::Dead, Ok(Step::Fail(FailureReason::ShowCancelled))),
            (B::Confirmed, A::CallOff, L::Live, Ok(Step::Fail(FailureReason::ShowCancelled))),
            (B::Confirmed, A::CallOff, L::Dead, Ok(Step::Fail(FailureReason::ShowCancelled))),
            (B::Failed, A::CallOff, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::CallOff, L::Dead, Err(TransitionRefused::Final(B::Failed))),
            (B::Pending, A::Amend, L::Dead, Err(TransitionRefused::HoldExpired)),
            (B::Confirmed, A::Cancel { sale: false }, L::Live, Err(TransitionRefused::SaleIsFinal)),
            (B::Confirmed, A::Cancel { sale: true }, L::Live, Ok(Step::Fail(FailureReason::Cancelled))),
            (B::Confirmed, A::Cancel { sale: false }, L::Dead, Err(TransitionRefused::SaleIsFinal)),
            (B::Confirmed, A::Cancel { sale: true }, L::Dead, Ok(Step::Fail(FailureReason::Cancelled))),
            (B::Confirmed, A::Amend, L::Live, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Confirmed, A::Amend, L::Dead, Err(TransitionRefused::Final(B::Confirmed))),
            (B::Failed, A::Cancel { sale: false }, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Cancel { sale: true }, L::Dead, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Amend, L::Live, Err(TransitionRefused::Final(B::Failed))),
            (B::Failed, A::Amend, L::Dead, Err(TransitionRefused::Final(B::Failed))),
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
