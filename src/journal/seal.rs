//! The seal: what is worth money never stands on the disk in clear, and can be forgotten (law L11).
//!
//! ```text
//!  terminal key (outside of the database)
//!     └─ wraps ─► one random key an order or a redemption, table `seal_key`
//!                    └─ seals ─► its code and lines, in the `sealed` column of its entries
//! ```
//!
//! All of it is XChaCha20-Poly1305 with random nonces of 24 bytes: so long that chance does not repeat one. What a
//! box belongs to (journal, owner, entry, kind) is authenticated with it, so a box that was moved to another place
//! does not open.
//!
//! Forgetting an order or a redemption is removing its wrapped key: its boxes stay in their entries, the chain still verifies, and
//! not even the terminal key opens them. `secure_delete` wipes the row in the database and an emptied write-ahead log
//! drops the pages on which it stood.
//!
//! Ways to fail: a box that does not open is an error with a name; a key that is not there is no error but *gone*.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tilld_domain::ids::{OrderId, RedemptionId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::entry::Seq;

const NONCE: usize = 24;

/// What the key check holds.
const CHECK: &[u8] = b"the right terminal key opens this";

/// The terminal key: 32 random bytes from a systemd credential or a file outside the database.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// Takes the key over.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealKey(…)")
    }
}

/// Something could not be sealed or opened. There is nothing more to say without saying too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealFailure;

type Done<T> = Result<T, SealFailure>;

/// Whose secrets a key seals: an order's or a redemption's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(Uuid);

impl Owner {
    /// As a column and a box keep it.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl From<OrderId> for Owner {
    fn from(order: OrderId) -> Self {
        Self(order.uuid())
    }
}

impl From<RedemptionId> for Owner {
    fn from(redemption: RedemptionId) -> Self {
        Self(redemption.uuid())
    }
}

/// The key of one owner, in the clear.
pub(crate) struct OwnKey(Zeroizing<[u8; 32]>);

impl OwnKey {
    /// A new one.
    pub(crate) fn random() -> Done<Self> {
        let mut key = Zeroizing::new([0_u8; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| SealFailure)?;
        Ok(Self(key))
    }

    /// Seals a secret of an entry.
    pub(crate) fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Done<Vec<u8>> {
        seal(&self.0, &place.to_bytes(), secret)
    }

    /// Opens it again.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Done<Zeroizing<Vec<u8>>> {
        open(&self.0, &place.to_bytes(), sealed)
    }
}

/// Where a box belongs.
pub(crate) struct Place<'a> {
    pub(crate) journal: &'a [u8; 16],
    pub(crate) owner: Owner,
    pub(crate) seq: Seq,
    pub(crate) kind: &'a str,
}

impl Place<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = b"tilld entry 1\n".to_vec();
        bytes.extend_from_slice(self.journal);
        bytes.extend_from_slice(self.owner.as_bytes());
        bytes.extend_from_slice(&self.seq.number().to_le_bytes());
        bytes.extend_from_slice(self.kind.as_bytes());
        bytes
    }
}

/// The terminal key at work in one journal.
pub(crate) struct Terminal {
    key: SealKey,
    journal: [u8; 16],
}

impl Terminal {
    pub(crate) fn new(key: SealKey, journal: [u8; 16]) -> Self {
        Self { key, journal }
    }

    /// Wraps the key of an owner.
    pub(crate) fn wrap(&self, owner: Owner, key: &OwnKey) -> Done<Vec<u8>> {
        seal(&self.key.0, &self.about(b"tilld owner key 1\n", owner.as_bytes()), key.0.as_slice())
    }

    /// The key of an owner again.
    pub(crate) fn unwrap(&self, owner: Owner, wrapped: &[u8]) -> Done<OwnKey> {
        let about = self.about(b"tilld owner key 1\n", owner.as_bytes());
        let bytes = open(&self.key.0, &about, wrapped)?;
        let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| SealFailure)?;
        Ok(OwnKey(Zeroizing::new(*key)))
    }

    /// What is written when a journal is made, to recognise the key by.
    pub(crate) fn make_check(&self) -> Done<Vec<u8>> {
        seal(&self.key.0, &self.about(b"tilld key check 1\n", b""), CHECK)
    }

    /// Whether it is the key that the journal was made with.
    pub(crate) fn fits(&self, check: &[u8]) -> bool {
        open(&self.key.0, &self.about(b"tilld key check 1\n", b""), check)
            .is_ok_and(|text| text.as_slice() == CHECK)
    }

    /// Another key, for something that is no sealing: HMAC-SHA256 of what it is for and of the journal.
    pub(crate) fn derive(&self, what: &[u8]) -> Done<Zeroizing<[u8; 32]>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.0.as_slice()).map_err(|_| SealFailure)?;
        Ok(Zeroizing::new(mac.chain_update(self.about(what, b"")).finalize().into_bytes().into()))
    }

    pub(crate) fn journal(&self) -> &[u8; 16] {
        &self.journal
    }

    fn about(&self, what: &[u8], whose: &[u8]) -> Vec<u8> {
        [what, self.journal.as_slice(), whose].concat()
    }
}

/// The boxes of one entry, one after another: owner (16 bytes), length (u32, little-endian), box.
pub(crate) fn pack(boxes: &mut Vec<u8>, owner: Owner, sealed: &[u8]) -> Done<()> {
    let length = u32::try_from(sealed.len()).map_err(|_| SealFailure)?;
    boxes.extend_from_slice(owner.as_bytes());
    boxes.extend_from_slice(&length.to_le_bytes());
    boxes.extend_from_slice(sealed);
    Ok(())
}

/// The boxes again; none if that is not what the bytes are.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<(Owner, &[u8])>> {
    let mut boxes = Vec::new();
    while !bytes.is_empty() {
        let (owner, rest) = bytes.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (sealed, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        boxes.push((Owner(Uuid::from_bytes(*owner)), sealed));
        bytes = rest;
    }
    Some(boxes)
}

fn seal(key: &[u8; 32], about: &[u8], secret: &[u8]) -> Done<Vec<u8>> {
    let mut nonce = [0_u8; NONCE];
    getrandom::fill(&mut nonce).map_err(|_| SealFailure)?;
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: about })
        .map_err(|_| SealFailure)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(key: &[u8; 32], about: &[u8], sealed: &[u8]) -> Done<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealFailure)?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: about })
        .map(Zeroizing::new)
        .map_err(|_| SealFailure)
}
