//! A second server that has every commit of the first.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::programs::Programs;
use crate::watchdog::{Disk, Watchdog};
use crate::{Cluster, PsqlError, StartError};

/// What a primary needs for a standby; the standby has the same settings.
pub const REPLICATED: [(&str, &str); 4] = [
    ("wal_level", "replica"),
    ("max_wal_senders", "4"),
    // So that it is back soon after a crash of the primary.
    ("wal_retrieve_retry_interval", "200ms"),
    // A primary that is suspended for a while is still the primary.
    ("wal_receiver_timeout", "60s"),
];

/// How long a standby may take to catch up.
const CATCH_UP_LIMIT: Duration = Duration::from_mins(1);

impl Cluster {
    /// Starts a standby of this cluster, which has to have the settings in [`REPLICATED`]. When this returns, and until the
    /// cluster is dropped, each commit here waits until the standby has it on its disk.
    pub fn start_synchronous_standby(&self) -> Result<Self, StartError> {
        let programs = self.programs.clone();
        let watchdog = Watchdog::start(&programs, Disk::Ordinary)?;
        copy(&programs, &watchdog, self.port)?;
        let standby = Self::serve(programs, watchdog, self.settings.clone())?;
        self.wait_for_it().map_err(|PsqlError(said)| StartError::Standby(said))?;
        Ok(standby)
    }

    /// Makes a standby the new primary. The old one has to be dead, and must not be started again.
    pub fn promote(&self) -> Result<(), PsqlError> {
        match self.psql("postgres", "SELECT pg_promote()")?.as_str() {
            "t" => Ok(()),
            _ => Err(PsqlError("pg_promote() did not come to an end".to_owned())),
        }
    }

    /// From now on a commit waits for the standby. On the primary alone: a promoted standby waits for nobody.
    fn wait_for_it(&self) -> Result<(), PsqlError> {
        self.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()")?;
        let started = Instant::now();
        while self.psql("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")? != "1" {
            if started.elapsed() > CATCH_UP_LIMIT {
                return Err(PsqlError("it does not catch up".to_owned()));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Copies the primary's data directory, with what makes the copy a standby. The slot keeps the log that it still needs.
fn copy(programs: &Programs, watchdog: &Watchdog, primary: u16) -> Result<(), StartError> {
    let mut command = watchdog.adopt(programs.server("pg_basebackup"));
    command.args(["-d", &format!("host=127.0.0.1 port={primary} user=postgres"), "--write-recovery-conf", "--no-sync"]);
    command.args(["--checkpoint=fast", "--create-slot", "--slot=standby", "-D"]).arg(watchdog.folder().join(Path::new("data")));
    let output = command.output().map_err(StartError::io("can't run pg_basebackup"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Standby(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}
