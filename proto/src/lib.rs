//! The wire contract of the artifact service: `artifact/v1/artifact.proto` and what is generated from it.
//!
//! The test `generated` writes `src/gen` anew and fails when it was stale.

/// The package `artifact`.
pub mod artifact {
    /// Messages, client and server of `artifact.v1`.
    #[expect(clippy::allow_attributes_without_reason, reason = "the generator writes such attributes")]
    pub mod v1 {
        include!("gen/artifact.v1.rs");
    }
}

/// The encoded `FileDescriptorSet` of all packages, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptors.bin");
