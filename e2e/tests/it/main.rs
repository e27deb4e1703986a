//! User stories, one file each. Most share a cluster with both controllers and have a namespace of their own;
//! those that break something have a cluster of their own.

mod absent_api_server;
mod artifact_service;
mod definitions;
mod depends_on;
mod drift;
mod failing_build;
mod features;
mod git_to_cluster;
mod helm_records;
mod hostile;
mod killed;
mod leader_failover;
mod outage;
mod plain_http;
mod prune;
mod stage;
mod swept;
mod testbed;
mod tracing;
mod unreliable_api_server;
