//! Who calls where nobody should, and what they say.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinHandle, time::timeout};

/// How long a caller has to say something.
const PATIENCE: Duration = Duration::from_millis(200);

/// A server that listens to what it is told and hangs up.
pub(super) struct Recorder {
    host: String,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Starts to listen.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (host, heard) = (listener.local_addr()?.to_string(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
        let log = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut said = vec![0; 16 << 10];
                let length = timeout(PATIENCE, connection.read(&mut said)).await;
                said.truncate(length.ok().and_then(Result::ok).unwrap_or_default());
                log.lock().unwrap_or_else(PoisonError::into_inner).push(said);
            }
        });
        Ok(Self { host, heard, task })
    }

    /// `host:port`.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// How many have called so far.
    pub(super) fn calls(&self) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether somebody said this.
    pub(super) fn heard(&self, text: &str) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().any(|said| String::from_utf8_lossy(said).contains(text))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}
