//! How each fault is done, and undone when its time is over.

mod postgres;
mod programs;
mod sessions;

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::fault::Fault;
use super::plan::Planned;
use super::proxy::Weather;
use super::stage::Stage;

/// The longest wait on a slow line, in milliseconds.
const SLOW_MS: u64 = 300;

/// Does what is planned until its end, and undoes it. Says what has been done; or why it could not be done.
pub(super) async fn strike(stage: &Arc<Stage>, planned: &Planned, ends: Instant) -> anyhow::Result<String> {
    let programs = &planned.programs;
    let weather = match planned.fault {
        Fault::KillApi | Fault::KillWorker => return programs::kill(stage, programs, ends).await,
        Fault::SuspendApi | Fault::SuspendWorker => return programs::suspend(stage, programs, ends).await,
        Fault::RollingRestart => return programs::restart_in_turn(stage, programs, ends).await,
        Fault::KillPostgres => return postgres::kill(stage, planned.coin(), ends).await,
        Fault::SuspendPostgres => return postgres::suspend(stage, ends).await,
        Fault::FillDisk => return postgres::fill_disk(stage, ends).await,
        Fault::FailOver => return postgres::fail_over(stage).await,
        Fault::TerminateSessions => return sessions::terminate(stage, ends).await,
        Fault::SuspendSessions => return sessions::suspend(stage, ends).await,
        Fault::UseUpSessions => return sessions::use_up(stage, ends).await,
        Fault::SitOnSeats => return sessions::sit_on_a_seat(stage, ends).await,
        Fault::LongSnapshot => return sessions::long_snapshot(stage, ends).await,
        Fault::WrongClock => anyhow::bail!("a clock is wrong from the start"),
        Fault::Delay => Weather::Slow(SLOW_MS),
        Fault::Reset => Weather::Resets,
        Fault::Silence => Weather::Silence,
        Fault::LoseAnswers => Weather::NoAnswers,
        Fault::LoseQuestions => Weather::NoQuestions,
        Fault::CutCommits => Weather::CutCommits,
    };
    stage.set_weather(programs, weather);
    sleep_until(ends).await;
    stage.set_weather(programs, Weather::Fair);
    Ok(String::new())
}
