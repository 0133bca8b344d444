//! Which faults come when: chosen by a seed, one to three at a time.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use super::fault::Fault;

/// The programs, by index: two apis, then two expiry-workers.
pub(super) const PROGRAMS: [&str; 4] = ["api-0", "api-1", "worker-0", "worker-1"];
const APIS: [usize; 2] = [0, 1];
const WORKERS: [usize; 2] = [2, 3];

/// How many things there are of which a fault needs one or more for itself.
pub(super) const NEEDS: usize = 2 * PROGRAMS.len() + 4;

/// A fault with its time and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    /// The programs that it strikes, by index; none if it strikes the database.
    pub(super) programs: Vec<usize>,
    /// From the beginning of the faults.
    pub(super) begins: Duration,
    /// From the beginning of the faults.
    pub(super) ends: Duration,
}

/// What a seed decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) faults: Vec<Planned>,
    /// By how many seconds the clock of the second api and the second worker is wrong.
    pub(super) clock_shift_seconds: Option<i64>,
}

/// Most faults at the same time.
const AT_ONCE_MAX: usize = 3;
/// What is shorter is no fault.
const FAULT_MIN: Duration = Duration::from_secs(1);

impl Plan {
    /// The faults of this long a stretch, drawn from these.
    pub(super) fn draw(seed: u64, length: Duration, faults: &[Fault]) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let wrong_clock = if rng.random_bool(0.5) { -3600 } else { 3600 };
        let clock_shift_seconds = faults.contains(&Fault::WrongClock).then_some(wrong_clock);
        let mut kinds = faults.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.retain(|fault| !matches!(fault, Fault::WrongClock | Fault::FailOver));
        let fail_over = faults.contains(&Fault::FailOver);
        let mut draw = Draw { rng, length, kinds, deck: Vec::new(), planned: Vec::new() };
        draw.all(fail_over);
        Self { faults: draw.planned, clock_shift_seconds }
    }

    /// Whether PostgreSQL's disk will be filled.
    pub(super) fn needs_small_disk(&self) -> bool {
        self.faults.iter().any(|planned| planned.fault == Fault::FillDisk)
    }
}

struct Draw {
    rng: StdRng,
    length: Duration,
    kinds: Vec<Fault>,
    /// What has not come yet: every kind comes once before one comes twice.
    deck: Vec<Fault>,
    planned: Vec<Planned>,
}

impl Draw {
    /// Wave after wave: the faults of one have ended before the next begins.
    fn all(&mut self, mut fail_over: bool) {
        let mut now = self.between(0.2, 1.0);
        while now + FAULT_MIN < self.length {
            let mut wave = Vec::new();
            if fail_over && now > self.length.mul_f64(0.5) {
                fail_over = false;
                // Afterwards PostgreSQL lies on another disk.
                self.kinds.retain(|fault| *fault != Fault::FillDisk);
                self.deck.retain(|fault| *fault != Fault::FillDisk);
                wave.push(self.place(Fault::FailOver, now));
            }
            // More often three than two, and two than one.
            let wanted = [1, 2, 2, 3, 3, AT_ONCE_MAX][self.rng.random_range(0..6)];
            while wave.len() < wanted
                && let Some(next) = self.next_beside(&wave, now)
            {
                wave.push(next);
            }
            let Some(end) = wave.iter().map(|planned| planned.ends).max() else { return };
            self.planned.append(&mut wave);
            now = end + self.between(0.3, 1.2);
        }
    }

    /// The next of the deck that has nothing to do with what is in the wave.
    fn next_beside(&mut self, wave: &[Planned], now: Duration) -> Option<Planned> {
        if self.deck.is_empty() {
            self.deck = self.kinds.clone();
            self.deck.shuffle(&mut self.rng);
        }
        for index in 0..self.deck.len() {
            let begins = now + if wave.is_empty() { Duration::ZERO } else { self.between(0.0, 1.5) };
            let next = self.place(self.deck[index], begins);
            if next.begins + FAULT_MIN <= next.ends && !wave.iter().any(|other| other.collides(&next)) {
                self.deck.remove(index);
                return Some(next);
            }
        }
        None
    }

    fn place(&mut self, fault: Fault, begins: Duration) -> Planned {
        let programs = match fault {
            Fault::KillApi | Fault::SuspendApi => vec![self.one_of(&APIS)],
            Fault::KillWorker | Fault::SuspendWorker => vec![self.one_of(&WORKERS)],
            Fault::RollingRestart => APIS.to_vec(),
            Fault::Delay | Fault::Reset | Fault::Silence | Fault::LoseAnswers | Fault::LoseQuestions | Fault::CutCommits => {
                let lines: [&[usize]; 5] = [&[0], &[1], &APIS, &[0, 2], &[0, 1, 2, 3]];
                lines[self.rng.random_range(0..lines.len())].to_vec()
            }
            Fault::KillPostgres
            | Fault::TerminateSessions
            | Fault::SuspendSessions
            | Fault::SuspendPostgres
            | Fault::UseUpSessions
            | Fault::SitOnSeats
            | Fault::LongSnapshot
            | Fault::FillDisk
            | Fault::WrongClock
            | Fault::FailOver => Vec::new(),
        };
        let ends = (begins + self.duration(fault)).min(self.length);
        Planned { fault, programs, begins, ends }
    }

    fn one_of(&mut self, places: &[usize]) -> usize {
        places[self.rng.random_range(0..places.len())]
    }

    /// Long enough to hurt, and short enough for many in one run.
    fn duration(&mut self, fault: Fault) -> Duration {
        let run = self.length.as_secs_f64();
        let long = (run / 6.0).clamp(3.0, 30.0);
        match fault {
            Fault::KillApi | Fault::KillWorker | Fault::KillPostgres => self.between(1.0, 2.5),
            Fault::SuspendApi | Fault::SuspendWorker | Fault::SuspendSessions | Fault::SuspendPostgres => {
                self.between((run / 20.0).clamp(1.5, 5.0), long)
            }
            Fault::SitOnSeats => self.between(2.0, long.min(10.0)),
            Fault::RollingRestart | Fault::FailOver => self.between(3.0, 5.0),
            Fault::FillDisk | Fault::TerminateSessions => self.between(2.0, 5.0),
            Fault::Delay
            | Fault::Reset
            | Fault::Silence
            | Fault::LoseAnswers
            | Fault::LoseQuestions
            | Fault::CutCommits
            | Fault::UseUpSessions
            | Fault::LongSnapshot
            | Fault::WrongClock => self.between(2.0, long),
        }
    }

    fn between(&mut self, least: f64, most: f64) -> Duration {
        let seconds = self.rng.random_range(least..=most);
        Duration::from_secs_f64((seconds * 1000.0).round() / 1000.0)
    }
}

impl Planned {
    /// Heads or tails, by the seed.
    pub(super) const fn coin(&self) -> bool {
        self.begins.as_millis().is_multiple_of(2)
    }

    /// Whether both need the same thing.
    fn collides(&self, other: &Self) -> bool {
        self.needs().iter().any(|need| other.needs().contains(need))
    }

    /// What it needs for itself, ascending, each below [`NEEDS`]: a process, a line, or a part of the database.
    pub(super) fn needs(&self) -> Vec<usize> {
        let lines = || self.programs.iter().map(|index| index + PROGRAMS.len()).collect();
        let beyond = 2 * PROGRAMS.len();
        match self.fault {
            Fault::KillApi
            | Fault::KillWorker
            | Fault::SuspendApi
            | Fault::SuspendWorker
            | Fault::RollingRestart
            | Fault::WrongClock => self.programs.clone(),
            Fault::Delay | Fault::Reset | Fault::Silence | Fault::LoseAnswers | Fault::LoseQuestions | Fault::CutCommits => {
                lines()
            }
            Fault::KillPostgres
            | Fault::TerminateSessions
            | Fault::SuspendSessions
            | Fault::SuspendPostgres
            | Fault::FillDisk => vec![beyond],
            // A session that is ended while it waits for the standby shows what the standby may not have yet.
            Fault::FailOver => vec![beyond, beyond + 1],
            Fault::UseUpSessions => vec![beyond + 1],
            Fault::SitOnSeats => vec![beyond + 2],
            Fault::LongSnapshot => vec![beyond + 3],
        }
    }

    /// What it strikes, for a person.
    pub(super) fn place(&self) -> String {
        let names: Vec<&str> = self.programs.iter().filter_map(|index| PROGRAMS.get(*index).copied()).collect();
        if names.is_empty() { "PostgreSQL".to_owned() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use super::*;

    fn all() -> Vec<Fault> {
        Fault::value_variants().to_vec()
    }

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_one_another() {
        let plan = |seed| Plan::draw(seed, Duration::from_secs(45), &all());
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn every_fault_ends_in_time_and_at_most_three_are_at_once() {
        for seed in 0..300 {
            for seconds in [10, 44, 580] {
                let length = Duration::from_secs(seconds);
                let Plan { faults, .. } = Plan::draw(seed, length, &all());
                assert!(!faults.is_empty());
                for planned in &faults {
                    assert!(planned.begins + FAULT_MIN <= planned.ends && planned.ends <= length, "{seed}: {planned:?}");
                    let at_once = faults.iter().filter(|other| other.begins <= planned.begins && planned.begins < other.ends);
                    assert!((1..=AT_ONCE_MAX).contains(&at_once.clone().count()), "{seed}: {planned:?}");
                    let collisions = at_once.filter(|other| other.collides(planned)).count();
                    assert_eq!(collisions, 1, "{seed}: with itself only: {planned:?}");
                }
            }
        }
    }

    #[test]
    fn a_long_run_meets_every_fault_and_a_short_one_most() {
        let kinds = |seconds, seed| -> BTreeSet<Fault> {
            let plan = Plan::draw(seed, Duration::from_secs(seconds), &all());
            plan.faults.iter().map(|planned| planned.fault).collect()
        };
        let planned = all().len() - 1;
        for seed in 0..100 {
            assert_eq!(kinds(580, seed).len(), planned, "all but the clock, which is wrong from the start");
            assert!(kinds(44, seed).len() >= 8, "{seed}: {:?}", kinds(44, seed));
        }
    }

    #[test]
    fn only_what_is_asked_for_comes_and_the_primary_dies_once() {
        let plan = Plan::draw(3, Duration::from_mins(2), &[Fault::KillApi]);
        assert!(plan.faults.len() > 5 && plan.faults.iter().all(|planned| planned.fault == Fault::KillApi));
        assert_eq!(plan.clock_shift_seconds, None);
        for seed in 0..100 {
            let Plan { faults, .. } = Plan::draw(seed, Duration::from_mins(2), &all());
            let fail_over = faults.iter().position(|planned| planned.fault == Fault::FailOver).unwrap();
            let after = &faults[fail_over + 1..];
            assert!(!after.iter().any(|planned| matches!(planned.fault, Fault::FailOver | Fault::FillDisk)), "{seed}");
        }
    }
}
