//! Identities. Each is given by the store, counts from 1, and never changes its meaning.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The identity with this number; `None` for zero and below, which no row has.
            pub const fn new(value: i64) -> Option<Self> {
                if value > 0 { Some(Self(value)) } else { None }
            }

            /// The number that rows and messages carry.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A show: one performance with its own set of numbered seats.
    ShowId
}
id! {
    /// A booking: some seats of one show, held or sold to one customer.
    BookingId
}
id! {
    /// A seat's row. Rules speak of a [`crate::SeatKey`]; this is only reported.
    SeatId
}
