//! The pictures of products: fetched when nothing else is to be done, kept beside the journal, shown on tiles.
//!
//! ```text
//! catalogue fetched ─► what is named ─► one after another, while the line is up and no sale is in hand ─► a file each ─► tiles
//!                           │
//!                           └─► what is not named any more is removed
//! ```
//!
//! A picture is a comfort, and nothing waits for it or fails by it. What may come from outside as a picture, and from where, is
//! `tilld_providers::picture`'s; what is kept here is bounded once more, because the disk is the journal's.
//!
//! Where they lie is `folder`'s.
//!
//! | what goes wrong | what follows |
//! |---|---|
//! | the host does not answer in [`FETCH`], or has trouble | asked again in an hour; after [`IN_VAIN`] in a row the rest of that host is not tried until then |
//! | what is there is no picture that may be shown | not asked again for [`REFUSED_FOR`] |
//! | all of them together would be larger than [`MOST_BYTES`] | that one is not kept, and not asked for again for [`REFUSED_FOR`]; a smaller one may still fit |
//! | the disk is full, nearly full, or read-only | one line in the log, no further picture, tried again in an hour |
//! | what is there breaks the program that reads it | as if it were no picture; selling goes on |
//! | a file is gone, or not what its name says | the product has no picture until the next catalogue |
//!
//! Deliberately absent: scaling, and pictures of products that the provider names none for.

mod folder;

use std::collections::BTreeMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tilld_domain::ids::ProductCode;
use tilld_domain::moment::Moment;
use tilld_providers::picture::{NoPicture, Picture, PictureAddress};
use tokio::sync::{mpsc, oneshot, watch};

use self::folder::{Kept, file, listed, mark, place, remove, whole};
use crate::clock::Clock;
use crate::driver::Message;
use crate::perform::Line;
use crate::{Ports, StartError, blocking};

/// How long one may take. Nobody waits for it, but the next one does.
const FETCH: Duration = Duration::from_secs(10);
/// Between two: a rack of a hundred is there in a minute, and the line never notices.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked whether the counter has nothing else to do.
const LOOK: Duration = Duration::from_secs(2);
/// When what did not come is asked for again.
const AGAIN: Duration = Duration::from_hours(1);
/// How many in a row do not come before a host counts as away.
const IN_VAIN: u32 = 3;
/// For how long an address is left alone at which no picture lies: about as long as a catalogue lives.
const REFUSED_FOR: Duration = Duration::from_hours(20);
/// How old a picture gets before its address is asked again: a brand may put another one there.
const STALE: Duration = Duration::from_hours(24 * 7);
/// The most bytes of all pictures together.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// A picture as a page gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPicture {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// The whole of it.
    pub bytes: Vec<u8>,
}

/// What the catalogue names.
type Named = Arc<Vec<(ProductCode, PictureAddress)>>;

/// The pictures that there are.
pub(crate) struct Pictures {
    folder: Option<PathBuf>,
    provider: String,
    /// By the mark of the product.
    kept: RwLock<BTreeMap<String, Kept>>,
    /// None until a catalogue was fetched in this run.
    named: watch::Sender<Option<Named>>,
}

/// What the counter is doing, and whom it asks.
pub(crate) struct Beside {
    pub(crate) ports: Ports,
    pub(crate) line: Arc<Line>,
    pub(crate) inbox: mpsc::Sender<Message>,
}

impl Pictures {
    /// Looks at what an earlier run has kept. Where none are set up, nothing stays.
    pub(crate) async fn open(ports: &Ports) -> Result<Self, StartError> {
        let set_up = ports.provider.has_pictures();
        let mut kept = BTreeMap::new();
        if let Some(folder) = ports.pictures.clone() {
            let look = move || {
                let there = listed(&folder);
                if set_up {
                    return there;
                }
                for (product, kept) in &there {
                    remove(&folder, product, kept);
                }
                BTreeMap::new()
            };
            kept = blocking(ports.clock.as_ref(), look).await.map_err(|_| StartError::Stopping)?;
        }
        Ok(Self {
            folder: ports.pictures.clone().filter(|_| set_up),
            provider: ports.provider.name().to_owned(),
            kept: RwLock::new(kept),
            named: watch::Sender::new(None),
        })
    }

    /// How many products have one.
    pub(crate) fn count(&self) -> usize {
        self.read().len()
    }

    /// The mark of the content of a product's picture, by which it is asked for; another picture has another one.
    pub(crate) fn of(&self, product: &ProductCode) -> Option<String> {
        self.read().get(&self.product(product)).map(|kept| kept.content.clone())
    }

    /// A picture by the mark of its content.
    pub(crate) async fn show(&self, clock: &dyn Clock, content: &str) -> Option<ProductPicture> {
        let folder = self.folder.as_deref()?;
        let found = self
            .read()
            .iter()
            .find(|(_, kept)| kept.content == content)
            .map(|(product, kept)| (product.clone(), kept.clone()));
        let (product, kept) = found?;
        let path = folder.join(file(&product, &kept));
        let bytes = blocking(clock, move || whole(&path)).await.ok()?;
        let picture =
            bytes.filter(|bytes| mark(&[bytes]) == content).and_then(|bytes| Picture::read(bytes).ok());
        if picture.is_none() {
            tracing::debug!("a kept picture is gone, or not what it was");
            self.write().retain(|_, other| *other != kept);
        }
        picture.map(|picture| ProductPicture {
            media_type: picture.kind().media_type(),
            bytes: picture.into_bytes(),
        })
    }

    /// A catalogue was fetched, and names these.
    pub(crate) fn named(&self, pictures: Vec<(ProductCode, PictureAddress)>) {
        self.named.send_replace(Some(Arc::new(pictures)));
    }

    /// What brings the folder in line with what is named; none where no pictures are set up.
    pub(crate) fn keep(self: Arc<Self>, beside: Beside) -> Option<BoxFuture<'static, ()>> {
        let folder = self.folder.clone()?;
        Some(Box::pin(self.keep_in(folder, beside)))
    }

    /// Goes round after each catalogue, and as long as something is missing. Never ends.
    async fn keep_in(self: Arc<Self>, folder: PathBuf, beside: Beside) {
        let mut named = self.named.subscribe();
        let mut round = Round { folder, refused: BTreeMap::new(), told: false };
        loop {
            let wanted = named.borrow_and_update().clone();
            let left = match wanted {
                Some(wanted) => self.go_round(&mut round, &wanted, &beside).await,
                None => false,
            };
            tokio::select! {
                biased;
                changed = named.changed() => if changed.is_err() { return },
                () = beside.ports.clock.sleep(AGAIN), if left => {}
            }
        }
    }

    /// One way through what is named. Whether something is left that may come later.
    async fn go_round(&self, round: &mut Round, wanted: &Named, beside: &Beside) -> bool {
        let clock = beside.ports.clock.as_ref();
        self.remove_unnamed(&round.folder, wanted, clock).await;
        let now = clock.wall();
        round.refused.retain(|_, since| now.long_since(*since) < REFUSED_FOR);
        let (mut left, mut asked) = (false, false);
        // How often in a row each host was asked in vain.
        let mut in_vain: BTreeMap<&str, u32> = BTreeMap::new();
        for (product, address) in wanted.iter() {
            let (product, at) = (self.product(product), mark(&[address.text().as_bytes()]));
            if self.is_fresh(&product, &at, now) || round.refused.contains_key(&at) {
                continue;
            }
            if in_vain.get(address.host()).is_some_and(|times| *times >= IN_VAIN) {
                continue;
            }
            if asked {
                clock.sleep(PAUSE).await;
            }
            asked = true;
            beside.at_leisure().await;
            match beside.fetch(address).await {
                Ok(picture) => {
                    in_vain.remove(address.host());
                    if !self.has_room(&product, &picture) {
                        tracing::debug!("a picture of a product is one too many for 32 MiB of them");
                        round.refused.insert(at, now);
                        continue;
                    }
                    if let Err(error) = self.put(&round.folder, product, at, picture, clock).await {
                        if !round.told {
                            tracing::info!(%error, "pictures of products cannot be kept: tiles go without");
                        }
                        round.told = true;
                        return true;
                    }
                    round.told = false;
                }
                Err(why) if why.may_pass() => {
                    tracing::debug!(%why, "a picture of a product does not come");
                    left = true;
                    let times = in_vain.entry(address.host()).or_default();
                    *times = times.saturating_add(1);
                }
                Err(why) => {
                    tracing::debug!(%why, "a picture of a product is not taken");
                    round.refused.insert(at, now);
                }
            }
        }
        if asked {
            tracing::info!(
                pictures = self.count(),
                named = wanted.len(),
                refused = round.refused.len(),
                "pictures of products are fetched"
            );
        }
        left
    }

    fn is_fresh(&self, product: &str, address: &str, now: Moment) -> bool {
        let kept = self.read();
        kept.get(product).is_some_and(|kept| kept.address == address && now.long_since(kept.at) < STALE)
    }

    /// Removes what is not named any more: by its product, and by the address that it came from.
    async fn remove_unnamed(&self, folder: &Path, wanted: &Named, clock: &dyn Clock) {
        let named: BTreeMap<String, String> = wanted
            .iter()
            .map(|(product, address)| (self.product(product), mark(&[address.text().as_bytes()])))
            .collect();
        let mut gone = Vec::new();
        self.write().retain(|product, kept| {
            let stays = named.get(product) == Some(&kept.address);
            if !stays {
                gone.push((product.clone(), kept.clone()));
            }
            stays
        });
        if gone.is_empty() {
            return;
        }
        let folder = folder.to_owned();
        // A counter that ends meanwhile leaves files, which its next run finds.
        let _ =
            blocking(clock, move || gone.iter().for_each(|(product, kept)| remove(&folder, product, kept)))
                .await;
    }

    /// Whether all of them together stay small with this one in place of whatever the product had.
    fn has_room(&self, product: &str, picture: &Picture) -> bool {
        let length = u64::try_from(picture.bytes().len()).unwrap_or(u64::MAX);
        let kept = self.read();
        let others = kept.iter().filter(|(other, _)| *other != product);
        others.fold(length, |sum, (_, other)| sum.saturating_add(other.bytes)) <= MOST_BYTES
    }

    /// Puts a picture in place of whatever the product had.
    async fn put(
        &self,
        folder: &Path,
        product: String,
        address: String,
        picture: Picture,
        clock: &dyn Clock,
    ) -> io::Result<()> {
        let bytes = picture.into_bytes();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let kept = Kept { address, content: mark(&[&bytes]), bytes: length, at: clock.wall() };
        let before = self.read().get(&product).cloned();
        let (folder, name, new) = (folder.to_owned(), product.clone(), kept.clone());
        let written = blocking(clock, move || {
            place(&folder, &file(&name, &new), &bytes)?;
            if let Some(before) = before.filter(|before| file(&name, before) != file(&name, &new)) {
                remove(&folder, &name, &before);
            }
            Ok(())
        });
        written.await.unwrap_or_else(|_| Err(io::Error::other("the program is stopping")))?;
        self.write().insert(product, kept);
        Ok(())
    }

    /// The mark of a product; of another provider's it is another one.
    fn product(&self, code: &ProductCode) -> String {
        mark(&[self.provider.as_bytes(), b"\0", code.as_str().as_bytes()])
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Kept>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known from one round to the next.
struct Round {
    folder: PathBuf,
    /// By the mark of the address: since when nothing is asked there.
    refused: BTreeMap<String, Moment>,
    /// The log has the line about the disk.
    told: bool,
}

impl Beside {
    /// Waits until the line is up and nobody stands at the counter.
    async fn at_leisure(&self) {
        while !(self.line.last.get().is_some_and(|last| last.up) && self.nothing_in_hand().await) {
            self.ports.clock.sleep(LOOK).await;
        }
    }

    async fn nothing_in_hand(&self) -> bool {
        let (reply, counts) = oneshot::channel();
        self.inbox.try_send(Message::Count { reply }).is_ok()
            && counts.await.is_ok_and(|counts| counts.in_hand == 0)
    }

    async fn fetch(&self, address: &PictureAddress) -> Result<Picture, NoPicture> {
        let fetched = AssertUnwindSafe(self.ports.provider.picture(address)).catch_unwind();
        tokio::select! {
            biased;
            // A stranger's bytes must not end what sells beside it. Nothing of what broke is looked at again.
            fetched = fetched => fetched.unwrap_or(Err(NoPicture::NotOne)),
            () = self.ports.clock.sleep(FETCH) => Err(NoPicture::NotNow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_one_too_many_does_not_keep_a_smaller_one_out() {
        let kept = |bytes| Kept { address: "a".into(), content: "c".into(), bytes, at: Moment::from_ms(0) };
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x09\0\0\0\x09\x08\x02\0\0\0";
        let picture = |length: usize| {
            let mut bytes = head.to_vec();
            bytes.resize(length, 0);
            Picture::read(bytes).unwrap()
        };
        let pictures = Pictures {
            folder: None,
            provider: "finperks".to_owned(),
            kept: RwLock::new(BTreeMap::from([
                ("p1".to_owned(), kept(MOST_BYTES - 1000)),
                ("p2".to_owned(), kept(500)),
            ])),
            named: watch::Sender::new(None),
        };
        for (product, length, has_room) in [
            ("p3", 500, true),
            ("p3", 501, false),
            ("p2", 1000, true),
            ("p2", 1001, false),
            ("p1", 200_000, true),
        ] {
            assert_eq!(pictures.has_room(product, &picture(length)), has_room, "{product} of {length} bytes");
        }
    }
}
