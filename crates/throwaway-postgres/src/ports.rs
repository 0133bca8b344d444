//! Ports that stay free while nobody listens on them.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Below the ports that Linux and macOS give to outgoing connections, so that a load test can't take the port of a server
/// that is down for a moment.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// A port of 127.0.0.1 that is free now, and that no outgoing connection is given. Another process may take it all the same
/// before the caller does: then ask again, and another one comes.
pub fn free_port() -> u16 {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let seed = u64::from(nanos) ^ (u64::from(process::id()) << 20) ^ (asked << 40);
    let width = PORTS.end - PORTS.start;
    let mut ports = (0..u64::from(width)).map(|step| {
        // A multiplicative hash: neighbouring seeds land far apart.
        let hash = seed.wrapping_add(step).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        PORTS.start + u16::try_from(hash % u64::from(width)).unwrap_or_default()
    });
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap_or(PORTS.start)
}
