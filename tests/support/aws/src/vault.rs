//! Secrets Manager in this process, behind the real client.

use serde_json::{Value, json};

use crate::kept::service;

service! {
    /// Secrets by name and text. A later one of the same name counts.
    Vault((String, String)), aws_sdk_secretsmanager
}

impl Vault {
    /// Adds a secret, or replaces it.
    pub fn put(&self, name: &str, text: &str) {
        self.0.with(|secrets| secrets.push((name.to_owned(), text.to_owned())));
    }
}

const BROKEN: &str = r#"{"__type": "InternalServiceError", "Message": "broken"}"#;

#[expect(clippy::ptr_arg, reason = "a service may also keep what it receives")]
fn serve(secrets: &mut Vec<(String, String)>, operation: &str, body: &[u8]) -> (u16, String) {
    assert_eq!(operation, "GetSecretValue", "the vault of the testkit knows nothing else");
    let request: Value = serde_json::from_slice(body).unwrap();
    let name = request["SecretId"].as_str().unwrap();
    match secrets.iter().rev().find(|(known, _)| known == name) {
        Some((name, text)) => (200, json!({"Name": name, "SecretString": text, "VersionStages": ["AWSCURRENT"]}).to_string()),
        None => (400, json!({"__type": "ResourceNotFoundException", "Message": "no such secret"}).to_string()),
    }
}
