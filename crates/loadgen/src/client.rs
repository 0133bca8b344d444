//! A small HTTP/1.1 client that speaks the booking interface.
//!
//! It shares a machine with the server that it loads, so it is built to cost little: one kept connection a customer, polled
//! in the customer's own task (no task, no channel and no wake-up between the two), bodies written by hand into a buffer
//! that is used again, answers parsed only for what is needed.

mod alarm;
mod answer;
mod base_url;
mod booking_calls;
mod transport;
mod wire;

pub use answer::{Answer, CallError};
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use booking_calls::{BookingDetails, BookingRow, BookingSeat, Held, HoldAnswer, SeatRow};
pub use hyper::{HeaderMap, Method, StatusCode};
pub use transport::Connection;
