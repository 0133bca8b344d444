//! How often: a token bucket as two numbers, and what a request does to one.

use std::time::Duration;

/// Most requests in a unit of time, and at once. With them the arithmetic below stays within 64 bits.
const COUNT_MAX: u64 = 1_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// What a rate looks like, for people.
pub(crate) const EXPECTED: &str = "a rate like 100/s, 100/s burst 200, 600/m or 50/h, or off";

/// A bucket of `burst` tokens, of which each request takes one, and into which one falls every `each_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    each_ns: u64,
    burst: u64,
}

/// How a client stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) is_admitted: bool,
    /// Requests that would be admitted now.
    pub(crate) left: u64,
    /// Seconds until one more would be, rounded up.
    pub(crate) one_more_in: u64,
}

impl Rate {
    /// `100/s`, per `s`econd, `m`inute or `h`our, and perhaps `burst 200`, which otherwise is the same number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (rate, burst) = match words[..] {
            [rate] => (rate, None),
            [rate, "burst", burst] => (rate, Some(burst)),
            _ => return None,
        };
        let (count, unit) = rate.split_once('/')?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let number = |text: &str| text.parse().ok().filter(|number| (1..=COUNT_MAX).contains(number));
        let count = number(count)?;
        let burst = burst.map_or(Some(count), number)?;
        Some(Self { each_ns: seconds * SECOND_NS / count, burst })
    }

    /// The tokens of a full bucket.
    pub(crate) const fn burst(self) -> u64 {
        self.burst
    }

    /// Seconds that it takes to fill an empty bucket, rounded up.
    pub(crate) const fn window(self) -> u64 {
        (self.each_ns * self.burst).div_ceil(SECOND_NS)
    }

    /// Takes a token from a bucket, which is no more than the time at which it will be full again, if there is one.
    pub(super) fn take(self, full_at: &mut u64, now: u64) -> Standing {
        let size = self.each_ns * self.burst;
        let mut missing = full_at.saturating_sub(now);
        let is_admitted = missing + self.each_ns <= size;
        if is_admitted {
            missing += self.each_ns;
            *full_at = now + missing;
        }
        let there = size.saturating_sub(missing);
        let one_more_in = (self.each_ns - there % self.each_ns).div_ceil(SECOND_NS);
        Standing { is_admitted, left: there / self.each_ns, one_more_in }
    }
}

/// An instant as buckets count it.
pub(super) fn nanoseconds(since_start: Duration) -> u64 {
    u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn a_rate_is_a_number_in_a_time_and_perhaps_a_burst() {
        for (text, each_ns, burst) in [
            ("100/s", 10_000_000, 100),
            (" 100/s  burst\t200 ", 10_000_000, 200),
            ("600/m", 100_000_000, 600),
            ("1/h burst 5", 3_600_000_000_000, 5),
            ("1000000/s burst 1000000", 1_000, 1_000_000),
        ] {
            assert_eq!(Rate::parse(text), Some(Rate { each_ns, burst }), "{text}");
        }
        for text in [
            "",
            "100",
            "100/",
            "/s",
            "100/d",
            "100/S",
            "100 /s",
            "0/s",
            "-1/s",
            "1.5/s",
            "1e3/s",
            "1000001/s",
            "99999999999999999999/s",
            "1/s burst",
            "1/s burst 0",
            "1/s burst 1000001",
            "1/s bursts 2",
            "1/s 2",
            "1/s burst 2 3",
            "１/s",
        ] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_full_bucket_admits_a_burst_and_then_one_for_each_token_that_comes_back() {
        let (rate, mut full_at, start) = (rate("2/s burst 3"), 0, 77 * SECOND_NS);
        assert_eq!(rate.window(), 2);
        let mut take = |ms: u64| rate.take(&mut full_at, start + ms * 1_000_000);
        let admitted = |left, one_more_in| Standing { is_admitted: true, left, one_more_in };
        assert_eq!([take(0), take(0), take(0)], [admitted(2, 1), admitted(1, 1), admitted(0, 1)]);
        let refused = Standing { is_admitted: false, left: 0, one_more_in: 1 };
        assert_eq!([take(0), take(499)], [refused, refused], "a refusal costs nothing");
        assert_eq!(take(500), admitted(0, 1));
        assert_eq!(take(999), refused);
        assert_eq!(take(60_000), admitted(2, 1), "no more than a burst is saved up");
    }

    #[test]
    fn waits_are_rounded_up_to_seconds() {
        let (rate, mut full_at) = (rate("1/h burst 2"), 0);
        assert_eq!(rate.window(), 7200);
        let mut take = |seconds: u64| rate.take(&mut full_at, seconds * SECOND_NS).one_more_in;
        assert_eq!([take(0), take(1), take(2), take(3599)], [3600, 3599, 3598, 1]);
    }

    #[test]
    fn a_clock_that_another_thread_read_a_little_earlier_does_no_harm() {
        let (rate, mut full_at) = (rate("1/s burst 1"), 0);
        assert!(rate.take(&mut full_at, 5 * SECOND_NS).is_admitted);
        assert_eq!(rate.take(&mut full_at, 4 * SECOND_NS), Standing { is_admitted: false, left: 0, one_more_in: 1 });
    }

    /// The same by counting: tokens in units of which a token has `each_ns`, so that nothing is rounded.
    struct Plain {
        there: u64,
        then: u64,
    }

    impl Plain {
        fn take(&mut self, rate: Rate, now: u64) -> bool {
            self.there = (self.there + (now - self.then)).min(rate.burst * rate.each_ns);
            self.then = now;
            let is_admitted = self.there >= rate.each_ns;
            self.there -= if is_admitted { rate.each_ns } else { 0 };
            is_admitted
        }
    }

    fn rates() -> impl Strategy<Value = Rate> {
        (1..=COUNT_MAX, 0..3_usize, 1..40_u64).prop_map(|(count, unit, burst)| {
            let unit = ["s", "m", "h"][unit];
            rate(&format!("{count}/{unit} burst {burst}"))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_bucket_admits_what_counting_tokens_admits(
            rate in rates(),
            steps in proptest::collection::vec(0..300_u64, 1..200),
        ) {
            let (mut full_at, mut now) = (0, SECOND_NS);
            let mut plain = Plain { there: rate.burst * rate.each_ns, then: now };
            for step in steps {
                // Hundredths of what it takes for a token to come back.
                now += rate.each_ns / 100 * step;
                let standing = rate.take(&mut full_at, now);
                prop_assert_eq!(standing.is_admitted, plain.take(rate, now));
                prop_assert_eq!(standing.left, plain.there / rate.each_ns);
                prop_assert!(standing.is_admitted || standing.left == 0);
                let (mut full_then, wait) = (full_at, standing.one_more_in * SECOND_NS);
                let then = rate.take(&mut full_then, now + wait);
                prop_assert!(then.is_admitted && then.left >= standing.left);
            }
        }
    }
}
