//! The books after a run: the invariants, and what was answered against what is there.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use tokio_postgres::Client;

use super::deal::Deal;
use super::load::Answered;
use crate::report::Report;
use crate::verify::VerifyReport;

/// A booking as the tables have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) id: i64,
    pub(super) show_id: i64,
    pub(super) seats: Vec<i32>,
    pub(super) confirmed: bool,
}

/// The bookings of these shows in PostgreSQL.
pub(super) async fn in_postgres(session: &Client, first_show: i64, last_show: i64) -> anyhow::Result<Vec<Booked>> {
    let rows = session.query(include_str!("../../sql/bench/booked.sql"), &[&first_show, &last_show]).await;
    let booked = rows.context("can't read the bookings")?.into_iter().map(|row| {
        let status: &str = row.try_get(3)?;
        Ok(Booked { id: row.try_get(0)?, show_id: row.try_get(1)?, seats: row.try_get(2)?, confirmed: status == "CONFIRMED" })
    });
    booked.collect::<Result<_, tokio_postgres::Error>>().context("can't read the bookings")
}

/// The bookings of these shows in SQLite.
pub(super) fn in_sqlite(file: &Path, first_show: i64, last_show: i64) -> anyhow::Result<Vec<Booked>> {
    let database = rusqlite::Connection::open(file).context("can't open the embedded store")?;
    let sql = "SELECT id, show_id, seat_numbers, status FROM bookings WHERE show_id BETWEEN ?1 AND ?2 ORDER BY id";
    let mut statement = database.prepare(sql)?;
    let rows = statement.query_map([first_show, last_show], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
    })?;
    rows.map(|row| {
        let (id, show_id, seats, status) = row?;
        Ok(Booked { id, show_id, seats: serde_json::from_str(&seats)?, confirmed: status == "CONFIRMED" })
    })
    .collect()
}

/// How many differences are named.
const NAMED_MAX: usize = 5;

/// Every difference between what was answered and what is there. `answers_missing` says that calls had no answer, so that
/// there may be bookings that nobody was told of.
pub(super) fn differences(deal: &Deal, answered: &[Answered], booked: &[Booked], answers_missing: bool) -> Vec<String> {
    let mut there: HashMap<i64, &Booked> = booked.iter().map(|booked| (booked.id, booked)).collect();
    let mut wrong = Vec::new();
    let step = deal.step();
    let mut seats = Vec::new();
    for answer in answered {
        let show_id = deal.basket(answer.basket, step, &mut seats);
        let Answered { booking_id, confirmed, .. } = *answer;
        match there.remove(&booking_id) {
            None => wrong.push(format!("booking {booking_id} was answered with 201 and is not there, or was answered twice")),
            Some(booked) => {
                let same_seats = booked.seats.iter().map(|seat| i64::from(*seat)).eq(seats.iter().map(|seat| i64::from(*seat)));
                if !(same_seats && booked.show_id == show_id) {
                    wrong.push(format!("booking {booking_id} was answered for show {show_id} {seats:?} but is {booked:?}"));
                }
                if booked.confirmed != confirmed && !answers_missing {
                    wrong.push(format!("booking {booking_id}: confirmed is {} and was answered {confirmed}", booked.confirmed));
                }
            }
        }
    }
    if !answers_missing {
        wrong.extend(there.keys().map(|id| format!("booking {id} is there and nobody was told so")));
    }
    shorten(wrong)
}

/// The invariants that are broken.
pub(super) fn broken(report: &VerifyReport) -> Vec<String> {
    if report.passed() {
        return Vec::new();
    }
    let broken = report.findings.iter().filter(|finding| finding.offenders > 0);
    broken
        .map(|finding| format!("{}: {} offenders, such as {:?}", finding.invariant, finding.offenders, finding.rows.first()))
        .collect()
}

fn shorten(mut wrong: Vec<String>) -> Vec<String> {
    if let Some(more @ 1..) = wrong.len().checked_sub(NAMED_MAX) {
        wrong.truncate(NAMED_MAX);
        wrong.push(format!("and {more} more"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAL: Deal = Deal { first_show: 7, shows: 1, seats_a_show: 1, basket: 1, in_turn: false };

    #[test]
    fn every_difference_is_named() {
        let answer = Answered { booking_id: 3, basket: 0, confirmed: false };
        let booked = Booked { id: 3, show_id: 7, seats: vec![1], confirmed: false };
        let found = |answers: &[Answered], there: &[Booked], missing| differences(&DEAL, answers, there, missing);
        assert_eq!(found(&[answer], std::slice::from_ref(&booked), false), Vec::<String>::new());
        assert!(found(&[answer], &[], true)[0].contains("is not there"));
        assert!(found(&[], std::slice::from_ref(&booked), false)[0].contains("nobody was told"));
        assert_eq!(found(&[], std::slice::from_ref(&booked), true), Vec::<String>::new());
        assert!(found(&[answer, answer], std::slice::from_ref(&booked), false)[0].contains("twice"));
        assert!(found(&[answer], &[Booked { seats: vec![2], ..booked.clone() }], false)[0].contains("but is"));
        assert!(found(&[answer], &[Booked { show_id: 8, ..booked.clone() }], false)[0].contains("but is"));
        assert!(found(&[Answered { confirmed: true, ..answer }], &[booked], false)[0].contains("confirmed"));
    }
}
