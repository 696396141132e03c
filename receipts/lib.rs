//! Facts in, slip out: being built.
pub mod slip;
