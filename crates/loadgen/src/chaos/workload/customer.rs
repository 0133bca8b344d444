//! One customer.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;

use super::super::history::{Answer, BookingStatus, Call, Micros, Operation, SeatStatus, Show};
use super::calls::{Counter, Line, now};
use super::on_sale::OnSale;
use crate::client::BaseUrl;

/// How many of its bookings a customer remembers.
const BOOKINGS_MAX: usize = 16;

/// Largest basket.
const BASKET_MAX: usize = 4;

/// Somebody who books.
pub(super) struct Customer {
    line: Line,
    on_sale: Arc<OnSale>,
    random: StdRng,
    /// Bookings of its own, the latest last.
    bookings: Vec<i64>,
    /// Confirms that it means to make, and when.
    plans: Vec<(Micros, i64)>,
}

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
            let (_, booking_id) = self.plans.swap_remove(due);
            return self.confirm(booking_id).await;
        }
        let show = self.on_sale.show(self.random.random_range(0..usize::MAX));
        match self.random.random_range(0..100) {
            0..60 => self.hold(show, hold_for).await,
            60..70 => {
                let call = Call::SeatMap { show_id: show.id };
                let answer = self.line.call(call, None).await;
                look_around(answer, show, &self.on_sale);
            }
            70..73 => {
                let status = match self.random.random_range(0..6) {
                    0 => Some(BookingStatus::Pending),
                    1 => Some(BookingStatus::Confirmed),
                    2 => Some(BookingStatus::Failed),
                    _ => None,
                };
                let limit = self.random.random_range(1..=40);
                self.line.call(Call::List { status, limit }, None).await;
            }
            73..95 => self.find().await,
            95..97 => self.confirm_own().await,
            97..99 => self.confirm_someones().await,
            _ => self.line.change_server(),
        }
    }

    async fn hold(&mut self, show: Show, hold_for: Micros) {
        let seats = self.basket(show);
        let patience = self.patience();
        let Answer::Held { booking_id, expires_at } = *self.line.call(Call::Hold { show_id: show.id, seats }, patience).await
        else {
            return;
        };
        self.on_sale.mention(booking_id);
        if self.bookings.len() == BOOKINGS_MAX {
            self.bookings.remove(0);
        }
        self.bookings.push(booking_id);
        let planned = match self.random.random_range(0..100) {
            // In good time, about the deadline, too late, never.
            0..20 => Some(expires_at - self.random.random_range(0..=hold_for)),
            20..45 => Some(expires_at + self.random.random_range(-20_000..=20_000)),
            45..55 => Some(expires_at + self.random.random_range(0..=hold_for)),
            _ => None,
        };
        self.plans.extend(planned.map(|at| (at, booking_id)));
    }

    /// Some seats, now and then one that there is not.
    fn basket(&mut self, show: Show) -> Vec<u32> {
        let last = show.seats + u32::from(self.random.random_ratio(1, 100));
        let size = self.random.random_range(1..=BASKET_MAX).min(last as usize);
        let mut seats: Vec<u32> = Vec::with_capacity(size);
        while seats.len() < size {
            let seat = self.random.random_range(1..=last);
            if !seats.contains(&seat) {
                seats.push(seat);
            }
        }
        seats.sort_unstable();
        seats
    }

    /// Most wait for the answer, some hang up.
    fn patience(&mut self) -> Option<Duration> {
        let hangs_up = self.random.random_ratio(3, 100);
        hangs_up.then(|| Duration::from_micros(self.random.random_range(0..=10_000)))
    }

    async fn confirm(&mut self, booking_id: i64) {
        let patience = self.patience();
        let answer = self.line.call(Call::Confirm { booking_id }, patience).await;
        let again = match answer {
            Answer::Unknown(_) | Answer::NotDone(_) => 70,
            Answer::Confirmed { .. } | Answer::Refused(_) => 10,
            Answer::Held { .. } | Answer::Found(_) | Answer::SeatMap(_) | Answer::Bookings(_) => 0,
        };
        if self.random.random_ratio(again, 100) {
            self.plans.push((now() + self.random.random_range(0..=200_000), booking_id));
        }
    }

    async fn confirm_own(&mut self) {
        if let Some(booking_id) = self.own() {
            self.confirm(booking_id).await;
        }
    }

    /// Confirms a booking that is most likely dead, sold, or about to be confirmed by someone else.
    async fn confirm_someones(&mut self) {
        if let Some(booking_id) = self.on_sale.overheard(self.random.random_range(0..usize::MAX)) {
            self.confirm(booking_id).await;
        }
    }

    async fn find(&mut self) {
        let someones = self.random.random_ratio(1, 3);
        let overheard = self.on_sale.overheard(self.random.random_range(0..usize::MAX));
        let booking_id = if someones { overheard } else { self.own() };
        if let Some(booking_id) = booking_id.or(overheard) {
            self.line.call(Call::Find { booking_id }, None).await;
        }
    }

    fn own(&mut self) -> Option<i64> {
        let index = self.random.random_range(0..self.bookings.len().max(1));
        self.bookings.get(index).copied()
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
