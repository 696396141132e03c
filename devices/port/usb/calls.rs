//! The calls to `usblp`, one by one: the seam behind which nothing can be plugged in here. `LPGETSTATUS` is the one request
//! that no system call has a name for (`drivers/usb/class/usblp.c`).

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::ioctl::{Getter, Opcode, ioctl};

/// What is asked of the kernel's driver. Each call may wait, and none is repeated by itself.
pub trait Calls: Send + Sync + 'static {
    /// Offers bytes, and answers how many the printer took. Only after `EAGAIN` is it sure that it took none.
    fn write(&self, device: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(device, bytes)?)
    }

    /// Reads what the printer said.
    fn read(&self, device: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(device, into)?)
    }

    /// The port status, the byte of the old parallel port: 0x20 no paper, 0x10 selected, 0x08 no error. `ENODEV` once the
    /// device is gone.
    fn port_status(&self, device: BorrowedFd<'_>) -> io::Result<u8>;
}

/// `include/linux/lp.h`; `usblp` takes the numbers of the parallel port's driver.
const LPGETSTATUS: Opcode = 0x060b;

/// The kernel's driver.
pub(super) struct Usblp;

impl Calls for Usblp {
    #[expect(unsafe_code, reason = "an ioctl by number; nothing safe knows LPGETSTATUS")]
    fn port_status(&self, device: BorrowedFd<'_>) -> io::Result<u8> {
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
        assert!(Usblp.port_status(null.as_fd()).is_err());
    }
}
