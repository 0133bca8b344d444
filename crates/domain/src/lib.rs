//! The rule book of Rowlock: what a show, a seat, a hold and a booking are, and what may happen to them.
//!
//! Nothing here does I/O, reads a clock or knows of a wire format. A store locks and loads the rows that a batch of
//! [`Command`]s touches, a [`Ledger`] decides one command after the other in memory, and the store saves the
//! [`Changes`]. The ports ([`BookingRepository`], [`ShowRepository`], [`StoreHealth`]) say what a store must keep.

mod booking;
mod changes;
mod command;
mod customer;
mod deadline;
mod forecast;
mod history;
mod ids;
mod keys;
mod ledger;
mod lifecycle;
mod look;
mod outcome_text;
mod payment;
mod ports;
mod refusal;
mod request;
mod seat;
mod show;
mod sweep;
mod text;
mod time_source;

pub use booking::{BlockReason, Booking, BookingDetails, BookingState, LiveHold, UserName};
pub use changes::{BookingChange, Changes, Decision, Entry, NewBooking, Owner, SeatChange, UsedKey};
pub use command::{Block, Change, Command, Confirm, Extend, Hold, Outcome, SeatExchange};
pub use customer::{CustomerId, InvalidCustomer};
pub use deadline::{Deadline, Life, Timestamp};
pub use forecast::{Forecast, Memory, When};
pub use history::{Event, Transition};
pub use ids::{BookingId, SeatId, ShowId};
pub use keys::Keys;
pub use ledger::{Holding, Ledger, LedgerError, LockedRows, LockedSeat, LockedShow};
pub use lifecycle::{Action, BookingStatus, FailureReason, Step, TransitionRefused, transition};
pub use look::Look;
pub use payment::{InvalidReference, Payment, PaymentReference, Refund, RefundKey, RefundReason};
pub use ports::{
    BookingFilter, BookingRepository, CalledOff, Creation, Page, ShowChange, ShowRepository, StoreError, StoreHealth, Sweep,
    Unready,
};
pub use refusal::{CustomerLimit, NotOnSale, Refusal, SeatRefusal, SeatRefusalReason};
pub use request::{Actor, ActorName, Fingerprint, Idempotency, IdempotencyKey, InvalidKey, Request};
pub use seat::{Seat, SeatKey, SeatNumber, SeatSelection, SeatState, SeatStatus, SelectionError};
pub use show::{InvalidShow, NewShow, Show, ShowCounts, Terms};
pub use sweep::{DueHold, Swept};
pub use text::InvalidText;
pub use time_source::{ManualTime, TimeSource};
