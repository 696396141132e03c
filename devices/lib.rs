//! Printers (later drawers and scanners): being built.
pub mod codepage;
pub mod decode;
pub mod encode;
mod engine;
pub mod printer;
pub mod profile;
pub mod simulated;
pub mod status;
