//! Secrets on disk: read from files that only this program may read or from systemd credentials, and made at the first
//! start where they are the daemon's own.
//!
//! A secret that others may read is refused, with the command that mends it. None is ever shown.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tilld_domain::secret::Secret;
use zeroize::Zeroizing;

/// The greatest length of a secret file in bytes.
const LONGEST: u64 = 4096;

/// The path of a systemd credential (`LoadCredential=`), if there is one of this name.
pub fn credential(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(name);
    path.is_file().then_some(path)
}

/// Reads a secret text: of a file, or else of the credential. White space around it is not part of it.
pub fn read(file: Option<&Path>, credential_name: &str) -> Result<Secret> {
    let path = match file {
        Some(path) => path.to_owned(),
        None => credential(credential_name)
            .with_context(|| format!("there is no systemd credential {credential_name}"))?,
    };
    let opened =
        File::open(&path).with_context(|| format!("the secret {} cannot be read", path.display()))?;
    if !opened.metadata().is_ok_and(|found| found.is_file()) {
        bail!("the secret {} is not a file", path.display());
    }
    if file.is_some() {
        check_mode(&opened, &path)?;
    }
    let mut text = Zeroizing::new(String::new());
    opened
        .take(LONGEST)
        .read_to_string(&mut text)
        .with_context(|| format!("the secret {} cannot be read", path.display()))?;
    let secret = text.trim();
    if secret.is_empty() {
        bail!("the secret {} is empty", path.display());
    }
    Ok(Secret::new(secret.to_owned()))
}

/// Reads a secret of the daemon's own, 32 random bytes as 64 hexadecimal digits, and makes it if it is not there yet.
pub fn read_or_make(file: Option<&Path>, credential_name: &str) -> Result<Secret> {
    if let Some(path) = file
        && !path.exists()
    {
        make(path)?;
    }
    read(file, credential_name)
}

/// The 32 bytes of such a secret.
pub fn key_bytes(secret: &Secret) -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(secret.reveal(), bytes.as_mut_slice()).map_err(|_| {
        anyhow::anyhow!("the journal's key is not 64 hexadecimal digits; put the right file back")
    })?;
    Ok(bytes)
}

fn make(path: &Path) -> Result<()> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|_| anyhow::anyhow!("this machine gives no random numbers"))?;
    let text = Zeroizing::new(hex::encode(bytes.as_slice()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    // Written beside its place under a name of its own, and linked there whole: a power cut leaves no half of a key, and of
    // two who make one at once the second takes the first one's.
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            let linked = std::fs::hard_link(&beside, path);
            std::fs::remove_file(&beside)?;
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            File::open(folder)?.sync_all()
        });
    written.with_context(|| format!("the secret {} cannot be written", path.display()))
}

fn check_mode(file: &File, path: &Path) -> Result<()> {
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the secret {} may be read by others (mode {mode:o}); say: chmod 600 {}",
            path.display(),
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        std::fs::write(&path, "abc\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(Some(&path), "x").unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(Some(&path), "x").unwrap().reveal(), "abc");
    }

    #[test]
    fn the_daemons_own_secret_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper").join("key");
        let made = read_or_make(Some(&path), "x").unwrap();
        assert_eq!(made.reveal().len(), 64);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(Some(&path), "x").unwrap(), made);
        assert!(key_bytes(&made).is_ok());
        assert!(key_bytes(&Secret::new("zz".to_owned())).is_err());
    }

    #[test]
    fn an_empty_or_missing_secret_is_named_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert!(read(Some(&path), "x").unwrap_err().to_string().contains("/s"));
        std::fs::write(&path, " \n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(Some(&path), "x").unwrap_err().to_string().contains("empty"));
    }
}
