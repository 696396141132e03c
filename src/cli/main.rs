//! The exit codes: 0 done, 1 it could not be done, 2 the command line or the configuration is wrong.

use std::process::ExitCode;

use clap::Parser;
use tilld::command::{Arguments, Failure};

fn main() -> ExitCode {
    match tilld::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tilld::command::complain(&failure);
            match failure {
                Failure::Config(_) | Failure::Usage(_) => ExitCode::from(2),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}
