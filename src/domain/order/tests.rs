//! The proof of the order machine, in the trade's language.
//!
//! | file | proves |
//! |---|---|
//! | `script` | nothing: it is the language of the tables |
//! | `rows` | every row A1 to A20, live and after a restart, on both sides of each boundary |
//! | `matrix` | every state against every event: what is accepted, and that everything else is a misfit |
//! | `laws` | the laws L4 to L9 over random events, and that no order is ever left without a next event |

mod laws;
mod matrix;
mod rows;
pub(crate) mod script;
