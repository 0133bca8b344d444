//! What a server may meet with, besides a plain crash.

use crate::programs::Programs;
use crate::server::Server;
use crate::watchdog::Disk;
use crate::{Cluster, StartError};

/// Keep the log small, as the disk is.
const LITTLE_LOG: [(&str, &str); 2] = [("min_wal_size", "32MB"), ("max_wal_size", "64MB")];

impl Cluster {
    /// Starts a cluster whose data directory is a disk of its own, in memory, that can be filled. An empty cluster takes some
    /// 60 megabytes.
    ///
    /// # Errors
    /// [`StartError::NoSmallDisk`] where none can be mounted: that takes root, and Linux.
    pub fn start_on_small_disk(megabytes: u32, settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let settings: Vec<_> = LITTLE_LOG.iter().chain(settings).copied().collect();
        Self::start_in(Programs::find()?, Disk::Small(megabytes), &settings)
    }

    /// SIGSTOP to every process of the server. [`kill`](Self::kill) works on it, and [`resume`](Self::resume).
    pub fn suspend(&self) {
        if let Some(server) = self.server().as_ref() {
            server.suspend();
        }
    }

    /// SIGCONT to every process of the server.
    pub fn resume(&self) {
        if let Some(server) = self.server().as_ref() {
            server.resume();
        }
    }

    /// SIGKILL to the postmaster alone. Its sessions finish what they are at, then notice, and end; until then
    /// [`start_again`](Self::start_again) tries in vain, and again.
    pub fn kill_postmaster(&self) {
        if let Some(mut server) = self.server().take() {
            server.kill_postmaster();
        }
    }

    /// Whether the postmaster runs. It ends by itself when it can't recover from a crash, on a full disk for one; then
    /// [`start_again`](Self::start_again) starts it.
    pub fn runs(&self) -> bool {
        let mut server = self.server();
        let runs = server.as_mut().is_some_and(Server::runs);
        if !runs {
            *server = None;
        }
        runs
    }
}
