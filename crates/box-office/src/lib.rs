//! box-office
