//! The folder of pictures: names, and what becomes of files.
//!
//! The folder is a cache: it may be removed at any moment. A file is named by three hashes (its product, the address that it was
//! named by, its content), so that no name comes from outside, that a list of the folder is all there is to know after a
//! restart, also without a line, and that a torn file is told from a whole one when it is read. It is written beside and moved
//! into place, without a sync: torn by a power cut it counts as lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};
use tilld_domain::moment::Moment;
use tilld_providers::picture::LARGEST;

/// What is left free on the disk: the journal's last reserve is not for pictures.
const SPARED: u64 = 64 * 1024 * 1024;
/// The most files that are looked at in the folder; more than are ever kept.
const MOST_FILES: usize = 2000;
/// Under this name a file is written before it is in place.
const NEW: &str = "new";

/// What is kept of a product's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The mark of the address.
    pub(super) address: String,
    /// The mark of the content.
    pub(super) content: String,
    /// How large it is.
    pub(super) bytes: u64,
    /// When it came.
    pub(super) at: Moment,
}

/// The first half of a SHA-256: enough that nobody finds two texts of one mark.
pub(super) fn mark(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    hex::encode(digest.finalize().first_chunk::<16>().copied().unwrap_or_default())
}

fn is_mark(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn file(product: &str, kept: &Kept) -> String {
    format!("{product}-{}-{}", kept.address, kept.content)
}

/// What lies in a folder; nothing if it is not there. Of two files of one product the newer one counts, and the other goes.
pub(super) fn listed(folder: &Path) -> BTreeMap<String, Kept> {
    let mut all: BTreeMap<String, Kept> = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().take(MOST_FILES).flatten() {
        let name = entry.file_name();
        let Some([product, address, content]) = name.to_str().and_then(marks) else { continue };
        let Some(about) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
        let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let at = Moment::from_ms(since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0));
        let kept = Kept { address, content, bytes: about.len(), at };
        let older = match all.get(&product) {
            Some(other) if other.at >= kept.at => Some(kept),
            _ => all.insert(product.clone(), kept),
        };
        if let Some(older) = older {
            remove(folder, &product, &older);
        }
    }
    all
}

/// The three marks of a file's name.
fn marks(name: &str) -> Option<[String; 3]> {
    let mut parts = name.split('-').filter(|part| is_mark(part)).map(str::to_owned);
    let marks = [parts.next()?, parts.next()?, parts.next()?];
    (name.len() == 98).then_some(marks)
}

/// Writes a file beside, and moves it into place.
pub(super) fn place(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let space = rustix::fs::statvfs(folder)?;
    if space.f_bavail.saturating_mul(space.f_frsize) < SPARED {
        return Err(io::Error::from(io::ErrorKind::StorageFull));
    }
    let fresh = folder.join(NEW);
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut new| new.write_all(bytes))
        .and_then(|()| fs::rename(&fresh, folder.join(name)));
    if written.is_err() {
        // What is half written takes room where there is none; if it cannot be removed it is overwritten one day.
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// Removes a file. One that stays is found by the next run, and removed then if it is not named.
pub(super) fn remove(folder: &Path, product: &str, kept: &Kept) {
    let _ = fs::remove_file(folder.join(file(product, kept)));
}

/// A whole file, if it is there and no larger than a picture.
pub(super) fn whole(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn of_two_files_of_one_product_the_newer_one_counts_and_no_other_name_does() {
        let folder = tempfile::tempdir().unwrap();
        let [product, address, old, new] =
            [b"product", b"address", b"old    ", b"new    "].map(|text: &[u8; 7]| mark(&[text]));
        let kept = |content: &str, bytes| Kept {
            address: address.clone(),
            content: content.to_owned(),
            bytes,
            at: Moment::from_ms(0),
        };
        for (first, second) in [(&old, &new), (&new, &old)] {
            for (content, seconds) in [(first, 0), (second, 0), (&old, 10), (&new, 20)] {
                let path = folder.path().join(file(&product, &kept(content, 0)));
                fs::write(&path, content).unwrap();
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
                fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
            }
            for odd in [
                "new",
                "README",
                &format!("{product}-{address}-{}", "X".repeat(32)),
                &format!("{product}-{address}"),
            ] {
                fs::write(folder.path().join(odd), "x").unwrap();
            }
            let found = listed(folder.path());
            let at = Moment::from_ms(1_000_020_000);
            assert_eq!(found, BTreeMap::from([(product.clone(), Kept { at, ..kept(&new, 32) })]));
            let left = |content| folder.path().join(file(&product, &kept(content, 0))).exists();
            assert_eq!((left(&old), left(&new)), (false, true), "the older one is gone");
        }
    }
}
