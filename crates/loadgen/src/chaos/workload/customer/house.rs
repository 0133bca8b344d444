//! What a customer does who is the house.

use rand::RngExt;

use super::super::super::history::{Answer, Call, Micros, Show};
use super::super::calls::now;
use super::Customer;

/// So many calls there are for each that edits a show.
const CALLS_AN_EDIT: u32 = 2_000;

/// So many calls there are for each that cancels a show.
const CALLS_A_CANCELLED_SHOW: u32 = 6_000;

impl Customer {
    /// Now and then edits the show, or cancels it, which others may have done before; whether it has.
    pub(super) async fn minds_shows(&mut self, show: Show) -> bool {
        if self.random.random_ratio(1, CALLS_AN_EDIT) {
            self.ask_again_later(Call::EditShow { show_id: show.id }).await;
        } else if self.random.random_ratio(1, CALLS_A_CANCELLED_SHOW) {
            self.on_sale.is_sold_out(show.id);
            self.ask_again_later(Call::CancelShow { show_id: show.id }).await;
        } else {
            return false;
        }
        true
    }

    /// Keeps seats from sale for a while, or for good.
    pub(super) async fn block(&mut self, show: Show, hold_for: Micros) {
        let seats = self.basket(show);
        let Answer::Blocked { booking_id } = self.ask(Call::Block { show_id: show.id, seats }).await else { return };
        self.on_sale.mention(booking_id);
        if self.random.random_ratio(4, 5) {
            self.plans.push((now() + self.random.random_range(0..=2 * hold_for), Call::Cancel { booking_id, by_house: true }));
        }
    }
}
