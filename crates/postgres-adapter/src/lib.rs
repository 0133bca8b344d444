//! postgres-adapter
