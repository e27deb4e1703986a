//! The caller's randomness in the form that key generation takes.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::Sources;

/// Random numbers from [`Sources`].
pub(super) struct SourcesRng<'a>(pub(super) &'a dyn Sources);

impl TryRng for SourcesRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.random(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.random(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.0.random(buffer);
        Ok(())
    }
}

impl TryCryptoRng for SourcesRng<'_> {}
