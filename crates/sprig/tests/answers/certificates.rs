//! Certificates and keys, checked by OpenSSL.

use std::path::Path;
use std::process::Command;

use crate::templates::execute;

/// What `openssl` prints, or nothing when it isn't installed.
fn openssl(arguments: &[&str], input: &Path) -> Option<String> {
    let output = Command::new("openssl").args(arguments).arg("-in").arg(input).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(text)
}

fn is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    if missing {
        eprintln!("skipped: openssl isn't installed");
    }
    missing
}

/// Writes the parts of an output between lines `===` to files.
fn files(output: &str) -> (tempfile::TempDir, Vec<std::path::PathBuf>) {
    let dir = tempfile::tempdir().expect("a folder");
    let parts = output.split("===\n").enumerate().map(|(index, part)| {
        let path = dir.path().join(format!("{index}.pem"));
        std::fs::write(&path, part).expect("a file");
        path
    });
    let parts = parts.collect();
    (dir, parts)
}

#[test]
fn authorities_sign_certificates() {
    if is_missing() {
        return;
    }
    let template = r#"{{ $ca := genCA "my-ca" 365 -}}
{{ $c := genSignedCert "host" (list "10.0.0.1" "::1") (list "a.b" "*.c") 30 $ca -}}
{{ $ca.Cert }}===
{{ $c.Cert }}===
{{ $c.Key }}"#;
    let (_dir, parts) = files(&execute(template, 3).expect("certificates"));
    let text = |index: usize| openssl(&["x509", "-noout", "-text"], &parts[index]).expect("openssl");
    let ca = text(0);
    for expected in [
        "CA:TRUE",
        "Digital Signature, Key Encipherment, Certificate Sign",
        "Subject: CN",
        "my-ca",
        "sha256WithRSAEncryption",
        "Not After : Nov 24 11:30:00 2027 GMT",
        "2048 bit",
    ] {
        assert!(ca.contains(expected), "{expected}: {ca}");
    }
    let leaf = text(1);
    for expected in [
        "CA:FALSE",
        "DNS:a.b, DNS:*.c, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        "Authority Key Identifier",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "Not Before: Nov 24 11:30:00 2026 GMT",
        "Not After : Dec 24 11:30:00 2026 GMT",
    ] {
        assert!(leaf.contains(expected), "{expected}: {leaf}");
    }
    let verified = Command::new("openssl")
        .args(["verify", "-no_check_time", "-CAfile"])
        .arg(&parts[0])
        .arg(&parts[1])
        .output();
    assert!(verified.expect("openssl").status.success());
    openssl(&["rsa", "-check", "-noout"], &parts[2]);
}

#[test]
fn keys_of_every_kind_sign() {
    if is_missing() {
        return;
    }
    let template = r#"{{ $ec := genPrivateKey "ecdsa" }}{{ $ed := genPrivateKey "ed25519" -}}
{{ $ca := genCAWithKey "é & co" 36500 $ec -}}
{{ $ca.Cert }}===
{{ (genSignedCertWithKey "" nil (list "x") 30 $ca $ed).Cert }}===
{{ $ca.Key }}===
{{ $ed }}===
{{ (genSelfSignedCertWithKey "self" (list "::ffff:1.2.3.4") nil 1 $ed).Cert }}"#;
    let output = execute(template, 5).expect("certificates");
    let (_dir, parts) = files(&output);
    let text = |index: usize| openssl(&["x509", "-noout", "-text"], &parts[index]).expect("openssl");
    assert!(text(0).contains("ecdsa-with-SHA256"), "{}", text(0));
    assert!(text(0).contains("2126 GMT"), "{}", text(0));
    assert!(text(1).contains("Subject Alternative Name: critical"), "{}", text(1));
    assert!(text(4).contains("IP Address:1.2.3.4"), "{}", text(4));
    assert!(text(4).contains("Signature Algorithm: ED25519"), "{}", text(4));
    openssl(&["ec", "-check", "-noout"], &parts[2]);
    openssl(&["pkey", "-noout"], &parts[3]);
    let verified = Command::new("openssl")
        .args(["verify", "-no_check_time", "-CAfile"])
        .arg(&parts[0])
        .arg(&parts[1])
        .output();
    assert!(verified.expect("openssl").status.success());
}

#[test]
fn generated_keys_are_valid() {
    if is_missing() {
        return;
    }
    let (_dir, parts) =
        files(&execute("{{ genPrivateKey \"\" }}===\n{{ genPrivateKey \"dsa\" }}", 9).expect("keys"));
    let rsa = openssl(&["rsa", "-check", "-noout", "-text"], &parts[0]).expect("openssl");
    assert!(rsa.contains("4096 bit"), "{rsa}");
    let dsa = openssl(&["dsa", "-noout", "-text"], &parts[1]).expect("openssl");
    assert!(dsa.contains("2048 bit"), "{dsa}");
}

#[test]
fn keys_are_read_in_every_form() {
    let written = |kind: &str| execute(&format!("{{{{ genPrivateKey \"{kind}\" }}}}"), 3).expect("a key");
    for kind in ["ecdsa", "ed25519"] {
        let key = written(kind);
        let template = format!("{{{{ (genCAWithKey \"x\" 1 {key:?}).Key }}}}");
        assert_eq!(execute(&template, 4), Ok(key), "{kind}");
    }
    let forms = ["prime256v1", "secp384r1", "secp521r1"].map(|curve| {
        let mut command = Command::new("openssl");
        command.args(["genpkey", "-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{curve}")]);
        command.output().map(|output| output.stdout)
    });
    for key in forms.into_iter().flatten() {
        let key = String::from_utf8(key).expect("PEM");
        let cert =
            execute(&format!("{{{{ (genCAWithKey \"x\" 1 {key:?}).Cert }}}}"), 4).expect("a certificate");
        let (_dir, parts) = files(&cert);
        openssl(&["x509", "-noout"], &parts[0]).expect("openssl");
        let verified = Command::new("openssl")
            .args(["verify", "-no_check_time", "-CAfile"])
            .arg(&parts[0])
            .arg(&parts[0])
            .output();
        assert!(verified.expect("openssl").status.success());
    }
}

#[test]
fn authorities_are_checked() {
    let template = r#"{{ $ec := genPrivateKey "ecdsa" }}{{ $a := genCAWithKey "a" 1 $ec -}}
{{ $b := genCAWithKey "b" 1 (genPrivateKey "ecdsa") }}{{ $c := buildCustomCert (b64enc $a.Cert) (b64enc $b.Key) -}}
{{ genSignedCertWithKey "c" nil nil 1 $c $ec }}"#;
    let error = execute(template, 11).expect_err("the key isn't that of the certificate");
    assert!(
        error.ends_with(
            "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey"
        ),
        "{error}"
    );
}

/// Sequences in sequences, encoded.
fn nested(depth: usize) -> Vec<u8> {
    let mut der: Vec<u8> = Vec::new();
    for level in 0..depth {
        // Written backwards, because the innermost comes first.
        let length = (level * 6) as u32;
        der.extend(length.to_be_bytes().iter().rev());
        der.extend([0x84, 0x30]);
    }
    der.reverse();
    der
}

#[test]
fn hostile_keys_and_certificates_are_refused() {
    let base64 = |bytes: &[u8]| {
        let hexadecimal: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        execute(&format!("{{{{ b64enc \"{hexadecimal}\" }}}}"), 1).expect("base64")
    };
    for content in [nested(50_000), vec![0x30; 100_000], vec![0xff; 1000], Vec::new()] {
        let body = base64(&content);
        let cert = format!("-----BEGIN CERTIFICATE-----\\n{body}\\n-----END CERTIFICATE-----\\n");
        let error = execute(&format!("{{{{ buildCustomCert (b64enc \"{cert}\") \"\" }}}}"), 1);
        assert!(error.expect_err("no certificate").contains("error parsing certificate"));
        for kind in ["", "RSA ", "EC ", "DSA "] {
            let key =
                format!("-----BEGIN {kind}PRIVATE KEY-----\\n{body}\\n-----END {kind}PRIVATE KEY-----\\n");
            let error = execute(&format!("{{{{ genCAWithKey \"x\" 1 \"{key}\" }}}}"), 1);
            assert!(error.expect_err("no key").contains("parsing private key: "), "{kind}");
        }
    }
    let blocks = "-----BEGIN A-----\\n".repeat(20_000);
    let error = execute(&format!("{{{{ genCAWithKey \"x\" 1 \"{blocks}\" }}}}"), 1).expect_err("no key");
    assert!(error.ends_with("no PEM data in input"), "{error}");
}
