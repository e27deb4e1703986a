use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use artifact::{
    catalog::Catalog,
    server,
    storage::{Options, Storage, advertised_address},
};
use tokio::net::TcpListener;
use toolkit::{
    features::Feature,
    logging::chain,
    reconcile::Controller,
    run::{Program, Runtime, StartError},
    trace,
};
use tracing::error;

use crate::{args::Args, context::Context, git_repository::GitRepositoryReconciler};

impl Program for Args {
    const NAME: &'static str = "source-controller";
    const FEATURES: &'static [Feature] = &[
        Feature { name: "CacheSecretsAndConfigMaps", default: false },
        Feature { name: "ObjectLevelWorkloadIdentity", default: false },
    ];

    fn args(&self) -> &toolkit::args::Args {
        &self.toolkit
    }

    /// Returns once this process leads and serves artifacts; until then its cache fills.
    async fn start(self, runtime: Runtime) -> Result<(), StartError> {
        let storage = Arc::new(open_storage(&self)?);
        let catalog = Arc::new(Catalog::default());
        let context = Arc::new(Context {
            client: runtime.client.clone(),
            storage: Arc::clone(&storage),
            catalog: Arc::clone(&catalog),
            features: runtime.features.clone(),
            cancel: cancelled_at_shutdown(&runtime),
            temporary: std::env::temp_dir(),
        });
        Controller::new(&runtime, |_, _| ()).start(
            GitRepositoryReconciler { context },
            self.concurrent,
            std::future::ready(()),
        );

        runtime.leadership.acquired().await;
        serve_http(&self, &runtime, Arc::clone(&storage)).await?;
        serve_grpc(&self, &runtime, storage, catalog).await
    }
}

fn open_storage(args: &Args) -> Result<Storage, StartError> {
    const FAILED: &str = "unable to configure artifact storage";
    let host_name = || {
        let given = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        given.unwrap_or_else(toolkit::run::hostname)
    };
    let advertised = advertised_address(Some(&args.storage_adv_addr), &args.storage_addr, host_name)
        .map_err(|error| StartError::with_source(FAILED, error))?;
    let options = Options {
        advertised,
        algorithm: args.artifact_digest_algo,
        retention_ttl: args.artifact_retention_ttl,
        retention_records: args.artifact_retention_records,
    };
    Storage::open(&args.storage_path, options).map_err(|error| StartError::with_source(FAILED, error))
}

fn cancelled_at_shutdown(runtime: &Runtime) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let (raised, shutdown) = (Arc::clone(&flag), runtime.shutdown.clone());
    runtime.tasks.spawn(async move {
        shutdown.cancelled().await;
        raised.store(true, Ordering::Relaxed);
    });
    flag
}

async fn serve_http(args: &Args, runtime: &Runtime, storage: Arc<Storage>) -> Result<(), StartError> {
    let listener = listen(&args.storage_addr).await?;
    let stop = runtime.shutdown.clone().cancelled_owned();
    runtime.tasks.spawn(server::http::serve(listener, storage, server::http::Options::default(), stop));
    Ok(())
}

async fn serve_grpc(
    args: &Args,
    runtime: &Runtime,
    storage: Arc<Storage>,
    catalog: Arc<Catalog>,
) -> Result<(), StartError> {
    if args.artifact_grpc_addr.is_empty() {
        return Ok(());
    }
    let listener = listen(&args.artifact_grpc_addr).await?;
    let stop = runtime.shutdown.clone().cancelled_owned();
    let options = server::grpc::Options {
        on_request: Some(Arc::new(|headers, span| trace::set_parent(span, headers))),
        ..server::grpc::Options::default()
    };
    runtime.tasks.spawn(async move {
        if let Err(error) = server::grpc::serve(listener, storage, catalog, options, stop).await {
            error!(error = chain(&error), "artifact server error");
        }
    });
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, StartError> {
    toolkit::serve::listen(address).await.map_err(|error| {
        StartError::with_source(format!("artifact server error: unable to listen on '{address}'"), error)
    })
}
