//! Which shows are on sale, and which bookings people talk about.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::sync::Notify;

use super::super::history::{Limits, Show};
use crate::client::{BaseUrl, CallError, Connection};

/// How many of the last shows people still ask for.
const LAST_SHOWS: usize = 8;

/// How many bookings people talk about.
const TALK_MAX: usize = 256;

/// What a customer may have where that is limited: less than those who go by its name would take together.
const LIMITS: Limits = Limits { seats: 4, holds: 2 };

/// Before the box office tries again.
const PAUSE: Duration = Duration::from_millis(200);

/// What all customers know.
pub(super) struct OnSale {
    board: Mutex<Board>,
    sold_out: Notify,
}

struct Board {
    on_sale: Vec<Show>,
    all: Vec<Show>,
    sold_out: Vec<i64>,
    talk: VecDeque<i64>,
}

impl OnSale {
    /// Creates the first shows.
    pub(super) async fn open(servers: &[BaseUrl], shows: u32, seats: u32, time_limit: Duration) -> anyhow::Result<Self> {
        anyhow::ensure!(shows > 0 && seats > 0, "there must be a show with a seat");
        let mut on_sale = Vec::new();
        for number in 0..shows {
            // The first takes late confirms; the second does not, and limits its customers; and so on.
            let late_confirm = number % 2 == 0;
            let limits = (!late_confirm).then_some(LIMITS);
            let show = Show { id: 0, seats, late_confirm, limits };
            on_sale.push(create(servers, show, time_limit).await.context("can't create a show")?);
        }
        let board = Board { all: on_sale.clone(), on_sale, sold_out: Vec::new(), talk: VecDeque::new() };
        Ok(Self { board: Mutex::new(board), sold_out: Notify::new() })
    }

    /// Replaces shows that are sold out, for ever.
    pub(super) async fn keep_shows_on_sale(self: std::sync::Arc<Self>, servers: std::sync::Arc<[BaseUrl]>, time_limit: Duration) {
        loop {
            let sold_out = self.board().first_sold_out();
            let Some(last) = sold_out else {
                self.sold_out.notified().await;
                continue;
            };
            // It may have been created and not said so. Then nobody will know of it.
            match create(&servers, last, time_limit).await {
                Ok(show) => self.board().replace(last.id, show),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// A show that is on sale: the one with this index, or as if there were more of them.
    pub(super) fn show(&self, index: usize) -> Show {
        let board = self.board();
        board.on_sale[index % board.on_sale.len()]
    }

    /// A show that was on sale not long ago, if there is one, or is.
    pub(super) fn last_show(&self, index: usize) -> Option<Show> {
        let all = &self.board().all;
        let last = &all[all.len().saturating_sub(LAST_SHOWS)..];
        last.get(index % last.len().max(1)).copied()
    }

    /// Says that there is next to nothing left of a show.
    pub(super) fn is_sold_out(&self, show_id: i64) {
        let mut board = self.board();
        if board.on_sale.iter().any(|show| show.id == show_id) && !board.sold_out.contains(&show_id) {
            board.sold_out.push(show_id);
            self.sold_out.notify_one();
        }
    }

    /// Talks about a booking.
    pub(super) fn mention(&self, booking_id: i64) {
        let talk = &mut self.board().talk;
        if talk.len() == TALK_MAX {
            talk.pop_front();
        }
        talk.push_back(booking_id);
    }

    /// A booking that was talked about: the one with this index, or as if there were more of them.
    pub(super) fn overheard(&self, index: usize) -> Option<i64> {
        let talk = &self.board().talk;
        talk.get(index % talk.len().max(1)).copied()
    }

    /// Every show that there was.
    pub(super) fn all(&self) -> Vec<Show> {
        self.board().all.clone()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn first_sold_out(&self) -> Option<Show> {
        let id = self.sold_out.first()?;
        self.on_sale.iter().find(|show| show.id == *id).copied()
    }

    fn replace(&mut self, id: i64, by: Show) {
        self.sold_out.retain(|sold_out| *sold_out != id);
        for show in &mut self.on_sale {
            if show.id == id {
                *show = by;
            }
        }
        self.all.push(by);
    }
}

/// Creates a show like this one on whichever server does it.
async fn create(servers: &[BaseUrl], like: Show, time_limit: Duration) -> Result<Show, CallError> {
    let terms = json!({
        "late_confirm": like.late_confirm,
        "seats_per_customer": like.limits.map(|limits| limits.seats),
        "holds_per_customer": like.limits.map(|limits| limits.holds),
    });
    let mut result = Err(CallError::TimedOut(time_limit));
    for server in servers {
        let creating = async {
            let mut connection = Connection::open(server).await?;
            connection.create_show_on("Chaos", like.seats, terms.clone()).await
        };
        result = tokio::time::timeout(time_limit, creating).await.unwrap_or(Err(CallError::TimedOut(time_limit)));
        if result.is_ok() {
            break;
        }
    }
    result.map(|id| Show { id, ..like })
}
