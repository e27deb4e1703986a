//! Time and randomness for templates.

use std::net::ToSocketAddrs;

use rand::TryRng as _;

/// The machine that the program runs on.
pub(crate) struct Surroundings;

impl sprig::Sources for Surroundings {
    fn now(&self) -> jiff::Zoned {
        jiff::Zoned::now()
    }

    fn random(&self, buffer: &mut [u8]) {
        // Without randomness there are no keys: better none than weak ones.
        #[expect(clippy::expect_used, reason = "the system's generator failing leaves nothing to do")]
        rand::rngs::SysRng.try_fill_bytes(buffer).expect("the system gives random bytes");
    }

    fn addresses(&self, host: &str) -> Vec<String> {
        let found = (host, 0).to_socket_addrs().map(|all| all.map(|one| one.ip().to_string()).collect());
        found.unwrap_or_default()
    }
}
