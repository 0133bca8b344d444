//! Calling off a show on a store that has one booking which contradicts itself.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use box_office::{call_off, call_off_shows};
use domain::{
    Actor, Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, BookingState, BookingStatus, CalledOff,
    Creation, Deadline, Idempotency, LiveHold, NewShow, Outcome, Page, Refund, RefundKey, Request, Seat, SeatNumber, Show,
    ShowChange, ShowCounts, ShowId, ShowRepository, StoreError, Sweep, Timestamp, Transition, UserName,
};

/// The booking that can't fail.
const CORRUPT: i64 = 7;

/// Two cancelled shows: of the first are bookings 1 to 250, of the second booking 1000.
#[derive(Default)]
struct House {
    failed: Mutex<BTreeSet<i64>>,
    called_off: Mutex<Vec<ShowId>>,
    done: tokio::sync::Notify,
}

fn show(id: i64) -> ShowId {
    ShowId::new(id).unwrap()
}

fn held(id: i64, show_id: ShowId) -> Booking {
    Booking {
        id: BookingId::new(id).unwrap(),
        show_id,
        user_name: UserName::new("Ada").unwrap(),
        customer: None,
        blocked_for: None,
        payment: None,
        seats: vec![SeatNumber::new(1).unwrap()],
        deadline: Deadline::at(Timestamp::MAX_UTC),
        state: BookingState::Pending,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

#[async_trait]
impl BookingRepository for House {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        let ids: Vec<BookingId> = requests.iter().filter_map(|request| request.command.booking_id()).collect();
        if ids.iter().any(|id| id.get() == CORRUPT) {
            return Err(StoreError::Corrupt("it contradicts its seats".to_owned()));
        }
        self.failed.lock().unwrap().extend(ids.iter().map(|id| id.get()));
        Ok(ids.into_iter().map(|booking_id| Outcome::Cancelled { booking_id, refund_due: false }).collect())
    }

    async fn list(&self, filter: &BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError> {
        let ids = if filter.show_id == Some(show(1)) { 1..=250 } else { 1000..=1000 };
        let failed = self.failed.lock().unwrap();
        let live = ids.rev().filter(|id| filter.status == Some(BookingStatus::Pending) && !failed.contains(id));
        let found = live.filter(|id| page.before.is_none_or(|before| *id < before)).take(page.limit.get() as usize);
        Ok(found.map(|id| held(id, filter.show_id.unwrap())).collect())
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        unreachable!("nobody sweeps")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("nobody forgets")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("nobody reads")
    }
}

#[async_trait]
impl ShowRepository for House {
    async fn calling_off(&self) -> Result<Vec<CalledOff>, StoreError> {
        let done = self.called_off.lock().unwrap();
        let left = [1, 2].map(show).into_iter().filter(|show| !done.contains(show));
        Ok(left.map(|show_id| CalledOff { show_id, by: Actor::System }).collect())
    }

    async fn called_off(&self, id: ShowId) -> Result<(), StoreError> {
        self.called_off.lock().unwrap().push(id);
        self.done.notify_one();
        Ok(())
    }

    async fn create(&self, _: &NewShow, _: Option<&Idempotency>) -> Result<Creation, StoreError> {
        unreachable!("nobody creates")
    }

    async fn edit(&self, _: ShowId, _: i32, _: &NewShow, _: Option<&Idempotency>) -> Result<ShowChange, StoreError> {
        unreachable!("nobody edits")
    }

    async fn cancel(&self, _: ShowId, _: &Actor, _: Option<&Idempotency>) -> Result<ShowChange, StoreError> {
        unreachable!("both are cancelled")
    }

    async fn list(&self, _: Page) -> Result<Vec<Show>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn find(&self, _: ShowId) -> Result<Option<Show>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn counts(&self, _: ShowId) -> Result<Option<ShowCounts>, StoreError> {
        unreachable!("nobody reads")
    }

    async fn seat_map(&self, _: ShowId) -> Result<Option<Vec<Seat>>, StoreError> {
        unreachable!("nobody reads")
    }
}

#[tokio::test]
async fn one_booking_that_cannot_fail_keeps_no_other_from_it() {
    let house = House::default();
    let called_off = call_off(&house, &house, &CalledOff { show_id: show(1), by: Actor::System }).await;
    assert!(matches!(called_off, Err(StoreError::Corrupt(_))), "{called_off:?}");
    let expected: BTreeSet<i64> = (1..=250).filter(|id| *id != CORRUPT).collect();
    assert_eq!(*house.failed.lock().unwrap(), expected);
    assert_eq!(*house.called_off.lock().unwrap(), [], "somebody has to look");
}

#[tokio::test]
async fn one_show_that_cannot_be_called_off_keeps_no_other_from_it() {
    let house = Arc::new(House::default());
    let (shows, bookings) = (Arc::clone(&house) as Arc<dyn ShowRepository>, Arc::clone(&house) as Arc<dyn BookingRepository>);
    call_off_shows(shows, bookings, house.done.notified()).await;
    assert_eq!(*house.called_off.lock().unwrap(), [show(2)]);
}
