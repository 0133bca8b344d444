//! What happens to an api or an expiry-worker.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::chaos::stage::Stage;

/// How long a restarted api may take to be ready: its database may be in trouble of its own.
const READY_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn kill(stage: &Stage, programs: &[usize], ends: Instant) -> anyhow::Result<String> {
    for program in programs {
        stage.next_commit(*program).await;
        stage.part(*program)?.program.kill().await?;
    }
    sleep_until(ends).await;
    for program in programs {
        stage.part(*program)?.program.start().await?;
    }
    Ok(String::new())
}

pub(super) async fn suspend(stage: &Stage, programs: &[usize], ends: Instant) -> anyhow::Result<String> {
    for program in programs {
        stage.part(*program)?.program.suspend().await;
    }
    sleep_until(ends).await;
    for program in programs {
        stage.part(*program)?.program.resume().await;
    }
    Ok(String::new())
}

/// Each is ready again before the next one ends, if that is possible.
pub(super) async fn restart_in_turn(stage: &Stage, programs: &[usize], ends: Instant) -> anyhow::Result<String> {
    let mut ready = 0;
    for program in programs {
        let program = &stage.part(*program)?.program;
        program.stop().await?;
        program.start().await?;
        let limit = ends.min(Instant::now() + READY_LIMIT);
        ready += usize::from(stage.until_ready(limit).await.is_ok());
    }
    Ok(format!("{ready} of {} were ready before the next", programs.len()))
}
