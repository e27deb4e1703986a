//! A controller that is killed at one of its writes goes on where it was.

use e2e::sweep;

use crate::stage::alone;

/// Of about ten times as many: `make sweep` takes them all.
const POINTS: usize = 16;

#[test]
fn kills_at_writes_end_in_the_undisturbed_state() {
    alone(async || {
        let report = sweep::run(Some(POINTS)).await?;
        assert!(report.points >= POINTS / 2, "{report:?}");
        assert!(report.differences.is_empty(), "{:#?}", report.differences);
        Ok(())
    });
}
