//! The access token of a client: fetched when it is first needed, kept until shortly before it expires, and replaced when
//! PayPal refuses it. Only one call at a time fetches a token; the others wait for it.

use std::sync::Arc;

use aws_smithy_types::base64;
use domain::{Clock, SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::{
    Keys, PaypalKeys,
    form::{FORM, Form},
    http::{Http, Reply, Request, Secret},
    paypal::PaypalError,
};

/// A token is replaced this long before it expires, in seconds: longer than a call, with clocks that differ. A token lasts
/// nine hours.
const TOKEN_MARGIN_SECONDS: i64 = 60;

/// The token of one client.
pub(super) struct Tokens {
    keys: Keys<PaypalKeys>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Token>>,
}

struct Token {
    text: Secret,
    good_until: Timestamp,
}

#[derive(Deserialize)]
struct TokenForm {
    access_token: Secret,
    /// Seconds from now.
    expires_in: u32,
}

impl Tokens {
    pub(super) fn new(keys: Keys<PaypalKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock, current: Mutex::new(None) }
    }

    /// A token that is good now and is not `refused`.
    ///
    /// # Errors
    /// [`PaypalError::Auth`] when PayPal does not accept the credentials, [`PaypalError::RateLimited`], and in all other
    /// cases [`PaypalError::NotSent`], because the request that needs the token is not sent.
    pub(super) async fn token(
        &self,
        http: &Http,
        base_url: &str,
        refused: Option<&Secret>,
        deadline: Instant,
    ) -> Result<Secret, PaypalError> {
        let mut current = timeout_at(deadline, self.current.lock()).await.map_err(|_| PaypalError::NotSent)?;
        let now = self.clock.now();
        let good = current.as_ref().filter(|token| now < token.good_until && Some(&token.text) != refused);
        if let Some(token) = good {
            return Ok(token.text.clone());
        }
        let form = self.fetch(http, base_url, deadline).await?;
        let lasts = SignedDuration::from_secs(i64::from(form.expires_in) - TOKEN_MARGIN_SECONDS);
        let good_until = now.checked_add(lasts).unwrap_or(now);
        *current = Some(Token { text: form.access_token.clone(), good_until });
        Ok(form.access_token)
    }

    /// Fetches a token. If PayPal refuses the account's keys and they were replaced, it fetches one with the new keys.
    async fn fetch(&self, http: &Http, base_url: &str, deadline: Instant) -> Result<TokenForm, PaypalError> {
        let keys = timeout_at(deadline, self.keys.current()).await.map_err(|_| PaypalError::NotSent)?;
        let keys = keys.map_err(|_| PaypalError::Auth)?;
        match fetch_with(&keys, http, base_url, deadline).await {
            Err(PaypalError::Auth) => match timeout_at(deadline, self.keys.instead_of(&keys)).await {
                Ok(Some(keys)) => fetch_with(&keys, http, base_url, deadline).await,
                Ok(None) | Err(_) => Err(PaypalError::Auth),
            },
            fetched => fetched,
        }
    }
}

async fn fetch_with(keys: &PaypalKeys, http: &Http, base_url: &str, deadline: Instant) -> Result<TokenForm, PaypalError> {
    let credentials = base64::encode(format!("{}:{}", keys.client_id, keys.client_secret.expose()));
    let form = Form::default().field("grant_type", "client_credentials").encoded();
    let request = Request::post(format!("{base_url}/v1/oauth2/token"), FORM, form)
        .with("authorization", &format!("Basic {credentials}"))
        .with("accept", "application/json");
    match http.call(request, deadline).await {
        Reply::Answered(answer) if answer.is_success() => answer.json().ok_or(PaypalError::NotSent),
        Reply::Answered(answer) => Err(match answer.status {
            401 | 403 => PaypalError::Auth,
            429 => PaypalError::RateLimited { retry_after: answer.retry_after() },
            _ => PaypalError::NotSent,
        }),
        Reply::NotSent | Reply::NoAnswer => Err(PaypalError::NotSent),
    }
}
