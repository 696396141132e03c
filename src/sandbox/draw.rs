//! Codes are drawn at random, from the machine's own source.

/// Random digits, each of the ten as likely as any other; nothing if the machine gives no random bytes.
pub fn digits(count: usize) -> Option<String> {
    let mut out = String::with_capacity(count);
    let mut bytes = [0_u8; 32];
    while out.len() < count {
        getrandom::fill(&mut bytes).ok()?;
        let fair = bytes.iter().filter(|byte| **byte < 250).map(|byte| char::from(b'0' + byte % 10));
        out.extend(fair.take(count.saturating_sub(out.len())));
    }
    Some(out)
}
