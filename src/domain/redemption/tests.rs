//! The proof of the redemption machine, in the trade's language.
//!
//! | file | proves |
//! |---|---|
//! | `script` | nothing: it is the language of the tables |
//! | `rows` | every row B3 to B13, live and after a restart, on both sides of each boundary |
//! | `matrix` | every state against every event: what is accepted, and that everything else is a misfit |
//! | `laws` | the laws L2, L4 to L9, L11 and L12 over random events |
//! | `books` | that no redemption is left alone, and that at the end the provider's books are the basket's |
//! | `people` | what the cashier reads, and what waits for whom |

mod books;
mod laws;
mod matrix;
mod people;
mod rows;
pub(crate) mod script;
