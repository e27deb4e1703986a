//! Command in, snapshot out: the real program against an API server and an artifact service made of data.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod api_server;
mod artifact;
mod artifact_service;
mod build;
mod fixtures;
mod get;
mod git_server;
mod helm;
mod kustomize;
mod kustomize_remote;
mod program;
mod reconcile;
mod recordings;
mod suspend_resume;
mod usage;
