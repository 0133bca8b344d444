//! Arrays whose elements take eight bytes each, and are never null: numbers and instants, of which a batch has dozens. They are written
//! into the message in one go, where the driver would write each element by itself, through its own check of room and length.

use std::error::Error;
use std::ops::Deref;

use domain::Timestamp;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A `bigint[]`, or a `timestamptz[]` of microseconds since 2000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words<const INSTANTS: bool>(Vec<i64>);

/// A `bigint[]`.
pub(crate) type Numbers = Words<false>;

/// A `timestamptz[]`.
pub(crate) type Instants = Words<true>;

/// PostgreSQL counts from 2000: 2000-01-01T00:00:00Z, in microseconds since 1970.
const EPOCH_US: i64 = 946_684_800_000_000;

impl<const INSTANTS: bool> Words<INSTANTS> {
    pub(crate) fn with_capacity(elements: usize) -> Self {
        Self(Vec::with_capacity(elements))
    }

    const fn element() -> Type {
        if INSTANTS { Type::TIMESTAMPTZ } else { Type::INT8 }
    }
}

impl Numbers {
    pub(crate) fn push(&mut self, number: i64) {
        self.0.push(number);
    }
}

impl Instants {
    /// An instant of ours is so near that its microseconds can be counted from either epoch.
    pub(crate) fn push(&mut self, instant: Timestamp) {
        self.0.push(instant.timestamp_micros() - EPOCH_US);
    }
}

impl Deref for Numbers {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        &self.0
    }
}

impl FromIterator<i64> for Numbers {
    fn from_iter<T: IntoIterator<Item = i64>>(numbers: T) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl<const INSTANTS: bool> ToSql for Words<INSTANTS> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let elements = i32::try_from(self.0.len())?;
        out.reserve(20 + 12 * self.0.len());
        // One dimension, no nulls, the elements' type, how many they are, and that they are counted from one.
        for word in [1, 0, Self::element().oid().cast_signed(), elements, 1] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        for value in &self.0 {
            let mut element = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
            element[4..].copy_from_slice(&value.to_be_bytes());
            out.extend_from_slice(&element);
        }
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == if INSTANTS { Type::TIMESTAMPTZ_ARRAY } else { Type::INT8_ARRAY }
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same bytes as the driver's.
    #[test]
    fn words_are_written_as_the_driver_writes_them() {
        let bytes = |array: &dyn ToSql, of: Type| {
            let mut out = BytesMut::new();
            assert!(matches!(array.to_sql_checked(&of, &mut out), Ok(IsNull::No)));
            out
        };
        let numbers = vec![1, -1, 0, i64::MAX, i64::MIN];
        let instants: Vec<Timestamp> = [0, 1, -1, 946_684_800_000_000, 1_796_000_000_123_456, 4_102_444_800_000_000]
            .map(|us| Timestamp::from_timestamp_micros(us).unwrap())
            .to_vec();
        let mut ours = Instants::default();
        for instant in &instants {
            ours.push(*instant);
        }
        assert_eq!(bytes(&ours, Type::TIMESTAMPTZ_ARRAY), bytes(&instants, Type::TIMESTAMPTZ_ARRAY));
        let ours: Numbers = numbers.iter().copied().collect();
        assert_eq!(bytes(&ours, Type::INT8_ARRAY), bytes(&numbers, Type::INT8_ARRAY));
        assert_eq!(bytes(&Numbers::default(), Type::INT8_ARRAY), bytes(&Vec::<i64>::new(), Type::INT8_ARRAY));
        assert!(Numbers::default().to_sql_checked(&Type::TIMESTAMPTZ_ARRAY, &mut BytesMut::new()).is_err());
    }
}
