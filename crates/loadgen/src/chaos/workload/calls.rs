//! A customer's calls, each with its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Method;
use serde_json::{Value, json};

use super::super::history::{Answer, BookingStatus, Call, Micros, NotDone, Operation, Unknown};
use super::reading;
use crate::client::{self, BaseUrl, CallError, Connection};

/// Gives calls their identities.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

/// One customer's way to the servers, and the record of what came of it.
pub(super) struct Line {
    servers: Arc<[BaseUrl]>,
    server: usize,
    connection: Option<Connection>,
    time_limit: Duration,
    customer: u32,
    counter: Arc<Counter>,
    record: Vec<Operation>,
}

/// What a call is known by.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// Nothing: every repeat of it is another call.
    Not,
    /// A key of its own.
    ByKey,
    /// The key of the call with this identity.
    ByKeyOf(u64),
}

/// The clock that the database reads too.
pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

impl Line {
    pub(super) fn new(customer: u32, servers: &Arc<[BaseUrl]>, time_limit: Duration, counter: Arc<Counter>) -> Self {
        let server = customer as usize % servers.len();
        Self { servers: Arc::clone(servers), server, connection: None, time_limit, customer, counter, record: Vec::new() }
    }

    /// Makes a call and records it. With `patience`, hangs up if there is no answer within it.
    pub(super) async fn call(&mut self, call: Call, known: Known, patience: Option<Duration>) -> &Operation {
        let id = 1 + self.counter.0.fetch_add(1, Ordering::Relaxed);
        let key = match known {
            Known::Not => None,
            Known::ByKey => Some(id),
            Known::ByKeyOf(first) => Some(first),
        };
        let server = self.server;
        let began = now();
        let exchange = tokio::time::timeout(patience.unwrap_or(Duration::MAX), self.exchange(key.unwrap_or(id), key, &call));
        let (answer, replayed) = match exchange.await {
            Ok(Ok(answer)) => (reading::read(&call, &answer), answer.header("idempotency-replayed") == Some("true")),
            Ok(Err(error)) => (self.unanswered(&error), false),
            // The connection went with the call.
            Err(_) => (Answer::Unknown(Unknown::HungUp), false),
        };
        let ended = now();
        let server = u32::try_from(server).unwrap_or(u32::MAX);
        self.record.push(Operation { id, customer: self.customer, server, key, began, ended, call, answer, replayed });
        &self.record[self.record.len() - 1]
    }

    /// Goes to the next server.
    pub(super) fn change_server(&mut self) {
        self.connection = None;
        self.server = (self.server + 1) % self.servers.len();
    }

    /// All calls so far.
    pub(super) fn into_record(self) -> Vec<Operation> {
        self.record
    }

    /// Asks on behalf of the call with this identity, which is another's if this is a repeat.
    async fn exchange(&mut self, id: u64, key: Option<u64>, call: &Call) -> Result<client::Answer, CallError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(&self.servers[self.server], self.time_limit).await?),
        };
        match call {
            Call::Hold { show_id, seats } => {
                let customer = Operation::customer_id(self.customer);
                let body =
                    json!({ "showId": show_id, "seats": seats, "userName": Operation::user_name(id), "customerId": customer });
                write(connection, "/book", &body, key).await
            }
            Call::Confirm { booking_id, pays, seats } => {
                let mut body = json!({ "bookingId": booking_id });
                if *pays {
                    body["paymentReference"] = Operation::payment(id).into();
                }
                if let Some(seats) = seats {
                    body["seats"] = seats.as_slice().into();
                }
                write(connection, "/book/confirm", &body, key).await
            }
            Call::Block { show_id, seats } => {
                let body = json!({ "seats": seats, "reason": Operation::user_name(id) });
                write(connection, &format!("/admin/shows/{show_id}/blocks"), &body, key).await
            }
            Call::EditShow { show_id } => {
                let body = json!({ "name": Operation::show_name(id) });
                write(connection, &format!("/admin/shows/{show_id}/edit"), &body, key).await
            }
            Call::CancelShow { show_id } => write(connection, &format!("/admin/shows/{show_id}/cancel"), &json!({}), key).await,
            Call::Cancel { booking_id, by_house: false } => {
                write(connection, "/book/cancel", &json!({ "bookingId": booking_id }), key).await
            }
            Call::Cancel { booking_id, by_house: true } => {
                write(connection, &format!("/admin/bookings/{booking_id}/cancel"), &json!({}), key).await
            }
            Call::Extend { booking_id } => write(connection, "/book/extend", &json!({ "bookingId": booking_id }), key).await,
            Call::Change { booking_id, add, remove } => {
                let body = json!({ "bookingId": booking_id, "add": add, "remove": remove });
                write(connection, "/book/change", &body, key).await
            }
            Call::Find { booking_id } => connection.get(&format!("/book/{booking_id}")).await,
            Call::SeatMap { show_id } => connection.get(&format!("/shows/{show_id}/seats")).await,
            Call::List { status, limit } => {
                let status = match status {
                    None => "",
                    Some(BookingStatus::Pending) => "&status=PENDING",
                    Some(BookingStatus::Confirmed) => "&status=CONFIRMED",
                    Some(BookingStatus::Failed) => "&status=FAILED",
                };
                connection.get(&format!("/admin/bookings?limit={limit}{status}")).await
            }
        }
    }

    fn unanswered(&mut self, error: &CallError) -> Answer {
        let answer = match error {
            CallError::Connect(_) | CallError::NotSent(_) => Answer::NotDone(NotDone::NotSent),
            CallError::Lost(_) => Answer::Unknown(Unknown::Lost),
            CallError::TimedOut(_) => Answer::Unknown(Unknown::TimedOut),
            CallError::Unwritable(_) | CallError::Refused { .. } | CallError::Body(_) => {
                Answer::Unknown(Unknown::Unforeseen(error.to_string()))
            }
        };
        self.change_server();
        answer
    }
}

async fn write(connection: &mut Connection, path: &str, body: &Value, key: Option<u64>) -> Result<client::Answer, CallError> {
    let key = key.map(|key| format!("chaos-{key}"));
    let headers: Vec<(&str, &str)> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
    connection.call(Method::POST, path, Some(&serde_json::to_vec(body)?), &headers).await
}

async fn connect(server: &BaseUrl, time_limit: Duration) -> Result<Connection, CallError> {
    let connecting = tokio::time::timeout(time_limit, Connection::open(server)).await;
    let mut connection = connecting.unwrap_or(Err(CallError::Connect(std::io::ErrorKind::TimedOut.into())))?;
    connection.set_time_limit(time_limit);
    Ok(connection)
}
