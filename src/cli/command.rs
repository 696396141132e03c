//! Every command and flag, with its help text.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, LogConfig};
use crate::{daemon, decide, demo, devices, doctor, journal, pair, pin, provider, sandbox};

/// The gift card counter of a shop till: sells gift cards, prints their slips, and never loses track of an order whose
/// outcome is uncertain.
#[derive(Debug, Parser)]
#[command(name = "tilld", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sell a printed and an activated card against simulated providers and a simulated printer, then keep serving the API
    Demo(demo::DemoArguments),
    /// Run the daemon
    Serve(ConfigFile),
    /// Show the code by which a browser on this machine is let in; the daemon must run
    Pair(ConfigFile),
    /// Make the hash of a manager's PIN, for the configuration
    Pin(pin::PinArguments),
    /// See whether everything is right for selling, a line each, with what to do next; ends with 1 if something is wrong
    Doctor(doctor::DoctorArguments),
    /// See what is plugged in, and try it
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Run the simulated providers alone, for integrators
    Sandbox(sandbox::SandboxArguments),
    /// Print the OpenAPI 3.1 document of the local API
    Openapi,
    /// Read the journal, while the daemon runs or not
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Show what waits for a person, while the daemon runs or not; and answer or close it, while it runs
    Attention(decide::AttentionArguments),
    /// Show the provider's catalogue
    Products(provider::Asking),
    /// Show what may still be spent at the provider
    Balances(provider::Asking),
    /// Show or register stores at the provider
    #[command(subcommand)]
    Stores(provider::StoresCommand),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// The configuration file; without it the command says which three lines it needs
    #[arg(long, value_name = "FILE", default_value = "/etc/tilld/tilld.toml")]
    pub config: PathBuf,
}

impl ConfigFile {
    /// Reads and checks it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let environment: HashMap<String, String> = std::env::vars().collect();
        Config::load(&self.config, &environment)
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong.
    Config(ConfigError),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Says on the error stream what went wrong.
pub fn complain(failure: &Failure) {
    let text = match failure {
        Failure::Config(error) => error.to_string(),
        Failure::Usage(text) => text.clone(),
        Failure::Other(error) => format!("{error:#}"),
    };
    // Without an error stream there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "tilld: {text}");
}

/// Carries a command out.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    keep_secrets_in();
    match arguments.command {
        Command::Demo(arguments) => {
            log_to(&LogConfig { json: false, filter: "warn".to_owned() });
            on_a_runtime(demo::run(arguments))
        }
        Command::Serve(file) => {
            let config = file.load()?;
            log_to(&config.log);
            on_a_runtime(daemon::serve(config))
        }
        Command::Pair(file) => on_a_runtime(pair::run(file)),
        Command::Pin(arguments) => pin::run(&arguments),
        Command::Doctor(arguments) => {
            log_to(&quiet());
            on_a_runtime(doctor::run(arguments))
        }
        Command::Devices(command) => {
            log_to(&quiet());
            on_a_runtime(devices::run(command))
        }
        Command::Sandbox(arguments) => {
            log_to(&LogConfig { json: false, filter: "info".to_owned() });
            on_a_runtime(sandbox::run(arguments))
        }
        Command::Openapi => say(tilld_api::openapi_json()),
        Command::Journal(command) => journal::run(command),
        Command::Attention(arguments) => decide::run(arguments),
        Command::Products(asking) => on_a_runtime(provider::products(asking)),
        Command::Balances(asking) => on_a_runtime(provider::balances(asking)),
        Command::Stores(command) => on_a_runtime(provider::stores(command)),
    }
}

/// For commands that say themselves what they find.
fn quiet() -> LogConfig {
    LogConfig { json: false, filter: "off".to_owned() }
}

/// A panic says where, never with what: its message may hold a line with a code. A core file would hold them all, so there is
/// none (law L11).
fn keep_secrets_in() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "?".to_owned(), ToString::to_string);
        // Without an error stream there is nobody to tell.
        let _ = writeln!(
            std::io::stderr(),
            "tilld: this program is broken at {place}; it says no more, to keep codes in"
        );
    }));
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // Where it is forbidden to lower the limit it is not high either.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// Writes to the standard output. A reader that has gone (`| head`) is no error.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(anyhow::Error::new(error).context("the output cannot be written")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn on_a_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // One thread for all that waits, beside the counter's own that writes: fewer hand-overs, measured a fifth faster.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::Error::new(error).context("the program cannot start its threads"))?;
    runtime.block_on(work)
}

/// Ends when the program is told to stop: Ctrl-C, or the service manager's SIGTERM.
pub(crate) async fn told_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// Logs to the error stream: text for people, or one JSON object a line. `TILLD_LOG` overrides the levels.
fn log_to(config: &LogConfig) {
    let filter = std::env::var("TILLD_LOG").unwrap_or_else(|_| config.filter.clone());
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A line that cannot be written (disk full, reader gone) is lost; by default its writer would panic over it.
    let to = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    // A second subscriber in one process is refused; the first one goes on.
    let _ = if config.json {
        to.json().with_current_span(false).try_init()
    } else {
        to.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    };
}

/// Parses an address that must be on this machine.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "wanted: an address and a port, for example 127.0.0.1:8480".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only addresses on this machine are served".to_owned())
    }
}
