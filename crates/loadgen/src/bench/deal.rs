//! Which seats a run sells, and in which order: the same for every contestant.

/// New shows with equal houses, and an order in which their seats are asked for.
///
/// Basket `k` is somewhere else in the house than basket `k + 1`, as it is when people choose for themselves; `step` is
/// coprime to `scattered_over`, so that every basket comes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deal {
    /// The first show's id; the others follow it.
    pub(super) first_show: i64,
    /// How many shows.
    pub(super) shows: u64,
    /// Seats of each.
    pub(super) seats_a_show: u64,
    /// Seats in a basket, neighbours.
    pub(super) basket: u64,
    /// Whether one show is sold after the other, each of them hot while it lasts, instead of all at once.
    pub(super) in_turn: bool,
}

impl Deal {
    /// All baskets there are.
    pub(super) const fn baskets(&self) -> u64 {
        self.shows * self.baskets_a_show()
    }

    /// Baskets of one show. A house that does not divide keeps the rest.
    pub(super) const fn baskets_a_show(&self) -> u64 {
        self.seats_a_show / self.basket
    }

    /// Neighbours in the order are scattered over so many baskets: one house, or all of them.
    pub(super) const fn scattered_over(&self) -> u64 {
        if self.in_turn { self.baskets_a_show() } else { self.baskets() }
    }

    /// How far it is from one basket to the next: about the golden section, which spreads best.
    pub(super) fn step(&self) -> u64 {
        let over = self.scattered_over();
        let near = (over * 618 / 1000).max(1);
        (near..over).find(|step| gcd(*step, over) == 1).unwrap_or(1)
    }

    /// The show and the seats of basket `k`, which is less than [`baskets`](Self::baskets). The seats are put into `seats`.
    pub(super) fn basket(&self, k: u64, step: u64, seats: &mut Vec<u32>) -> i64 {
        let over = self.scattered_over();
        let scattered = k % over * step % over;
        let (show, place) = if self.in_turn { (k / over, scattered) } else { (scattered % self.shows, scattered / self.shows) };
        let first_seat = place * self.basket + 1;
        seats.clear();
        seats.extend((first_seat..first_seat + self.basket).filter_map(|seat| u32::try_from(seat).ok()));
        self.first_show + show.cast_signed()
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_seat_is_dealt_once_in_either_order() {
        for in_turn in [false, true] {
            for (shows, seats_a_show, basket) in [(1, 1, 1), (7, 30, 1), (3, 100, 4), (10, 12, 4), (1, 1000, 1)] {
                let deal = Deal { first_show: 5, shows, seats_a_show, basket, in_turn };
                let step = deal.step();
                let mut dealt = BTreeSet::new();
                let mut seats = Vec::new();
                for k in 0..deal.baskets() {
                    let show = deal.basket(k, step, &mut seats);
                    assert!((5..5 + shows.cast_signed()).contains(&show), "{deal:?} {k} {show}");
                    for &seat in &seats {
                        assert!(u64::from(seat) <= seats_a_show && dealt.insert((show, seat)), "{deal:?} {k} {seat}");
                    }
                }
                assert_eq!(dealt.len() as u64, shows * seats_a_show, "{deal:?}");
            }
        }
    }

    #[test]
    fn in_turn_one_show_is_sold_before_the_next_begins() {
        let deal = Deal { first_show: 1, shows: 3, seats_a_show: 50, basket: 1, in_turn: true };
        let shows: Vec<i64> = (0..150).map(|k| deal.basket(k, deal.step(), &mut Vec::new())).collect();
        assert!(shows.is_sorted() && shows[49] == 1 && shows[50] == 2);
    }
}
