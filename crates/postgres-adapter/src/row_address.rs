//! Where a row lies.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// A row's `ctid`, as PostgreSQL sends it. It names the row as long as this transaction has it locked; after that the row may have moved,
/// and another may lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowAddress([u8; 6]);

impl FromSql<'_> for RowAddress {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    accepts!(TID);
}

impl ToSql for RowAddress {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    accepts!(TID);
    to_sql_checked!();
}
