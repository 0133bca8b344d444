//! Processor time of other processes, from `/proc`.

use std::fs;
use std::time::Duration;

/// Linux counts processor time in ticks, of which every platform that Rust runs on has 100 a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that one process has used so far; `None` where `/proc` does not tell.
pub(super) fn of_process(id: u32) -> Option<Duration> {
    let (own, _) = ticks(id)?;
    Some(TICK * own)
}

/// The same for a process, its children, and those children that have ended: all of PostgreSQL, from its postmaster.
pub(super) fn of_family(parent: u32) -> Option<Duration> {
    let (own, ended) = ticks(parent)?;
    let living: u32 = children(parent)?.into_iter().filter_map(|child| ticks(child).map(|(own, _)| own)).sum();
    Some(TICK * (own + ended + living))
}

/// The parent of a process with this name, which is how PostgreSQL's postmaster is found from one of its sessions; `None` if
/// the process is not on this machine.
pub(super) fn parent_named(child: u32, name: &str) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
    let parent: u32 = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let command = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    (command.trim() == name).then_some(parent)
}

/// Own ticks, and those of the children that have ended and were waited for.
fn ticks(id: u32) -> Option<(u32, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is the program's name, which may hold anything but ends at the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11).map(str::parse::<u32>);
    let mut next = || fields.next()?.ok();
    let (user, system, user_ended, system_ended) = (next()?, next()?, next()?, next()?);
    Some((user + system, user_ended + system_ended))
}

fn children(id: u32) -> Option<Vec<u32>> {
    let listed = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    Some(listed.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_its_family_have_used_some_time_or_the_system_does_not_tell() {
        let id = std::process::id();
        let (Some(own), Some(family)) = (of_process(id), of_family(id)) else { return };
        assert!(family >= own);
        assert!(of_process(u32::MAX).is_none() && of_family(u32::MAX).is_none());
    }
}
