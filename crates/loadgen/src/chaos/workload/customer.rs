//! One customer.

mod house;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;

use super::super::history::{Answer, BookingStatus, Call, Micros, Operation, Refusal, SeatStatus, Show};
use super::calls::{Counter, Known, Line, now};
use super::on_sale::OnSale;
use crate::client::BaseUrl;

/// How many of its bookings a customer remembers.
const BOOKINGS_MAX: usize = 16;

/// Somebody who books.
pub(super) struct Customer {
    line: Line,
    on_sale: Arc<OnSale>,
    random: StdRng,
    /// Bookings of its own and their seats, as far as it knows; the latest last.
    bookings: Vec<(i64, Vec<u32>)>,
    /// What it means to do, and when.
    plans: Vec<(Micros, Call)>,
    /// The last of its calls whose key is used up.
    used_key: Option<u64>,
}

/// How often a call is repeated that was not answered.
const REPEATS_MAX: u32 = 4;

impl Customer {
    /// The customer with this number.
    pub(super) fn new(
        number: u32,
        seed: u64,
        servers: &Arc<[BaseUrl]>,
        time_limit: Duration,
        counter: Arc<Counter>,
        on_sale: Arc<OnSale>,
    ) -> Self {
        let mut seeds = StdRng::seed_from_u64(seed);
        // As many draws as there are customers before this one, so that neighbouring seeds share none.
        let own = (0..=number).fold(0, |_, _| seeds.random());
        Self {
            line: Line::new(number, servers, time_limit, counter),
            on_sale,
            random: StdRng::seed_from_u64(own),
            bookings: Vec::new(),
            plans: Vec::new(),
            used_key: None,
        }
    }

    /// Books until told to stop, and says what it has seen. On average a call in every `pause`.
    pub(super) async fn book(mut self, pause: Duration, hold_for: Micros, mut stop: watch::Receiver<bool>) -> Vec<Operation> {
        let pause = Micros::try_from(pause.as_micros()).unwrap_or(Micros::MAX);
        let mut turn = now() + self.random.random_range(0..=pause);
        loop {
            let planned = self.plans.iter().map(|(at, _)| *at).min().unwrap_or(Micros::MAX);
            let wait = Duration::from_micros(u64::try_from(turn.min(planned) - now()).unwrap_or(0));
            tokio::select! {
                biased;
                // Whoever could say so may be gone.
                _ = stop.wait_for(|stop| *stop) => return self.line.into_record(),
                () = tokio::time::sleep(wait) => {}
            }
            self.act(hold_for).await;
            // A turn that was missed is not made up for.
            turn = now().max(turn + self.random.random_range(pause / 2..=pause + pause / 2));
        }
    }

    async fn act(&mut self, hold_for: Micros) {
        if let Some(due) = self.plans.iter().position(|(at, _)| *at <= now()) {
            let (_, call) = self.plans.swap_remove(due);
            return self.ask_again_later(call).await;
        }
        let mut show = self.on_sale.show(self.random.random_range(0..usize::MAX));
        if self.random.random_ratio(1, 60) {
            show = self.on_sale.last_show(self.random.random_range(0..usize::MAX)).unwrap_or(show);
        }
        if self.minds_shows(show).await {
            return;
        }
        match self.random.random_range(0..100) {
            0..52 => self.hold(show, hold_for).await,
            52..54 => self.block(show, hold_for).await,
            54..63 => {
                let call = Call::SeatMap { show_id: show.id };
                let answer = &self.line.call(call, Known::Not, None).await.answer;
                look_around(answer, show, &self.on_sale);
            }
            63..66 => {
                let status = match self.random.random_range(0..6) {
                    0 => Some(BookingStatus::Pending),
                    1 => Some(BookingStatus::Confirmed),
                    2 => Some(BookingStatus::Failed),
                    _ => None,
                };
                let limit = self.random.random_range(1..=40);
                self.line.call(Call::List { status, limit }, Known::Not, None).await;
            }
            66..84 => self.find().await,
            84..95 => {
                if let Some((booking_id, _)) = self.bookings.last() {
                    let call = self.wish(*booking_id, show);
                    self.ask_again_later(call).await;
                }
            }
            // A booking that is most likely dead, sold, or about to be confirmed by someone else.
            95..98 => {
                if let Some(booking_id) = self.on_sale.overheard(self.random.random_range(0..usize::MAX)) {
                    let call = self.wish(booking_id, show);
                    self.ask_again_later(call).await;
                }
            }
            98..99 => self.use_a_key_again(show).await,
            _ => self.line.change_server(),
        }
    }

    async fn hold(&mut self, show: Show, hold_for: Micros) {
        let seats = self.basket(show);
        let Answer::Held { booking_id, expires_at } = self.ask(Call::Hold { show_id: show.id, seats: seats.clone() }).await
        else {
            return;
        };
        self.on_sale.mention(booking_id);
        if self.bookings.len() == BOOKINGS_MAX {
            self.bookings.remove(0);
        }
        self.bookings.push((booking_id, seats));
        let planned = match self.random.random_range(0..100) {
            // In good time, about the deadline, just after it, too late, never.
            0..20 => Some(expires_at - self.random.random_range(0..=hold_for)),
            20..45 => Some(expires_at + self.random.random_range(-20_000..=20_000)),
            45..65 if show.late_confirm => Some(expires_at + self.random.random_range(0..=10_000)),
            45..55 => Some(expires_at + self.random.random_range(0..=hold_for)),
            _ => None,
        };
        let wish = if self.random.random_ratio(2, 3) { self.confirm(booking_id) } else { self.wish(booking_id, show) };
        self.plans.extend(planned.map(|at| (at, wish)));
    }

    /// Asks; mostly under a key, and then asks again until it is answered, and now and then after that.
    async fn ask(&mut self, call: Call) -> Answer {
        if self.random.random_ratio(2, 5) {
            let patience = self.patience();
            return self.line.call(call, Known::Not, patience).await.answer.clone();
        }
        let (mut known, mut attempts) = (Known::ByKey, 0);
        loop {
            let patience = self.patience();
            let Operation { key, answer, .. } = self.line.call(call.clone(), known, patience).await;
            let (key, answer) = (*key, answer.clone());
            known = key.map_or(Known::Not, Known::ByKeyOf);
            let again = if answer.is_definite() { 8 } else { 85 };
            attempts += 1;
            if answer.is_definite() {
                self.used_key = key;
            }
            if attempts > REPEATS_MAX || !self.random.random_ratio(again, 100) {
                return answer;
            }
            if self.random.random_ratio(1, 2) {
                self.line.change_server();
            }
            if self.random.random_ratio(1, 2) {
                tokio::time::sleep(Duration::from_micros(self.random.random_range(0..=100_000))).await;
            }
        }
    }

    /// Asks for something else under a key that is used up.
    async fn use_a_key_again(&mut self, show: Show) {
        let (Some(key), Some(booking_id)) = (self.used_key, self.own()) else { return };
        let other = Call::Change { booking_id, add: vec![1], remove: vec![show.seats] };
        self.line.call(other, Known::ByKeyOf(key), None).await;
    }

    /// Asks for something, and perhaps for the same later, as a call of its own.
    async fn ask_again_later(&mut self, call: Call) {
        let answer = self.ask(call.clone()).await;
        let again = if answer.is_definite() { 10 } else { 70 };
        let is_over = matches!(
            answer,
            Answer::Cancelled { .. }
                | Answer::Confirmed { .. }
                | Answer::Refused(Refusal::NotPending { .. } | Refusal::HoldExpired { .. } | Refusal::SaleIsFinal)
        );
        // Most lose interest then.
        if is_over && self.random.random_ratio(3, 4) {
            self.bookings.retain(|(id, _)| call.booking_id() != Some(*id));
        }
        if let Answer::Changed { booking_id, seats, .. } = answer
            && let Some(own) = self.bookings.iter_mut().find(|(id, _)| *id == booking_id)
        {
            own.1 = seats;
        }
        if self.random.random_ratio(again, 100) {
            self.plans.push((now() + self.random.random_range(0..=200_000), call));
        }
    }

    async fn find(&mut self) {
        let someones = self.random.random_ratio(1, 3);
        let overheard = self.on_sale.overheard(self.random.random_range(0..usize::MAX));
        let booking_id = if someones { overheard } else { self.own() };
        if let Some(booking_id) = booking_id.or(overheard) {
            self.line.call(Call::Find { booking_id }, Known::Not, None).await;
        }
    }

    fn own(&mut self) -> Option<i64> {
        let index = self.random.random_range(0..self.bookings.len().max(1));
        self.bookings.get(index).map(|(booking_id, _)| *booking_id)
    }
}

/// Talks about a booking of the map, which may be one that its own customer does not know; says when little is left.
fn look_around(answer: &Answer, show: Show, on_sale: &OnSale) {
    let Answer::SeatMap(seats) = answer else { return };
    let held = seats.iter().find(|seat| seat.status == SeatStatus::Pending);
    if let Some(booking_id) = held.and_then(|seat| seat.booking_id) {
        on_sale.mention(booking_id);
    }
    let sold = seats.iter().filter(|seat| seat.status == SeatStatus::Confirmed).count();
    if sold * 10 >= show.seats as usize * 7 {
        on_sale.is_sold_out(show.id);
    }
}
