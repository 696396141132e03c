//! How figures are made of times.

use std::time::Duration;

/// The value that so many per thousand do not exceed.
pub fn quantile(values: &mut [Duration], per_mille: usize) -> Duration {
    values.sort();
    values[(values.len() * per_mille / 1000).min(values.len() - 1)]
}

/// In microseconds.
pub fn us(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1000.0
}
