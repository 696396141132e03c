//! What the encoder writes, the decoder reads back; and neither is stopped by any text or any bytes.

use proptest::prelude::*;
use tilld_devices::decode::decode;
use tilld_devices::encode::encode;
use tilld_devices::profile::Profile;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Row, Slip, Style, Symbology};

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
        1 => Just(Part::Cut),
        1 => (any::<bool>(), 1..=255_u16, 1..=255_u16).prop_map(|(five, on, off)| {
            let pin = if five { DrawerPin::Five } else { DrawerPin::Two };
            Part::Drawer(DrawerPulse { pin, on_ms: on * 2, off_ms: off * 2 })
        }),
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
