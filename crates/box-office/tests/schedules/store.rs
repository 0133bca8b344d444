//! A store that does what a schedule says.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Command, LiveHold, Outcome, Page, Refund, RefundKey,
    Request, ShowId, StoreError, Sweep, Transition,
};
use tokio::time::sleep;

use crate::history::History;

/// How one call goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Until it commits, or fails.
    pub(crate) works: Duration,
    pub(crate) end: End,
    /// From then on until the caller knows.
    pub(crate) replies: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    Unavailable,
    Contended,
    Corrupt,
    Unknown { committed: bool },
    TooFewOutcomes { committed: bool },
    Panics { committed: bool },
}

impl End {
    const fn is_committed(self) -> bool {
        match self {
            Self::Answered => true,
            Self::Unavailable | Self::Contended | Self::Corrupt => false,
            Self::Unknown { committed } | Self::TooFewOutcomes { committed } | Self::Panics { committed } => committed,
        }
    }

    /// Whether it has happened, or may have.
    pub(crate) const fn is_final(self) -> bool {
        match self {
            Self::Answered | Self::Unknown { .. } | Self::TooFewOutcomes { .. } | Self::Panics { .. } => true,
            Self::Unavailable | Self::Contended | Self::Corrupt => false,
        }
    }
}

pub(crate) struct ScriptedStore {
    calls: Mutex<std::vec::IntoIter<Call>>,
    history: Arc<History>,
}

impl ScriptedStore {
    pub(crate) fn new(calls: Vec<Call>, history: Arc<History>) -> Self {
        Self { calls: Mutex::new(calls.into_iter()), history }
    }
}

/// Who asks for what is confirmed.
fn booking_id(command: &Command) -> BookingId {
    let Command::Confirm(domain::Confirm { booking_id, .. }) = command else { panic!("only confirms here") };
    *booking_id
}

#[async_trait]
impl BookingRepository for ScriptedStore {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        let ids: Vec<i64> = requests.iter().map(|request| booking_id(&request.command).get()).collect();
        let well = Call { works: Duration::from_millis(1), end: End::Answered, replies: Duration::ZERO };
        let Call { works, end, replies } = self.calls.lock().unwrap().next().unwrap_or(well);
        self.history.begun(&ids);
        sleep(works).await;
        if end.is_committed() {
            self.history.committed(&ids);
        }
        sleep(replies).await;
        self.history.ended(&ids, end);
        let mut outcomes: Vec<Outcome> =
            requests.iter().map(|request| Outcome::Confirmed { booking_id: booking_id(&request.command) }).collect();
        let why = || "the schedule says so".to_owned();
        match end {
            End::Answered => Ok(outcomes),
            End::Unavailable => Err(StoreError::Unavailable(why())),
            End::Contended => Err(StoreError::Contended(why())),
            End::Corrupt => Err(StoreError::Corrupt(why())),
            End::Unknown { .. } => Err(StoreError::OutcomeUnknown(why())),
            End::TooFewOutcomes { .. } => {
                outcomes.pop();
                Ok(outcomes)
            }
            End::Panics { .. } => panic!("{}", why()),
        }
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        unreachable!("the box office does not sweep")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn list(&self, _: &BookingFilter, _: Page) -> Result<Vec<Booking>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("the box office does not read")
    }
}
