//! The memory of the server's process, watched from beside it.

use std::time::{Duration, Instant};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);

/// Resident memory of a process, in KiB; `None` if there is no such process, or the system does not tell.
pub(crate) fn resident_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Looks until stopped.
pub(crate) struct Watch {
    stop: tokio::sync::oneshot::Sender<()>,
    looking: tokio::task::JoinHandle<Vec<(Instant, u64)>>,
}

impl Watch {
    /// Begins to look.
    pub(crate) fn start(pid: u32) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let looking = tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                seen.extend(resident_kib(pid).map(|kib| (Instant::now(), kib)));
                if tokio::time::timeout(EVERY, &mut stopped).await.is_ok() {
                    return seen;
                }
            }
        });
        Self { stop, looking }
    }

    /// Everything that was seen, in KiB.
    pub(crate) async fn finish(self) -> Vec<(Instant, u64)> {
        let _ = self.stop.send(());
        self.looking.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_memory_of_this_process_is_seen_and_that_of_none_is_not() {
        if resident_kib(std::process::id()).is_none() {
            // No /proc here.
            return;
        }
        let seen = Watch::start(std::process::id()).finish().await;
        assert!(seen.iter().all(|(_, kib)| *kib > 100), "{seen:?}");
        // Above the largest that Linux gives.
        assert_eq!(resident_kib(u32::MAX), None);
    }
}
