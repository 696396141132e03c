use super::*;

/// A short notation for what is on paper.
fn shown(bytes: &[u8]) -> String {
    decode(&Profile::epson(), bytes)
        .iter()
        .flat_map(|slip| &slip.parts)
        .map(show)
        .collect::<Vec<_>>()
        .join(" ")
}

fn show(part: &Part) -> String {
    match part {
        Part::Row(row) => {
            let Style { bold, underline, inverse, width, height } = row.style;
            let mut marks = String::new();
            for (set, mark) in [(bold, "b"), (underline, "u"), (inverse, "i")] {
                marks.push_str(if set { mark } else { "" });
            }
            if (width, height) != (1, 1) {
                marks = format!("{marks}{width}x{height}");
            }
            let side = match row.align {
                Align::Left => "",
                Align::Centre => "^",
                Align::Right => ">",
            };
            format!("{marks}{side}'{}'", row.text.reveal())
        }
        Part::Feed(rows) => format!("feed{rows}"),
        Part::Qr(text) => format!("qr'{}'", text.reveal()),
        Part::Barcode(symbology, text) => format!("{symbology:?}'{}'", text.reveal()),
        Part::Picture(picture, _) => {
            let rows = (0..usize::from(picture.height())).map(|y| picture.row(y));
            let rows: Vec<String> = rows
                .map(|row| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
                .collect();
            format!("picture{}:{}", picture.width(), rows.join("/"))
        }
        Part::Cut => "cut".to_owned(),
        Part::Drawer(pulse) => format!("{:?}:{}/{}", pulse.pin, pulse.on_ms, pulse.off_ms),
    }
}

#[test]
fn any_stream_is_shown_as_the_paper_would_be() {
    for (bytes, paper) in [
        (&b"hello\n"[..], "'hello'"),
        (b"no end", "'no end'"),
        (b"\n\n", "'' ''"),
        (b"a\r\nb\r\n", "'a' 'b'"),
        (b"ab\tc\n", "'ab      c'"),
        (b"\x1b!\x38x\n", "b2x2'x'"),
        (b"\x1b!\x80x\n\x1b@y\n", "u'x' 'y'"),
        (b"not ended\x1b@y\n", "'y'"),
        (b"\x1bE1x\x1bE0y\n", "b'xy'"),
        (b"a\x1ba1b\n", "'ab'"),
        (b"\x1ba1\x1d!\x70W\n", "8x1^'W'"),
        (b"\x1bt\x13\xd5\n\x1bt\x10\x80\n\x1bt\x63\x80\n", "'€' '€' '\u{fffd}'"),
        (b"row\x1bd\x03\x1bd\x02", "'row' feed2 feed2"),
        (b"x\x1dV\x00y\x1dVB\x10z\x1bi", "'x' cut 'y' cut 'z' cut"),
        (b"\x1bp0\x19\xfa", "Two:50/500"),
        (b"\x10\x14\x01\x01\x02", "Five:200/200"),
        (b"\x1b\x70\x00\x1dVA\x00", "Two:58/172 'A\u{2400}'"),
        (b"\x1d(k\x04\x001P0Z\x1d(k\x03\x001Q0\x1d(k\x03\x001Q0", "qr'Z' qr'Z'"),
        (b"\x1dk\x024006381333931\x00", "Ean13'4006381333931'"),
        (b"\x1dkC\x0c400638133393", "Ean13'400638133393'"),
        (b"\x1dkI\x09{BA{{{C\x0c\x22", "Code128'A{1234'"),
        (b"\x1dk\x04ABC\x00", "'[bar code]' 'ABC'"),
        (b"\x1dv0\x00\x02\x00\x02\x00\x10\x04\x01\x41after\n", "picture16:1004/0141 'after'"),
        (b"x\x1dv0\x00\x01\x00\x02\x00\x10", "'x' picture8:10"),
        (b"\x1dv0\x00\x00\x00\x02\x00after\n", "'after'"),
        (b"\x1dv0\x00\x02\x00\x02\x00\x10", ""),
        (b"\x1b*\x00\x02\x00\x80\x01\nx\n", "picture8:80/00/00/00/00/00/00/40 'x'"),
        (b"\x1b*\x01\x01\x00\xffx\n", "picture8:80/80/80/80/80/80/80/80 'x'"),
        (b"\x1b*\x21\x00\x00x\n", "'x'"),
        (b"\x1d(L\x02\x00\x10\x04after\n", "'[image]' 'after'"),
        (b"\x1c&\x8a\xbf\n", "'\u{e8}\u{2510}'"),
        (b"\x07\x00\x1b\x01x\n", "'\u{2407}\u{2400}\u{241b}\u{2401}x'"),
        (b"\x1d", "'\u{241d}'"),
        (b"\x1d(k\xff\x00ab", "'\u{241d}(k\u{a0}\u{2400}ab'"),
        (b"\x10\x04\x01\x1dr1\x1da\xffok\n", "'ok'"),
        (b"\x1d(H\x06\x0000abcdok\n", "'ok'"),
        (b"\x1d(A\x02\x00\x00\x02ok\n", "'ok'"),
    ] {
        assert_eq!(shown(bytes), paper, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn two_bytes_are_one_wide_character_while_the_printer_was_told_so() {
    let japanese = Profile::named("epson-japan").unwrap();
    for (bytes, rows) in [
        (&b"\x1c&\x8a\xbfa\x8e\x9a\x1c.\n"[..], vec!["漢a字"]),
        (b"\x8a\xbf\n", vec!["è┐"]),
        (b"\x1c&\x8a\xbf\x1b@\x8a\n", vec!["è"]),
        (b"\x1c&\x8a\nx\n", vec!["\u{fffd}", "x"]),
        (b"\x1c&\x81\xff\n", vec!["\u{fffd}"]),
        (b"\x1c&\x8a", vec!["\u{fffd}"]),
    ] {
        let slips = decode(&japanese, bytes);
        let found: Vec<&str> = slips
            .iter()
            .flat_map(|slip| &slip.parts)
            .filter_map(|part| match part {
                Part::Row(row) => Some(row.text.reveal()),
                _ => None,
            })
            .collect();
        assert_eq!(found, rows, "{bytes:x?}");
    }
    // Each is two cells wide.
    let wide = decode(&japanese, &[b"\x1c&".to_vec(), b"\x8a\xbf".repeat(25)].concat());
    assert_eq!(wide[0].parts.len(), 2);
}

#[test]
fn of_a_picture_only_what_is_on_the_paper_is_kept() {
    let printer = Profile::epson();
    let mut decoder = Decoder::new(&printer);
    let mut events = Vec::new();
    // 800 dots wide, 600 rows.
    for byte in b"\x1dv0\x00\x64\x00\x58\x02".iter().chain(&vec![0xff; 100 * 600]) {
        decoder.push(*byte, &mut events);
        assert!(decoder.incoming.as_ref().is_none_or(|it| it.bits.len() <= 72 * TALLEST));
    }
    let sizes: Vec<(u16, u16)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Part(Part::Picture(picture, _)) => Some((picture.width(), picture.height())),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [(576, 256), (576, 256), (576, 88)]);
}

#[test]
fn a_row_wraps_at_the_papers_edge_and_not_twice() {
    let row = "x".repeat(48);
    assert_eq!(shown(format!("{row}\ny\n").as_bytes()), format!("'{row}' 'y'"));
    assert_eq!(shown(format!("{row}yz\n").as_bytes()), format!("'{row}' 'yz'"));
}

#[test]
fn a_pulse_behind_the_cut_belongs_to_the_paper_before() {
    let slips = decode(&Profile::epson(), b"a\n\x1dV\x00\x1bp0\x19\xfa");
    assert_eq!(slips.len(), 1);
    assert_eq!(slips[0].parts.len(), 3);
}
