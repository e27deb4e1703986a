//! User stories, one file each. Most share a cluster with both controllers and have a namespace of their own;
//! those that break something have a cluster of their own.

mod artifact_service;
mod definitions;
mod depends_on;
mod drift;
mod failing_build;
mod frozen_api_server;
mod git_to_cluster;
mod helm_records;
mod killed;
mod leader_failover;
mod plain_http;
mod prune;
mod stage;
mod testbed;
mod tracing;
