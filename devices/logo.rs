//! A picture of the shop, read from a PNG file: black where it is dark.
//!
//! The file is the shop's and read within bounds. What is transparent is paper; grey is black below the middle, without
//! patterns, because on thermal paper those of a small logo become mud: who wants them draws them.

use std::io::Cursor;
use std::path::Path;

use png::{ColorType, Decoder, Limits, Transformations};
use tilld_domain::slip::Picture;

use crate::given;
use crate::raster::Canvas;

/// The largest file: a picture of black and white has some KB.
const LONGEST: u64 = 1024 * 1024;
/// The most rows: at 9600 baud each hundred of them are seven seconds.
const HIGHEST: u32 = 512;

/// Reads the file. The error says what to do.
pub fn read(path: &Path, dots: u16) -> Result<Picture, String> {
    let bytes = given::bytes(path, LONGEST, "; make it smaller")?;
    picture(&bytes, dots)
}

fn picture(bytes: &[u8], dots: u16) -> Result<Picture, String> {
    let no_png = |_| "is no PNG picture, or a broken one".to_owned();
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 8 * 1024 * 1024 });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(no_png)?;
    let (width, height) = reader.info().size();
    if width > u32::from(dots) || height > HIGHEST {
        return Err(format!(
            "has {width} by {height} dots; the printer has {dots} in a row, and {HIGHEST} rows are the most: make it smaller"
        ));
    }
    let size = reader.output_buffer_size().ok_or("is too large".to_owned())?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(no_png)?;
    let dark: fn(&[u8]) -> bool = match frame.color_type {
        ColorType::Grayscale | ColorType::Indexed => |dot| is_dark(dot, None),
        ColorType::GrayscaleAlpha => |dot| is_dark(dot.get(..1).unwrap_or_default(), dot.get(1)),
        ColorType::Rgb => |dot| is_dark(dot, None),
        ColorType::Rgba => |dot| is_dark(dot.get(..3).unwrap_or_default(), dot.get(3)),
    };
    let across = usize::try_from(width).unwrap_or(0);
    let mut canvas = Canvas::new(across, usize::try_from(height).unwrap_or(0));
    let rows = samples.chunks(frame.line_size.max(1)).take(usize::try_from(height).unwrap_or(0));
    for (y, row) in rows.enumerate() {
        for (x, dot) in row.chunks(frame.color_type.samples()).take(across).enumerate() {
            if dark(dot) {
                canvas.dot(x, y);
            }
        }
    }
    canvas.finish().ok_or("has no dots".to_owned())
}

/// Whether a dot of one or three colours is nearer to black than to white, on white paper.
fn is_dark(colours: &[u8], opacity: Option<&u8>) -> bool {
    // Rec. 601's weights, in thousandths.
    let light = match colours {
        [grey] => u32::from(*grey).saturating_mul(1000),
        [red, green, blue] => [(red, 299), (green, 587), (blue, 114)]
            .iter()
            .map(|(colour, weight)| u32::from(**colour).saturating_mul(*weight))
            .sum(),
        _ => return false,
    };
    let opacity = opacity.map_or(255, |opacity| u32::from(*opacity));
    let darkness = 255_000_u32.saturating_sub(light).saturating_mul(opacity);
    darkness > 255_000 / 2 * 255
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, colour: ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    #[test]
    fn what_is_dark_is_black_whatever_the_kind_of_picture() {
        use png::BitDepth::{Eight, One};
        for (colour, depth, data) in [
            (ColorType::Grayscale, One, vec![0b0110_0000, 0b1000_0000]),
            (ColorType::Grayscale, Eight, vec![0, 255, 200, 129, 100, 0]),
            (ColorType::GrayscaleAlpha, Eight, vec![0, 255, 0, 0, 255, 255, 0, 100, 0, 200, 20, 255]),
            (
                ColorType::Rgb,
                Eight,
                vec![0, 0, 255, 255, 255, 0, 0, 255, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0],
            ),
            (
                ColorType::Rgba,
                Eight,
                vec![0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 9, 9, 9, 9, 255, 0, 0, 0, 255],
            ),
        ] {
            let picture = picture(&png(3, 2, colour, depth, &data), 576).unwrap();
            let found: Vec<bool> = (0..2)
                .flat_map(|y| (0..3).map(move |x| (x, y)))
                .map(|(x, y)| picture.is_dark(x, y))
                .collect();
            assert_eq!(found, [true, false, false, false, true, true], "{colour:?} {depth:?}");
        }
    }

    #[test]
    fn what_is_no_small_png_is_refused_with_what_to_do() {
        let wide = png(600, 1, ColorType::Grayscale, png::BitDepth::One, &[0; 75]);
        let high = png(8, 600, ColorType::Grayscale, png::BitDepth::One, &[0; 600]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.png");
        for (bytes, why) in [
            (b"\xff\xd8\xff\xe0 a photograph".to_vec(), "is no PNG picture, or a broken one"),
            (
                png(8, 1, ColorType::Grayscale, png::BitDepth::One, &[0])[..40].to_vec(),
                "is no PNG picture, or a broken one",
            ),
            (wide, "has 600 by 1 dots; the printer has 576 in a row"),
            (high, "has 8 by 600 dots"),
            (vec![0; 2 * 1024 * 1024], "has more than 1048576 bytes"),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            let refused = read(&path, 576).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
        assert_eq!(read(folder.path(), 576).unwrap_err(), "is no regular file");
    }
}
