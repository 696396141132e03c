//! Printers, later drawers and scanners: slips in, paper out, and an honest word on what became of it.
//!
//! ```text
//!  Slip ──encode──► bytes ──job──► line ──port (network, serial, USB, file)──► printer
//!           ▲                 │      ▲
//!        profile           status ───┴──────────── answers
//! ```
//!
//! A printer is a [`profile`] (data: columns, code pages, what it answers) on a [`port`]; an [`attendant`] holds its line,
//! and what is decided about a job is decided in one place ([`job`]) whatever the port. [`decode`] reads any byte stream
//! back to slips and is the paper of the [`simulated`] printer.
//!
//! Text becomes bytes in [`text`], by the tables of [`codepage`] and [`double_byte`]; what no table has is drawn with the
//! shop's [`font`], and the shop's [`logo`] with it.
//!
//! Absent on purpose: wording, layout and money (the slip comes finished), pictures of slips, and any second attempt at
//! printing: whether to print again is for a person to say.
//!
//! Scanners stand beside the printers ([`scanner`]); what is plugged in is listed in one place for both ([`plugged`]).

mod aside;
pub mod attendant;
pub mod codepage;
mod codes;
pub mod decode;
pub mod double_byte;
pub mod encode;
mod engine;
pub mod font;
mod given;
pub mod job;
mod known;
mod line;
pub mod logo;
pub mod plugged;
pub mod port;
pub mod printer;
pub mod profile;
mod raster;
mod redial;
pub mod scanner;
pub mod simulated;
pub mod spare;
pub mod status;
pub mod text;

pub use attendant::{PrinterPort, PrinterSettings, attended};
pub use job::Patience;
pub use spare::with_spare;
