//! The pictures of the shipped brands, drawn when they are asked for; and what may lie in their place.
//!
//! A picture is a card of one colour with a white sign, 160 by 104 dots of sixteen shades, some 1 to 2 KB as PNG. Some products have
//! none, as it may be at the real provider, of whose catalogue no schema is known (fact sheet 3.5).

use super::switches::{PictureShape, Switches};
use crate::answer::Answer;

/// All pictures are below this.
pub(crate) const PATH: &str = "/pictures/";
/// Dots of a picture.
const WIDTH: i32 = 160;
const HEIGHT: i32 = 104;
/// A dot is looked at in this many places each way.
const FINE: i32 = 4;
/// The greatest number of shades: four bits a dot.
const SHADES: i32 = 15;
/// More than anybody should take for a tile, in bytes.
const TOO_MANY: usize = 1024 * 1024 + 1;
/// More dots than anybody should unpack.
const TOO_WIDE: u32 = 65_000;

const PAGE: &str = "<!DOCTYPE html>\n<html><head><script>alert(document.domain)</script></head></html>\n";
const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"160\" height=\"104\"><script>alert(1)</script>\
    <rect width=\"160\" height=\"104\"/></svg>\n";

/// A colour: red, green, blue.
type Colour = [u8; 3];

/// What is on a card.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// A parcel with a ribbon.
    Parcel,
    /// Bars of a sound.
    Bars,
    /// A hill, and the sun behind it.
    Hill,
    /// A leaf.
    Leaf,
    /// A curtain with a round light.
    Light,
    /// Two peaks.
    Peaks,
    /// A window of four panes.
    Window,
}

/// Which products have a picture.
const DRAWN: [(&str, Sign, Colour); 8] = [
    ("4001232232332", Sign::Parcel, [0xb0, 0x2a, 0x4c]),
    ("4001232100015", Sign::Bars, [0x5b, 0x3f, 0xa8]),
    ("4001232100022", Sign::Hill, [0xc4, 0x62, 0x10]),
    ("4001232100039", Sign::Leaf, [0x2c, 0x7a, 0x43]),
    ("4001232100053", Sign::Light, [0x8f, 0x1d, 0x1d]),
    ("7601232200014", Sign::Peaks, [0x1f, 0x5f, 0x8b]),
    ("5001232300013", Sign::Leaf, [0x3d, 0x6b, 0x5e]),
    ("4901232400012", Sign::Window, [0x24, 0x3b, 0x6b]),
];

/// The address that a product names as its picture's, if it names one. `hosts` are this provider's own, the first the one
/// under which it is known.
pub(crate) fn address(code: &str, switches: &Switches, hosts: &[String]) -> Option<String> {
    let shape = shape(code, switches)?;
    let known = hosts.first()?;
    let (host, name) = match shape {
        PictureShape::None => return None,
        PictureShape::Elsewhere => (hosts.get(1)?, code.to_owned()),
        PictureShape::DrawnAnew => (known, format!("{code}-anew")),
        _ => (known, code.to_owned()),
    };
    Some(format!("http://{host}{PATH}{name}.png"))
}

/// What lies at a path.
pub(crate) fn answer(path: &str, switches: &Switches, hosts: &[String]) -> Answer {
    let name = path.strip_prefix(PATH).and_then(|name| name.strip_suffix(".png")).unwrap_or_default();
    let (code, anew) = name.strip_suffix("-anew").map_or((name, false), |code| (code, true));
    let png = |bytes: Vec<u8>| Answer::of(200, "image/png", bytes);
    let Some(shape) = shape(code, switches) else { return Answer::empty(404) };
    match shape {
        PictureShape::None | PictureShape::Gone => Answer::empty(404),
        PictureShape::DrawnAnew if !anew => Answer::empty(404),
        PictureShape::Drawn | PictureShape::DrawnAnew | PictureShape::Elsewhere => png(draw(code, anew)),
        PictureShape::Redirect => {
            let elsewhere = hosts.get(1).map(String::as_str).unwrap_or_default();
            Answer::leading_to(302, format!("http://{elsewhere}{PATH}followed.png"))
        }
        PictureShape::TooLarge => {
            let mut bytes = draw(code, anew);
            bytes.resize(TOO_MANY, 0);
            png(bytes)
        }
        PictureShape::TooWide => png(wide(draw(code, anew))),
        PictureShape::Html => png(PAGE.as_bytes().to_vec()),
        PictureShape::Svg => Answer::of(200, "image/svg+xml", SVG),
        PictureShape::Drip => png(draw(code, anew)).dripping(),
    }
}

/// The shape of a product's picture: what the switch says, or drawn if the catalogue has one.
fn shape(code: &str, switches: &Switches) -> Option<PictureShape> {
    let told = switches.products.get(code).and_then(|own| own.picture);
    told.or_else(|| look(code).map(|_| PictureShape::Drawn))
}

fn look(code: &str) -> Option<(Sign, Colour)> {
    DRAWN.iter().find(|(drawn, ..)| *drawn == code).map(|(_, sign, colour)| (*sign, *colour))
}

/// The same picture, its head declaring more dots than anybody should unpack.
fn wide(mut bytes: Vec<u8>) -> Vec<u8> {
    for at in [16, 20] {
        if let Some(field) = bytes.get_mut(at..at + 4) {
            field.copy_from_slice(&TOO_WIDE.to_be_bytes());
        }
    }
    bytes
}

/// A picture as PNG; drawn anew the colours change places.
fn draw(code: &str, anew: bool) -> Vec<u8> {
    let (sign, colour) = look(code).unwrap_or((Sign::Window, [0x55, 0x55, 0x55]));
    let (ground, ink) = if anew { ([0xff; 3], colour) } else { (colour, [0xff; 3]) };
    let mut palette = Vec::new();
    for shade in 0..=SHADES {
        for (from, to) in ground.into_iter().zip(ink) {
            let mixed = (i32::from(from) * (SHADES - shade) + i32::from(to) * shade) / SHADES;
            palette.push(u8::try_from(mixed).unwrap_or(u8::MAX));
        }
    }
    let mut dots = Vec::new();
    for y in 0..HEIGHT {
        for x in (0..WIDTH).step_by(2) {
            let [left, right] = [shade(sign, x, y), shade(sign, x + 1, y)];
            dots.push((left << 4) | right);
        }
    }
    encode(palette, &dots).unwrap_or_default()
}

fn encode(palette: Vec<u8>, dots: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH.unsigned_abs(), HEIGHT.unsigned_abs());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(palette);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(dots)?;
    writer.finish()?;
    Ok(bytes)
}

/// How much of a dot is sign: 0 to 15.
fn shade(sign: Sign, x: i32, y: i32) -> u8 {
    let fine = |from: i32| (from * FINE)..((from + 1) * FINE);
    // From the middle of the picture, in tenths of a dot.
    let middle = |at: i32, dots: i32| (2 * at + 1) * 10 / (2 * FINE) - dots * 5;
    let inked = fine(y)
        .flat_map(|y| fine(x).map(move |x| (x, y)))
        .filter(|(x, y)| holds(sign, middle(*x, WIDTH), middle(*y, HEIGHT)))
        .count();
    u8::try_from(inked * 15 / 16).unwrap_or(15)
}

/// Whether a place belongs to the sign; in tenths of a dot from the middle, y downwards.
fn holds(sign: Sign, x: i32, y: i32) -> bool {
    let within = |half_wide: i32, half_high: i32| x.abs() <= half_wide && y.abs() <= half_high;
    let disc = |at_x: i32, at_y: i32, radius: i32| {
        (x - at_x) * (x - at_x) + (y - at_y) * (y - at_y) <= radius * radius
    };
    match sign {
        Sign::Parcel => {
            let box_ = x.abs() <= 260 && (-60..=300).contains(&y);
            let lid = x.abs() <= 300 && (-140..=-80).contains(&y);
            let bow = (disc(-110, -210, 90) && !disc(-110, -210, 50))
                || (disc(110, -210, 90) && !disc(110, -210, 50));
            (box_ || lid) && x.abs() > 35 || bow
        }
        Sign::Bars => {
            let bar = (x + 420).div_euclid(120);
            let half = [90, 210, 320, 140, 270, 180, 60];
            let high = usize::try_from(bar).ok().and_then(|bar| half.get(bar)).copied().unwrap_or(0);
            (x + 420).rem_euclid(120) < 70 && y.abs() <= high
        }
        Sign::Hill => {
            let hill = disc(-150, 620, 520) || disc(330, 700, 520);
            hill && y <= 330 || disc(170, -160, 130) && !disc(330, 700, 560)
        }
        Sign::Leaf => {
            let (along, across) = (x - y, x + y);
            let leaf = disc(-180, -180, 480) && disc(180, 180, 480);
            leaf && across.abs() > 28 || across.abs() <= 28 && (-330..=560).contains(&-along)
        }
        Sign::Light => {
            let curtain = x.abs() > 420 && x.abs() <= 620 && (x.abs() - 420).rem_euclid(80) < 48;
            curtain && y.abs() <= 380 || disc(0, 0, 270) && !disc(0, 0, 180) || disc(0, 0, 90)
        }
        Sign::Peaks => {
            let peak = |at: i32, top: i32| y <= 300 && y >= top + (x - at).abs();
            let cap = |at: i32, top: i32| y > top + 150 && y < top + 200 && (x - at).abs() < 400;
            (peak(-160, -300) && !cap(-160, -300)) || (peak(260, -120) && !peak(-160, -360))
        }
        Sign::Window => within(300, 330) && x.abs() > 30 && y.abs() > 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finperks::catalogue;

    #[test]
    fn some_products_of_the_catalogue_have_a_picture_and_some_have_none() {
        let (switches, hosts) = (Switches::default(), ["127.0.0.1:1".to_owned(), "localhost:1".to_owned()]);
        let named =
            catalogue::all().iter().filter(|it| address(it.code, &switches, &hosts).is_some()).count();
        assert_eq!((named, DRAWN.len()), (8, 8));
        assert!(catalogue::all().len() > named);
    }

    #[test]
    fn every_picture_is_a_small_png_of_its_own_with_ground_and_sign() {
        let mut all = std::collections::HashSet::new();
        for (code, ..) in DRAWN {
            for anew in [false, true] {
                let bytes = draw(code, anew);
                assert!((200..4096).contains(&bytes.len()), "{code}: {} bytes", bytes.len());
                let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
                let mut dots = vec![0; reader.output_buffer_size().unwrap()];
                reader.next_frame(&mut dots).unwrap();
                assert_eq!((reader.info().width, reader.info().height), (160, 104));
                let signs = dots.iter().filter(|two| two.count_ones() == 8).count();
                assert!((dots.len() / 20..dots.len() * 4 / 5).contains(&signs), "{code}: {signs}");
                assert!(all.insert(bytes), "{code}");
            }
        }
    }
}
