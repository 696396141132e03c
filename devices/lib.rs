//! Printers (later drawers and scanners): being built.
pub mod codepage;
pub mod decode;
pub mod encode;
pub mod printer;
pub mod profile;
