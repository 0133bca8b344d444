//! What is remembered of shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::{LockedShow, ShowId};

use crate::batch::FoundShow;
use crate::row_address::RowAddress;

/// So many shows are remembered; when there are more, all of them are forgotten, and those that sell are soon known again.
const SHOWS_REMEMBERED: usize = 65_536;

/// Shows as they were found last, and how far their histories have come.
#[derive(Default)]
pub(super) struct Shows {
    known: HashMap<ShowId, Known>,
    /// Until then batches look for the last number of a history themselves.
    in_doubt_until: Option<Instant>,
}

struct Known {
    found: FoundShow,
    /// The last number of its history, and when the batch that used it began.
    last_number: Option<(i64, Instant)>,
}

/// So long batches look for last numbers after one that was wrong about one: somebody else sells in these shows, or a sweep goes on. Each
/// that is wrong is an error in PostgreSQL's log.
const IN_DOUBT_FOR: Duration = Duration::from_secs(10);

impl Shows {
    pub(super) fn get(&self, id: ShowId) -> Option<LockedShow> {
        self.known.get(&id).map(|known| known.found.show)
    }

    /// What a batch says of these shows: where each lies, and its last number, or 0 where that is not known. A number is not known on a
    /// connection that is younger: in between the history may have been set back, as from a backup.
    pub(super) fn expect(&self, shows: &[i64], connected: Option<Instant>) -> (Vec<Option<RowAddress>>, Vec<i64>) {
        let in_doubt = self.in_doubt_until.is_some_and(|until| Instant::now() < until);
        let expect = |id: &i64| {
            let known = ShowId::new(*id).and_then(|id| self.known.get(&id));
            let last_number = known.and_then(|known| known.last_number).filter(|(_, heard)| Some(*heard) >= connected);
            let last_number = last_number.filter(|_| !in_doubt && connected.is_some());
            (known.map(|known| known.found.address), last_number.map_or(0, |(number, _)| number))
        };
        shows.iter().map(expect).unzip()
    }

    /// A batch that began then has come to these last numbers. Of two that overlapped the higher ones are right, whichever is heard
    /// of first.
    pub(super) fn went_on(&mut self, last_numbers: &[(i64, i64)], began: Instant) {
        for &(id, number) in last_numbers {
            if let Some(known) = ShowId::new(id).and_then(|id| self.known.get_mut(&id))
                && known.last_number.is_none_or(|(before, heard)| before < number || heard <= began)
            {
                known.last_number = Some((number, began));
            }
        }
    }

    /// A last number was not the last.
    pub(super) fn was_wrong(&mut self) {
        self.in_doubt_until = Some(Instant::now() + IN_DOUBT_FOR);
    }

    /// Takes in shows as a batch found them.
    pub(super) fn found(&mut self, shows: &[FoundShow]) {
        if self.known.len() > SHOWS_REMEMBERED {
            self.known.clear();
        }
        self.known.extend(shows.iter().map(|found| (found.show.id, Known { found: *found, last_number: None })));
    }
}
