//! What the encoder writes, the decoder reads back; and neither is stopped by any text or any bytes.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tilld_devices::decode::decode;
use tilld_devices::encode::encode;
use tilld_devices::profile::{Profile, Raster};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};

fn style() -> impl Strategy<Value = Style> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1..=8_u8, 1..=8_u8).prop_map(
        |(bold, underline, inverse, width, height)| Style { bold, underline, inverse, width, height },
    )
}

fn align() -> impl Strategy<Value = Align> {
    prop_oneof![Just(Align::Left), Just(Align::Centre), Just(Align::Right)]
}

fn secret(text: String) -> Secret {
    Secret::new(text)
}

/// Parts that every page of Western Europe has, rows no longer than the paper.
fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => (style(), align(), "[ -~ÄÖÜäöüßéèçñ€£½«»]{0,48}").prop_map(|(style, align, text)| {
            let most = 48 / usize::from(style.width);
            Part::Row(Row { text: secret(text.chars().take(most).collect()), style, align })
        }),
        1 => (1..=u8::MAX).prop_map(Part::Feed),
        1 => "[ -~äß€漢]{1,200}".prop_map(|text| Part::Qr(secret(text))),
        1 => "[0-9]{12}".prop_map(|text| Part::Barcode(Symbology::Ean13, secret(text))),
        1 => "[ -~]{1,20}".prop_map(|text| Part::Barcode(Symbology::Code128, secret(text))),
        // No more than one band has.
        1 => (1..=72_u16, 1..=13_u16, align(), prop::sample::select(vec![0x00, 0xff, 0x81, 0x3c])).prop_map(
            |(bytes, height, align, byte)| {
                let bits = vec![byte; usize::from(bytes * height)];
                Part::Picture(Picture::new(bytes * 8, height, bits.into()).unwrap(), align)
            }
        ),
        1 => Just(Part::Cut),
        1 => (any::<bool>(), 1..=255_u16, 1..=255_u16).prop_map(|(five, on, off)| {
            let pin = if five { DrawerPin::Five } else { DrawerPin::Two };
            Part::Drawer(DrawerPulse { pin, on_ms: on * 2, off_ms: off * 2 })
        }),
    ]
}

/// Parts that hold anything.
fn any_part() -> impl Strategy<Value = Part> {
    let evil = || prop::sample::select(vec![0x10, 0x04, 0x05, 0x14, 0x01, 0x00]);
    prop_oneof![
        part(),
        (style(), align(), "\\PC{0,80}|[\\x00-\\xff]{0,80}")
            .prop_map(|(style, align, text)| Part::Row(Row { text: secret(text), style, align })),
        "\\PC{0,300}|[\\x00-\\xff]{0,300}".prop_map(|text| Part::Qr(secret(text))),
        "[\\x00-\\x7f]{0,20}".prop_map(|text| Part::Barcode(Symbology::Code128, secret(text))),
        (1..=90_u16, prop::collection::vec(evil(), 90..=900)).prop_map(|(bytes, mut bits)| {
            let height = u16::try_from(bits.len()).unwrap() / bytes;
            bits.truncate(usize::from(bytes * height));
            Part::Picture(Picture::new(bytes * 8, height, bits.into()).unwrap(), Align::Left)
        }),
        any::<(bool, u16, u16)>().prop_map(|(five, on_ms, off_ms)| {
            let pin = if five { DrawerPin::Five } else { DrawerPin::Two };
            Part::Drawer(DrawerPulse { pin, on_ms, off_ms })
        }),
        Just(Part::Drawer(DrawerPulse { pin: DrawerPin::Two, on_ms: 32, off_ms: 8 })),
    ]
}

proptest! {
    #[test]
    fn what_was_encoded_is_read_back(parts in prop::collection::vec(part(), 0..30)) {
        let slip = Slip { columns: 48, parts };
        let encoded = encode(&Profile::epson(), &slip);
        prop_assert_eq!(encoded.replaced, 0);
        let back: Vec<Part> = decode(&Profile::epson(), &encoded.bytes).into_iter().flat_map(|slip| slip.parts).collect();
        prop_assert!(back == slip.parts);
    }

    #[test]
    fn japanese_is_read_back_too(text in "[ -~ü€ぁ-んァ-ヴ一二三四五六七八九十券]{0,24}") {
        let printer = Profile::named("epson-japan").unwrap();
        let row = Row { text: secret(text), style: Style::PLAIN, align: Align::Left };
        let slip = Slip { columns: 48, parts: vec![Part::Row(row)] };
        let encoded = encode(&printer, &slip);
        prop_assert_eq!(encoded.replaced, 0);
        let back: Vec<Part> = decode(&printer, &encoded.bytes).into_iter().flat_map(|slip| slip.parts).collect();
        prop_assert!(back == slip.parts);
    }

    #[test]
    fn no_job_holds_the_start_of_a_real_time_command(
        parts in prop::collection::vec(any_part(), 0..12),
        profile in prop::sample::select(Profile::all().to_vec()),
        is_star in any::<bool>(),
    ) {
        let by_columns = is_star && profile.raster == Raster::GsV0;
        let profile = if by_columns { Profile { raster: Raster::EscStar24, ..profile } } else { profile };
        let bytes = encode(&profile, &Slip { columns: profile.columns, parts }).bytes;
        prop_assert!(!bytes.windows(2).any(|pair| matches!(pair, [0x10, 0x04 | 0x05 | 0x14])));
    }

    #[test]
    fn a_row_of_any_text_becomes_rows_of_text_that_fit(
        text in "\\PC{0,120}|[\\x00-\\xff]{0,120}",
        style in style(),
        align in align(),
        profile in prop::sample::select(Profile::all().to_vec()),
    ) {
        let row = Row { text: secret(text), style, align };
        let bytes = encode(&profile, &Slip { columns: profile.columns, parts: vec![Part::Row(row)] }).bytes;
        for part in decode(&profile, &bytes).iter().flat_map(|slip| &slip.parts) {
            let Part::Row(row) = part else { return Err(TestCaseError::fail("something else than a row")) };
            let cells = row.text.reveal().chars().count() * usize::from(style.width);
            prop_assert!(cells <= usize::from(profile.columns));
            let shows_a_control = row.text.reveal().contains(|letter: char| ('\u{2400}'..='\u{2421}').contains(&letter));
            prop_assert!(!shows_a_control);
        }
    }

    #[test]
    fn garbage_never_stops_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let slips = decode(&Profile::epson(), &bytes);
        prop_assert!(slips.iter().map(|slip| slip.parts.len()).sum::<usize>() <= bytes.len() * 3 + 1);
    }
}
