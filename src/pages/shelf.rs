//! Every file of the pages. A file is added by a line in [`FILES`]; a test fails if one of the folder is missing there.

use sha2::{Digest, Sha256};

/// A file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    /// Its path below `files/`, and below `/pages/` of the door.
    pub(crate) path: &'static str,
    /// What is in it.
    pub(crate) bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal)*) => {
        /// All of them.
        pub(crate) const FILES: &[File] =
            &[$(File { path: $path, bytes: include_bytes!(concat!("files/", $path)) }),*];
    };
}

files! {
    "counter.html"
    "manager.html"
    "style.css"
    "app/api.js"
    "app/arrival.js"
    "app/counter.js"
    "app/digits.js"
    "app/dom.js"
    "app/frame.js"
    "app/front.js"
    "app/keep.js"
    "app/manager.js"
    "app/money.js"
    "app/office.js"
    "app/redeeming.js"
    "app/scan.js"
    "app/selling.js"
    "app/stream.js"
    "app/till.js"
    "app/where.js"
    "app/words.js"
    "parts/amount.js"
    "parts/code.js"
    "parts/countdown.js"
    "parts/fetched.js"
    "parts/giving.js"
    "parts/keypad.js"
    "parts/pair.js"
    "parts/play.js"
    "parts/said.js"
    "parts/slip.js"
    "parts/sought.js"
    "parts/states.js"
    "parts/told.js"
    "parts/troubles.js"
    "parts/unlock.js"
    "screens/cases.js"
    "screens/cashier.js"
    "screens/day.js"
    "screens/devices.js"
    "screens/ended.js"
    "screens/journal.js"
    "screens/open.js"
    "screens/pairing.js"
    "screens/products.js"
    "screens/question.js"
    "screens/rack.js"
    "screens/redeem.js"
    "screens/redeemed.js"
    "screens/sell.js"
    "screens/signin.js"
    "screens/story.js"
    "screens/take.js"
    "screens/value.js"
    "screens/voucher.js"
    "screens/wait.js"
    "words/de.json"
    "words/en.json"
    "words/fr.json"
}

impl File {
    /// What it is, by the end of its name.
    pub(crate) fn media_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map(|(_, end)| end) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("json") => "application/json",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("ico") => "image/vnd.microsoft.icon",
            Some("woff2") => "font/woff2",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }

    /// Its strong entity tag: the hash of what is in it.
    pub(crate) fn tag(&self) -> String {
        format!("\"{}\"", hex::encode(Sha256::digest(self.bytes)))
    }
}
