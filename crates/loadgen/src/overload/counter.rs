//! Counting what customers are told, by the stretch in which they came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::stock::Stock;
use crate::client::Connection;
use crate::open_loop::{Arrival, Stretch};

/// No answer for so long is none. The server has promised one much earlier.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// What the customers of one stretch were told. Times are in microseconds, and count from the moment that a customer came.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Until the call was on its way.
    pub(super) sent_us: Vec<u32>,
    /// Until a hold was answered with 201.
    pub(super) served_us: Vec<u32>,
    /// Until it was answered with 503 or 429.
    pub(super) refused_us: Vec<u32>,
    /// 201s that came within a customer's patience *in* this stretch, whenever the customer came.
    pub(super) good: u64,
    /// 201s that came too late.
    pub(super) too_late: u64,
    /// Any other answer.
    pub(super) others: BTreeMap<u16, u64>,
    /// Calls without an answer.
    pub(super) errors: u64,
    /// What the first of them said.
    pub(super) first_error: Option<String>,
    /// Customers for whom the load generator had no seat left.
    pub(super) without_seat: u64,
}

/// Holds for customers, and the count of the answers.
pub(super) struct Counter {
    stock: Arc<Stock>,
    patience: Duration,
    /// When each stretch ends.
    ends: Vec<Instant>,
    told: Mutex<Vec<Told>>,
}

impl Counter {
    /// A counter for these stretches, of which the first begins now.
    pub(super) fn new(stock: Arc<Stock>, began: Instant, stretches: &[Stretch], patience: Duration) -> Self {
        let ends = stretches.iter().scan(began, |ends, stretch| {
            *ends += stretch.lasts;
            Some(*ends)
        });
        Self { stock, patience, ends: ends.collect(), told: Mutex::new(vec![Told::default(); stretches.len()]) }
    }

    /// What everyone was told so far.
    pub(super) fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a seat for this customer: whether it got it in time.
    pub(super) async fn hold(&self, connection: &mut Connection, arrival: Arrival) -> bool {
        let Some(seat) = self.stock.take() else {
            self.lock()[arrival.stretch].without_seat += 1;
            // Whoever asks again at once must let the others get on.
            tokio::time::sleep(Duration::from_millis(1)).await;
            return false;
        };
        connection.set_time_limit(TIME_LIMIT);
        let sent = arrival.at.elapsed();
        let answer = connection.book(seat.show_id, &[seat.number]).await;
        let now = Instant::now();
        let took = now.duration_since(arrival.at);
        let mut all = self.lock();
        let told = &mut all[arrival.stretch];
        told.sent_us.push(us(sent));
        match answer {
            Ok(answer) => match (answer.status, answer.held) {
                (201, Some(held)) => {
                    told.served_us.push(us(took));
                    let good = took <= self.patience;
                    told.too_late += u64::from(!good);
                    let answered_in = self.ends.partition_point(|end| *end <= now);
                    if let Some(told) = all.get_mut(answered_in) {
                        told.good += u64::from(good);
                    }
                    self.stock.held(seat, held.booking_id);
                    return good;
                }
                (503 | 429, _) => {
                    told.refused_us.push(us(took));
                    self.stock.put_back(seat);
                }
                (status, _) => {
                    *told.others.entry(status).or_default() += 1;
                    self.stock.unknown(seat);
                }
            },
            Err(error) => {
                told.errors += 1;
                told.first_error.get_or_insert_with(|| error.to_string());
                self.stock.unknown(seat);
            }
        }
        false
    }
}

fn us(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
