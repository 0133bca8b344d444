//! What happens to PostgreSQL as a whole.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use throwaway_postgres::Cluster;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::chaos::stage::Stage;

/// How long a standby may take to have everything, and then to take over.
const FAIL_OVER_LIMIT: Duration = Duration::from_mins(1);
/// How long PostgreSQL may take to start again on a disk with room.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// What fills a disk is written in pieces.
const LUMP: usize = 64 * 1024;

pub(super) async fn kill(stage: &Stage, only_the_postmaster: bool, ends: Instant) -> anyhow::Result<String> {
    stage.next_commit(0).await;
    let killed = if only_the_postmaster { "the postmaster" } else { "every process" };
    let kill = if only_the_postmaster { Cluster::kill_postmaster } else { Cluster::kill };
    stage.database.with_primary(kill).await?;
    sleep_until(ends).await;
    stage.database.start_again().await?;
    Ok(killed.to_owned())
}

pub(super) async fn suspend(stage: &Stage, ends: Instant) -> anyhow::Result<String> {
    stage.database.with_primary(Cluster::suspend).await?;
    sleep_until(ends).await;
    stage.database.with_primary(Cluster::resume).await?;
    Ok(String::new())
}

pub(super) async fn fail_over(stage: &Stage) -> anyhow::Result<String> {
    stage.next_commit(0).await;
    timeout(FAIL_OVER_LIMIT, stage.database.fail_over()).await.context("the standby does not get in step")??;
    Ok("the standby is the primary".to_owned())
}

pub(super) async fn fill_disk(stage: &Arc<Stage>, ends: Instant) -> anyhow::Result<String> {
    anyhow::ensure!(stage.database.has_small_disk(), "PostgreSQL is on no small disk: that takes root, and Linux");
    let ballast = stage.database.primary().data_directory().join("ballast");
    let mut megabytes = 0;
    while Instant::now() < ends {
        let file = ballast.clone();
        megabytes = spawn_blocking(move || fill(file)).await.context("the disk can't be filled")??;
        sleep(POLL).await;
    }
    std::fs::remove_file(&ballast).context("can't remove the ballast")?;
    let died = !stage.database.with_primary(Cluster::runs).await?;
    // It may be at its last attempt to recover while we look.
    timeout(RECOVERY_LIMIT, async {
        while stage.database.session().await.is_err() {
            stage.database.start_again().await?;
            sleep(POLL).await;
        }
        anyhow::Ok(())
    })
    .await
    .context("PostgreSQL does not recover")??;
    Ok(format!("{megabytes} MB of ballast{}", if died { "; PostgreSQL died of it" } else { "" }))
}

/// Fills the disk to its end; returns how large the file has become.
fn fill(file: PathBuf) -> anyhow::Result<u64> {
    let mut file = File::options().create(true).append(true).open(file).context("can't fill the disk")?;
    let lump = vec![1; LUMP];
    while file.write_all(&lump).is_ok() {}
    Ok(file.metadata().context("can't fill the disk")?.len() / 1_000_000)
}
