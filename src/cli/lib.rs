//! The `tilld` program: commands, configuration, and the assembly of the rooms into a daemon.
//!
//! Nothing here decides anything about a sale. A command reads its arguments, puts the rooms together, and shows what they
//! say.

pub mod config;
