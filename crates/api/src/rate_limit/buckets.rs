//! The buckets of many clients, in memory that does not grow, whatever addresses come.
//!
//! A bucket that is full again need not be remembered, so only clients of the last moments matter. Each has its place in one of many
//! small sets, by a hash that nobody outside can know; a new client takes the place of the one in its set whose bucket is nearest to
//! full, so that those who ask most stay longest. A set is locked for nanoseconds, and two threads rarely want the same one.
//!
//! The usual library for this, `governor`, keeps every client that it has seen until it is told to look through all of them; that
//! would be a bound only as tight as the clock that tells it so, and a good part of this code around it.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::rate::{Rate, Standing};

/// Buckets of a set: two cache lines.
const WAYS: usize = 8;

/// With 8 ways each, 131,072 clients in about 2 MiB.
const SETS: u64 = 16_384;

/// A client by its address: an IPv4 address, or the first half of an IPv6 address, since whoever has one address of a /64 has all.
/// An IPv4 address stands among the prefixes that begin with 32 zeros, of which no client has any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Client(u64);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(u64::from(address.to_bits())),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self([a, b, c, d].into_iter().fold(0, |prefix, segment| prefix << 16 | u64::from(segment)))
            }
        }
    }
}

/// A place that nobody has taken yet is that of some client whose bucket is full.
#[derive(Clone, Copy, Default)]
struct Bucket {
    client: Client,
    full_at: u64,
}

/// Buckets of one kind.
pub(super) struct Buckets {
    sets: Vec<Mutex<[Bucket; WAYS]>>,
    places: RandomState,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self { sets: (0..SETS).map(|_| Mutex::default()).collect(), places: RandomState::new() }
    }

    /// Takes a token out of this client's bucket, if there is one.
    pub(super) fn take(&self, client: Client, rate: Rate, now: u64) -> Standing {
        let place = usize::try_from(self.places.hash_one(client) % SETS).unwrap_or_default();
        let mut set = self.sets[place].lock().unwrap_or_else(PoisonError::into_inner);
        let at = set.iter().position(|bucket| bucket.client == client).unwrap_or_else(|| {
            let fullest = (0..WAYS).min_by_key(|at| set[*at].full_at).unwrap_or_default();
            set[fullest] = Bucket { client, full_at: 0 };
            fullest
        });
        rate.take(&mut set[at].full_at, now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn client(address: &str) -> Client {
        Client::from(address.parse::<IpAddr>().unwrap())
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_an_ipv4_client_its_address() {
        assert_eq!(client("2001:db8:1:2::3"), client("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_eq!(client("203.0.113.9"), client("::ffff:203.0.113.9"));
        let others = ["2001:db8:1:3::3", "2001:db8:1::", "203.0.113.9", "203.0.113.10", "2001:db8:1:2::3", "::203.0.113.9"];
        let mut all: Vec<u64> = others.map(|other| client(other).0).into();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), others.len());
    }

    #[test]
    fn each_client_has_a_bucket_of_its_own() {
        let (buckets, rate) = (Buckets::new(), rate("1/h burst 2"));
        let take = |address| buckets.take(client(address), rate, 1).is_admitted;
        assert_eq!(["1.1.1.1"; 3].map(take), [true, true, false]);
        assert_eq!(["2.2.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"].map(take), [true, true, true, false]);
        assert_eq!(["1.1.1.1", "2.2.2.2", "2.2.2.2"].map(take), [false, true, false]);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_memory_and_frees_nobody_who_has_used_up_a_burst() {
        let (buckets, rate) = (Buckets::new(), rate("1/h burst 3"));
        let greedy = Client::from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        while buckets.take(greedy, rate, 1).is_admitted {}
        let room = buckets.sets.capacity();
        // Three for each place there is.
        for prefix in 0..3 * u128::from(SETS) * WAYS as u128 {
            let address = Ipv6Addr::from_bits(0x2001_0db8 << 96 | prefix << 64);
            assert!(buckets.take(address.to_canonical().into(), rate, 1).is_admitted);
        }
        assert!(!buckets.take(greedy, rate, 1).is_admitted);
        assert_eq!((buckets.sets.len(), buckets.sets.capacity()), (16_384, room));
    }

    #[test]
    fn many_threads_together_get_a_burst_and_no_more() {
        let (buckets, rate) = (Buckets::new(), rate("1/h burst 1000"));
        let admitted: usize = std::thread::scope(|scope| {
            let take = || (0..500).filter(|_| buckets.take(client("1.1.1.1"), rate, 1).is_admitted).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, 1000);
    }
}
