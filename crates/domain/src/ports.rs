//! The ports: what the application asks of a store, and what a store must keep. This is the specification; every MUST
//! names the scenario of the `store-contract` suite that proves it on each adapter.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::booking::{Booking, BookingDetails, LiveHold};
use crate::command::{Hold, Outcome};
use crate::customer::CustomerId;
use crate::deadline::Timestamp;
use crate::history::Transition;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::payment::{Refund, RefundKey};
use crate::refusal::Refusal;
use crate::request::{Actor, Idempotency, Request};
use crate::seat::Seat;
use crate::show::{NewShow, Show, ShowCounts};

/// Why a store did not do what it was asked, classed by what the caller can do.
///
/// The text inside is for the log, never for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The store can't be reached or is not ready. Nothing has happened; try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Others are in the way: a lock wait ran out, or a transaction was chosen as a victim. Nothing has happened; try again
    /// soon.
    #[error("the store is contended: {0}")]
    Contended(String),
    /// The connection was lost while the commit was in flight: it has happened wholly or not at all. Look before trying again.
    #[error("the store did not say whether it committed: {0}")]
    OutcomeUnknown(String),
    /// The store refused or contradicts itself: data or program is wrong. Nothing has happened; call someone.
    #[error("the store is in a state that it must not be in: {0}")]
    Corrupt(String),
}

/// A page of a list that is ordered newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: NonZeroU32,
    /// Only rows with an identity below this one.
    pub before: Option<i64>,
}

/// Which bookings to list: those that pass all that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingFilter {
    /// Only those that stand here, as of now: a dead hold counts as FAILED.
    pub status: Option<BookingStatus>,
    /// Only those of this show.
    pub show_id: Option<ShowId>,
    /// Only those that count to this customer.
    pub customer: Option<CustomerId>,
    /// Only those that were made at this instant or later.
    pub made_from: Option<Timestamp>,
    /// Only those that were made before this instant.
    pub made_before: Option<Timestamp>,
    /// Only those whose money has to be given back, or only those whose money has not.
    pub refund_due: Option<bool>,
}

/// What one sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The bookings that it failed.
    pub expired: Vec<BookingId>,
    /// The longest time that one of them had been dead.
    pub lag_max: Duration,
    /// How long until the next deadline of a PENDING booking, zero if one has passed; `None` if there is no PENDING booking.
    pub next_due_in: Option<Duration>,
}

/// Bookings and the seats they take.
#[async_trait]
pub trait BookingRepository: Send + Sync {
    /// Runs the requests in their order as one transaction, and returns their outcomes in the same order.
    ///
    /// - It MUST decide as if the requests ran one after the other, each seeing what those before it did
    ///   (`a_batch_is_decided_in_order`), and keep all of it or nothing (`a_failed_batch_leaves_nothing`).
    /// - It MUST give a seat to one hold only, however many callers there are (`one_seat_and_many_callers`), and a hold all of
    ///   its seats or none (`a_hold_takes_all_of_its_seats_or_none`).
    /// - Holds whose seats overlap MUST NOT block each other for good, in whatever order they name them
    ///   (`overlapping_baskets_in_opposite_orders`).
    /// - It MUST judge deadlines by its own clock, read once and after the locks are held
    ///   (`a_wait_for_a_lock_does_not_stop_the_clock`): a confirm is refused from the deadline on
    ///   (`every_status_meets_every_action_before_at_and_after_the_deadline`), and of a confirm and a sweep exactly
    ///   one wins (`confirm_against_expire_at_the_deadline`).
    /// - A dead hold MUST give way to a new one at once, its booking failing in the same transaction
    ///   (`a_dead_hold_gives_way_without_a_sweep`), for one caller only (`one_dead_hold_and_many_callers`).
    /// - A refusal MUST name every offending seat (`a_refusal_names_every_seat_and_its_reason`) and change nothing
    ///   (`a_refusal_changes_nothing`).
    /// - A cancelled hold MUST free its seats, and a sale MUST be cancelled only by who may, a refund then being due
    ///   (`a_cancelled_hold_frees_its_seats`, `a_sale_is_cancelled_by_whom_may`); what is cancelled stays so.
    /// - A payment MUST buy one booking (`a_payment_buys_one_booking`), however many name it (`one_payment_and_many_bookings`). A confirm
    ///   that comes too late MUST leave the money owed, put down once (`a_late_payment_is_owed`), or get the same seats where the show
    ///   says so and all of them can be had (`a_late_confirm_takes_its_seats_again`, `a_dead_hold_is_reclaimed_as_it_stands`).
    ///   One for some seats MUST free the others (`a_confirm_for_some_seats_frees_the_others`).
    /// - No customer MUST have more than the show allows (`a_customer_has_no_more_than_the_show_allows`,
    ///   `a_customer_has_no_more_holds_than_the_show_allows`), however many requests come at once (`one_customer_and_many_requests`); seats
    ///   MUST be sold only while the show is on sale (`seats_are_sold_while_the_show_is_on_sale`), and those that the house keeps
    ///   not at all (`the_house_keeps_seats_from_sale`).
    /// - A hold MUST NOT be extended past its limit (`an_extension_ends_at_the_limit`), and MUST be changed wholly or not at all,
    ///   its deadline as before (`a_change_is_all_or_nothing`).
    /// - A request that is made again under its key MUST have one effect and the same outcome, refusals included
    ///   (`a_repeated_request_has_one_effect_and_the_same_answer`), in one batch (`the_same_key_twice_in_a_batch`) and from many
    ///   callers (`the_same_key_from_many_callers`); another request under that key MUST be refused
    ///   (`a_key_is_for_one_request`); and a key MUST be as new after its time (`a_key_is_forgotten_after_its_time`).
    /// - Every transition MUST be kept for good, in the same transaction, and numbered in its show without gaps
    ///   (`every_transition_is_in_the_history`, `changes_of_a_show_are_numbered_without_gaps`).
    /// - What it answered MUST be there after a crash (`what_was_answered_is_there_after_reopening`).
    ///
    /// # Errors
    /// [`StoreError`]. After all but [`StoreError::OutcomeUnknown`] nothing has happened. The future can be dropped at any time:
    /// the transaction then happens wholly or not at all (`a_dropped_call_is_done_wholly_or_not_at_all`).
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError>;

    /// Whether `requests` had better go to [`Self::execute_behind`] now than to [`Self::execute`] when `before` is done, the very slice that
    /// is being executed. Of no requests: whether any might. It is a hint; whatever is done, outcomes are right.
    fn may_follow(&self, _before: &[Request], _requests: &[Request]) -> bool {
        false
    }

    /// [`Self::execute`], to be called while `before` is being executed, the very slice: a store that takes transactions in a line can
    /// begin with these the moment it is done with those. It MUST keep to all that [`Self::execute`] says, though those may fail, or be
    /// done after these (`a_batch_behind_another_is_a_batch`).
    ///
    /// # Errors
    /// As [`Self::execute`].
    async fn execute_behind(&self, _before: &[Request], requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.execute(requests).await
    }

    /// Looks, for each of the holds, whether it would be refused, without locking anything: the refusals in the same order, and
    /// `None` for a hold that [`Self::execute`] has to decide.
    ///
    /// - A refusal MUST be what [`Self::execute`] would have said at an instant during the call
    ///   (`a_look_refuses_what_is_taken`), and nothing but what has been committed MUST be seen
    ///   (`a_look_waits_for_nobody_and_sees_what_is_committed`).
    /// - A hold that could be had at that instant MUST NOT be refused (`a_look_never_refuses_what_is_free`). Where in doubt,
    ///   `None`; and a seat whose dead hold has not been failed yet is in doubt, as its confirm may have come in time and be about
    ///   to be committed (`a_look_says_nothing_of_dead_holds`).
    ///
    /// # Errors
    /// [`StoreError`]. Nothing ever happens.
    async fn look(&self, holds: &[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError> {
        Ok(vec![None; holds.len()])
    }

    /// Fails at most `limit` PENDING bookings whose deadline has passed, those that have been dead longest first.
    ///
    /// - It MUST fail dead holds only, and free exactly their seats (`a_sweep_fails_dead_holds_only`).
    /// - It MUST do no more than `limit` at once (`a_sweep_is_bounded`).
    /// - Any number of sweeps MUST be able to run at once, each hold being failed by one of them
    ///   (`many_sweeps_fail_each_hold_once`).
    /// - It MAY leave out holds that someone else is working on.
    ///
    /// # Errors
    /// As [`Self::execute`].
    async fn expire_due(&self, limit: NonZeroU32) -> Result<Sweep, StoreError>;

    /// The booking and how its seats stand, as of now; `None` if there is none. A FAILED booking MUST still list the seats it
    /// held (`a_failed_booking_remembers_its_seats`), and a dead hold MUST read as FAILED (`a_dead_hold_reads_as_failed`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find(&self, id: BookingId) -> Result<Option<BookingDetails>, StoreError>;

    /// What happened to the booking, oldest first; `None` if there is none. A hold that is dead but still PENDING in its row has not
    /// been failed yet, and its end is not part of it (`every_transition_is_in_the_history`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn history(&self, id: BookingId) -> Result<Option<Vec<Transition>>, StoreError>;

    /// Forgets at most `limit` keys whose time is over: how many there were (`a_key_is_forgotten_after_its_time`).
    ///
    /// # Errors
    /// As [`Self::execute`].
    async fn forget_keys(&self, limit: NonZeroU32) -> Result<u32, StoreError>;

    /// The bookings that pass the filter as of now, newest (highest identity) first (`bookings_are_listed_newest_first`). Each of its
    /// parts MUST hold, in whatever company (`bookings_are_listed_by_any_filters_together`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, filter: &BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError>;

    /// At most `limit` holds that live now, of this show if one is named, those made first (lowest identity) first, from above the
    /// booking `after` on. Ages MUST be by the clock that deadlines are judged by (`live_holds_are_listed_with_their_ages`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn live_holds(
        &self,
        show_id: Option<ShowId>,
        after: Option<BookingId>,
        limit: NonZeroU32,
    ) -> Result<Vec<LiveHold>, StoreError>;

    /// At most `limit` refunds that are due, those for the newest bookings first, from behind the one with the key `after` on. It MUST
    /// list each payment that came in vain, and each booking whose money has to be given back, and no payment twice
    /// (`refunds_are_listed_once_each`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn refunds(&self, after: Option<&RefundKey>, limit: NonZeroU32) -> Result<Vec<Refund>, StoreError>;
}

/// What came of a wish for a new show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It exists.
    Created(Show),
    /// It exists since this was asked before under the same key.
    Replayed(ShowId),
    /// Another request was made under this key before. Nothing has changed.
    KeyReused,
}

/// What came of a wish to change a show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShowChange {
    /// It is so: this is how the show stands.
    Done(Show),
    /// It is so, or was, since this was asked before under the same key.
    Replayed(ShowId),
    /// Another request was made under this key before. Nothing has changed.
    KeyReused,
    /// Somebody has changed the show since it was read. Nothing has changed: read it again.
    Overtaken,
    /// There is no such show.
    NoSuchShow,
}

/// A cancelled show some of whose bookings may not have failed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledOff {
    /// The show.
    pub show_id: ShowId,
    /// Who has cancelled it.
    pub by: Actor,
}

/// Shows and their seats.
#[async_trait]
pub trait ShowRepository: Send + Sync {
    /// Creates a show and its seats, numbered from 1 and AVAILABLE, all or nothing (`a_show_is_created_with_its_seats`); and under
    /// a key only once (`a_show_is_created_once_under_its_key`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn create(&self, show: &NewShow, idempotency: Option<&Idempotency>) -> Result<Creation, StoreError>;

    /// Changes name, start and terms of the show to these, if it still stands at this revision; its seats stay as they are
    /// (`a_show_is_edited`). What is decided after it MUST be decided on the new terms (`an_edit_counts_from_its_commit`); and a key has
    /// one effect.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn edit(
        &self,
        id: ShowId,
        revision: i32,
        show: &NewShow,
        idempotency: Option<&Idempotency>,
    ) -> Result<ShowChange, StoreError>;

    /// Cancels the show: from then on nothing of it can be held, confirmed or amended, and the next that is asked of a booking finds that
    /// it has failed (`a_cancelled_show_sells_nothing`). What is cancelled stays so, however often that is asked.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn cancel(&self, id: ShowId, by: &Actor, idempotency: Option<&Idempotency>) -> Result<ShowChange, StoreError>;

    /// The cancelled shows some of whose bookings may not have failed yet, at most a hundred, lowest identity first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn calling_off(&self) -> Result<Vec<CalledOff>, StoreError>;

    /// Takes down that every booking of a cancelled show has failed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn called_off(&self, id: ShowId) -> Result<(), StoreError>;

    /// The shows, newest (highest identity) first (`shows_are_listed_newest_first`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, page: Page) -> Result<Vec<Show>, StoreError>;

    /// The show; `None` if there is none (`a_show_is_found_and_counted`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find(&self, id: ShowId) -> Result<Option<Show>, StoreError>;

    /// How the show's seats and bookings stand as of now, a dead hold counting as FAILED and its seats as free; `None` if there is no
    /// such show (`a_show_is_found_and_counted`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn counts(&self, id: ShowId) -> Result<Option<ShowCounts>, StoreError>;

    /// Every seat of the show by number, as of now: one whose hold is dead MUST read as free (`a_dead_hold_reads_as_failed`).
    /// `None` if there is no such show.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn seat_map(&self, show_id: ShowId) -> Result<Option<Vec<Seat>>, StoreError>;
}

/// Why a store can't serve.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unready {
    /// It can't be reached.
    #[error("the store can't be reached: {0}")]
    Unreachable(String),
    /// Its schema is older than this program: migrations are to be applied.
    #[error("the store's schema is at version {found}, this program needs {needed}: apply the migrations")]
    Outdated {
        /// The store's version.
        found: u32,
        /// This program's.
        needed: u32,
    },
    /// Its schema is newer than this program, which must not touch it.
    #[error("the store's schema is at version {found}, this program knows only {known}: use a newer program")]
    TooNew {
        /// The store's version.
        found: u32,
        /// This program's.
        known: u32,
    },
}

/// Whether a store can serve, and whether it is kept tidy.
#[async_trait]
pub trait StoreHealth: Send + Sync {
    /// Whether the store can be reached and has the schema of this program, found out within a second or two.
    ///
    /// # Errors
    /// [`Unready`].
    async fn ready(&self) -> Result<(), Unready>;

    /// How long the hold that has been dead longest has stood there without having been failed; zero if there is none
    /// (`the_oldest_dead_hold_is_known`). Found out within a second or two.
    ///
    /// # Errors
    /// [`Unready::Unreachable`].
    async fn oldest_dead_hold(&self) -> Result<Duration, Unready>;
}
