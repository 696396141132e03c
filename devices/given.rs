//! Files that a shop names in its configuration: a printer's profile, a font, a picture. Hostile until read: a regular file,
//! and no longer than such a file can be.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Its bytes. The error says what is wrong; `hint` follows it where the file is longer than `most` bytes.
pub(crate) fn bytes(path: &Path, most: u64, hint: &str) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    // Before it is opened: a pipe would be waited for.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("has more than {most} bytes{hint}"));
    }
    Ok(bytes)
}
