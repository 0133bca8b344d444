//! A small booking server that keeps everything in memory, and can be told to cheat.

mod amends;
mod confirms;
mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use chrono::{DateTime, SecondsFormat};
use loadgen::chaos::books::{BookingRow, Books, PaymentRow, SeatRow, Step, StepKind};
use loadgen::chaos::history::{BookingStatus, Micros, SeatStatus};
use loadgen::client::BaseUrl;
use serde_json::{Value, json};

/// What a server does that it must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cheat {
    #[default]
    Nothing,
    /// Now and then doesn't look whether a seat is taken.
    SellsTwice,
    /// Now and then confirms what is dead.
    ConfirmsTooLate,
    /// Now and then forgets a hold that it has answered.
    ForgetsHolds,
    /// Now and then says that nothing has happened when it has.
    DeniesHolds,
    /// Now and then shows a show's seats as they were when they were shown last.
    ShowsOldSeats,
    /// Now and then fails.
    Fails,
    /// Now and then forgets a key, so that a repeat does it again.
    ForgetsKeys,
    /// Now and then serves another request under a used key.
    ServesUnderAnyKey,
    /// Now and then says that a booking is cancelled, and does nothing.
    ForgetsCancels,
    /// Now and then gives more time, and does not write it down.
    ForgetsExtensions,
    /// Now and then does not keep a payment.
    ForgetsPayments,
    /// Now and then doesn't look whether somebody else has got the seats of a late confirm.
    ReclaimsWhatIsTaken,
    /// Now and then refuses a late confirm whose seats are free.
    RefusesWhatIsFree,
    /// Now and then sells all seats of a confirm that is for some.
    SellsTheRest,
    /// Now and then says that a block is done, and does nothing.
    ForgetsBlocks,
    /// Now and then gives a customer more than it may have.
    ForgetsLimits,
}

impl Cheat {
    /// It cheats every so many times that it could. What is rare it does more often.
    const fn every(self) -> u64 {
        match self {
            Self::ReclaimsWhatIsTaken
            | Self::RefusesWhatIsFree
            | Self::SellsTheRest
            | Self::ForgetsBlocks
            | Self::ForgetsLimits => 2,
            _ => 5,
        }
    }
}

/// A server of its own thread. It serves until the test's process ends.
pub(crate) struct Shop {
    pub(crate) url: BaseUrl,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Default)]
struct Ledger {
    cheat: Cheat,
    hold_for: Micros,
    /// How often it could have cheated.
    temptations: u64,
    last_id: i64,
    /// The statuses, and the codes if any, that it has answered with.
    answered: BTreeSet<(u16, String)>,
    /// By call, how often it was done.
    done: BTreeMap<String, u32>,
    /// By show, how many seats, and its terms.
    shows: Vec<(u32, Value)>,
    bookings: BTreeMap<i64, BookingRow>,
    payments: Vec<PaymentRow>,
    cancelled_shows: BTreeMap<i64, Micros>,
    show_names: BTreeMap<i64, String>,
    /// By show, the seats as they were shown last.
    old_seats: Vec<Value>,
    /// By key, what was asked and answered.
    keys: BTreeMap<String, (String, u16, Value)>,
}

impl Shop {
    pub(crate) fn open(cheat: Cheat, hold_for: Micros) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger { cheat, hold_for, ..Ledger::default() }));
        let (data, (port, opened)) = (Data::new(Arc::clone(&ledger)), mpsc::channel());
        std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let app = move || App::new().app_data(data.clone()).default_service(web::to(serve));
                let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
                port.send(server.addrs()[0].port()).unwrap();
                server.run().await
            })
        });
        Self { url: BaseUrl::loopback(opened.recv().unwrap()), ledger }
    }

    /// How often it has cheated.
    pub(crate) fn cheated(&self) -> u64 {
        let ledger = self.ledger.lock().unwrap();
        ledger.temptations / ledger.cheat.every()
    }

    /// The statuses, and the codes if any, that it has answered with.
    pub(crate) fn answered(&self) -> BTreeSet<(u16, String)> {
        self.ledger.lock().unwrap().answered.clone()
    }

    /// How many bookings were had again after they had run out.
    pub(crate) fn reclaimed(&self) -> usize {
        self.ledger.lock().unwrap().bookings.values().filter(|row| row.was_reclaimed()).count()
    }

    /// How many shows there are.
    pub(crate) fn shows(&self) -> usize {
        self.ledger.lock().unwrap().shows.len()
    }

    /// Whether so many kinds of call were done often enough that somebody has heard of it.
    pub(crate) fn has_done(&self, calls: usize) -> bool {
        self.ledger.lock().unwrap().done.values().filter(|times| **times >= 5).count() >= calls
    }

    pub(crate) fn books(&self) -> Books {
        let ledger = self.ledger.lock().unwrap();
        let seats = (1..).zip(&ledger.shows).flat_map(|(show_id, (seats, _))| (1..=*seats).map(move |number| (show_id, number)));
        let seat = |(show_id, number)| {
            let row = ledger.holder(show_id, number);
            let status = match row.map(|row| row.status) {
                None | Some(BookingStatus::Failed) => SeatStatus::Available,
                Some(BookingStatus::Pending) => SeatStatus::Pending,
                Some(BookingStatus::Confirmed) => SeatStatus::Confirmed,
            };
            let booking_id = row.filter(|_| status != SeatStatus::Available).map(|row| row.id);
            SeatRow { show_id, number, status, booking_id }
        };
        let (bookings, payments) = (ledger.bookings.values().cloned().collect(), ledger.payments.clone());
        let (cancelled_shows, show_names) = (ledger.cancelled_shows.clone(), ledger.show_names.clone());
        Books { seats: seats.map(seat).collect(), bookings, payments, cancelled_shows, show_names }
    }
}

async fn serve(ledger: Data<Arc<Mutex<Ledger>>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut ledger = ledger.lock().unwrap();
    let (status, body, replayed) = ledger.answer_once(&request, &body);
    if status < 300 {
        let call = format!("{} {}", request.method(), request.path().replace(|letter: char| letter.is_ascii_digit(), ""));
        *ledger.done.entry(call).or_default() += 1;
    }
    ledger.answered.insert((status, body["code"].as_str().unwrap_or_default().to_owned()));
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    response.insert_header(("retry-after", "1"));
    if replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    response.json(body)
}

fn now() -> Micros {
    Micros::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

fn shown(instant: Micros) -> String {
    DateTime::from_timestamp_micros(instant).unwrap().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn numbers(of: &Value) -> Vec<u32> {
    serde_json::from_value(of.clone()).unwrap()
}

fn is_cancelled(row: &BookingRow) -> bool {
    row.steps.iter().any(|step| step.event.gives_up())
}

impl Ledger {
    /// The answer, and whether it was answered before.
    fn answer_once(&mut self, request: &HttpRequest, body: &Value) -> (u16, Value, bool) {
        let (method, path) = (request.method().as_str(), request.path());
        let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        let asked = format!("{method} {path} {body}");
        match key.as_ref().and_then(|key| self.keys.get(key).cloned()) {
            Some((first, status, body)) if first == asked && !self.gives_in(Cheat::ForgetsKeys) => return (status, body, true),
            Some((first, ..)) if first != asked && !self.gives_in(Cheat::ServesUnderAnyKey) => {
                return (422, json!({ "code": "idempotency_key_reused" }), false);
            }
            _ => {}
        }
        let (status, answer) = self.answer(method, path, request, body);
        if let Some(key) = key.filter(|_| status < 500) {
            self.keys.insert(key, (asked, status, answer.clone()));
        }
        (status, answer, false)
    }

    fn answer(&mut self, method: &str, path: &str, request: &HttpRequest, body: &Value) -> (u16, Value) {
        let now = now();
        for row in self.bookings.values_mut() {
            if row.status == BookingStatus::Pending && row.expires_at <= now {
                row.status = BookingStatus::Failed;
            }
        }
        let id: i64 = path.split('/').find_map(|part| part.parse().ok()).unwrap_or(0);
        match (method, path) {
            ("POST", "/admin/shows") => {
                let seats = u32::try_from(body["total_seats"].as_u64().unwrap()).unwrap();
                self.shows.push((seats, body.clone()));
                self.old_seats.push(Value::Null);
                (201, json!({ "showId": self.shows.len() }))
            }
            ("POST", "/book") => self.hold(body, now),
            ("POST", "/book/confirm") => self.confirm(body, now),
            ("POST", "/book/cancel") => self.cancel(body["bookingId"].as_i64().unwrap(), now, false),
            ("POST", "/book/extend") => self.extend(body["bookingId"].as_i64().unwrap(), now),
            ("POST", "/book/change") => self.change(body, now),
            ("POST", path) if path.ends_with("/blocks") => self.block(id, body, now),
            ("POST", path) if path.ends_with("/edit") => {
                self.show_names.insert(id, body["name"].as_str().unwrap().to_owned());
                (200, json!({ "message": "Show edited", "showId": id }))
            }
            ("POST", path) if path.starts_with("/admin/shows/") => self.cancel_show(id, now),
            ("POST", _) => self.cancel(id, now, true),
            ("GET", "/admin/bookings") => (200, self.list(request.query_string())),
            ("GET", path) if path.starts_with("/book/") => self.find(id),
            _ => (200, self.seat_map(id)),
        }
    }

    /// Whether to cheat, now that it could.
    fn gives_in(&mut self, cheat: Cheat) -> bool {
        self.temptations += u64::from(self.cheat == cheat);
        self.cheat == cheat && self.temptations.is_multiple_of(cheat.every())
    }

    fn holder(&self, show_id: i64, number: u32) -> Option<&BookingRow> {
        let live = self.bookings.values().filter(|row| row.status != BookingStatus::Failed && row.show_id == show_id);
        live.into_iter().find(|row| row.seats.contains(&number))
    }

    /// The seats that can't be had, and why.
    fn offending(&self, show_id: i64, seats: &[u32]) -> Vec<Value> {
        let total = self.shows[usize::try_from(show_id).unwrap() - 1].0;
        let offending = seats.iter().filter_map(|number| match self.holder(show_id, *number) {
            _ if *number > total => Some(json!({ "seat_number": number, "reason": "unknown" })),
            None => None,
            Some(row) if row.status == BookingStatus::Confirmed => Some(json!({ "seat_number": number, "reason": "sold" })),
            Some(row) => Some(json!({ "seat_number": number, "reason": "held", "free_at": shown(row.expires_at) })),
        });
        offending.collect()
    }

    fn hold(&mut self, body: &Value, now: Micros) -> (u16, Value) {
        let show_id = body["showId"].as_i64().unwrap();
        let seats = numbers(&body["seats"]);
        let offending = self.offending(show_id, &seats);
        if self.gives_in(Cheat::Fails) {
            return (500, json!({}));
        }
        if !(offending.is_empty() || (offending[0]["reason"] != "unknown" && self.gives_in(Cheat::SellsTwice))) {
            return (409, json!({ "code": "seats_not_free", "seats": offending }));
        }
        if self.cancelled_shows.contains_key(&show_id) {
            return (409, json!({ "code": "show_cancelled" }));
        }
        if let Some(refusal) = self.customer_limit(show_id, body["customerId"].as_str(), (seats.len(), 1)) {
            return refusal;
        }
        self.last_id += 1;
        let id = self.last_id;
        let (user_name, expires_at) = (body["userName"].as_str().unwrap().to_owned(), now + self.hold_for);
        let status = BookingStatus::Pending;
        let steps = vec![Step { number: 0, at: now, event: StepKind::Held, was_sold: false, seats: seats.clone() }];
        let (is_block, refund_due, confirmed_at, created_at) = (false, false, None, now);
        let customer = body["customerId"].as_str().map(str::to_owned);
        let row = BookingRow {
            id,
            show_id,
            user_name,
            is_block,
            customer,
            seats,
            status,
            refund_due,
            expires_at,
            confirmed_at,
            created_at,
            steps,
        };
        if !self.gives_in(Cheat::ForgetsHolds) {
            self.bookings.insert(id, row);
        }
        if self.gives_in(Cheat::DeniesHolds) {
            return (503, json!({ "code": "busy" }));
        }
        (201, json!({ "bookingId": id, "expiresAt": shown(expires_at) }))
    }

    /// Why a customer can't have so many seats and holds more.
    fn customer_limit(&mut self, show_id: i64, customer: Option<&str>, more: (usize, usize)) -> Option<(u16, Value)> {
        let terms = &self.shows[usize::try_from(show_id).unwrap() - 1].1;
        let limit = |name: &str| terms[name].as_u64().map(|max| usize::try_from(max).unwrap());
        let (seats_max, holds_max) = (limit("seats_per_customer")?, limit("holds_per_customer")?);
        let own = self.bookings.values().filter(|row| row.show_id == show_id && row.customer.as_deref() == customer);
        let own: Vec<&BookingRow> = own.filter(|row| row.status != BookingStatus::Failed).collect();
        let has: usize = own.iter().map(|row| row.seats.len()).sum();
        let holds = own.iter().filter(|row| row.status == BookingStatus::Pending).count();
        let refusal = if has + more.0 > seats_max {
            json!({ "code": "customer_limit", "max": seats_max, "has": has })
        } else if holds + more.1 > holds_max {
            json!({ "code": "customer_limit", "max": holds_max })
        } else {
            return None;
        };
        (!self.gives_in(Cheat::ForgetsLimits)).then_some((409, refusal))
    }

    fn block(&mut self, show_id: i64, body: &Value, now: Micros) -> (u16, Value) {
        let seats = numbers(&body["seats"]);
        let offending = self.offending(show_id, &seats);
        if !offending.is_empty() {
            return (409, json!({ "code": "seats_not_free", "seats": offending }));
        }
        if self.cancelled_shows.contains_key(&show_id) {
            return (409, json!({ "code": "show_cancelled" }));
        }
        self.last_id += 1;
        let row = BookingRow {
            id: self.last_id,
            show_id,
            user_name: body["reason"].as_str().unwrap().to_owned(),
            is_block: true,
            customer: None,
            status: BookingStatus::Confirmed,
            refund_due: false,
            expires_at: now + 1,
            confirmed_at: Some(now),
            created_at: now,
            steps: vec![Step { number: 0, at: now, event: StepKind::Blocked, was_sold: false, seats: seats.clone() }],
            seats,
        };
        if !self.gives_in(Cheat::ForgetsBlocks) {
            self.bookings.insert(row.id, row);
        }
        (201, json!({ "bookingId": self.last_id, "status": "CONFIRMED" }))
    }
}
