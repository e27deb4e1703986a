//! What functions can't compute: the time, randomness, the environment.

/// Where functions get the time, random bytes and their surroundings from.
pub trait Sources {
    /// The current time, in the time zone that templates call `Local`.
    fn now(&self) -> jiff::Zoned;

    /// Fills the buffer with random bytes fit for keys and passwords.
    fn random(&self, buffer: &mut [u8]);

    /// The environment variable of that name, for `env` and `expandenv`.
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    /// The addresses of a host, for `getHostByName`; none when it is unknown.
    fn addresses(&self, _host: &str) -> Vec<String> {
        Vec::new()
    }
}
