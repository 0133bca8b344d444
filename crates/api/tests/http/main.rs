//! The server as its clients see it: the binary, over HTTP, on both stores.

mod access;
mod bad_input;
mod contract;
mod life;
mod races;
mod support;
mod trouble;
