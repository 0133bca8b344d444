//! The runs against a small booking server that can be told to cheat: an honest one passes, every cheat is caught.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::scripted::{Arrived, Reaction, Scripted};
use loadgen::report::Report;
use loadgen::{Progress, Target, baskets, one_by_one, one_seat, sell_out};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cheat {
    None,
    SellsTwice,
    FailsSometimes,
    ForgetsConfirms,
    SellsByItself,
    NeedsPatience,
    LosesHolds,
    Dawdles,
}

/// Seats of each show: booking and whether it is confirmed.
#[derive(Default)]
struct Books {
    shows: Vec<BTreeMap<u64, Option<(usize, bool)>>>,
    bookings: Vec<(usize, Vec<u64>)>,
    refused_a_show: bool,
    calls: usize,
}

impl Books {
    fn react(&mut self, request: &Arrived, cheat: Cheat) -> Reaction {
        self.calls += 1;
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let number = |name: &str| usize::try_from(body[name].as_u64().unwrap_or(0)).unwrap();
        match request.call.as_str() {
            "POST /admin/shows" if cheat == Cheat::NeedsPatience && !self.refused_a_show => {
                self.refused_a_show = true;
                Reaction::Answer(503, "{}".into())
            }
            "POST /admin/shows" => {
                self.refused_a_show = false;
                let seats = 1..=body["total_seats"].as_u64().unwrap();
                self.shows.push(seats.map(|seat| (seat, None)).collect());
                Reaction::Answer(201, json!({ "showId": self.shows.len() }).to_string())
            }
            "POST /book" => {
                let seats = body["seats"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
                self.book(number("showId") - 1, seats, cheat)
            }
            "POST /book/confirm" => self.confirm(number("bookingId") - 1, cheat),
            booking if booking.starts_with("GET /book/") => {
                let id: usize = booking.rsplit('/').next().unwrap().parse().unwrap();
                let (show, seats) = &self.bookings[id - 1];
                let booking = json!({ "id": id, "show_id": show + 1, "user_name": "guest", "status": "PENDING" });
                let seats = seats.iter().map(|seat| json!({ "seat_number": seat, "status": "PENDING" })).collect::<Vec<_>>();
                Reaction::Answer(200, json!({ "booking": booking, "seats": seats }).to_string())
            }
            seat_map => {
                let show: usize = seat_map.split('/').nth(2).unwrap().parse().unwrap();
                Reaction::Answer(200, self.seat_map(show - 1, cheat))
            }
        }
    }

    fn book(&mut self, show: usize, seats: Vec<u64>, cheat: Cheat) -> Reaction {
        let unlucky = self.calls.is_multiple_of(50);
        if unlucky && cheat == Cheat::FailsSometimes {
            return Reaction::Answer(500, "{}".into());
        }
        if unlucky && cheat == Cheat::NeedsPatience {
            return Reaction::Answer(503, "{}".into());
        }
        let looks_away = cheat == Cheat::SellsTwice && self.bookings.len() == 1;
        if !looks_away && seats.iter().any(|seat| self.shows[show][seat].is_some()) {
            return Reaction::Answer(409, "{}".into());
        }
        for seat in &seats {
            self.shows[show].insert(*seat, Some((self.bookings.len(), false)));
        }
        self.bookings.push((show, seats));
        Reaction::Answer(201, json!({ "bookingId": self.bookings.len() }).to_string())
    }

    fn confirm(&mut self, booking: usize, cheat: Cheat) -> Reaction {
        let (show, seats) = &self.bookings[booking];
        if cheat != Cheat::ForgetsConfirms || !booking.is_multiple_of(50) {
            for seat in seats {
                self.shows[*show].insert(*seat, Some((booking, true)));
            }
        }
        Reaction::Answer(200, "{}".into())
    }

    fn seat_map(&self, show: usize, cheat: Cheat) -> String {
        let seats = self.shows[show].iter().map(|(seat, owner)| {
            let status = match owner {
                Some((_, true)) => "CONFIRMED",
                Some((booking, false)) if cheat == Cheat::LosesHolds && booking % 50 == 7 => "AVAILABLE",
                Some((_, false)) => "PENDING",
                None if cheat == Cheat::SellsByItself => "CONFIRMED",
                None => "AVAILABLE",
            };
            let booking_id = owner.map(|(booking, _)| booking + 1);
            json!({ "id": seat, "seat_number": seat, "status": status, "booking_id": booking_id })
        });
        seats.collect::<Value>().to_string()
    }
}

pub(crate) fn server(cheat: Cheat) -> Target {
    let books = Arc::new(Mutex::new(Books::default()));
    let script = move |request: &Arrived| {
        if cheat == Cheat::Dawdles && request.call.starts_with("POST /book") {
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        books.lock().unwrap().react(request, cheat)
    };
    Target::open(Scripted::start(script).url)
}

async fn race(cheat: Cheat) -> one_seat::OneSeatReport {
    one_seat::run(&server(cheat), &one_seat::Options { callers: 60 }, &Progress::hidden()).await.unwrap()
}

#[tokio::test]
async fn one_caller_gets_the_seat() {
    let report = race(Cheat::None).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.race.done, report.race.statuses[&409]), (1, 59));
}

#[tokio::test]
async fn a_seat_sold_twice_and_a_server_error_are_seen_in_the_race() {
    let report = race(Cheat::SellsTwice).await;
    assert!(!report.passed() && report.to_string().contains("2 callers got the seat"), "{report}");
    let report = race(Cheat::FailsSometimes).await;
    assert!(!report.passed() && report.to_string().contains("the server failed"), "{report}");
}

async fn sell(cheat: Cheat, interleaved: bool) -> sell_out::SellOutReport {
    let (seats, customers, seats_per_booking, shows, warm_up_holds) = (203, 8, 2, 3, 20);
    let options = sell_out::Options { seats, customers, seats_per_booking, shows, interleaved, warm_up_holds };
    sell_out::run(&server(cheat), &options, &Progress::hidden()).await.unwrap()
}

#[tokio::test]
async fn a_whole_house_is_sold_in_either_order() {
    for interleaved in [false, true] {
        let report = sell(Cheat::None, interleaved).await;
        assert!(report.passed(), "{report}");
        // 68, 68 and 67 seats, in pairs.
        assert_eq!((report.holds.done, report.confirms.done, report.seats_sold), (102, 102, 203));
        assert!(report.holds.latency_ms.max >= report.holds.latency_ms.p50 && report.holds.latency_ms.p50 > 0.0);
    }
}

#[tokio::test]
async fn a_customer_who_is_told_to_wait_comes_again() {
    let report = sell(Cheat::NeedsPatience, false).await;
    assert!(report.passed() && report.holds.statuses[&503] > 0, "{report}");
}

#[tokio::test]
async fn a_sale_that_is_lost_and_a_seat_that_is_left_are_seen() {
    let report = sell(Cheat::ForgetsConfirms, false).await;
    assert!(!report.passed() && report.to_string().contains("but is PENDING"), "{report}");
    let report = sell(Cheat::FailsSometimes, false).await;
    assert!(!report.passed() && report.to_string().contains("of 203 seats were sold"), "{report}");
}

async fn fight(cheat: Cheat) -> baskets::BasketsReport {
    let options = baskets::Options { seats: 12, basket: 4, customers: 8, seconds: 0.5, hold_only: false };
    baskets::run(&server(cheat), &options, &Progress::hidden()).await.unwrap()
}

#[tokio::test]
async fn baskets_go_on_to_the_next_show_when_one_is_sold_out() {
    let report = fight(Cheat::None).await;
    assert!(report.passed(), "{report}");
    assert!(report.shows > 1 && report.holds.done > 1 && report.holds.statuses[&409] > 1, "{report}");
    assert_eq!(report.confirms.done, report.holds.done);
}

#[tokio::test]
async fn baskets_see_server_errors_lost_sales_and_sales_to_nobody() {
    for (cheat, said) in [
        (Cheat::FailsSometimes, "the server failed"),
        (Cheat::ForgetsConfirms, "but is PENDING"),
        (Cheat::SellsByItself, "nobody was told so"),
    ] {
        let report = fight(cheat).await;
        assert!(!report.passed() && report.to_string().contains(said), "{cheat:?}: {report}");
    }
}

#[tokio::test]
async fn lone_calls_are_all_made() {
    let options = one_by_one::Options { holds: 30, warm_up_holds: 3 };
    let report = one_by_one::run(&server(Cheat::None), &options, &Progress::hidden()).await.unwrap();
    assert!(report.passed() && report.holds.done == 30, "{report}");
}

#[tokio::test]
async fn reports_are_json_for_programs() {
    let report = serde_json::to_value(race(Cheat::None).await).unwrap();
    assert_eq!(report["race"]["statuses"], json!({ "201": 1, "409": 59 }));
    assert!(report["race"]["latency_ms"]["p99"].is_number() && report["wrong"] == json!([]));
}
