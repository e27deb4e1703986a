use std::time::Duration;

use rand::RngExt;

/// Spreads an interval evenly over ± `percent` of itself, so that objects made together don't stay in step.
///
/// Zero stays zero. Percentages of 100 and more are refused with the flags.
#[must_use]
pub fn jitter(interval: Duration, percent: u8) -> Duration {
    scale(interval, percent, rand::rng().random_range(-1.0..=1.0))
}

/// The interval at a point from -1 (shortest) to 1 (longest).
fn scale(interval: Duration, percent: u8, point: f64) -> Duration {
    let factor = 1.0 + point * f64::from(percent) / 100.0;
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{jitter, scale};

    #[test]
    fn the_interval_is_spread_by_the_percentage_both_ways() {
        let hour = Duration::from_secs(3600);
        assert_eq!(scale(hour, 5, -1.0), Duration::from_secs(3420));
        assert_eq!(scale(hour, 5, 1.0), Duration::from_secs(3780));
        assert_eq!(scale(hour, 0, 1.0), hour);
        for _ in 0..100 {
            assert!((3420..=3780).contains(&jitter(hour, 5).as_secs()));
        }
        assert_eq!(jitter(Duration::ZERO, 5), Duration::ZERO);
    }
}
