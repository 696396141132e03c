//! The one request to `usblp` that no system call has a name for: `LPGETSTATUS`, `drivers/usb/class/usblp.c`.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::ioctl::{Getter, Opcode, ioctl};

use super::PortWord;

/// `include/linux/lp.h`; `usblp` takes the numbers of the parallel port's driver.
const LPGETSTATUS: Opcode = 0x060b;

/// The kernel's driver.
pub(super) struct Usblp;

impl PortWord for Usblp {
    #[expect(unsafe_code, reason = "an ioctl by number; nothing safe knows LPGETSTATUS")]
    fn ask(&self, device: BorrowedFd<'_>) -> io::Result<u8> {
        // SAFETY: the driver writes exactly one `int` (`copy_to_user(…, sizeof(int))`), for which `Getter` has the room,
        // and changes nothing else. A device of another driver refuses the number.
        let word = unsafe { ioctl(device, Getter::<LPGETSTATUS, c_int>::new()) }?;
        let [low, ..] = word.to_le_bytes();
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_device_of_another_driver_has_no_port_status() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(Usblp.ask(null.as_fd()).is_err());
    }
}
