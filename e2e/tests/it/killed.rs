//! A controller that is killed at any moment goes on where it was.

use e2e::kills::{self, Plan};

use crate::stage::alone;

#[test]
fn kills_at_random_points_end_in_the_undisturbed_state() {
    alone(async || {
        let report = kills::run(Plan { kills: 8, seed: 1 }).await?;
        assert!(report.differences.is_empty(), "{:#?}", report.differences);
        Ok(())
    });
}
