//! The receiver of what controllers post to `--events-addr`.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode},
};
use serde_json::Value;

use crate::serve::{Server, status};

/// The largest body that is read.
const LIMIT: usize = 1 << 20;

/// One request that a controller made.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Method and path, such as `POST /`.
    pub request: String,
    /// Headers, in the order in which they came; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The event.
    pub body: Value,
}

impl Posted {
    /// The namespace of the object that the event is about.
    pub fn namespace(&self) -> Option<&str> {
        self.body["involvedObject"]["namespace"].as_str()
    }
}

type Log = Arc<Mutex<Vec<Posted>>>;

/// Records events and accepts them all, as notification-controller does without an Alert.
pub struct EventSink {
    server: Server,
    log: Log,
}

impl EventSink {
    /// Starts to listen.
    pub async fn start() -> Result<Self> {
        let log = Log::default();
        let server = Server::http(Router::new().fallback(record).with_state(Arc::clone(&log))).await?;
        Ok(Self { server, log })
    }

    /// The address for `--events-addr`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.host())
    }

    /// What came so far about objects of one namespace.
    pub fn posted(&self, namespace: &str) -> Vec<Posted> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|posted| posted.namespace() == Some(namespace)).cloned().collect()
    }
}

async fn record(State(log): State<Log>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LIMIT).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Ok(body) = serde_json::from_slice(&bytes) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let posted = Posted { request: format!("{} {}", head.method, head.uri), headers, body };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
    status(StatusCode::ACCEPTED)
}
