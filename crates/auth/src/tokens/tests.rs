use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::fake::{Accounts, Fake, chain, clock, controller, deployer, object, ok, tokens};
use crate::{Cache, Environment, Identity, Options, Tokens};

#[test]
fn who_is_asked_for_is_named_or_the_default_or_the_controller() {
    let of = |named, default| {
        let identity = Identity::new(object(), named, default);
        identity.service_account.map(|account| (account.to_string(), account.by_default))
    };
    assert_eq!(of(Some("a"), Some("d")), Some(("apps/a".into(), false)));
    assert_eq!(of(None, Some("d")), Some(("apps/d".into(), true)));
    assert_eq!(of(Some(" "), Some("d")), Some(("apps/d".into(), true)), "a blank name is none");
    assert_eq!(of(Some(""), Some("")), None);
}

#[tokio::test]
async fn a_missing_service_account_is_told_by_who_named_it() {
    let fake = Fake::new(|_| ok("")).await;
    let (tokens, _) = tokens(&fake, &[], [], Accounts::default());
    let text = chain(&tokens.kubernetes(&deployer()).await.unwrap_err());
    let expected = "failed to get service account 'apps/deployer': serviceaccounts \"deployer\" not found";
    assert_eq!(text, expected);
    let by_default = Identity::new(object(), None, Some("lockdown"));
    let text = chain(&tokens.kubernetes(&by_default).await.unwrap_err());
    assert_eq!(
        text,
        "failed to get service account 'apps/lockdown': the specified default service account does not exist in \
         the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to \
         your cluster administrator for help"
    );
}

#[tokio::test]
async fn without_the_gate_no_token_is_issued() {
    let fake = Fake::new(|_| ok("")).await;
    let accounts = Arc::new(Accounts::with(&[]));
    let tokens = Tokens::new(Options {
        environment: Environment::default(),
        ..Options::new(fake.http(&[]), accounts.clone())
    });
    let text = chain(&tokens.kubernetes(&deployer()).await.unwrap_err());
    assert_eq!(text, "ObjectLevelWorkloadIdentity feature gate is not enabled");
    assert!(accounts.issued.lock().is_empty());
}

fn cached(fake: &Fake, accounts: Accounts) -> (Tokens, Arc<Accounts>) {
    let accounts = Arc::new(accounts);
    let tokens = Tokens::new(Options {
        environment: Environment::from([("AZURE_CLIENT_ID", "client")]),
        cache: Some(Arc::new(Cache::new(10, Duration::from_secs(60), Arc::new(())))),
        object_level: true,
        clock: clock(),
        ..Options::new(fake.http(&["169.254.169.254"]), accounts.clone())
    });
    (tokens, accounts)
}

#[tokio::test]
async fn a_cached_token_is_found_by_all_that_it_depends_on() {
    let fake = Fake::new(|_| ok(&json!({"access_token": "t", "expires_in": 3600}))).await;
    let (tokens, _) = cached(&fake, Accounts::default());
    for (scope, asked) in [("a", 1), ("a", 1), ("b", 2), ("a", 2)] {
        tokens.azure(&controller(), scope).await.unwrap();
        assert_eq!(fake.seen().len(), asked, "{scope}");
    }
}

#[tokio::test]
async fn a_service_account_made_anew_or_other_audiences_get_other_tokens() {
    let fake = Fake::new(|_| ok("")).await;
    let mut accounts = Accounts::with(&[]);
    let mut other = accounts.known[0].clone();
    other.name = "other".into();
    accounts.known.push(other);
    let (tokens, accounts) = cached(&fake, accounts);
    let other = Identity::new(object(), Some("other"), None);
    let audience = ["vault".to_owned()];
    let asked = async |who: &Identity| {
        tokens.kubernetes(who).await.unwrap();
        accounts.issued.lock().len()
    };
    assert_eq!(asked(&deployer()).await, 1);
    assert_eq!(asked(&deployer()).await, 1);
    assert_eq!(asked(&other).await, 2);
    assert_eq!(asked(&deployer().towards(&audience)).await, 3);
    assert_eq!(asked(&deployer().towards(&audience)).await, 3);
    let key = |uid: &str| {
        let mut account = accounts.known[0].clone();
        account.uid = uid.into();
        let account = crate::subject::Account { account, audiences: vec![], identity: String::new() };
        crate::subject::Subject::Account(account).key(crate::subject::Provider::Generic, &[])
    };
    assert!(key("1") != key("2"), "the UID counts");
}
