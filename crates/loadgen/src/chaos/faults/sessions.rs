//! What happens among PostgreSQL's sessions.

use std::time::Duration;

use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::NoTls;

use crate::chaos::stage::Stage;

/// Sessions of the product.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowlock'";
const POLL: Duration = Duration::from_millis(50);

/// One or two at a time.
pub(super) async fn terminate(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    let mut session = stage.session(ends).await?;
    let mut terminated = 0;
    while Instant::now() < ends {
        let limit = rand::rng().random_range(1..=2);
        match session.list::<bool>(&format!("{TERMINATE} ORDER BY random() LIMIT {limit}")).await {
            Ok(done) => terminated += done.len(),
            Err(_) => session = stage.session(ends).await?,
        }
        let pause = Duration::from_millis(rand::rng().random_range(20..400));
        sleep_until(ends.min(Instant::now() + pause)).await;
    }
    Ok(format!("{terminated} sessions"))
}

/// Two that are at work, with the locks that they have.
pub(super) async fn suspend(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    let at_work = "SELECT pid FROM pg_stat_activity WHERE application_name = 'rowlock' ORDER BY state = 'idle', random() LIMIT 2";
    let ids: Vec<i32> = stage.session(ends).await?.list(at_work).await?;
    let ids: Vec<Pid> = ids.into_iter().filter_map(Pid::from_raw).collect();
    send(&ids, Signal::STOP);
    sleep_until(ends).await;
    send(&ids, Signal::CONT);
    Ok(format!("{} sessions", ids.len()))
}

fn send(ids: &[Pid], signal: Signal) {
    for id in ids {
        // A session that has ended needs no signal.
        let _ = kill_process(*id, signal);
    }
}

/// Takes every session that comes free, after it has ended those of the product.
pub(super) async fn use_up(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    let url = stage.database.url_as_owner();
    let control = stage.session(ends).await?;
    let (mut ours, mut terminated) = (Vec::new(), 0);
    while Instant::now() < ends {
        match tokio::time::timeout_at(ends, tokio_postgres::connect(&url, NoTls)).await {
            Ok(Ok((client, connection))) => ours.push((client, tokio::spawn(connection))),
            Ok(Err(_)) if terminated == 0 && !ours.is_empty() => {
                terminated = control.list::<bool>(TERMINATE).await.map_or(0, |done| done.len());
            }
            Ok(Err(_)) | Err(_) => sleep(POLL).await,
        }
    }
    let taken = ours.len();
    for (client, connection) in ours {
        drop(client);
        connection.abort();
    }
    Ok(format!("{taken} sessions taken, {terminated} ended"))
}

/// As someone in psql who has gone for a coffee. One row only: two could make a deadlock of our own.
pub(super) async fn sit_on_a_seat(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    let session = stage.session(ends).await?;
    let seat =
        "SELECT show_id FROM seats WHERE show_id IN (SELECT id FROM shows ORDER BY id DESC LIMIT 3) ORDER BY random() LIMIT 1";
    let show: i64 = session.ask(seat).await?;
    session.run("BEGIN").await?;
    let lock = format!("SELECT seat_number FROM seats WHERE show_id = {show} AND status <> 'CONFIRMED' LIMIT 1 FOR UPDATE");
    let locked: Vec<i32> = session.list(&lock).await?;
    sleep_until(ends).await;
    drop(session.run("ROLLBACK").await);
    Ok(locked.first().map_or_else(String::new, |seat| format!("seat {seat} of show {show}")))
}

pub(super) async fn long_snapshot(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    let session = stage.session(ends).await?;
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let bookings: i64 = session.ask("SELECT count(*) FROM bookings").await?;
    sleep_until(ends).await;
    drop(session.run("COMMIT").await);
    Ok(format!("at {bookings} bookings"))
}
