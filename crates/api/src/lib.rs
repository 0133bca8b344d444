//! The HTTP side of Rowlock: settings, access, the routes of the contract, and their errors.

mod access;
mod admin;
mod answer;
mod app;
mod body;
mod booking_filter;
mod bookings;
mod bookings_csv;
mod client_address;
mod door;
mod editing;
mod health;
mod idempotency;
mod lists;
mod openapi;
mod page;
mod problem;
mod rate_limit;
mod refusals;
mod request_log;
mod resources;
mod room;
mod routes;
mod server;
mod settings;
mod shows;
mod start_time;
mod store;
mod terms;
mod watching;

pub use server::{probe, serve};
pub use settings::ApiSettings;
pub use store::{Database, migrate};
