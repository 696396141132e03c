//! The simulated Gift Local over real HTTP, as a client meets it.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod books;
#[cfg(test)]
mod business;
#[cfg(test)]
mod control;
#[cfg(test)]
mod door;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guest;
#[cfg(test)]
#[path = "../wire/mod.rs"]
mod wire;
