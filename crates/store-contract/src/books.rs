//! Everything that a store holds, read through the ports, and what must always be true of it.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingState, BookingStatus, Event, FailureReason, Page, Seat, SeatKey,
    SeatNumber, SeatState, Show, ShowId, Transition,
};

use crate::Store;

const PAGE: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// All shows with their seats and all bookings, as of now. Nobody may write or move the clock while they are read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) shows: Vec<(Show, Vec<Seat>)>,
    pub(crate) bookings: Vec<BookingDetails>,
    /// What happened to each booking, in the order of `bookings`.
    pub(crate) histories: Vec<Vec<Transition>>,
}

impl Books {
    /// Reads everything, page by page.
    pub(crate) async fn read(store: &Store) -> Self {
        let mut shows = Vec::new();
        let mut before = None;
        loop {
            let page = store.shows.list(Page { limit: PAGE, before }).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(before.is_none_or(|before| page[0].id.get() < before), "a page goes back: {page:?}");
            before = Some(last.id.get());
            for show in page {
                let seats = store.shows.seat_map(show.id).await.unwrap().expect("a listed show has seats");
                shows.push((show, seats));
            }
        }
        let (mut bookings, mut histories) = (Vec::new(), Vec::new());
        before = None;
        loop {
            let page = store.bookings.list(&BookingFilter::default(), Page { limit: PAGE, before }).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(before.is_none_or(|before| page[0].id.get() < before), "a page goes back: {page:?}");
            before = Some(last.id.get());
            for booking in page {
                let details = store.bookings.find(booking.id).await.unwrap().expect("a listed booking is found");
                assert_eq!(details.booking, booking, "found as listed");
                bookings.push(details);
                histories.push(store.history(booking.id).await);
            }
        }
        Self { shows, bookings, histories }
    }

    /// Asserts all that must be true of any store at any time.
    pub(crate) fn check(&self) {
        let seats = self.check_shows();
        let bookings: BTreeMap<BookingId, &Booking> = self.bookings.iter().map(|d| (d.booking.id, &d.booking)).collect();
        assert_eq!(bookings.len(), self.bookings.len(), "no booking is listed twice");
        for (key, seat) in &seats {
            check_owner(*key, seat, &bookings);
        }
        for (details, history) in self.bookings.iter().zip(&self.histories) {
            check_booking(details, &seats);
            check_history(&details.booking, history);
        }
        self.check_numbers();
    }

    /// The changes of each show are numbered from 1 without gaps. (Not in the order of time: a clock may go back.)
    fn check_numbers(&self) {
        let mut shows: BTreeMap<ShowId, BTreeMap<i64, &Transition>> = BTreeMap::new();
        for transition in self.histories.iter().flatten() {
            let numbered = shows.entry(transition.show_id).or_default().insert(transition.number, transition);
            assert_eq!(numbered, None, "a number is used twice: {transition:?}");
        }
        for (show, numbered) in shows {
            let count = i64::try_from(numbered.len()).unwrap();
            assert!(numbered.keys().copied().eq(1..=count), "the changes of show {show} have gaps: {:?}", numbered.keys());
        }
    }

    /// Each show has its seats, numbered from 1; no identity stands twice.
    fn check_shows(&self) -> BTreeMap<SeatKey, Seat> {
        let mut all = BTreeMap::new();
        let mut ids = HashSet::new();
        for (show, seats) in &self.shows {
            let numbers: Vec<i64> = seats.iter().map(|seat| seat.number.get()).collect();
            assert_eq!(numbers, (1..=i64::from(show.total_seats)).collect::<Vec<_>>(), "the seats of show {}", show.id);
            for seat in seats {
                assert!(ids.insert(seat.id), "seat id {} stands twice", seat.id);
                let key = SeatKey { show_id: show.id, number: seat.number };
                assert!(all.insert(key, *seat).is_none(), "show {} is listed twice", show.id);
            }
        }
        all
    }
}

/// Whoever has the seat is in the right state for it, and lists it.
fn check_owner(key: SeatKey, seat: &Seat, bookings: &BTreeMap<BookingId, &Booking>) {
    let Some(owner) = seat.state.booking_id() else { return };
    let booking = bookings.get(&owner).unwrap_or_else(|| panic!("{key:?} belongs to {owner}, which does not exist"));
    assert_eq!(booking.show_id, key.show_id, "{key:?} belongs to {booking:?}");
    assert!(booking.seats.contains(&key.number), "{key:?} belongs to a booking that does not list it: {booking:?}");
    match (seat.state, booking.state) {
        (SeatState::Held { until, .. }, BookingState::Pending) => assert_eq!(until, booking.deadline, "{key:?}, {booking:?}"),
        (SeatState::Sold { .. }, BookingState::Confirmed { .. }) => {}
        (
            SeatState::Available | SeatState::Held { .. } | SeatState::Sold { .. },
            BookingState::Pending | BookingState::Confirmed { .. } | BookingState::Failed { .. },
        ) => panic!("{key:?} is {:?}, but its booking is {booking:?}", seat.state),
    }
}

/// It begins with a hold, or the house's block, each step goes on where the last one ended, and the last one led to where the booking stands.
fn check_history(booking: &Booking, history: &[Transition]) {
    let mut stood = None;
    for transition in history {
        assert_eq!((transition.booking_id, transition.show_id), (booking.id, booking.show_id), "{history:?}");
        assert_eq!(transition.from, stood, "{history:?}");
        stood = Some(transition.to());
    }
    let (first, last) = (history.first().expect("every booking has a history"), history.last().expect("as above"));
    let begin = if booking.blocked_for.is_some() { Event::Blocked } else { Event::Held };
    assert_eq!((first.event, first.at), (begin, booking.created_at), "{history:?}");
    let owed = history.iter().any(|transition| transition.event == Event::RefundDue);
    assert!(booking.payment.is_some() || !owed || booking.state.refund_due(), "{booking:?} {history:?}");
    assert_eq!(last.seats, booking.seats, "{history:?}");
    match booking.state {
        // Nobody may have failed it yet.
        BookingState::Failed { reason: FailureReason::Expired, .. } if last.to() == BookingStatus::Pending => {}
        state => {
            assert_eq!(last.to(), state.status(), "{booking:?} {history:?}");
            assert_eq!(last.at, booking.updated_at, "{booking:?} {history:?}");
        }
    }
}

/// A live booking has exactly the seats that it lists, a failed one none. (That no other seat is its own, and that no seat has
/// two owners, follows from [`check_owner`].)
fn check_booking(details: &BookingDetails, seats: &BTreeMap<SeatKey, Seat>) {
    let booking = &details.booking;
    let id = booking.id;
    assert!(!booking.seats.is_empty(), "a booking without seats: {booking:?}");
    assert!(booking.seats.is_sorted_by(|a, b| a < b), "not ascending: {booking:?}");
    let shown: Vec<SeatNumber> = details.seats.iter().map(|(number, _)| *number).collect();
    assert_eq!(shown, booking.seats, "details show other seats than the booking lists");
    for (number, status) in &details.seats {
        let key = SeatKey { show_id: booking.show_id, number: *number };
        let seat = seats.get(&key).unwrap_or_else(|| panic!("{booking:?} lists {key:?}, which does not exist"));
        assert_eq!(*status, seat.state.status(), "details and seat map differ on {key:?}");
        match booking.state {
            BookingState::Pending => assert_eq!(seat.state, SeatState::Held { by: id, until: booking.deadline }, "{booking:?}"),
            BookingState::Confirmed { .. } => assert_eq!(seat.state, SeatState::Sold { to: id }, "{booking:?}"),
            BookingState::Failed { .. } => assert_ne!(seat.state.booking_id(), Some(id), "{booking:?}"),
        }
    }
    assert!(!booking.state.refund_due() || matches!(booking.state, BookingState::Failed { .. }), "{booking:?}");
    if let BookingState::Confirmed { at, reclaimed } = booking.state {
        assert_eq!(at < booking.deadline.instant(), !reclaimed, "confirmed at or after its deadline: {booking:?}");
    }
    assert!(booking.blocked_for.is_none() || booking.payment.is_none() && !booking.state.refund_due(), "{booking:?}");
}
