//! The proof of the redemption machine, in the trade's language.
//!
//! | file | proves |
//! |---|---|
//! | `script` | nothing: it is the language of the tables |
//! | `rows` | every row B3 to B13, live and after a restart, on both sides of each boundary |
//! | `matrix` | every state against every event: what is accepted, and that everything else is a misfit |
//! | `people` | what the cashier reads, and what waits for whom |

mod matrix;
mod people;
mod rows;
pub(crate) mod script;
