//! What every store must do, one function for each scenario.

mod allowances;
mod amending;
mod batches;
mod crashes;
mod edits;
mod expiry;
mod histories;
mod holds;
mod lists;
mod looks;
mod payments;
mod races;
mod random;
mod repeats;
mod shows;
mod worklists;

pub use allowances::{
    a_customer_has_no_more_holds_than_the_show_allows, a_customer_has_no_more_than_the_show_allows,
    one_customer_and_many_requests, seats_are_sold_while_the_show_is_on_sale, the_house_keeps_seats_from_sale,
};
pub use amending::{
    a_batch_gives_up_extends_and_changes, a_cancelled_hold_frees_its_seats, a_change_is_all_or_nothing,
    a_change_takes_over_a_dead_hold, a_sale_can_be_cancelled_in_the_batch_that_made_it, a_sale_is_cancelled_by_whom_may,
    a_show_has_terms_of_its_own, an_extension_ends_at_the_limit,
};
pub use batches::{
    a_batch_behind_another_is_a_batch, a_batch_is_decided_in_order, a_batch_sees_a_dead_hold_end_once,
    a_failed_batch_leaves_nothing, an_empty_batch_gives_an_empty_answer, each_answer_belongs_to_its_command,
};
pub use crashes::{
    a_call_dropped_while_it_waits_is_done_wholly_or_not_at_all, a_dropped_call_is_done_wholly_or_not_at_all,
    a_dropped_creation_leaves_a_whole_show_or_none, a_dropped_sweep_is_done_wholly_or_not_at_all,
    what_was_answered_is_there_after_reopening,
};
pub use edits::{a_cancelled_show_sells_nothing, a_show_is_edited, an_edit_counts_from_its_commit};
pub use expiry::{
    a_dead_hold_gives_way_without_a_sweep, a_dead_hold_reads_as_failed, a_failed_booking_remembers_its_seats,
    a_sweep_fails_dead_holds_only, a_sweep_is_bounded, a_sweep_says_when_the_next_is_due, one_hold_takes_over_several_dead_ones,
    the_oldest_dead_hold_is_known,
};
pub use histories::{
    changes_of_a_show_are_numbered_without_gaps, every_transition_is_in_the_history, the_end_of_a_hold_is_in_the_history,
};
pub use holds::{
    a_confirm_sells_exactly_the_held_seats, a_hold_takes_all_of_its_seats_or_none, a_refusal_changes_nothing,
    a_refusal_names_every_seat_and_its_reason, an_unknown_booking_is_refused,
    every_status_meets_every_action_before_at_and_after_the_deadline, free_at_is_the_deadline_of_the_holder,
    refused_holds_use_up_no_id,
};
pub use lists::{
    a_show_is_found_and_counted, bookings_are_listed_by_any_filters_together, bookings_are_listed_by_show,
    bookings_are_listed_by_status_as_of_now, bookings_are_listed_newest_first,
};
pub use looks::{
    a_look_never_refuses_what_is_free, a_look_refuses_what_is_taken, a_look_says_nothing_of_dead_holds,
    a_look_waits_for_nobody_and_sees_what_is_committed,
};
pub use payments::{
    a_confirm_for_some_seats_frees_the_others, a_dead_hold_is_reclaimed_as_it_stands, a_late_confirm_takes_its_seats_again,
    a_late_payment_is_owed, a_payment_buys_one_booking, one_payment_and_many_bookings,
};
pub use races::{
    a_wait_for_a_lock_does_not_stop_the_clock, confirm_against_expire_at_the_deadline, holds_confirms_and_sweeps_all_at_once,
    many_sweeps_fail_each_hold_once, one_dead_hold_and_many_callers, one_seat_and_many_callers,
    overlapping_baskets_in_opposite_orders,
};
pub use random::random_histories_agree_with_a_plain_model;
pub use repeats::{
    a_key_is_for_one_request, a_key_is_forgotten_after_its_time, a_key_outlives_a_crash,
    a_repeated_request_has_one_effect_and_the_same_answer, a_show_is_created_once_under_its_key,
    one_show_and_many_creators_under_one_key, the_same_key_from_many_callers, the_same_key_twice_in_a_batch,
};
pub use shows::{
    a_migrated_store_is_ready, a_show_is_created_with_its_seats, a_show_is_never_seen_without_its_seats,
    a_show_of_a_thousand_seats, an_unknown_show_has_no_seats, ids_count_from_one, names_and_instants_survive,
    shows_are_listed_newest_first, two_shows_with_the_same_seat_numbers,
};
pub use worklists::{live_holds_are_listed_with_their_ages, refunds_are_listed_once_each};
