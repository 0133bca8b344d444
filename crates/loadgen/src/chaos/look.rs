//! The books, looked at while customers call: the invariants hold in every snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::report::Finding;
use super::stage::Stage;
use crate::verify;

/// How often.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// A look that takes longer is given up.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// What the books said while customers called.
#[derive(Default)]
pub(super) struct Looks {
    /// How often they could be read.
    pub(super) done: u32,
    /// How often not.
    pub(super) in_vain: u32,
    /// Each invariant once.
    broken: BTreeSet<&'static str>,
    pub(super) findings: Vec<Finding>,
}

impl Looks {
    /// Takes in what is broken.
    pub(super) fn at(&mut self, report: verify::VerifyReport) {
        for finding in report.findings {
            if finding.offenders > 0 && self.broken.insert(finding.invariant) {
                let says = format!("{}: {} rows, such as {}", finding.says, finding.offenders, finding.rows.join("; "));
                self.findings.push(Finding::new(finding.invariant, says));
            }
        }
    }
}

/// Looks until told to stop.
pub(super) async fn look(stage: Arc<Stage>, mut stopped: watch::Receiver<bool>) -> Looks {
    let mut looks = Looks::default();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return looks,
            () = sleep(LOOK_EVERY) => {}
        }
        match timeout(LOOK_LIMIT, verify::postgres(&stage.database.url(), false)).await {
            Ok(Ok(report)) => {
                looks.done += 1;
                looks.at(report);
            }
            Ok(Err(_)) | Err(_) => looks.in_vain += 1,
        }
    }
}
