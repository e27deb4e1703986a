use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// How long before its end something is no longer used.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Remembers what was asked for while a Kustomization is decrypted: logins with credentials of its Secret.
/// Who asks for the same waits.
pub(super) struct Memo<T>(Mutex<HashMap<String, (T, Option<Timestamp>)>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Memo<T> {
    /// What is remembered for the key, else what `ask` gets, with when it ends; `None` is never.
    pub(super) async fn get<E>(
        &self,
        key: &str,
        now: Timestamp,
        ask: impl Future<Output = Result<(T, Option<Timestamp>), E>>,
    ) -> Result<T, E> {
        let mut known = self.0.lock().await;
        if let Some((value, until)) = known.get(key)
            && until.is_none_or(|until| until - MARGIN > now)
        {
            return Ok(value.clone());
        }
        let (value, until) = ask.await?;
        known.insert(key.to_owned(), (value.clone(), until));
        Ok(value)
    }
}
