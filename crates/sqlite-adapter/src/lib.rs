//! sqlite-adapter
