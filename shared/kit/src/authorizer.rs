//! The event of API Gateway's authorizer, and its answer.

use identity::Grant;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// API Gateway answers 401 when an authorizer fails with exactly this message. It keeps no such answer.
const UNAUTHORIZED: &str = "Unauthorized";

/// What API Gateway asks a token authorizer.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerEvent {
    /// The header `Authorization`, as the client sent it.
    pub authorization_token: String,
    /// The method that the client called: `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>`.
    pub method_arn: String,
}

/// Why an authorizer grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGranted {
    /// The token is not believed. The client is told 401.
    Refused,
    /// Nobody can say at the moment. The client is told 503, and may try again.
    Unavailable,
}

impl AuthorizerEvent {
    /// The authorizer's answer. Its policy covers the whole stage, because API Gateway keeps one answer per token for all routes;
    /// what the caller may do on a route is for the route's function to say.
    pub(crate) fn answer(&self, granted: Result<Grant, NotGranted>) -> Result<Value, Diagnostic> {
        let stage = self.stage().ok_or(NotGranted::Unavailable);
        match granted.and_then(|grant| Ok((grant, stage?))) {
            Ok((grant, stage)) => Ok(json!({
                "principalId": grant.subject,
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": format!("{stage}/*")}],
                },
                "context": grant.context().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>(),
            })),
            Err(NotGranted::Refused) => Err(error(UNAUTHORIZED)),
            Err(NotGranted::Unavailable) => Err(error("Unavailable")),
        }
    }

    /// The ARN up to the stage.
    fn stage(&self) -> Option<&str> {
        let (api, rest) = self.method_arn.split_once('/')?;
        let (stage, _) = rest.split_once('/')?;
        self.method_arn.get(..api.len() + 1 + stage.len()).filter(|_| !stage.is_empty() && !stage.contains('*'))
    }
}

fn error(name: &str) -> Diagnostic {
    Diagnostic { error_type: name.to_owned(), error_message: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use identity::Realm;
    use insta::assert_snapshot;

    use super::*;

    fn asked(method_arn: &str) -> AuthorizerEvent {
        AuthorizerEvent { authorization_token: "Bearer x".to_owned(), method_arn: method_arn.to_owned() }
    }

    fn grant() -> Grant {
        Grant {
            subject: "ann".parse().unwrap(),
            realm: Realm::Operators,
            groups: vec!["ops".to_owned()],
            expires_at: Timestamp::from_second(1_795_000_000).unwrap(),
        }
    }

    #[test]
    fn a_grant_is_for_the_whole_stage_and_names_the_caller() {
        let event = asked("arn:aws:execute-api:us-east-1:123456789012:a1b2c3/v1/POST/admin/orders/x/refund");
        assert_snapshot!(format!("{:#}", event.answer(Ok(grant())).unwrap()), @r#"
        {
          "context": {
            "exp": "1795000000",
            "groups": "ops",
            "realm": "operators"
          },
          "policyDocument": {
            "Statement": [
              {
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/v1/*"
              }
            ],
            "Version": "2012-10-17"
          },
          "principalId": "ann"
        }
        "#);
    }

    #[test]
    fn a_refusal_is_what_api_gateway_answers_401_to_and_doubt_is_not() {
        let event = asked("arn:aws:execute-api:us-east-1:123456789012:a1b2c3/v1/GET/orders");
        assert_eq!(event.answer(Err(NotGranted::Refused)).unwrap_err().error_message, "Unauthorized");
        assert_ne!(event.answer(Err(NotGranted::Unavailable)).unwrap_err().error_message, "Unauthorized");
    }

    #[test]
    fn a_method_without_a_stage_is_granted_to_nobody() {
        for arn in
            ["", "*", "arn:aws:execute-api:us-east-1:1:a", "arn:aws:execute-api:us-east-1:1:a/v1", "a//GET", "a/*/GET/orders"]
        {
            assert!(asked(arn).answer(Ok(grant())).is_err(), "{arn}");
        }
    }
}
