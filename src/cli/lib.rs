//! The `tilld` program: commands, configuration, and the assembly of the rooms into a daemon.
//!
//! Nothing here decides anything about a sale. A command reads its arguments, puts the rooms together, and shows what they
//! say.
//!
//! | module | holds |
//! |---|---|
//! | [`command`] | every command and flag, with its help |
//! | [`config`] | the configuration file, checked as a whole; secrets on disk |
//! | [`daemon`] | the rooms put together, and what runs them |
//! | `attention` | what waits for a person |
//! | `beside` | the daemon beside a command: whether it runs, and how it says it is |
//! | `decide` | what a person decides about it, told to the running daemon |
//! | `demo` | a sale of a printed and of an activated card, against simulated devices and providers |
//! | `devices` | what is plugged in, and whether it works |
//! | `doctor` | everything that must be right before the first customer |
//! | `journal` | the journal, read while the daemon runs or not |
//! | `pair`, `pin` | how a screen is let in, and a manager's PIN |
//! | `provider` | what the provider says to an operator |
//! | `table` | answers as tables for people |

mod attention;
mod beside;
pub mod command;
pub mod config;
pub mod daemon;
mod decide;
mod demo;
mod devices;
mod doctor;
mod journal;
mod pair;
mod pin;
mod provider;
mod sandbox;
mod table;

pub use command::run;
