//! What is plugged into this machine, as the kernel lists it under `/sys`: USB printers, serial ports, input devices.
//!
//! Reading `/sys` needs no rights on the devices, opens none of them and disturbs nobody. The folder that stands for `/` can be
//! another one, so that a test lays out a machine of its own.
//!
//! | what | listed in | known by |
//! |---|---|---|
//! | USB printer | `class/usbmisc/lpN` | `ieee1284_id` (IEEE 1284: `MFG:…;MDL:…;SN:…;`), USB ids |
//! | serial port | `class/tty/*` with a device behind it | USB ids, the link in `/dev/serial/by-id` |
//! | input device | `class/input/eventN` | name, place (`phys`), USB ids, the link in `/dev/input/by-id` |
//!
//! `lpN`, `ttyUSBN`, `ttyACMN` and `eventN` are numbers in the order of plugging: they name another device after the next
//! power cut, so nothing is found by them ([`address`]).
//!
//! What devices say of themselves is hostile: it is read up to [`LONGEST`] bytes, without control characters, and at most
//! [`MOST`] devices of a class are looked at. A device that goes while it is read is simply not there.
//!
//! Absent: waiting for a change (who needs a device looks once a second, [`crate::scanner`] says why), and everything that
//! needs the device to be opened.

pub mod address;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use address::{InputAddress, NotFound, SerialAddress, UsbAddress};

/// The longest description that is read, in bytes: a USB string has at most 126 characters, an IEEE 1284 id some hundred.
const LONGEST: u64 = 1024;
/// How many devices of a class are looked at.
const MOST: usize = 256;
/// How many folders a USB device lies above what it offers.
const DEEPEST: usize = 8;
/// `BUS_I8042` (linux/input.h): the keyboard that is built into a machine or hangs on its PS/2 socket.
const BUILT_IN: u16 = 0x11;
/// USB vendors that make scanners: Hand Held Products, Symbol (Zebra), PSC (Datalogic), Opticon, Intermec, Keyence, Syntech
/// (`CipherLab`), Datalogic, Metrologic (Honeywell), Microscan, Newland, Mindeo (usb.ids 2025.07.26).
const MAKERS_OF_SCANNERS: [u16; 12] =
    [0x0536, 0x05e0, 0x05f9, 0x065a, 0x067e, 0x0720, 0x0745, 0x080c, 0x0c2e, 0x1777, 0x1eab, 0x27dd];

/// A machine's list of what is plugged in.
#[derive(Debug, Clone)]
pub struct Plugged {
    root: PathBuf,
}

/// How a USB device names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    /// The vendor's number.
    pub vendor: u16,
    /// The vendor's number for the product.
    pub product: u16,
    /// Maker and product in words; empty where it has none.
    pub name: String,
    /// Its serial number; cheap devices have none, or all the same.
    pub serial: Option<String>,
}

/// A printer on a USB cable, behind the kernel's `usblp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbPrinter {
    /// Its present device file, for example `/dev/usb/lp0`.
    pub path: PathBuf,
    /// What it says of itself (IEEE 1284), as it says it.
    pub identity: Option<String>,
    /// Its USB ids.
    pub usb: Option<Usb>,
}

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPort {
    /// Its present device file, for example `/dev/ttyUSB0`.
    pub path: PathBuf,
    /// The link that names it for good, where there is one.
    pub by_id: Option<PathBuf>,
    /// The USB ids of the adapter or device; none for a port of the machine itself.
    pub usb: Option<Usb>,
}

/// An input device: a keyboard, a mouse, a scanner that types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its present device file, for example `/dev/input/event3`.
    pub path: PathBuf,
    /// The link that names it for good, where there is one.
    pub by_id: Option<PathBuf>,
    /// What it calls itself.
    pub name: String,
    /// Where it is plugged in.
    pub phys: String,
    /// Vendor and product; 0 where it has none.
    pub ids: (u16, u16),
    /// Its serial number.
    pub serial: Option<String>,
    /// What it seems to be.
    pub seems: Seems,
}

/// What an input device seems to be. A scanner that types says that it is a keyboard, so this is a guess by its maker and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seems {
    /// It can type, and its maker makes scanners or its name says that it is one.
    Scanner,
    /// It can type, and nothing says that it is a scanner.
    Keyboard,
    /// It cannot type digits and Enter: a mouse, a button.
    Neither,
}

impl UsbPrinter {
    /// One field of the IEEE 1284 id, by its short or long key: `MFG`, `MDL`, `SN`.
    pub fn field(&self, keys: &[&str]) -> Option<&str> {
        self.identity.as_deref()?.split(';').find_map(|pair| {
            let (key, value) = pair.split_once(':')?;
            let key = key.trim();
            (keys.iter().any(|wanted| key.eq_ignore_ascii_case(wanted)) && !value.trim().is_empty())
                .then(|| value.trim())
        })
    }
}

impl Plugged {
    /// This machine.
    pub fn here() -> Self {
        Self::below(PathBuf::from("/"))
    }

    /// A machine whose `/` is this folder.
    pub fn below(root: PathBuf) -> Self {
        Self { root }
    }

    /// Printers on USB, in the order of their device files.
    pub fn usb_printers(&self) -> Vec<UsbPrinter> {
        let printers = self.class("usbmisc").into_iter().filter(|name| numbered(name, "lp"));
        printers
            .filter_map(|name| {
                let device = self.device("usbmisc", &name)?;
                Some(UsbPrinter {
                    path: self.root.join("dev/usb").join(&name),
                    identity: text(&device.join("ieee1284_id")),
                    usb: self.usb(&device),
                })
            })
            .collect()
    }

    /// Serial ports with something behind them, in the order of their names.
    pub fn serial_ports(&self) -> Vec<SerialPort> {
        let links = self.links("dev/serial/by-id");
        let ports = self.class("tty").into_iter();
        ports
            .filter_map(|name| {
                // Terminals of the screen have no device; of the 32 ports that a PC might have, most are of type 0: not there.
                let device = self.device("tty", &name)?;
                if text(&self.root.join("sys/class/tty").join(&name).join("type")).as_deref() == Some("0") {
                    return None;
                }
                let path = self.root.join("dev").join(&name);
                Some(SerialPort { by_id: link_to(&links, &path), usb: self.usb(&device), path })
            })
            .collect()
    }

    /// Input devices, in the order of their names.
    pub fn inputs(&self) -> Vec<Input> {
        let links = self.links("dev/input/by-id");
        let inputs = self.class("input").into_iter().filter(|name| numbered(name, "event"));
        inputs
            .filter_map(|name| {
                let device = self.device("input", &name)?;
                let path = self.root.join("dev/input").join(&name);
                let number = |of: &str| hexadecimal(&device.join("id").join(of)).unwrap_or_default();
                let (called, ids) =
                    (text(&device.join("name")).unwrap_or_default(), (number("vendor"), number("product")));
                let keys = text(&device.join("capabilities/key")).unwrap_or_default();
                Some(Input {
                    by_id: link_to(&links, &path),
                    phys: text(&device.join("phys")).unwrap_or_default(),
                    serial: text(&device.join("uniq")).filter(|serial| !serial.is_empty()),
                    seems: seems(&called, ids.0, number("bustype"), types(&keys)),
                    name: called,
                    ids,
                    path,
                })
            })
            .collect()
    }

    /// The device file of a serial port now.
    pub fn serial(&self, address: &SerialAddress) -> Result<PathBuf, NotFound> {
        match address {
            SerialAddress::Path(path) => self.existing(path),
            SerialAddress::Usb(usb) => {
                let fits = |port: &SerialPort| port.usb.as_ref().is_some_and(|found| usb.is(found));
                only(self.serial_ports().into_iter().filter(fits).map(|port| port.path))
            }
        }
    }

    /// The input device of an address now: of several with the same address the one that can type.
    pub fn input(&self, address: &InputAddress) -> Result<Input, NotFound> {
        let mut found = self.inputs();
        match address {
            InputAddress::Path(path) => {
                let path = self.existing(path)?;
                let real = fs::canonicalize(path).map_err(|_| NotFound::Absent)?;
                found.retain(|input| fs::canonicalize(&input.path).is_ok_and(|path| path == real));
            }
            InputAddress::Usb(usb) => found.retain(|input| usb.is_input(input)),
            InputAddress::Name(name) => found.retain(|input| input.name == *name),
            InputAddress::Place(phys) => found.retain(|input| input.phys == *phys),
        }
        found.retain(|input| input.seems != Seems::Neither);
        only(found.into_iter())
    }

    fn existing(&self, path: &Path) -> Result<PathBuf, NotFound> {
        // Joining an absolute path would leave the root.
        let below = path.strip_prefix("/").map_or_else(|_| path.to_owned(), |rest| self.root.join(rest));
        if below.exists() { Ok(below) } else { Err(NotFound::Absent) }
    }

    /// The names in a class, ordered: by length first, so that `lp10` comes after `lp9`.
    fn class(&self, class: &str) -> Vec<String> {
        let mut names = names_in(&self.root.join("sys/class").join(class));
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// The folder of the device behind a name of a class.
    fn device(&self, class: &str, name: &str) -> Option<PathBuf> {
        fs::canonicalize(self.root.join("sys/class").join(class).join(name).join("device")).ok()
    }

    /// The USB device that a folder of `/sys` belongs to.
    fn usb(&self, device: &Path) -> Option<Usb> {
        let top = fs::canonicalize(self.root.join("sys")).ok()?;
        let folders = device.ancestors().take(DEEPEST).take_while(|folder| folder.starts_with(&top));
        let folder = folders.into_iter().find(|folder| folder.join("idVendor").exists())?;
        let words = ["manufacturer", "product"].iter().filter_map(|word| text(&folder.join(word)));
        Some(Usb {
            vendor: hexadecimal(&folder.join("idVendor"))?,
            product: hexadecimal(&folder.join("idProduct"))?,
            name: words.collect::<Vec<_>>().join(" "),
            serial: text(&folder.join("serial")).filter(|serial| !serial.is_empty()),
        })
    }

    /// The links of a folder, each with the file that it leads to.
    fn links(&self, folder: &str) -> Vec<(PathBuf, PathBuf)> {
        let folder = self.root.join(folder);
        let mut links: Vec<_> = names_in(&folder)
            .into_iter()
            .filter_map(|name| Some((folder.join(&name), fs::canonicalize(folder.join(&name)).ok()?)))
            .collect();
        links.sort();
        links
    }
}

/// The one thing that was found.
fn only<T>(mut found: impl Iterator<Item = T>) -> Result<T, NotFound> {
    let first = found.next().ok_or(NotFound::Absent)?;
    match found.count() {
        0 => Ok(first),
        others => Err(NotFound::Several(others.saturating_add(1))),
    }
}

fn link_to(links: &[(PathBuf, PathBuf)], path: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(path).ok()?;
    links.iter().find(|(_, to)| *to == real).map(|(link, _)| link.clone())
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.take(MOST).filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The text of a small file, without control characters and white space at its ends.
fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let text: String =
        String::from_utf8_lossy(&bytes).chars().filter(|letter| !letter.is_control()).collect();
    Some(text.trim().to_owned())
}

fn hexadecimal(path: &Path) -> Option<u16> {
    u16::from_str_radix(&text(path)?, 16).ok()
}

/// Whether a device has the keys of all digits and Enter. `keys` is a bit a key number in hexadecimal words of the kernel's
/// size, the highest first (linux/input-event-codes.h: `KEY_1` is 2, `KEY_0` is 11, `KEY_ENTER` is 28).
fn types(keys: &str) -> bool {
    let lowest = keys.split_whitespace().next_back().and_then(|word| u64::from_str_radix(word, 16).ok());
    // All of them are below 32, whatever the size of a word.
    let wanted = (2..=11).chain([28]).fold(0_u64, |bits, key: u32| bits | 1_u64.wrapping_shl(key));
    lowest.is_some_and(|bits| bits & wanted == wanted)
}

fn seems(name: &str, vendor: u16, bus: u16, types: bool) -> Seems {
    let name = name.to_ascii_lowercase();
    let named = ["scan", "barcode", "bar code", "imager"].iter().any(|word| name.contains(word));
    match types {
        false => Seems::Neither,
        true if bus == BUILT_IN => Seems::Keyboard,
        true if named || MAKERS_OF_SCANNERS.contains(&vendor) => Seems::Scanner,
        true => Seems::Keyboard,
    }
}

#[cfg(test)]
mod tests;
