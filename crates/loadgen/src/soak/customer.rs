//! What a customer of a soak does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;

use super::journal::Journal;
use super::playhouse::{Left, Playhouse, Seat};
use crate::client::{CallError, Connection};
use crate::open_loop::Arrival;
use crate::progress::Progress;

/// Of a hundred customers so many want a seat, so many look at a booking; the others look at a seat map.
const BUYERS: u32 = 58;
const LOOKERS: u32 = 40;

/// Of ten who hold a seat so many confirm it; the others let the hold run out.
const CONFIRMERS: u32 = 8;

/// No answer for so long is none.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Customers of this playhouse, who write into this journal.
#[derive(Clone)]
pub(super) struct Customers {
    playhouse: Arc<Playhouse>,
    journal: Arc<Journal>,
    progress: Progress,
}

impl Customers {
    pub(super) const fn new(playhouse: Arc<Playhouse>, journal: Arc<Journal>, progress: Progress) -> Self {
        Self { playhouse, journal, progress }
    }

    /// One customer's visit: how many of its calls were served.
    pub(super) async fn visit(self, mut connection: Connection, arrival: Arrival) -> (Connection, u32) {
        connection.set_time_limit(TIME_LIMIT);
        let dice = rand::rng().random_range(0..100);
        let seat = if dice < BUYERS { self.playhouse.enter() } else { None };
        let served = match seat {
            Some(seat) => self.buy(&mut connection, seat, arrival.at).await,
            None => self.look(&mut connection, dice < BUYERS + LOOKERS, arrival.at).await,
        };
        self.progress.step();
        (connection, served)
    }

    async fn buy(&self, connection: &mut Connection, seat: Seat, at: Instant) -> u32 {
        let answer = connection.book(seat.show_id, &[seat.number]).await;
        let held = match answer {
            Ok(answer) => {
                self.journal.wrote(answer.status, 201, at.elapsed());
                answer.held
            }
            Err(error) => {
                self.journal.failed(&error);
                None
            }
        };
        let Some(held) = held else {
            // A hold that is not known of is never confirmed: it can't have been sold.
            self.playhouse.leave(seat, &Left::Empty);
            return 0;
        };
        self.playhouse.remember(held.clone());
        if rand::rng().random_range(0..10) >= CONFIRMERS {
            self.playhouse.leave(seat, &Left::Empty);
            return 1;
        }
        let at = Instant::now();
        let (left, served) = match connection.confirm(&held).await {
            Ok(status) => {
                self.journal.wrote(status, 200, at.elapsed());
                match status {
                    200 => (Left::Bought(held.booking_id), 2),
                    500.. => (Left::Unsure, 1),
                    _ => (Left::Empty, 1),
                }
            }
            Err(error) => {
                self.journal.failed(&error);
                (Left::Unsure, 1)
            }
        };
        self.playhouse.leave(seat, &left);
        served
    }

    async fn look(&self, connection: &mut Connection, at_booking: bool, at: Instant) -> u32 {
        let (booking, show) = (self.playhouse.recent().filter(|_| at_booking), self.playhouse.playing());
        let done = match (booking, show) {
            (Some(held), _) => connection.booking(&held).await.map(drop),
            // Not parsed: only the server's work is of interest.
            (None, Some(show_id)) => seat_map(connection, show_id).await,
            (None, None) => return 0,
        };
        match done {
            Ok(()) => self.journal.read(at.elapsed()),
            Err(CallError::Refused { status, .. }) => self.journal.wrote(status, 200, at.elapsed()),
            Err(error) => self.journal.failed(&error),
        }
        1
    }
}

async fn seat_map(connection: &mut Connection, show_id: i64) -> Result<(), CallError> {
    connection.get(&format!("/shows/{show_id}/seats")).await?.success().map(drop)
}
