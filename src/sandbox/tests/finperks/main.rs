//! The simulated finperks over real HTTP, as a client meets it.

#[cfg(test)]
mod business;
#[cfg(test)]
mod control;
#[cfg(test)]
mod door;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod shop;
#[cfg(test)]
#[path = "../wire/mod.rs"]
mod wire;
