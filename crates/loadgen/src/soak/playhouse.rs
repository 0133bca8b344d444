//! The shows of a soak: always one that plays, the next ones ready, and those that are over compared with their seat map.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Connection, Held};
use crate::patience;
use crate::seat_audit::Sales;
use crate::target::Target;

/// Shows that are ready before they are needed.
const READY: usize = 3;

/// Bookings that somebody may look at.
const RECENT_MAX: usize = 256;

/// Between two looks at what is to be done.
const PAUSE: Duration = Duration::from_millis(10);

/// A seat that is somebody's for as long as its customer deals with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) show_id: i64,
    pub(super) number: u32,
}

/// How a customer left.
pub(super) enum Left {
    /// With a booking that was confirmed.
    Bought(i64),
    /// Without.
    Empty,
    /// Without knowing.
    Unsure,
}

/// Its shows.
pub(super) struct Playhouse {
    shows: Mutex<Shows>,
    seats: u32,
    target: Target,
}

#[derive(Default)]
struct Shows {
    /// The first of them plays.
    open: VecDeque<Show>,
    /// Sold out, but some customers are still in.
    closing: Vec<Show>,
    recent: VecDeque<Held>,
    looked_at: usize,
}

struct Show {
    id: i64,
    next_seat: u32,
    customers_in: u32,
    sold: Vec<(u32, i64)>,
    unsure: bool,
}

/// What all shows came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Season {
    /// How many there were.
    pub(super) shows: u64,
    /// Seats that were sold.
    pub(super) seats_sold: u64,
    /// Where answers and seat maps differ.
    pub(super) wrong: Vec<String>,
}

/// The task that makes shows and compares them when they are over.
pub(super) struct Managing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<(Connection, Season)>>,
}

impl Playhouse {
    /// With a show that can begin.
    pub(super) async fn open(target: &Target, seats: u32) -> anyhow::Result<Self> {
        anyhow::ensure!(seats > 0, "a show must have seats");
        let playhouse = Self { shows: Mutex::default(), seats, target: target.clone() };
        let mut office = target.connect().await.with_context(|| format!("can't connect to {}", target.url))?;
        playhouse.make_ready(&mut office).await?;
        Ok(playhouse)
    }

    fn shows(&self) -> MutexGuard<'_, Shows> {
        self.shows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next seat; `None` if all shows that are ready have been sold.
    pub(super) fn enter(&self) -> Option<Seat> {
        let mut shows = self.shows();
        if shows.open.front()?.next_seat > self.seats {
            let over = shows.open.pop_front()?;
            shows.closing.push(over);
        }
        let show = shows.open.front_mut()?;
        let seat = Seat { show_id: show.id, number: show.next_seat };
        show.next_seat += 1;
        show.customers_in += 1;
        Some(seat)
    }

    /// A customer has done with a seat.
    pub(super) fn leave(&self, seat: Seat, left: &Left) {
        let mut shows = self.shows();
        let shows = &mut *shows;
        let Some(show) = shows.open.iter_mut().chain(&mut shows.closing).find(|show| show.id == seat.show_id) else { return };
        show.customers_in -= 1;
        match left {
            Left::Bought(booking_id) => show.sold.push((seat.number, *booking_id)),
            Left::Empty => {}
            Left::Unsure => show.unsure = true,
        }
    }

    /// Somebody may look at this booking.
    pub(super) fn remember(&self, held: Held) {
        let mut shows = self.shows();
        shows.recent.push_back(held);
        if shows.recent.len() > RECENT_MAX {
            shows.recent.pop_front();
        }
    }

    /// A booking to look at: one after the other.
    pub(super) fn recent(&self) -> Option<Held> {
        let mut shows = self.shows();
        shows.looked_at += 1;
        let i = shows.looked_at % shows.recent.len().max(1);
        shows.recent.get(i).cloned()
    }

    /// The show that plays.
    pub(super) fn playing(&self) -> Option<i64> {
        self.shows().open.front().map(|show| show.id)
    }

    async fn make_ready(&self, office: &mut Connection) -> anyhow::Result<u64> {
        let mut made = 0;
        while self.shows().open.len() < READY {
            let id = patience::show(office, "Soaked by loadgen", self.seats).await.context("can't create a show")?;
            let show = Show { id, next_seat: 1, customers_in: 0, sold: Vec::new(), unsure: false };
            self.shows().open.push_back(show);
            made += 1;
        }
        Ok(made)
    }

    /// Shows in which nobody is any more.
    fn over(&self) -> Vec<Show> {
        self.shows().closing.extract_if(.., |show| show.customers_in == 0).collect()
    }

    /// Begins to make shows, and to compare those that are over.
    pub(super) fn manage(self: &Arc<Self>) -> Managing {
        let (stop, mut stopped) = oneshot::channel();
        let playhouse = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut office = playhouse.target.connect().await?;
            let mut season = Season { shows: READY as u64, ..Season::default() };
            loop {
                let made = playhouse.make_ready(&mut office).await?;
                season.shows += made;
                for show in playhouse.over() {
                    season.compare(show, &mut office).await?;
                }
                if made > 0 && stopped.is_empty() {
                    continue;
                }
                if tokio::time::timeout(PAUSE, &mut stopped).await.is_ok() {
                    return Ok((office, season));
                }
            }
        });
        Managing { stop, task }
    }
}

impl Managing {
    /// When all customers have left: what it all came to.
    pub(super) async fn finish(self, playhouse: &Playhouse) -> anyhow::Result<Season> {
        let _ = self.stop.send(());
        let (mut office, mut season) = self.task.await.context("the playhouse broke down")??;
        let shows = std::mem::take(&mut *playhouse.shows());
        for show in shows.closing.into_iter().chain(shows.open) {
            season.compare(show, &mut office).await?;
        }
        Ok(season)
    }
}

impl Season {
    async fn compare(&mut self, show: Show, office: &mut Connection) -> anyhow::Result<()> {
        let mut sales = Sales::default();
        sales.include(show.id);
        for (seat, booking_id) in &show.sold {
            sales.confirmed(show.id, &[*seat], *booking_id);
        }
        self.seats_sold += show.sold.len() as u64;
        self.wrong.extend(sales.audit(office, show.unsure).await?);
        Ok(())
    }
}
