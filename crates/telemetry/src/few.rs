//! Handles that are resolved when they are first needed.

use std::sync::OnceLock;

/// A table of few keys, in the order in which they came. It is searched by walking through it: with no lock, no hash, and the keys
/// that come often in front. It never has more than `N`, so what is labelled by its keys is bounded.
#[derive(Debug)]
pub(crate) struct Few<K, V, const N: usize>([OnceLock<(K, V)>; N]);

impl<K: PartialEq + Copy, V, const N: usize> Few<K, V, N> {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; N])
    }

    /// The value of this key, made if there is none yet; `None` if there is no room for one more.
    pub(crate) fn of(&self, key: K, make: impl Fn() -> V) -> Option<&V> {
        self.0.iter().find_map(|place| {
            let (taken_by, value) = place.get_or_init(|| (key, make()));
            (*taken_by == key).then_some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_one_value_and_there_is_room_for_few() {
        let few = Few::<_, _, 2>::new();
        assert_eq!(few.of("a", || 1), Some(&1));
        assert_eq!(few.of("b", || 2), Some(&2));
        assert_eq!(few.of("a", || 3), Some(&1), "it has one");
        assert_eq!(few.of("c", || 4), None);
        assert_eq!(few.of("b", || 5), Some(&2));
    }

    #[test]
    fn of_many_who_come_at_once_with_one_key_all_get_the_same_value() {
        let few = Few::<_, _, 4>::new();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|i| {
                    scope.spawn({
                        let few = &few;
                        move || (i % 4, *few.of(i % 4, || i).unwrap())
                    })
                })
                .collect();
            for thread in all {
                let (key, value) = thread.join().unwrap();
                assert_eq!(few.of(key, || 100), Some(&value));
            }
        });
    }
}
