//! A machine laid out in a folder, as the kernel lays out `/sys` (Documentation/ABI/testing/sysfs-bus-usb and sysfs-class).

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn plugged(&self) -> Plugged {
        Plugged::below(self.folder.path().to_owned())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(self.path(to), path).unwrap();
    }

    fn usb(&self, port: &str, ids: (&str, &str), words: (&str, &str), serial: Option<&str>) -> String {
        let folder = format!("sys/devices/pci0000:00/0000:00:14.0/usb1/{port}");
        self.write(&format!("{folder}/idVendor"), &format!("{}\n", ids.0));
        self.write(&format!("{folder}/idProduct"), &format!("{}\n", ids.1));
        self.write(&format!("{folder}/manufacturer"), &format!("{}\n", words.0));
        self.write(&format!("{folder}/product"), &format!("{}\n", words.1));
        if let Some(serial) = serial {
            self.write(&format!("{folder}/serial"), &format!("{serial}\n"));
        }
        folder
    }

    fn tty(&self, name: &str, device: &str) {
        self.write(&format!("{device}/uevent"), "");
        self.link(&format!("sys/class/tty/{name}/device"), device);
        self.write(&format!("dev/{name}"), "");
    }

    /// An input device; its keys are those of a keyboard, or of a mouse.
    fn input(&self, name: &str, device: &str, called: &str, ids: (&str, &str, &str), keyboard: bool) {
        let device = format!("{device}/input/input{}", name.trim_start_matches("event"));
        let keys = if keyboard {
            "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
        } else {
            "70000 0 0 0 0"
        };
        for (file, text) in [
            ("name", called),
            ("phys", &format!("usb-0000:00:14.0-{name}/input0")),
            ("uniq", ""),
            ("id/bustype", ids.0),
            ("id/vendor", ids.1),
            ("id/product", ids.2),
            ("capabilities/key", keys),
        ] {
            self.write(&format!("{device}/{file}"), &format!("{text}\n"));
        }
        self.link(&format!("sys/class/input/{name}/device"), &device);
        self.write(&format!("dev/input/{name}"), "");
    }
}

#[test]
fn a_machine_without_devices_has_none() {
    let plugged = Machine::new().plugged();
    assert!(
        plugged.usb_printers().is_empty() && plugged.serial_ports().is_empty() && plugged.inputs().is_empty()
    );
    assert_eq!(plugged.serial(&"/dev/ttyS0".parse().unwrap()), Err(NotFound::Absent));
}

#[test]
fn a_usb_printer_says_who_it_is() {
    let machine = Machine::new();
    let folder = machine.usb("1-1", ("04b8", "0e28"), ("EPSON", "TM-T20III"), Some("583357"));
    machine.write(
        &format!("{folder}/1-1:1.0/ieee1284_id"),
        "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20III;CLS:PRINTER;SN:583357;\n",
    );
    machine.link("sys/class/usbmisc/lp3/device", &format!("{folder}/1-1:1.0"));
    machine.write("sys/class/usbmisc/hiddev0/dev", "180:96\n");
    let printers = machine.plugged().usb_printers();
    let [printer] = printers.as_slice() else { panic!("{printers:?}") };
    assert_eq!(printer.path, machine.path("dev/usb/lp3"));
    assert_eq!(printer.field(&["MFG", "MANUFACTURER"]), Some("EPSON"));
    assert_eq!(printer.field(&["sn", "SERN"]), Some("583357"));
    assert_eq!(printer.field(&["DES"]), None);
    assert_eq!(printer.usb.as_ref().unwrap().name, "EPSON TM-T20III");
}

#[test]
fn a_serial_port_is_found_by_its_adapter_and_not_by_its_number() {
    let machine = Machine::new();
    let folder = machine.usb("1-2", ("0c2e", "0caa"), ("Honeywell", "1900"), Some("S1"));
    machine.tty("ttyACM0", &format!("{folder}/1-2:1.0"));
    let adapter = machine.usb("1-3", ("0403", "6001"), ("FTDI", "FT232R"), None);
    machine.tty("ttyUSB0", &format!("{adapter}/1-3:1.0/ttyUSB0"));
    machine.tty("ttyS0", "sys/devices/platform/serial8250");
    machine.tty("ttyS1", "sys/devices/platform/serial8251");
    machine.write("sys/class/tty/ttyS1/type", "0\n");
    machine.write("sys/class/tty/tty1/dev", "4:1\n");
    machine.link("dev/serial/by-id/usb-Honeywell_1900_S1-if00", "dev/ttyACM0");

    let plugged = machine.plugged();
    let ports = plugged.serial_ports();
    let names: Vec<_> = ports.iter().map(|port| port.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["ttyS0", "ttyACM0", "ttyUSB0"]);
    assert_eq!(ports[1].by_id, Some(machine.path("dev/serial/by-id/usb-Honeywell_1900_S1-if00")));
    assert_eq!(ports[0].usb, None);

    let find = |address: &str| plugged.serial(&address.parse().unwrap());
    assert_eq!(find("usb:0c2e:0caa"), Ok(machine.path("dev/ttyACM0")));
    assert_eq!(find("usb:0c2e:0caa:S1"), Ok(machine.path("dev/ttyACM0")));
    assert_eq!(find("usb:0c2e:0caa:S2"), Err(NotFound::Absent));
    assert_eq!(
        find("/dev/serial/by-id/usb-Honeywell_1900_S1-if00"),
        Ok(machine.path("dev/serial/by-id/usb-Honeywell_1900_S1-if00"))
    );
    let second = machine.usb("1-4", ("0403", "6001"), ("FTDI", "FT232R"), None);
    machine.tty("ttyUSB1", &format!("{second}/1-4:1.0/ttyUSB1"));
    assert_eq!(plugged.serial(&"usb:0403:6001".parse().unwrap()), Err(NotFound::Several(2)));
}

#[test]
fn a_scanner_is_told_from_a_keyboard_by_its_maker_or_its_name() {
    for (called, vendor, bus, keyboard, expected) in [
        ("Honeywell Imaging & Mobility 1470g", "0c2e", "0003", true, Seems::Scanner),
        ("SM SM-2D BARCODE HID KBW", "ffff", "0003", true, Seems::Scanner),
        ("USB Scanner", "05fe", "0003", true, Seems::Scanner),
        ("Logitech USB Keyboard", "046d", "0003", true, Seems::Keyboard),
        ("AT Translated Set 2 keyboard", "0001", "0011", true, Seems::Keyboard),
        ("AT scan code keyboard", "0001", "0011", true, Seems::Keyboard),
        ("Honeywell Mouse", "0c2e", "0003", false, Seems::Neither),
        ("Power Button", "0000", "0019", false, Seems::Neither),
    ] {
        let machine = Machine::new();
        machine.input("event0", "sys/devices/x", called, (bus, vendor, "0001"), keyboard);
        assert_eq!(machine.plugged().inputs()[0].seems, expected, "{called}");
    }
}

#[test]
fn of_a_scanners_two_halves_the_one_that_types_is_taken_and_of_two_scanners_none() {
    let machine = Machine::new();
    let folder = machine.usb("1-2", ("0c2e", "0b61"), ("Honeywell", "1470g"), None);
    machine.input("event4", &format!("{folder}/1-2:1.0"), "Honeywell 1470g", ("0003", "0c2e", "0b61"), true);
    machine.input("event5", &format!("{folder}/1-2:1.1"), "Honeywell 1470g", ("0003", "0c2e", "0b61"), false);
    machine.link("dev/input/by-id/usb-Honeywell_1470g-event-kbd", "dev/input/event4");
    let plugged = machine.plugged();
    for address in [
        "usb:0c2e:0b61",
        "name:Honeywell 1470g",
        "phys:usb-0000:00:14.0-event4/input0",
        "/dev/input/by-id/usb-Honeywell_1470g-event-kbd",
    ] {
        let found = plugged.input(&address.parse().unwrap());
        assert_eq!(found.map(|input| input.path), Ok(machine.path("dev/input/event4")), "{address}");
    }
    assert_eq!(plugged.input(&"phys:usb-0000:00:14.0-event5/input0".parse().unwrap()), Err(NotFound::Absent));
    machine.input("event10", "sys/devices/y", "Honeywell 1470g", ("0003", "0c2e", "0b61"), true);
    assert_eq!(plugged.input(&"usb:0c2e:0b61".parse().unwrap()), Err(NotFound::Several(2)));
}

#[test]
fn what_a_device_says_of_itself_is_cut_and_carries_no_control_characters() {
    let machine = Machine::new();
    let name = format!("\u{1b}[2JSCAN\u{7}{}", "x".repeat(5000));
    machine.input("event0", "sys/devices/x", &name, ("0003", "0c2e", "0001"), true);
    let inputs = machine.plugged().inputs();
    let name = &inputs[0].name;
    assert!(name.starts_with("[2JSCANx") && name.len() <= 1024 && !name.contains(char::is_control), "{name}");
}

#[test]
fn the_udev_rules_name_the_same_makers() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/70-tilld.rules");
    let makers = MAKERS_OF_SCANNERS.map(|vendor| format!("{vendor:04x}")).join("|");
    assert!(
        fs::read_to_string(rules).unwrap().contains(&format!("ATTRS{{idVendor}}==\"{makers}\"")),
        "{makers}"
    );
}
