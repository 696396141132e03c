//! How many slips of 40 rows with a QR code become ESC/POS bytes in a second. Its counterpart `render_speed.py` does the
//! same with python-escpos, and `slip_bytes.js` says how many bytes node-thermal-printer makes of it; run them on one
//! machine, one after the other:
//!
//! ```text
//! cargo run --release -p tilld-devices --example render_speed
//! python3 devices/examples/render_speed.py        # in an environment with python-escpos
//! node devices/examples/slip_bytes.js             # where node-thermal-printer is installed
//! ```

#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tilld_devices::encode::encode;
use tilld_devices::profile::Profile;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Style};

/// Long enough for a steady figure.
const RUN: Duration = Duration::from_secs(3);

/// The rows of both programs: every fifth is centred and bold, every fourth has umlauts and a euro sign.
fn slip() -> Slip {
    let mut parts: Vec<Part> = (0..40)
        .map(|number| {
            let text = match number % 4 {
                0 => format!("{number:02} Größe für Dich: 50,00 € und Grüße"),
                _ => format!("{number:02} The quick brown fox jumps over it 1234.56"),
            };
            let (style, align) =
                if number % 5 == 0 { (Style::BOLD, Align::Centre) } else { (Style::PLAIN, Align::Left) };
            Part::Row(Row { text: Secret::new(text), style, align })
        })
        .collect();
    parts.push(Part::Qr(Secret::new("https://example.com/r/6006491234567890".to_owned())));
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

fn main() {
    let slip = slip();
    let bytes = encode(&Profile::epson(), &slip).bytes.len();
    let start = Instant::now();
    let mut slips = 0_u64;
    while start.elapsed() < RUN {
        for _ in 0..100 {
            black_box(encode(&Profile::epson(), black_box(&slip)));
        }
        slips += 100;
    }
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    println!("tilld: {} receipts/s of {bytes} bytes", slips * 1_000_000 / micros);
}
