//! One seat, many callers: exactly one may win.

use std::fmt;

use anyhow::Context;
use serde::Serialize;

use crate::crowd::Crowd;
use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::tally::Tally;
use crate::target::Target;

/// Who races for what.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Callers, each with a connection of its own that is open before the race begins
    #[arg(long, default_value_t = 200)]
    pub callers: usize,
}

/// How the race ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OneSeatReport {
    /// The calls.
    pub race: PhaseReport,
    /// The booking that won.
    pub winner: Option<i64>,
    /// What should not have happened.
    pub wrong: Vec<String>,
}

/// Lets all callers book the same seat of a new show at the same moment.
///
/// # Errors
/// If the server can't be reached, or the show can't be created or read. Answers of any kind are in the report.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<OneSeatReport> {
    const SEAT: u32 = 1;
    let mut crowd = Crowd::gather(target, options.callers).await?;
    let show_id = crowd.someone()?.create_show("One seat, many callers", 10).await.context("can't create a show")?;
    let line = progress.phase("one seat");
    let (done, measured) = crowd
        .work(|mut connection| {
            let progress = progress.clone();
            async move {
                let mut tally = Tally::default();
                let began = std::time::Instant::now();
                let held = match connection.book(show_id, &[SEAT]).await {
                    Ok(answer) => {
                        tally.answered(answer.status, began.elapsed());
                        answer.held
                    }
                    Err(error) => {
                        tally.failed(&error);
                        None
                    }
                };
                progress.step();
                (connection, (tally, held))
            }
        })
        .await?;
    drop(line);
    let (tallies, held): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let winners: Vec<i64> = held.into_iter().flatten().map(|held| held.booking_id).collect();
    let race = PhaseReport::new("race", 201, Tally::sum(tallies), measured)?;

    let mut wrong = judge(&race, options.callers);
    let seats = crowd.someone()?.seats(show_id).await.context("can't read the seats")?;
    let seat = seats.iter().find(|seat| seat.seat_number == i64::from(SEAT));
    if !seat.is_some_and(|seat| seat.status == "PENDING" && seat.booking_id.is_none_or(|id| winners == [id])) {
        wrong.push(format!("the seat map says {seat:?}, the winners are {winners:?}"));
    }
    let others = seats.iter().filter(|seat| seat.seat_number != i64::from(SEAT) && seat.status != "AVAILABLE").count();
    if others > 0 {
        wrong.push(format!("{others} seats that nobody asked for are not free"));
    }
    Ok(OneSeatReport { race, winner: winners.first().copied(), wrong })
}

fn judge(race: &PhaseReport, callers: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let count = |status| race.statuses.get(&status).copied().unwrap_or(0);
    if count(201) != 1 {
        wrong.push(format!("{} callers got the seat, not one", count(201)));
    }
    if count(409) + 1 != callers as u64 {
        wrong.push(format!("{} of {} losers were answered with 409", count(409), callers.saturating_sub(1)));
    }
    if race.server_errors() > 0 {
        wrong.push(format!("{} answers say that the server failed", race.server_errors()));
    }
    if race.errors > 0 {
        wrong.push(format!("{} calls had no answer", race.errors));
    }
    wrong
}

impl Report for OneSeatReport {
    fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for OneSeatReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.race)?;
        if let Some(winner) = self.winner {
            writeln!(f, "booking {winner} has the seat")?;
        }
        crate::report::list(f, &self.wrong)
    }
}
