//! Flags of controllers that apply to clusters.

use clap::ArgAction;

use super::{Args, bool_value};
use crate::clients::Options;
use crate::features::FeatureGates;
use crate::run::StartError;

/// The feature that lets objects name ServiceAccounts for cloud identities.
pub const OBJECT_LEVEL_IDENTITY: &str = "ObjectLevelWorkloadIdentity";

/// Flags of the controllers that apply to clusters (kustomize-, helm-controller), beside [`Args`].
#[derive(clap::Args, Clone, Debug, Default)]
#[command(args_override_self = true)]
pub struct TargetArgs {
    /// The ServiceAccount that is impersonated when an object names none
    #[arg(long, value_name = "NAME", default_value = "")]
    pub default_service_account: String,

    /// The ServiceAccount whose identity is used for remote clusters when a ConfigMap names none
    #[arg(long, value_name = "NAME", default_value = "")]
    pub default_kubeconfig_service_account: String,

    /// Allow kubeconfigs of Secrets to name programs that the controller runs
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = bool_value)]
    pub insecure_kubeconfig_exec: bool,

    /// Allow kubeconfigs of Secrets to turn off the check of certificates
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = bool_value)]
    pub insecure_kubeconfig_tls: bool,
}

impl TargetArgs {
    /// What the flags say about clients.
    ///
    /// # Errors
    /// When a default ServiceAccount for remote clusters is given without the feature that it needs.
    pub fn options(&self, shared: &Args, features: &FeatureGates) -> Result<Options, StartError> {
        check_default_service_accounts([&self.default_kubeconfig_service_account], features)?;
        Ok(Options {
            default_service_account: self.default_service_account.clone(),
            default_kubeconfig_service_account: self.default_kubeconfig_service_account.clone(),
            insecure_exec: self.insecure_kubeconfig_exec,
            insecure_tls: self.insecure_kubeconfig_tls,
            object_level_identity: features.enabled(OBJECT_LEVEL_IDENTITY),
            longest_token: Some(shared.token_cache_max_duration),
        })
    }
}

/// Checks that defaults for cloud identities come with the feature that they need.
///
/// # Errors
/// When one of them isn't empty and the feature is off, with the text Flux exits with.
pub fn check_default_service_accounts<'a>(
    names: impl IntoIterator<Item = &'a String>,
    features: &FeatureGates,
) -> Result<(), StartError> {
    if features.enabled(OBJECT_LEVEL_IDENTITY) || names.into_iter().all(String::is_empty) {
        return Ok(());
    }
    Err(StartError::new(
        "cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled",
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Args, OBJECT_LEVEL_IDENTITY, TargetArgs};
    use crate::features::{Feature, FeatureGates};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        shared: Args,
        #[command(flatten)]
        target: TargetArgs,
    }

    fn options(flags: &[&str], feature: bool) -> Result<crate::clients::Options, String> {
        let program = Program::try_parse_from(["controller"].iter().chain(flags)).unwrap();
        let features = [Feature { name: OBJECT_LEVEL_IDENTITY, default: feature }];
        let features = FeatureGates::new(&features, &[]).unwrap();
        program.target.options(&program.shared, &features).map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_insecure_is_allowed_unless_a_flag_says_so() {
        let plain = options(&[], false).unwrap();
        assert!(!plain.insecure_exec && !plain.insecure_tls && plain.default_service_account.is_empty());
        let flags = [
            "--insecure-kubeconfig-exec",
            "--insecure-kubeconfig-tls=T",
            "--default-service-account=default",
        ];
        let set = options(&flags, false).unwrap();
        assert!(set.insecure_exec && set.insecure_tls && set.default_service_account == "default");
    }

    #[test]
    fn a_default_identity_needs_its_feature() {
        let flags = ["--default-kubeconfig-service-account=deployer"];
        assert!(options(&flags, true).unwrap().object_level_identity);
        let text = "cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled";
        assert_eq!(options(&flags, false).unwrap_err(), text);
    }
}
