//! Outcomes as a line of text, in which a store keeps what came of a request under a key.

use std::fmt::Write;
use std::str::{FromStr, SplitWhitespace};

use crate::command::Outcome;
use crate::deadline::{Deadline, Timestamp};
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::refusal::{CustomerLimit, NotOnSale, Refusal, SeatRefusal, SeatRefusalReason};
use crate::seat::SeatNumber;

impl Outcome {
    /// The outcome as a line of text, a deadline in it last, which [`Self::from_text`] reads. What was replayed is what it was the first time.
    pub fn to_text(&self) -> String {
        match self {
            Self::Held { booking_id, deadline } => format!("held {booking_id} {}", micros(*deadline)),
            Self::Confirmed { booking_id } => format!("confirmed {booking_id}"),
            Self::Reclaimed { booking_id } => format!("reclaimed {booking_id}"),
            Self::Blocked { booking_id } => format!("blocked {booking_id}"),
            Self::Expired { booking_id, deadline } => format!("expired {booking_id} {}", micros(*deadline)),
            Self::Cancelled { booking_id, refund_due } => format!("cancelled {booking_id} {refund_due}"),
            Self::Extended { booking_id, deadline } => format!("extended {booking_id} {}", micros(*deadline)),
            Self::Changed { booking_id, seats, deadline } => {
                let seats: Vec<String> = seats.iter().map(ToString::to_string).collect();
                format!("changed {booking_id} {} {}", seats.join(","), micros(*deadline))
            }
            Self::ShowCreated { show_id } => format!("show_created {show_id}"),
            Self::ShowEdited { show_id } => format!("show_edited {show_id}"),
            Self::ShowCancelled { show_id } => format!("show_cancelled {show_id}"),
            Self::Refused(refusal) => refusal.to_text(),
            Self::Replayed(first) => first.to_text(),
        }
    }

    /// The outcome that [`Self::to_text`] writes like this.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut words = Words(text.split_whitespace());
        let outcome = match words.0.next()? {
            "held" => Self::Held { booking_id: words.booking()?, deadline: words.deadline()? },
            "confirmed" => Self::Confirmed { booking_id: words.booking()? },
            "reclaimed" => Self::Reclaimed { booking_id: words.booking()? },
            "blocked" => Self::Blocked { booking_id: words.booking()? },
            "expired" => Self::Expired { booking_id: words.booking()?, deadline: words.deadline()? },
            "cancelled" => Self::Cancelled { booking_id: words.booking()?, refund_due: words.parse()? },
            "extended" => Self::Extended { booking_id: words.booking()?, deadline: words.deadline()? },
            "changed" => Self::Changed { booking_id: words.booking()?, seats: words.seats()?, deadline: words.deadline()? },
            "show_created" => Self::ShowCreated { show_id: ShowId::new(words.parse()?)? },
            "show_edited" => Self::ShowEdited { show_id: ShowId::new(words.parse()?)? },
            "show_cancelled" => Self::ShowCancelled { show_id: ShowId::new(words.parse()?)? },
            refusal => Self::Refused(Refusal::from_words(refusal, &mut words)?),
        };
        words.0.next().is_none().then_some(outcome)
    }
}

impl Refusal {
    fn to_text(&self) -> String {
        match self {
            Self::NoSuchShow { show_id } => format!("no_such_show {show_id}"),
            Self::NoSuchBooking { booking_id } => format!("no_such_booking {booking_id}"),
            Self::SeatsNotFree { seats } => {
                let mut text = "seats_not_free".to_owned();
                for SeatRefusal { number, reason } in seats {
                    // Writing to a string does not fail.
                    let _ = match reason {
                        SeatRefusalReason::Held { free_at } => write!(text, " {number} held {}", micros(*free_at)),
                        SeatRefusalReason::Sold => write!(text, " {number} sold"),
                        SeatRefusalReason::Unknown => write!(text, " {number} unknown"),
                        SeatRefusalReason::HadAlready => write!(text, " {number} had_already"),
                        SeatRefusalReason::NotHad => write!(text, " {number} not_had"),
                    };
                }
                text
            }
            Self::NotPending { booking_id, status } => format!("not_pending {booking_id} {}", status_word(*status)),
            Self::HoldExpired { booking_id, deadline } => format!("hold_expired {booking_id} {}", micros(*deadline)),
            Self::HoldLive { booking_id, deadline } => format!("hold_live {booking_id} {}", micros(*deadline)),
            Self::SaleIsFinal { booking_id } => format!("sale_is_final {booking_id}"),
            Self::HoldLimit { booking_id, deadline } => format!("hold_limit {booking_id} {}", micros(*deadline)),
            Self::TooManySeats { max } => format!("too_many_seats {max}"),
            Self::NoSeatLeft { booking_id } => format!("no_seat_left {booking_id}"),
            Self::NotOnSale { show_id, reason } => match reason {
                NotOnSale::Before(begin) => format!("not_on_sale {show_id} before {}", begin.timestamp_micros()),
                NotOnSale::Since(end) => format!("not_on_sale {show_id} since {}", end.timestamp_micros()),
                NotOnSale::Cancelled => format!("not_on_sale {show_id} cancelled"),
            },
            Self::CustomerNeeded => "customer_needed".to_owned(),
            Self::CustomerLimit(CustomerLimit::Seats { max, has }) => format!("customer_limit seats {max} {has}"),
            Self::CustomerLimit(CustomerLimit::Holds { max }) => format!("customer_limit holds {max}"),
            Self::PaymentUsed => "payment_used".to_owned(),
            Self::RefundDue { because } => format!("refund_due {}", because.to_text()),
            Self::KeyReused => "key_reused".to_owned(),
        }
    }

    fn from_words(kind: &str, words: &mut Words<'_>) -> Option<Self> {
        Some(match kind {
            "no_such_show" => Self::NoSuchShow { show_id: ShowId::new(words.parse()?)? },
            "no_such_booking" => Self::NoSuchBooking { booking_id: words.booking()? },
            "seats_not_free" => Self::SeatsNotFree { seats: words.seat_refusals()? },
            "not_pending" => Self::NotPending { booking_id: words.booking()?, status: words.status()? },
            "hold_expired" => Self::HoldExpired { booking_id: words.booking()?, deadline: words.deadline()? },
            "hold_live" => Self::HoldLive { booking_id: words.booking()?, deadline: words.deadline()? },
            "sale_is_final" => Self::SaleIsFinal { booking_id: words.booking()? },
            "hold_limit" => Self::HoldLimit { booking_id: words.booking()?, deadline: words.deadline()? },
            "too_many_seats" => Self::TooManySeats { max: words.parse()? },
            "no_seat_left" => Self::NoSeatLeft { booking_id: words.booking()? },
            "not_on_sale" => Self::NotOnSale { show_id: ShowId::new(words.parse()?)?, reason: words.not_on_sale()? },
            "customer_needed" => Self::CustomerNeeded,
            "customer_limit" => Self::CustomerLimit(words.customer_limit()?),
            "payment_used" => Self::PaymentUsed,
            "refund_due" => {
                let because = words.0.next()?;
                Self::RefundDue { because: Box::new(Self::from_words(because, words)?) }
            }
            "key_reused" => Self::KeyReused,
            _ => return None,
        })
    }
}

/// Microseconds since the epoch: the precision of every store.
const fn micros(deadline: Deadline) -> i64 {
    deadline.instant().timestamp_micros()
}

const STATUSES: [BookingStatus; 3] = [BookingStatus::Pending, BookingStatus::Confirmed, BookingStatus::Failed];

const fn status_word(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "pending",
        BookingStatus::Confirmed => "confirmed",
        BookingStatus::Failed => "failed",
    }
}

/// What is left of a line.
struct Words<'a>(SplitWhitespace<'a>);

impl Words<'_> {
    fn parse<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn booking(&mut self) -> Option<BookingId> {
        BookingId::new(self.parse()?)
    }

    fn deadline(&mut self) -> Option<Deadline> {
        self.instant().map(Deadline::at)
    }

    fn instant(&mut self) -> Option<Timestamp> {
        Timestamp::from_timestamp_micros(self.parse()?)
    }

    fn not_on_sale(&mut self) -> Option<NotOnSale> {
        Some(match self.0.next()? {
            "before" => NotOnSale::Before(self.instant()?),
            "since" => NotOnSale::Since(self.instant()?),
            "cancelled" => NotOnSale::Cancelled,
            _ => return None,
        })
    }

    fn customer_limit(&mut self) -> Option<CustomerLimit> {
        Some(match self.0.next()? {
            "seats" => CustomerLimit::Seats { max: self.parse()?, has: self.parse()? },
            "holds" => CustomerLimit::Holds { max: self.parse()? },
            _ => return None,
        })
    }

    fn seats(&mut self) -> Option<Vec<SeatNumber>> {
        self.0.next()?.split(',').map(|number| SeatNumber::new(number.parse().ok()?)).collect()
    }

    fn status(&mut self) -> Option<BookingStatus> {
        let word = self.0.next()?;
        STATUSES.into_iter().find(|status| status_word(*status) == word)
    }

    fn seat_refusals(&mut self) -> Option<Vec<SeatRefusal>> {
        let mut seats = Vec::new();
        while let Some(number) = self.0.next() {
            let number = SeatNumber::new(number.parse().ok()?)?;
            let reason = match self.0.next()? {
                "held" => SeatRefusalReason::Held { free_at: self.deadline()? },
                "sold" => SeatRefusalReason::Sold,
                "unknown" => SeatRefusalReason::Unknown,
                "had_already" => SeatRefusalReason::HadAlready,
                "not_had" => SeatRefusalReason::NotHad,
                _ => return None,
            };
            seats.push(SeatRefusal { number, reason });
        }
        Some(seats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_read_as_it_is_written() {
        let booking_id = BookingId::new(7).unwrap();
        let deadline = Deadline::at(Timestamp::from_timestamp_micros(1_765_479_600_123_457).unwrap());
        let number = |n| SeatNumber::new(n).unwrap();
        let seat = |n, reason| SeatRefusal { number: number(n), reason };
        let refusals = [
            Refusal::NoSuchShow { show_id: ShowId::new(9).unwrap() },
            Refusal::NoSuchBooking { booking_id },
            Refusal::SeatsNotFree {
                seats: vec![
                    seat(1, SeatRefusalReason::Held { free_at: deadline }),
                    seat(2, SeatRefusalReason::Sold),
                    seat(3, SeatRefusalReason::Unknown),
                    seat(4, SeatRefusalReason::HadAlready),
                    seat(5, SeatRefusalReason::NotHad),
                ],
            },
            Refusal::HoldExpired { booking_id, deadline },
            Refusal::HoldLive { booking_id, deadline },
            Refusal::SaleIsFinal { booking_id },
            Refusal::HoldLimit { booking_id, deadline },
            Refusal::TooManySeats { max: 20 },
            Refusal::NotOnSale { show_id: ShowId::new(9).unwrap(), reason: NotOnSale::Before(deadline.instant()) },
            Refusal::NotOnSale { show_id: ShowId::new(9).unwrap(), reason: NotOnSale::Since(deadline.instant()) },
            Refusal::NotOnSale { show_id: ShowId::new(9).unwrap(), reason: NotOnSale::Cancelled },
            Refusal::CustomerNeeded,
            Refusal::CustomerLimit(CustomerLimit::Seats { max: 4, has: 3 }),
            Refusal::CustomerLimit(CustomerLimit::Holds { max: 1 }),
            Refusal::PaymentUsed,
            Refusal::RefundDue { because: Box::new(Refusal::HoldExpired { booking_id, deadline }) },
            Refusal::NoSeatLeft { booking_id },
            Refusal::KeyReused,
        ];
        let final_ones = STATUSES.map(|status| Refusal::NotPending { booking_id, status });
        let done = [
            Outcome::Held { booking_id, deadline },
            Outcome::Confirmed { booking_id },
            Outcome::Reclaimed { booking_id },
            Outcome::Blocked { booking_id },
            Outcome::Expired { booking_id, deadline },
            Outcome::Cancelled { booking_id, refund_due: true },
            Outcome::Cancelled { booking_id, refund_due: false },
            Outcome::Extended { booking_id, deadline },
            Outcome::Changed { booking_id, seats: vec![number(3), number(12)], deadline },
            Outcome::ShowCreated { show_id: ShowId::new(1).unwrap() },
            Outcome::ShowEdited { show_id: ShowId::new(1).unwrap() },
            Outcome::ShowCancelled { show_id: ShowId::new(1).unwrap() },
        ];
        for outcome in refusals.into_iter().chain(final_ones).map(Outcome::Refused).chain(done) {
            let text = outcome.to_text();
            assert_eq!(Outcome::from_text(&text), Some(outcome.clone()), "{text}");
            assert_eq!(Outcome::Replayed(Box::new(outcome)).to_text(), text);
        }
    }

    #[test]
    fn nonsense_is_not_read() {
        for text in [
            "",
            "held",
            "held 0 1",
            "held 1",
            "held 1 1 1",
            "confirmed x",
            "cancelled 1 maybe",
            "sold 1",
            "refund_due",
            "refund_due confirmed 1",
            "not_on_sale 1 never",
            "customer_limit seats 1",
            "seats_not_free 1",
            "seats_not_free 1 gone",
        ] {
            assert_eq!(Outcome::from_text(text), None, "{text:?}");
        }
    }
}
