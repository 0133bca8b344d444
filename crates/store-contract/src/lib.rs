//! store-contract
