//! The picture of a product: an address that a catalogue names, and the bytes that lie there. Both are a stranger's.
//!
//! | of | is taken | everything else |
//! |---|---|---|
//! | an address | `https`, at most 2,048 bytes, without user and password, on the provider's own host or on one that the operator has named | is as if none were named |
//! | the way there | nothing of ours goes along: no key, no signature, no date; a redirect is not followed | [`NoPicture::Answered`] |
//! | the bytes | at most 256 KiB; PNG, JPEG or WebP by what they begin with, whatever the answer says that they are | [`NoPicture::TooLarge`], [`NoPicture::NotOne`] |
//! | the size | 1 to 2,048 dots each way, as the head of the picture declares it: what a browser unpacks is bounded by that | [`NoPicture::TooWide`] |
//!
//! Plain `http` is taken where the provider itself is asked so, which is on this very machine alone. SVG is never taken: it
//! is a document, and may hold script.
//!
//! Deliberately absent: decoding. The only one who does that is the browser, in a process of its own.

use std::fmt;

use reqwest::Url;
use tilld_domain::outcome::Trouble;

use crate::http::{Origin, Reply};

/// The longest address in bytes; no browser is sure to take more.
const LONGEST_ADDRESS: usize = 2048;

/// The largest picture in bytes: several times what a tile needs.
pub const LARGEST: usize = 256 * 1024;

/// The most dots of a picture each way.
const MOST_DOTS: u32 = 2048;

/// What is asked for.
pub(crate) const ACCEPT: &str = "image/webp, image/png, image/jpeg";

/// Where a picture lies: checked, and to be asked there only.
#[derive(Clone, PartialEq, Eq)]
pub struct PictureAddress(Url);

impl PictureAddress {
    /// An address of a catalogue of `own`, absolute or relative to it, if it leads there or to one of `hosts`.
    pub(crate) fn read(text: &str, own: &Origin, hosts: &[Origin]) -> Option<Self> {
        if !(1..=LONGEST_ADDRESS).contains(&text.len()) {
            return None;
        }
        let mut url = own.at("/").join(text).ok()?;
        url.set_fragment(None);
        let known = own.holds(&url) || hosts.iter().any(|host| host.holds(&url));
        (known && url.as_str().len() <= LONGEST_ADDRESS).then_some(Self(url))
    }

    /// Its text, to tell it from another. It is not for logs: it may hold somebody's key to the picture.
    pub fn text(&self) -> &str {
        self.0.as_str()
    }

    /// Where it lies: what is away is away for every picture of it.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for PictureAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PictureAddress({}, …)", self.host())
    }
}

/// What a picture is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// ISO/IEC 15948.
    Png,
    /// ISO/IEC 10918-1.
    Jpeg,
    /// RFC 9649.
    Webp,
}

impl PictureKind {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

/// Bytes that begin as a picture of a kind and size that a page may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    kind: PictureKind,
    bytes: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// The line did not carry it, or whoever is there cannot answer now.
    #[error("it could not be fetched now")]
    NotNow,
    /// Another answer than a picture, a redirect among them.
    #[error("the answer was {0}")]
    Answered(u16),
    /// Too many bytes.
    #[error("it is larger than 256 KiB")]
    TooLarge,
    /// Not a PNG, JPEG or WebP.
    #[error("it is no PNG, JPEG or WebP")]
    NotOne,
    /// Too many dots, or none.
    #[error("it has no dots or more than 2,048 each way")]
    TooWide,
}

impl NoPicture {
    /// Whether it may be there later, with nothing changed at the other end.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::NotNow => true,
            Self::Answered(_) | Self::TooLarge | Self::NotOne | Self::TooWide => false,
        }
    }
}

impl Picture {
    /// Looks at bytes from outside.
    pub fn read(bytes: Vec<u8>) -> Result<Self, NoPicture> {
        if bytes.len() > LARGEST {
            return Err(NoPicture::TooLarge);
        }
        let (kind, [width, height]) = size(&bytes).ok_or(NoPicture::NotOne)?;
        let fits = |dots: u32| (1..=MOST_DOTS).contains(&dots);
        if fits(width) && fits(height) { Ok(Self { kind, bytes }) } else { Err(NoPicture::TooWide) }
    }

    /// What it is written in.
    pub fn kind(&self) -> PictureKind {
        self.kind
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, for who keeps them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The picture in an answer.
    pub(crate) fn of(reply: Reply) -> Result<Self, NoPicture> {
        match reply {
            Reply::Accepted { status: 200, body } => Self::read(body.bytes().to_vec()),
            Reply::Accepted { status, .. } | Reply::Rejected { status, .. } => {
                Err(NoPicture::Answered(status))
            }
            Reply::Unknown(Trouble::OddStatus(status)) => Err(NoPicture::Answered(status)),
            Reply::Unknown(Trouble::Unreadable) => Err(NoPicture::TooLarge),
            Reply::Later { .. } | Reply::NotSent(_) | Reply::Unknown(_) => Err(NoPicture::NotNow),
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Picture({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// The kind of a picture, and its width and height as its head declares them.
fn size(bytes: &[u8]) -> Option<(PictureKind, [u32; 2])> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some((PictureKind::Png, of_png(bytes)?))
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some((PictureKind::Jpeg, of_jpeg(bytes)?))
    } else if bytes.starts_with(b"RIFF") && part::<4>(bytes, 8)? == *b"WEBP" {
        Some((PictureKind::Webp, of_webp(bytes)?))
    } else {
        None
    }
}

/// The first chunk is the header (ISO/IEC 15948, 11.2.1).
fn of_png(bytes: &[u8]) -> Option<[u32; 2]> {
    (part::<4>(bytes, 12)? == *b"IHDR").then_some(())?;
    Some([u32::from_be_bytes(part(bytes, 16)?), u32::from_be_bytes(part(bytes, 20)?)])
}

/// The first frame header, behind whatever segments stand before it (ISO/IEC 10918-1, B.1.1 and B.2.2). Each step goes on by
/// at least two bytes.
fn of_jpeg(bytes: &[u8]) -> Option<[u32; 2]> {
    let mut at: usize = 2;
    loop {
        let [0xff, marker] = part::<2>(bytes, at)? else { return None };
        match marker {
            // A byte that fills.
            0xff => at = at.checked_add(1)?,
            // Frame headers; the three in between are something else.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [height, width] = [at.checked_add(5)?, at.checked_add(7)?]
                    .map(|at| part::<2>(bytes, at).map(u16::from_be_bytes));
                return Some([width?.into(), height?.into()]);
            }
            // The scan, or the end, and there was no frame; and what stands alone, which none does here.
            0x00..=0x01 | 0xd0..=0xda => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(part(bytes, at.checked_add(2)?)?));
                at = at.checked_add(2)?.checked_add(length)?;
            }
        }
    }
}

/// The first chunk, which is one of three (RFC 9649, 2.5 to 2.7).
fn of_webp(bytes: &[u8]) -> Option<[u32; 2]> {
    match &part::<4>(bytes, 12)? {
        b"VP8 " => {
            (part::<3>(bytes, 23)? == [0x9d, 0x01, 0x2a]).then_some(())?;
            let [width, height] = [26, 28].map(|at| part::<2>(bytes, at).map(u16::from_le_bytes));
            Some([u32::from(width? & 0x3fff), u32::from(height? & 0x3fff)])
        }
        b"VP8L" => {
            (part::<1>(bytes, 20)? == [0x2f]).then_some(())?;
            let packed = u32::from_le_bytes(part(bytes, 21)?);
            Some([packed & 0x3fff, (packed >> 14) & 0x3fff].map(|less| less.saturating_add(1)))
        }
        b"VP8X" => {
            let [width, height] = [24, 27].map(|at| {
                part::<3>(bytes, at).map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]))
            });
            Some([width?.saturating_add(1), height?.saturating_add(1)])
        }
        _ => None,
    }
}

/// So many bytes from a place on.
fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\0\0\0\0\0\0\0");
        bytes
    }

    /// With a comment before the frame, and a byte that fills.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xfe\0\x06abcd\xff\xff\xc2\0\x11\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x03\x01\x11\0");
        bytes
    }

    fn webp(chunk: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\x20\0\0\0WEBP".to_vec();
        bytes.extend(chunk);
        bytes
    }

    fn lossy(width: u16, height: u16) -> Vec<u8> {
        let mut chunk = b"VP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a".to_vec();
        chunk.extend(width.to_le_bytes());
        chunk.extend(height.to_le_bytes());
        webp(&chunk)
    }

    fn lossless(width: u32, height: u32) -> Vec<u8> {
        let mut chunk = b"VP8L\x18\0\0\0\x2f".to_vec();
        chunk.extend(((width - 1) | ((height - 1) << 14)).to_le_bytes());
        webp(&chunk)
    }

    fn extended(width: u32, height: u32) -> Vec<u8> {
        let mut chunk = b"VP8X\x0a\0\0\0\0\0\0\0".to_vec();
        chunk.extend(&(width - 1).to_le_bytes()[..3]);
        chunk.extend(&(height - 1).to_le_bytes()[..3]);
        webp(&chunk)
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes_and_by_the_size_that_they_declare() {
        use PictureKind::{Jpeg, Png, Webp};
        let large = |mut bytes: Vec<u8>, to: usize| {
            bytes.resize(to, 0);
            bytes
        };
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        for (what, bytes, expected) in [
            ("a png", png(160, 100), Ok(Png)),
            ("a jpeg", jpeg(160, 100), Ok(Jpeg)),
            ("a lossy webp", lossy(160, 100), Ok(Webp)),
            ("a lossless webp", lossless(160, 100), Ok(Webp)),
            ("an extended webp", extended(160, 100), Ok(Webp)),
            ("the widest", png(2048, 2048), Ok(Png)),
            ("the largest", large(png(9, 9), LARGEST), Ok(Png)),
            ("one byte more", large(png(9, 9), LARGEST + 1), Err(NoPicture::TooLarge)),
            ("a wide png", png(2049, 1), Err(NoPicture::TooWide)),
            ("a high png", png(1, u32::MAX), Err(NoPicture::TooWide)),
            ("an empty png", png(0, 9), Err(NoPicture::TooWide)),
            ("a wide jpeg", jpeg(40_000, 9), Err(NoPicture::TooWide)),
            ("a jpeg whose height comes later", jpeg(9, 0), Err(NoPicture::TooWide)),
            ("a high webp", lossy(9, 16_383), Err(NoPicture::TooWide)),
            ("a wide lossless webp", lossless(16_384, 9), Err(NoPicture::TooWide)),
            ("a wide extended webp", extended(0x00ff_ffff, 9), Err(NoPicture::TooWide)),
            ("an svg", svg.to_vec(), Err(NoPicture::NotOne)),
            ("a page", b"<!DOCTYPE html><html></html>".to_vec(), Err(NoPicture::NotOne)),
            ("a gif", b"GIF89a\x01\0\x01\0\0\0\0".to_vec(), Err(NoPicture::NotOne)),
            ("a sound", b"RIFF\x20\0\0\0WAVEfmt ".to_vec(), Err(NoPicture::NotOne)),
            ("nothing", Vec::new(), Err(NoPicture::NotOne)),
            ("half a png", png(160, 100)[..20].to_vec(), Err(NoPicture::NotOne)),
            ("half a jpeg", jpeg(160, 100)[..14].to_vec(), Err(NoPicture::NotOne)),
            ("a jpeg without a frame", b"\xff\xd8\xff\xda\0\x02".to_vec(), Err(NoPicture::NotOne)),
            ("half a webp", lossy(160, 100)[..28].to_vec(), Err(NoPicture::NotOne)),
            (
                "a png without a head",
                b"\x89PNG\r\n\x1a\n\0\0\0\x0dIDATxxxxxxxx".to_vec(),
                Err(NoPicture::NotOne),
            ),
        ] {
            assert_eq!(Picture::read(bytes).map(|picture| picture.kind()), expected, "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_for_the_look_at_them(
            begin in prop::sample::select(vec![png(9, 9), jpeg(9, 9), lossy(9, 9), lossless(9, 9), extended(9, 9)]),
            cut in 0_usize..40,
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = begin;
            bytes.truncate(cut);
            bytes.extend(rest);
            if let Ok(picture) = Picture::read(bytes.clone()) {
                prop_assert_eq!(picture.into_bytes(), bytes);
            }
        }
    }

    #[test]
    fn an_address_leads_to_the_provider_or_to_a_host_that_is_named_and_nowhere_else() {
        let origin = |text: &str| Origin::parse(text).unwrap();
        let own = origin("https://api.example.test");
        let hosts = [origin("https://cdn.example.test"), origin("https://static.example.test:8443")];
        let long = format!("https://cdn.example.test/{}", "x".repeat(LONGEST_ADDRESS));
        for (text, expected) in [
            ("https://cdn.example.test/a.png?v=1#x", Some("https://cdn.example.test/a.png?v=1")),
            ("https://CDN.example.test:443/a.png", Some("https://cdn.example.test/a.png")),
            ("https://static.example.test:8443/a.png", Some("https://static.example.test:8443/a.png")),
            ("https://api.example.test/a.png", Some("https://api.example.test/a.png")),
            ("/a.png", Some("https://api.example.test/a.png")),
            ("a.png", Some("https://api.example.test/a.png")),
            ("//cdn.example.test/a.png", Some("https://cdn.example.test/a.png")),
            ("http://cdn.example.test/a.png", None),
            ("http://api.example.test/a.png", None),
            ("https://static.example.test/a.png", None),
            ("https://cdn.example.test:8443/a.png", None),
            ("https://cdn.example.test.evil.example/a.png", None),
            ("https://evil.example/cdn.example.test", None),
            ("https://cdn.example.test@evil.example/a.png", None),
            ("https://user:pw@cdn.example.test/a.png", None),
            ("//evil.example/a.png", None),
            ("\\\\evil.example/a.png", None),
            ("https://127.0.0.1/a.png", None),
            ("https://[::1]/a.png", None),
            ("http://169.254.169.254/latest/meta-data", None),
            ("file:///etc/passwd", None),
            ("data:image/png;base64,iVBORw0KGgo=", None),
            ("javascript:alert(1)", None),
            ("", None),
            (&long, None),
        ] {
            let read = PictureAddress::read(text, &own, &hosts);
            assert_eq!(read.as_ref().map(PictureAddress::text), expected, "{text}");
        }
        let here = origin("http://127.0.0.1:8481");
        for (text, taken) in [
            ("http://127.0.0.1:8481/a.png", true),
            ("http://127.0.0.1:8482/a.png", false),
            ("http://localhost:8481/a.png", false),
            ("http://cdn.example.test/a.png", false),
            ("https://cdn.example.test/a.png", true),
        ] {
            assert_eq!(PictureAddress::read(text, &here, &hosts).is_some(), taken, "{text}");
        }
    }

    #[test]
    fn no_debug_text_holds_more_of_an_address_than_its_host() {
        let own = Origin::parse("https://api.example.test").unwrap();
        let address = PictureAddress::read("/a.png?token=hunter22", &own, &[]).unwrap();
        let shown = format!("{address:?}");
        assert!(shown.contains("api.example.test") && !shown.contains("hunter22"), "{shown}");
    }
}
