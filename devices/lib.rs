//! Printers (later drawers and scanners): being built.
pub mod printer;
