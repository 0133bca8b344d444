//! Houses to sell: new shows, and their seats dealt into baskets.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;

use crate::client::Connection;
use crate::patience;

/// Neighbouring seats of one show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basket {
    /// The show.
    pub(crate) show_id: i64,
    /// Its seats.
    pub(crate) seats: Vec<u32>,
}

/// Something that all customers take from, in order, each thing once.
#[derive(Debug)]
pub(crate) struct Pile<T> {
    things: Vec<T>,
    next: AtomicUsize,
}

impl<T> Pile<T> {
    /// A pile of these.
    pub(crate) const fn of(things: Vec<T>) -> Self {
        Self { things, next: AtomicUsize::new(0) }
    }

    /// The next one; `None` once all are taken.
    pub(crate) fn take(&self) -> Option<&T> {
        self.things.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Creates `shows` shows with `seats` seats in all, and deals every seat into a basket.
pub(crate) async fn build(
    connection: &mut Connection,
    seats: u32,
    shows: u32,
    seats_per_booking: u32,
) -> anyhow::Result<Vec<Basket>> {
    anyhow::ensure!(shows > 0 && seats_per_booking > 0, "there must be a show, and a seat in a booking");
    anyhow::ensure!(seats >= shows, "every show must have a seat");
    let mut dealt = Vec::new();
    for i in 0..shows {
        let total = seats / shows + u32::from(i < seats % shows);
        let show_id = patience::show(connection, "Sold out by loadgen", total).await.context("can't create a show")?;
        dealt.push(deal(show_id, total, seats_per_booking));
    }
    Ok(interleave(dealt))
}

fn deal(show_id: i64, total_seats: u32, seats_per_booking: u32) -> Vec<Basket> {
    let seats: Vec<u32> = (1..=total_seats).collect();
    seats.chunks(seats_per_booking as usize).map(|seats| Basket { show_id, seats: seats.to_vec() }).collect()
}

/// One basket of each show in turn, so that all shows sell at the same time.
fn interleave(shows: Vec<Vec<Basket>>) -> Vec<Basket> {
    let mut shows: Vec<_> = shows.into_iter().map(Vec::into_iter).collect();
    let mut baskets = Vec::new();
    loop {
        let before = baskets.len();
        baskets.extend(shows.iter_mut().filter_map(Iterator::next));
        if baskets.len() == before {
            return baskets;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seat_is_in_one_basket_and_shows_take_turns() {
        let baskets = interleave(vec![deal(1, 5, 2), deal(2, 2, 2)]);
        let basket = |show_id, seats: &[u32]| Basket { show_id, seats: seats.to_vec() };
        assert_eq!(baskets, [basket(1, &[1, 2]), basket(2, &[1, 2]), basket(1, &[3, 4]), basket(1, &[5])]);
    }

    #[test]
    fn a_pile_gives_each_thing_once() {
        let pile = Pile::of(vec![1, 2]);
        assert_eq!([pile.take(), pile.take(), pile.take(), pile.take()], [Some(&1), Some(&2), None, None]);
    }
}
