//! throwaway-postgres
