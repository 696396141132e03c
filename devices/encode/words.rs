//! The commands that the `escpos` crate makes: into memory, and those that never change once.

use std::cell::RefCell;
use std::sync::LazyLock;

use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{CharacterSet, JustifyMode, Protocol, UnderlineMode};
use zeroize::Zeroizing;

use super::FS;

/// The commands that never change, made by the crate once.
pub(super) struct Words {
    pub start: Vec<u8>,
    /// Off, on.
    pub bold: [Vec<u8>; 2],
    pub underline: [Vec<u8>; 2],
    pub inverse: [Vec<u8>; 2],
    /// Left, centre, right.
    pub sides: [Vec<u8>; 3],
    /// By (width - 1) * 8 + height - 1.
    pub sizes: Vec<Vec<u8>>,
    /// By rows.
    pub feeds: Vec<Vec<u8>>,
    pub cut: Vec<u8>,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    start: word(|printer| {
        printer
            .init()
            .and_then(|printer| printer.custom(&[FS, b'.']))
            .and_then(|printer| printer.character_set(CharacterSet::USA))
            .is_ok()
    }),
    bold: [false, true].map(|on| word(|printer| printer.bold(on).is_ok())),
    underline: [UnderlineMode::None, UnderlineMode::Single]
        .map(|mode| word(|printer| printer.underline(mode).is_ok())),
    inverse: [false, true].map(|on| word(|printer| printer.reverse(on).is_ok())),
    sides: [JustifyMode::LEFT, JustifyMode::CENTER, JustifyMode::RIGHT]
        .map(|side| word(|printer| printer.justify(side).is_ok())),
    sizes: (1..=8)
        .flat_map(|width| (1..=8).map(move |height| word(|printer| printer.size(width, height).is_ok())))
        .collect(),
    feeds: (0..=u8::MAX).map(|rows| word(|printer| printer.feeds(rows).is_ok())).collect(),
    cut: word(|printer| printer.cut().is_ok()),
});

pub(super) fn word(instruct: impl FnOnce(&mut Printer<&Memory>) -> bool) -> Vec<u8> {
    made(instruct).map(|bytes| bytes.to_vec()).unwrap_or_default()
}

/// What the crate makes of one instruction. Its errors quote what they were given, so none is passed on.
pub(super) fn made(instruct: impl FnOnce(&mut Printer<&Memory>) -> bool) -> Option<Zeroizing<Vec<u8>>> {
    let memory = Memory(RefCell::new(Zeroizing::new(Vec::with_capacity(1152))));
    let mut printer = Printer::new(&memory, Protocol::default(), None);
    let done = instruct(&mut printer) && printer.print().is_ok();
    drop(printer);
    done.then(|| memory.0.into_inner())
}

/// Where the crate writes to: no printer, only memory.
pub(super) struct Memory(pub RefCell<Zeroizing<Vec<u8>>>);

impl Driver for &Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}
