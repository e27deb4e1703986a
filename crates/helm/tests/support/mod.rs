//! What the tests render with.

use std::cell::Cell;
use std::rc::Rc;

use helm::render::{Capabilities, Context, ReleaseInfo};

/// A fixed time, and bytes that only look random.
#[derive(Default)]
struct Fixed {
    state: Cell<u64>,
}

impl sprig::Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Fixed {
    /// The next number of the sequence called splitmix64.
    fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The first install of a release, without a cluster.
pub(crate) fn context(name: &str, namespace: &str) -> Context {
    Context {
        release: ReleaseInfo {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        capabilities: Capabilities::default(),
        sources: Rc::new(Fixed::default()),
        lookup: None,
    }
}
