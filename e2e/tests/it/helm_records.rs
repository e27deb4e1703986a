//! Release records: Helm reads ours, we read Helm's, and neither notices.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use e2e::{Ref, scratch};
use helm::Compat;
use helm::assemble::{self, Options};
use helm::chart::{self, LoadOptions};
use helm::release::{Info, Release, Status, chart_record};
use helm::render::{Capabilities, Context, ReleaseInfo};
use helm::values::{self, Input};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::stage::{Scene, story};

const NAMESPACE: &str = "helm-records";
const CHART: [(&str, &str); 4] = [
    ("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: \"1.10\"\n"),
    ("values.yaml", "color: green & <blue>\nreplicas: 2\nnothing: null\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  color: {{ .Values.color | quote }}\n  revision: \"{{ .Release.Revision }}\"\n",
    ),
    ("templates/NOTES.txt", "It is {{ .Values.color }}.\n"),
];

#[test]
fn records_go_back_and_forth_between_helm_and_us() {
    story(NAMESPACE, async |scene| {
        let folder = scratch::folder("helm-records")?;
        let chart = write_chart(&folder)?;
        let helm = Helm { scene: &scene, home: folder.clone() };

        helm.run(&["install", "app", &chart, "--set", "size=1.5,list={a,b}"]).await?;
        let first = helm.record(1).await?;
        ensure!(first.manifest.contains("color: \"green & <blue>\""), "{}", first.manifest);

        let second = next(&first, Path::new(&chart))?;
        helm.store(&second).await?;
        let history: Value = serde_json::from_str(&helm.run(&["history", "app", "-o", "json"]).await?)?;
        ensure!(history[1]["status"] == "deployed" && history[1]["chart"] == "app-1.2.3", "{history}");
        ensure!(helm.run(&["get", "manifest", "app"]).await?.trim() == second.manifest.trim());
        ensure!(helm.run(&["get", "notes", "app"]).await?.contains("It is ours."));
        let own_values: Value =
            serde_json::from_str(&helm.run(&["get", "values", "app", "-o", "json"]).await?)?;
        ensure!(own_values == json!({ "color": "ours" }), "{own_values}");

        helm.run(&["upgrade", "app", &chart, "--reuse-values", "--set", "size=2"]).await?;
        let third = helm.record(3).await?;
        ensure!(third.manifest.contains("color: \"ours\""), "values weren't reused: {}", third.manifest);
        helm.run(&["upgrade", "app", &chart, "--set", "color=red"]).await?;
        helm.run(&["rollback", "app", "2"]).await?;
        let last = helm.record(5).await?;
        ensure!(last.manifest == second.manifest, "{}", last.manifest);
        let config = helm.scene.bed.objects.get(&config_map()).await?.context("the ConfigMap is gone")?;
        ensure!(config["data"] == json!({ "color": "ours", "revision": "2" }), "{config}");
        Ok(())
    });
}

fn write_chart(folder: &Path) -> Result<String> {
    let chart = folder.join("app");
    fs::create_dir_all(chart.join("templates"))?;
    for (name, text) in CHART {
        fs::write(chart.join(name), text)?;
    }
    Ok(chart.to_string_lossy().into_owned())
}

fn config_map() -> Ref {
    Ref::new("v1", "ConfigMap", NAMESPACE, "app")
}

/// The revision after `last`, made by us.
fn next(last: &Release, chart: &Path) -> Result<Release> {
    let mut chart = chart::load_dir(chart, &LoadOptions::default(), &mut Vec::new())?;
    let input = Input { set: vec!["color=ours".to_owned()], ..Input::default() };
    let values = values::collect(&input, Compat::default(), &mut |_| Err("no files".to_owned()))?;
    let revision = last.version + 1;
    let context = Context {
        release: ReleaseInfo {
            name: last.name.clone(),
            namespace: last.namespace.clone(),
            revision,
            is_install: false,
            is_upgrade: true,
        },
        capabilities: Capabilities::default(),
        sources: Rc::new(Nothing),
        lookup: None,
    };
    let assembled = assemble::assemble(&mut chart, &values, &context, &Options::default())?;
    let mut info = last.info.clone().unwrap_or_default();
    info = Info { last_deployed: "2026-01-02T03:04:05.678901234Z".to_owned(), ..info };
    info.status = Status::Deployed.as_str().to_owned();
    info.description = "Upgrade complete".to_owned();
    info.notes = assembled.notes;
    Ok(Release {
        info: Some(info),
        chart: Some(chart_record(&chart)?),
        config: Some(RawValue::from_string(r#"{"color":"ours"}"#.to_owned())?),
        manifest: assembled.manifest,
        hooks: assembled.hooks,
        version: revision,
        ..last.clone()
    })
}

/// These templates ask for neither time nor randomness.
struct Nothing;

impl sprig::Sources for Nothing {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// The real Helm, on the cluster of the story.
struct Helm<'a> {
    scene: &'a Scene<'a>,
    home: PathBuf,
}

impl Helm<'_> {
    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let bed = &self.scene.bed;
        let output = tokio::process::Command::new(bed.cluster.program("helm"))
            .args(arguments)
            .args(["--namespace", NAMESPACE, "--kubeconfig"])
            .arg(bed.cluster.kubeconfig(e2e::User::Admin))
            .env("HELM_CACHE_HOME", self.home.join("cache"))
            .env("HELM_CONFIG_HOME", self.home.join("config"))
            .env("HELM_DATA_HOME", self.home.join("data"))
            .stdin(Stdio::null())
            .output()
            .await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "helm {arguments:?}: {}: {stderr}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Reads a record of Helm's and checks that we would write it as Helm did.
    async fn record(&self, revision: i64) -> Result<Release> {
        let name = format!("sh.helm.release.v1.app.v{revision}");
        let secret = self.scene.bed.objects.get(&Ref::new("v1", "Secret", NAMESPACE, &name)).await?;
        let secret = secret.with_context(|| format!("there is no record {name}"))?;
        let data = secret["data"]["release"].as_str().context("the record has no data")?;
        let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)?;
        let release = Release::decode(&data)?;
        let written = unpacked(&data)?;
        ensure!(release.to_json()? == written, "revision {revision}:\n{}\n{written}", release.to_json()?);
        ensure!(unpacked(release.encode()?.as_bytes())? == written, "packing changed revision {revision}");
        Ok(release)
    }

    /// Stores a record as Helm does, and says of the one before that it is superseded.
    async fn store(&self, release: &Release) -> Result<()> {
        let mut before = self.record(release.version - 1).await?;
        if let Some(info) = &mut before.info {
            info.status = Status::Superseded.as_str().to_owned();
        }
        for release in [&before, release] {
            let labels: serde_json::Map<String, Value> = release
                .labels(("modifiedAt", "1767323045".to_owned()))
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect();
            let secret = json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": { "name": release.storage_name(), "namespace": NAMESPACE, "labels": labels },
                "type": "helm.sh/release.v1",
                "stringData": { "release": release.encode()? },
            });
            self.scene.bed.objects.apply(&secret).await?;
        }
        Ok(())
    }
}

/// The JSON within a record.
fn unpacked(data: &[u8]) -> Result<String> {
    let packed = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)?;
    let mut json = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut json)?;
    Ok(json)
}
