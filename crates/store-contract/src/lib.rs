//! The ports' executable contract: one list of scenarios, run on every adapter.
//!
//! An adapter's test implements [`Harness`] and [`Database`], and one line gives it every scenario as a test of its own:
//!
//! ```ignore
//! store_contract::contract_suite!(MyHarness::start().await);
//! ```
//!
//! Scenarios speak to a store through the ports alone, move its clock by hand, never sleep, and assume nothing but an empty
//! store. After each of them the whole store is read and its books are checked (see [`run`]).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is a test: a failed expectation is a failed test"
)]

mod books;
mod calls;
mod cut_short;
mod model;
pub mod scenarios;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BookingRepository, ManualTime, SeatKey, ShowRepository, StoreHealth, TimeSource, Timestamp};

use crate::books::Books;

/// The ports of one opened store.
#[derive(Clone)]
pub struct Store {
    /// Bookings.
    pub bookings: Arc<dyn BookingRepository>,
    /// Shows.
    pub shows: Arc<dyn ShowRepository>,
    /// Readiness.
    pub health: Arc<dyn StoreHealth>,
}

/// What an adapter brings to be tested.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A database of its own for one scenario: migrated, empty, its ids unused. Every store opened on it takes its `now` from
    /// `time`.
    async fn fresh(&self, time: TimeSource) -> Box<dyn Database>;
}

/// The data of one scenario. It may be removed when this is dropped.
#[async_trait]
pub trait Database: Send + Sync {
    /// The ports on this data, through connections of their own, as one more process would have them.
    async fn open(&self) -> Store;

    /// The ports on what a crash at this instant leaves behind. What is open now gets no chance to finish or to say goodbye,
    /// and the scenario makes no more use of it; this and every later [`Self::open`] sees only what was durable.
    async fn crash(&self) -> Store;

    /// Locks the row of this seat from outside, so that a command which needs it has to wait, in the end in vain, with
    /// [`domain::StoreError::Contended`]. An adapter whose locks are coarser locks what it has.
    async fn block(&self, seat: SeatKey) -> Box<dyn Blockade>;
}

/// A lock that someone else holds, until it is lifted.
#[async_trait]
pub trait Blockade: Send {
    /// Returns once a call waits for this lock. An adapter that can't see it gives the call some time: too little of it can hide
    /// a fault, but not make one up.
    async fn until_awaited(&mut self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// Gives the lock back without having changed anything, and returns once it is free.
    async fn lift(self: Box<Self>);
}

/// What a scenario plays with.
pub struct World {
    /// The data.
    pub database: Box<dyn Database>,
    /// A store opened on it.
    pub store: Store,
    /// The clock of every store opened on it.
    pub clock: Arc<ManualTime>,
}

/// Plays a scenario on a fresh database, then opens the store anew and checks that its books are in order.
pub async fn run(harness: &dyn Harness, scenario: impl AsyncFn(&World)) {
    // An instant with odd microseconds: a store that rounds is found out.
    let start = Timestamp::from_timestamp_micros(1_765_479_600_123_457).expect("within chrono's range");
    let clock = Arc::new(ManualTime::starting_at(start));
    let database = harness.fresh(TimeSource::Manual(Arc::clone(&clock))).await;
    let store = database.open().await;
    let world = World { database, store, clock };
    scenario(&world).await;
    Books::read(&world.database.open().await).await.check();
}

/// Expands to one test for each scenario, named like it. The argument is an expression that gives the [`Harness`]; it is
/// evaluated in each test, and may await.
#[macro_export]
macro_rules! contract_suite {
    ($harness:expr) => {
        $crate::each_scenario! { [$crate::scenario_tests] $harness }
    };
}

/// The list of scenarios, handed to the macro `$then`. Use [`contract_suite`].
#[doc(hidden)]
#[macro_export]
macro_rules! each_scenario {
    ([$($then:tt)+] $argument:expr) => {
        $($then)+! { $argument;
            // Shows.
            a_migrated_store_is_ready
            a_show_is_created_with_its_seats
            a_show_is_never_seen_without_its_seats
            a_show_of_a_thousand_seats
            shows_are_listed_newest_first
            ids_count_from_one
            names_and_instants_survive
            two_shows_with_the_same_seat_numbers
            an_unknown_show_has_no_seats
            // Holds and confirms.
            a_hold_takes_all_of_its_seats_or_none
            a_confirm_sells_exactly_the_held_seats
            a_refusal_names_every_seat_and_its_reason
            a_refusal_changes_nothing
            refused_holds_use_up_no_id
            an_unknown_booking_is_refused
            free_at_is_the_deadline_of_the_holder
            every_status_meets_every_action_before_at_and_after_the_deadline
            // Looks.
            a_look_refuses_what_is_taken
            a_look_never_refuses_what_is_free
            a_look_says_nothing_of_dead_holds
            a_look_waits_for_nobody_and_sees_what_is_committed
            // Batches.
            an_empty_batch_gives_an_empty_answer
            a_batch_is_decided_in_order
            a_batch_sees_a_dead_hold_end_once
            each_answer_belongs_to_its_command
            a_failed_batch_leaves_nothing
            a_batch_behind_another_is_a_batch
            // The end of a hold.
            a_dead_hold_gives_way_without_a_sweep
            one_hold_takes_over_several_dead_ones
            a_dead_hold_reads_as_failed
            a_failed_booking_remembers_its_seats
            a_sweep_fails_dead_holds_only
            a_sweep_is_bounded
            a_sweep_says_when_the_next_is_due
            the_oldest_dead_hold_is_known
            // Amending.
            a_cancelled_hold_frees_its_seats
            a_sale_is_cancelled_by_whom_may
            a_sale_can_be_cancelled_in_the_batch_that_made_it
            an_extension_ends_at_the_limit
            a_show_has_terms_of_its_own
            a_change_is_all_or_nothing
            a_change_takes_over_a_dead_hold
            a_batch_gives_up_extends_and_changes
            // Payments.
            a_payment_buys_one_booking
            one_payment_and_many_bookings
            a_late_payment_is_owed
            a_late_confirm_takes_its_seats_again
            a_dead_hold_is_reclaimed_as_it_stands
            a_confirm_for_some_seats_frees_the_others
            // What a show allows.
            a_customer_has_no_more_than_the_show_allows
            a_customer_has_no_more_holds_than_the_show_allows
            one_customer_and_many_requests
            seats_are_sold_while_the_show_is_on_sale
            the_house_keeps_seats_from_sale
            // Shows that change.
            a_show_is_edited
            an_edit_counts_from_its_commit
            a_cancelled_show_sells_nothing
            // Repeats.
            a_repeated_request_has_one_effect_and_the_same_answer
            a_key_is_for_one_request
            the_same_key_twice_in_a_batch
            the_same_key_from_many_callers
            a_key_is_forgotten_after_its_time
            a_key_outlives_a_crash
            a_show_is_created_once_under_its_key
            one_show_and_many_creators_under_one_key
            // Histories.
            every_transition_is_in_the_history
            the_end_of_a_hold_is_in_the_history
            changes_of_a_show_are_numbered_without_gaps
            // Lists.
            bookings_are_listed_newest_first
            bookings_are_listed_by_status_as_of_now
            bookings_are_listed_by_show
            bookings_are_listed_by_any_filters_together
            a_show_is_found_and_counted
            live_holds_are_listed_with_their_ages
            refunds_are_listed_once_each
            // Many at once.
            one_seat_and_many_callers
            overlapping_baskets_in_opposite_orders
            one_dead_hold_and_many_callers
            confirm_against_expire_at_the_deadline
            a_wait_for_a_lock_does_not_stop_the_clock
            many_sweeps_fail_each_hold_once
            holds_confirms_and_sweeps_all_at_once
            // Crashes and calls that nobody waits for.
            what_was_answered_is_there_after_reopening
            a_dropped_call_is_done_wholly_or_not_at_all
            a_dropped_sweep_is_done_wholly_or_not_at_all
            a_dropped_creation_leaves_a_whole_show_or_none
            a_call_dropped_while_it_waits_is_done_wholly_or_not_at_all
            // All together.
            random_histories_agree_with_a_plain_model
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! scenario_tests {
    ($harness:expr; $($scenario:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                let harness = $harness;
                $crate::run(&harness, $crate::scenarios::$scenario).await;
            }
        )*
    };
}
