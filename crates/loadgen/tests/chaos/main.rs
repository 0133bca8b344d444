//! The judgement of a chaos run: what is right passes, every lie is found. And its customers, against a small server.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

mod amended;
mod called_off;
mod customers;
mod database;
mod every_order;
mod falsifications;
mod hot_seat;
mod house;
mod late;
mod leaves_nothing;
mod seat_stories;
mod shop;
