//! `tilld sandbox`: the simulated providers and a simulated printer, for integrators.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, Drawing, Keep, SimulatedFault, SimulatedPrinter};
use tilld_sandbox::{PrinterDoor, PrinterState, finperks, gift_local};

use crate::command::{Failure, loopback, say, told_to_stop};

/// What the sandbox listens on.
#[derive(Debug, Args)]
pub struct SandboxArguments {
    /// Where the simulated finperks listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8481", value_parser = loopback)]
    finperks: SocketAddr,
    /// Where its switches, faults and ledger are reached
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8482", value_parser = loopback)]
    control: SocketAddr,
    /// Where the simulated Gift Local listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8483", value_parser = loopback)]
    gift_local: SocketAddr,
    /// Where its switches, faults and ledger are reached
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8484", value_parser = loopback)]
    gift_local_control: SocketAddr,
    /// Also run a simulated network printer there, for example at 127.0.0.1:9100; its faults are made at the control addresses
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    printer: Option<SocketAddr>,
    /// Keep every slip that it prints as text and picture in this folder; they hold the codes in clear
    #[arg(long, value_name = "FOLDER", requires = "printer")]
    slips: Option<PathBuf>,
}

/// How papers are drawn for people.
pub(crate) const DRAWING: Drawing =
    Drawing { text: tilld_receipts::preview::text, picture: tilld_receipts::preview::svg };

/// The simulated printer with what the control doors can do to it.
struct OnTheCounter(SimulatedPrinter);

impl tilld_sandbox::SimulatedPrinter for OnTheCounter {
    fn become_so(&self, state: PrinterState, after_bytes: Option<usize>) {
        use SimulatedFault::{
            CoverOpen, CoverOpenAtByte, Mute, MuteAtByte, Offline, OfflineAtByte, PaperOut, PaperOutAtByte,
            VanishAtByte,
        };
        self.0.fault(match (state, after_bytes) {
            (PrinterState::Well, _) => return self.0.clear(),
            (PrinterState::Gone, None) => return self.0.lose_power(),
            (PrinterState::PaperOut, None) => PaperOut,
            (PrinterState::PaperOut, Some(at)) => PaperOutAtByte(at),
            (PrinterState::CoverOpen, None) => CoverOpen,
            (PrinterState::CoverOpen, Some(at)) => CoverOpenAtByte(at),
            (PrinterState::Offline, None) => Offline,
            (PrinterState::Offline, Some(at)) => OfflineAtByte(at),
            (PrinterState::Silent, None) => Mute,
            (PrinterState::Silent, Some(at)) => MuteAtByte(at),
            (PrinterState::Gone, Some(at)) => VanishAtByte(at),
        });
    }

    fn papers(&self) -> usize {
        self.0.finished()
    }
}

pub(crate) async fn run(arguments: SandboxArguments) -> Result<(), Failure> {
    for (address, flag) in [
        (Some(arguments.finperks), "--finperks"),
        (Some(arguments.control), "--control"),
        (Some(arguments.gift_local), "--gift-local"),
        (Some(arguments.gift_local_control), "--gift-local-control"),
        (arguments.printer, "--printer"),
    ] {
        if let Some(address) = address {
            std::net::TcpListener::bind(address).with_context(|| {
                format!("{address} cannot be listened on; name another address with {flag}")
            })?;
        }
    }
    let settings = finperks::Settings {
        provider: arguments.finperks,
        control: arguments.control,
        ..finperks::Settings::default()
    };
    let finperks = finperks::start(settings).await.context("the simulated finperks cannot listen")?;
    let settings = gift_local::Settings {
        provider: arguments.gift_local,
        control: arguments.gift_local_control,
        ..gift_local::Settings::default()
    };
    let gift_local = gift_local::start(settings).await.context("the simulated Gift Local cannot listen")?;
    let keep = arguments.slips.map(|folder| Keep { folder, drawing: DRAWING });
    let printer = match arguments.printer {
        Some(address) => Some(
            SimulatedPrinter::start_at(address, Profile::epson(), Answers::ALL, keep)
                .await
                .context("the simulated printer cannot listen")?,
        ),
        None => None,
    };
    let address = printer.as_ref().map(SimulatedPrinter::address);
    if let Some(printer) = printer {
        let door = PrinterDoor::new(OnTheCounter(printer));
        finperks.show_printer(&door);
        gift_local.show_printer(&door);
    }
    let mut text = format!(
        "finperks    {}  (key id {}, secret {})\ncontrol     {}\ngift-local  {}  (key {})\ncontrol     {}",
        finperks.provider_url(),
        finperks.credentials().key_id,
        finperks.credentials().secret,
        finperks.control_url(),
        gift_local.provider_url(),
        gift_local.api_key(),
        gift_local.control_url(),
    );
    if let Some(address) = address {
        // Writing to a string does not fail.
        let _ = write!(text, "\nprinter     {address}  (its faults: PUT {}/printer)", finperks.control_url());
    }
    let switches = gift_local.switches();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n\nfor tilld.toml, with each secret in a file of its own (mode 0600):\n\
         finperks   = {{ url = \"{}\", key_id = \"{}\", secret_file = \"finperks.secret\", posa = {{ default = \"field:card_code\" }}, pictures = {{ field = \"image_url\" }} }}\n\
         gift_local = {{ url = \"{}\", key_file = \"gift_local.key\", currency = \"EUR\", location = \"A1234\", reverse = {{ path = \"{}\", \
         id_field = \"{}\", repeatable = true }} }}",
        finperks.provider_url(),
        finperks.credentials().key_id,
        gift_local.provider_url(),
        switches.reverse_path,
        switches.reverse_id_field,
    );
    say(&text)?;
    told_to_stop().await;
    finperks.shutdown().await;
    gift_local.shutdown().await;
    Ok(())
}
