//! A model of the store that is too plain to be wrong: a list of bookings. A seat is whatever the bookings that list it make
//! of it; seats have no state of their own. It shares no code with the rule book.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Actor, BookingId, BookingState, BookingStatus, Change, Command, Deadline, Extend, FailureReason, Hold, Outcome, Refusal,
    Request, SeatNumber, SeatRefusal, SeatRefusalReason, SeatState, ShowId, Sweep, Timestamp,
};

use crate::books::Books;
use crate::calls::EXPIRED;

pub(crate) struct Model {
    shows: Vec<ShowId>,
    seats: i64,
    bookings: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Not yet, but it may be dead.
    Open,
    Sold,
    Failed,
    /// Given up; and whether it was a sale.
    GivenUp {
        refund_due: bool,
    },
}

struct Entry {
    id: BookingId,
    show: ShowId,
    seats: Vec<SeatNumber>,
    made: Timestamp,
    deadline: Timestamp,
    end: End,
}

impl Entry {
    fn has(&self, show: ShowId, seat: SeatNumber, now: Timestamp) -> bool {
        let lives = match self.end {
            End::Open => self.deadline > now,
            End::Sold => true,
            End::Failed | End::GivenUp { .. } => false,
        };
        lives && self.show == show && self.seats.contains(&seat)
    }
}

impl Model {
    pub(crate) fn new(shows: &[ShowId], seats: i64) -> Self {
        Self { shows: shows.to_vec(), seats, bookings: Vec::new() }
    }

    /// The id of the n-th booking of this history.
    pub(crate) fn booking_id(&self, n: usize) -> Option<BookingId> {
        self.bookings.get(n).map(|booking| booking.id)
    }

    /// Plays the batch, and asserts that these are its outcomes.
    pub(crate) fn check_batch(&mut self, now: Timestamp, requests: &[Request], outcomes: &[Outcome]) {
        for (request, outcome) in requests.iter().zip(outcomes) {
            let expected = match &request.command {
                Command::Hold(hold) => self.hold(now, hold, outcome),
                Command::Confirm(confirm) => self.confirm(now, confirm.booking_id),
                Command::Block(block) => panic!("nobody blocks seats here: {block:?}"),
                Command::Expire { booking_id } => self.expire(now, *booking_id),
                Command::Cancel { booking_id } => self.cancel(now, *booking_id, request.by != Actor::Customer),
                Command::Extend(extend) => self.extend(now, extend),
                Command::Change(change) => self.change(now, change),
            };
            assert_eq!(*outcome, expected, "{request:?}");
        }
    }

    /// The identity of a new booking is the store's to choose, so it is taken from the outcome.
    fn hold(&mut self, now: Timestamp, hold: &Hold, outcome: &Outcome) -> Outcome {
        let show = hold.show_id;
        let refused: Vec<SeatRefusal> = hold.seats.numbers().iter().filter_map(|&seat| self.why_not(now, show, seat)).collect();
        if !refused.is_empty() {
            return Outcome::Refused(Refusal::SeatsNotFree { seats: refused });
        }
        let seats = hold.seats.numbers().to_vec();
        self.fail_the_dead(now, show, &seats);
        let Outcome::Held { booking_id: id, .. } = *outcome else { panic!("the seats of {hold:?} are free, but {outcome:?}") };
        assert!(self.bookings.iter().all(|booking| booking.id < id), "booking id {id} is not new");
        let deadline = now + hold.hold_for;
        self.bookings.push(Entry { id, show, seats, made: now, deadline, end: End::Open });
        Outcome::Held { booking_id: id, deadline: Deadline::at(deadline) }
    }

    /// Whoever had these seats and let the time go by has them no longer.
    fn fail_the_dead(&mut self, now: Timestamp, show: ShowId, seats: &[SeatNumber]) {
        for booking in &mut self.bookings {
            let overlaps = booking.show == show && booking.seats.iter().any(|seat| seats.contains(seat));
            if booking.end == End::Open && booking.deadline <= now && overlaps {
                booking.end = End::Failed;
            }
        }
    }

    fn cancel(&mut self, now: Timestamp, booking_id: BookingId, by_house: bool) -> Outcome {
        let Some(booking) = self.bookings.iter_mut().find(|booking| booking.id == booking_id) else {
            return Outcome::Refused(Refusal::NoSuchBooking { booking_id });
        };
        let refund_due = match booking.end {
            End::GivenUp { refund_due } => refund_due,
            End::Open if now < booking.deadline => false,
            End::Sold if by_house => true,
            End::Sold => return Outcome::Refused(Refusal::SaleIsFinal { booking_id }),
            End::Open => {
                return Outcome::Refused(Refusal::HoldExpired { booking_id, deadline: Deadline::at(booking.deadline) });
            }
            End::Failed => return Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Failed }),
        };
        booking.end = End::GivenUp { refund_due };
        Outcome::Cancelled { booking_id, refund_due }
    }

    /// The place of a booking that can be amended, or why it can't.
    fn amendable(&self, now: Timestamp, booking_id: BookingId) -> Result<usize, Outcome> {
        let place = self.bookings.iter().position(|booking| booking.id == booking_id);
        let place = place.ok_or(Outcome::Refused(Refusal::NoSuchBooking { booking_id }))?;
        let booking = &self.bookings[place];
        match booking.end {
            End::Open if now < booking.deadline => Ok(place),
            End::Open => Err(Outcome::Refused(Refusal::HoldExpired { booking_id, deadline: Deadline::at(booking.deadline) })),
            End::Sold => Err(Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Confirmed })),
            End::Failed | End::GivenUp { .. } => {
                Err(Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Failed }))
            }
        }
    }

    fn extend(&mut self, now: Timestamp, extend: &Extend) -> Outcome {
        let booking_id = extend.booking_id;
        let booking = match self.amendable(now, booking_id) {
            Ok(place) => &mut self.bookings[place],
            Err(refused) => return refused,
        };
        let wished = now + extend.hold_for;
        let latest = booking.made + extend.hold_limit;
        if booking.deadline >= latest {
            return Outcome::Refused(Refusal::HoldLimit { booking_id, deadline: Deadline::at(booking.deadline) });
        }
        let deadline = if wished > latest { latest } else { wished };
        if deadline > booking.deadline {
            booking.deadline = deadline;
        }
        Outcome::Extended { booking_id, deadline: Deadline::at(booking.deadline) }
    }

    fn change(&mut self, now: Timestamp, change: &Change) -> Outcome {
        let booking_id = change.booking_id;
        let place = match self.amendable(now, booking_id) {
            Ok(place) => place,
            Err(refused) => return refused,
        };
        let (show, had) = (self.bookings[place].show, self.bookings[place].seats.clone());
        let (add, remove) = (change.seats.add(), change.seats.remove());
        let mut refused: Vec<SeatRefusal> = Vec::new();
        for &number in add {
            if had.contains(&number) {
                refused.push(SeatRefusal { number, reason: SeatRefusalReason::HadAlready });
            } else {
                refused.extend(self.why_not(now, show, number));
            }
        }
        let not_had = remove.iter().filter(|number| !had.contains(number));
        refused.extend(not_had.map(|&number| SeatRefusal { number, reason: SeatRefusalReason::NotHad }));
        refused.sort_by_key(|seat| seat.number);
        if !refused.is_empty() {
            return Outcome::Refused(Refusal::SeatsNotFree { seats: refused });
        }
        let mut seats: Vec<SeatNumber> = had.into_iter().filter(|number| !remove.contains(number)).collect();
        seats.extend(add);
        seats.sort();
        if seats.is_empty() {
            return Outcome::Refused(Refusal::NoSeatLeft { booking_id });
        }
        if !add.is_empty() && seats.len() > change.seats_max {
            return Outcome::Refused(Refusal::TooManySeats { max: change.seats_max });
        }
        self.fail_the_dead(now, show, add);
        let booking = &mut self.bookings[place];
        booking.seats.clone_from(&seats);
        Outcome::Changed { booking_id, seats, deadline: Deadline::at(booking.deadline) }
    }

    fn why_not(&self, now: Timestamp, show: ShowId, number: SeatNumber) -> Option<SeatRefusal> {
        let reason = if number.get() > self.seats {
            SeatRefusalReason::Unknown
        } else {
            let owner = self.bookings.iter().find(|booking| booking.has(show, number, now))?;
            match owner.end {
                End::Sold => SeatRefusalReason::Sold,
                End::Open | End::Failed | End::GivenUp { .. } => {
                    SeatRefusalReason::Held { free_at: Deadline::at(owner.deadline) }
                }
            }
        };
        Some(SeatRefusal { number, reason })
    }

    fn confirm(&mut self, now: Timestamp, booking_id: BookingId) -> Outcome {
        let Some(booking) = self.bookings.iter_mut().find(|booking| booking.id == booking_id) else {
            return Outcome::Refused(Refusal::NoSuchBooking { booking_id });
        };
        match booking.end {
            End::Open if now < booking.deadline => {
                booking.end = End::Sold;
                Outcome::Confirmed { booking_id }
            }
            // Whether somebody has swept up makes no difference.
            End::Open | End::Failed => {
                Outcome::Refused(Refusal::HoldExpired { booking_id, deadline: Deadline::at(booking.deadline) })
            }
            End::Sold => Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Confirmed }),
            End::GivenUp { .. } => Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Failed }),
        }
    }

    fn expire(&mut self, now: Timestamp, booking_id: BookingId) -> Outcome {
        let Some(booking) = self.bookings.iter_mut().find(|booking| booking.id == booking_id) else {
            return Outcome::Refused(Refusal::NoSuchBooking { booking_id });
        };
        let deadline = Deadline::at(booking.deadline);
        match booking.end {
            End::Open if now < booking.deadline => Outcome::Refused(Refusal::HoldLive { booking_id, deadline }),
            End::Open => {
                booking.end = End::Failed;
                Outcome::Expired { booking_id, deadline }
            }
            End::Sold => Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Confirmed }),
            End::Failed | End::GivenUp { .. } => {
                Outcome::Refused(Refusal::NotPending { booking_id, status: BookingStatus::Failed })
            }
        }
    }

    /// Asserts that this is what a sweep may do, and does it. Of holds that died at one instant it may take any.
    pub(crate) fn check_sweep(&mut self, now: Timestamp, limit: u32, sweep: &Sweep) {
        let mut dead: Vec<TimeDelta> = Vec::new();
        let mut taken: Vec<TimeDelta> = Vec::new();
        for booking in self.bookings.iter_mut().filter(|booking| booking.end == End::Open && booking.deadline <= now) {
            dead.push(now - booking.deadline);
            if sweep.expired.contains(&booking.id) {
                booking.end = End::Failed;
                taken.push(now - booking.deadline);
            }
        }
        dead.sort_unstable_by(|a, b| b.cmp(a));
        dead.truncate(usize::try_from(limit).unwrap());
        taken.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(sweep.expired.len(), taken.len(), "{sweep:?} has failed others than the dead");
        assert_eq!(taken, dead, "the longest dead first: {sweep:?}");
        assert_eq!(sweep.lag_max, taken.first().map_or(Duration::ZERO, |lag| lag.to_std().unwrap()));
        let next = self.bookings.iter().filter(|booking| booking.end == End::Open).map(|booking| booking.deadline).min();
        assert_eq!(sweep.next_due_in, next.map(|next| (next - now).to_std().unwrap_or(Duration::ZERO)));
    }

    /// Asserts that the store's books are those of this history (and of others before it, in other shows).
    pub(crate) fn check_books(&self, now: Timestamp, books: &Books) {
        books.check();
        for booking in &self.bookings {
            let found = books.bookings.iter().find(|details| details.booking.id == booking.id).expect("a booking is lost");
            let found = &found.booking;
            assert_eq!((found.show_id, &found.seats, found.deadline.instant()), (booking.show, &booking.seats, booking.deadline));
            match booking.end {
                End::Sold => assert_eq!(found.state.status(), BookingStatus::Confirmed, "{found:?}"),
                End::Open if now < booking.deadline => assert_eq!(found.state, BookingState::Pending, "{found:?}"),
                End::Open | End::Failed => assert_eq!(found.state, EXPIRED, "{found:?}"),
                End::GivenUp { refund_due } => {
                    assert_eq!(found.state, BookingState::Failed { reason: FailureReason::Cancelled, refund_due }, "{found:?}");
                }
            }
        }
        for &show in &self.shows {
            let ours = books.bookings.iter().filter(|details| details.booking.show_id == show).count();
            assert_eq!(ours, self.bookings.iter().filter(|booking| booking.show == show).count(), "bookings of show {show}");
            let (_, seats) = books.shows.iter().find(|(listed, _)| listed.id == show).expect("the show is lost");
            for seat in seats {
                let owner = self.bookings.iter().find(|booking| booking.has(show, seat.number, now));
                let expected = owner.map_or(SeatState::Available, |booking| match booking.end {
                    End::Sold => SeatState::Sold { to: booking.id },
                    End::Open | End::Failed | End::GivenUp { .. } => {
                        SeatState::Held { by: booking.id, until: Deadline::at(booking.deadline) }
                    }
                });
                assert_eq!(seat.state, expected, "seat {} of show {show}", seat.number);
            }
        }
    }
}
