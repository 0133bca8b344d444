//! What everything runs on.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::spread::Spread;

/// The kernel, as `uname -sr` has it.
pub(super) fn kernel() -> String {
    let read = |name| fs::read_to_string(format!("/proc/sys/kernel/{name}")).map(|text| text.trim().to_owned());
    match (read("ostype"), read("osrelease")) {
        (Ok(name), Ok(release)) => format!("{name} {release}"),
        (Err(_), _) | (_, Err(_)) => std::env::consts::OS.to_owned(),
    }
}

/// The processor's name.
pub(super) fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Processors that this process may use.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Memory, in MiB; 0 if the system does not tell.
pub(super) fn memory_mib() -> u64 {
    let total = field("/proc/meminfo", "MemTotal");
    total.and_then(|total| total.split(' ').next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

/// The type of the file system that holds this folder.
pub(super) fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let holding = fields.filter(|(mount, _)| folder.starts_with(mount)).max_by_key(|(mount, _)| mount.len());
    holding.map_or_else(|| "unknown".into(), |(_, kind)| kind.to_owned())
}

/// How long it takes to write 8 KiB and flush them in the folder for scratch files, in milliseconds.
pub(super) fn flush_ms() -> Option<f64> {
    let mut file = tempfile::tempfile().ok()?;
    let page = [7; 8192];
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        file.write_all(&page).ok()?;
        file.sync_data().ok()?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Spread::of(times).map(|spread| spread.median)
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(value.trim().to_owned())
}
