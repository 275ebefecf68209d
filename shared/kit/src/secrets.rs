//! Secrets, from AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;

/// The secrets whose names begin with one prefix.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
    prefix: String,
}

impl Secrets {
    /// The secrets called `<prefix><name>`.
    #[must_use]
    pub fn new(client: Client, prefix: String) -> Self {
        Self { client, prefix }
    }

    /// The current text of the secret `<prefix><name>`. `None`: there is none, or Secrets Manager does not answer; the log says
    /// which.
    pub async fn read(&self, name: &str) -> Option<String> {
        let id = format!("{}{name}", self.prefix);
        match self.client.get_secret_value().secret_id(&id).send().await {
            Ok(answer) => {
                if answer.secret_string.is_none() {
                    tracing::error!(secret = id, "the secret has no text");
                }
                answer.secret_string
            }
            Err(error) => {
                let error = error.into_service_error();
                tracing::error!(secret = id, error = crate::chain(&error), "the secret could not be read");
                None
            }
        }
    }
}
