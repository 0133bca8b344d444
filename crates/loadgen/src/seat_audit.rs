//! What was answered, against what the seat map says.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;

use crate::client::Connection;

/// The seats that customers were told they had bought: show, then seat, then booking.
#[derive(Debug, Default)]
pub(crate) struct Sales {
    shows: BTreeMap<i64, HashMap<i64, i64>>,
    twice: Vec<String>,
}

impl Sales {
    /// Looks at this show too, though nothing may have been sold of it.
    pub(crate) fn include(&mut self, show_id: i64) {
        self.shows.entry(show_id).or_default();
    }

    /// A confirm was answered with 200.
    pub(crate) fn confirmed(&mut self, show_id: i64, seats: &[u32], booking_id: i64) {
        let sold = self.shows.entry(show_id).or_default();
        for &seat in seats {
            if let Some(other) = sold.insert(seat.into(), booking_id) {
                self.twice.push(format!("seat {seat} of show {show_id} was sold to bookings {other} and {booking_id}"));
            }
        }
    }

    /// Everything that is wrong: a seat sold twice; sold by answer but not in the seat map; in the seat map but never
    /// answered, unless some calls had no answer.
    pub(crate) async fn audit(&self, connection: &mut Connection, answers_missing: bool) -> anyhow::Result<Vec<String>> {
        let mut wrong = self.twice.clone();
        for (&show_id, sold) in &self.shows {
            let seats = connection.seats(show_id).await.with_context(|| format!("can't read the seats of show {show_id}"))?;
            let mut found = 0;
            for seat in seats {
                let in_map = seat.status == "CONFIRMED";
                let at = || format!("seat {} of show {show_id}", seat.seat_number);
                match sold.get(&seat.seat_number) {
                    Some(booking_id) => {
                        found += 1;
                        if !in_map {
                            wrong.push(format!("{} was sold to booking {booking_id} but is {}", at(), seat.status));
                        } else if seat.booking_id.is_some_and(|id| id != *booking_id) {
                            wrong.push(format!("{} was sold to booking {booking_id} but is {:?}'s", at(), seat.booking_id));
                        }
                    }
                    None if in_map && !answers_missing => {
                        wrong.push(format!("{} is CONFIRMED but nobody was told so", at()));
                    }
                    None => {}
                }
            }
            if found < sold.len() {
                wrong.push(format!("show {show_id} has only {found} of the {} seats that were sold", sold.len()));
            }
        }
        Ok(wrong)
    }
}
