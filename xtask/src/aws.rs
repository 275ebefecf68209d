//! The AWS calls that the setup needs, to the emulator only: JSON and XML over plain HTTP. With an SDK the first command would
//! have to wait minutes for the compiler.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::typestate::WithBody;
use ureq::{Agent, RequestBuilder};

use crate::emulator::{ENDPOINT, REGION};

/// The answer of API Gateway or AWS to a call, with any status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// The variables with which any AWS client on this machine reaches the emulator. The credentials are no secret: the emulator
/// accepts any.
pub(crate) fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("AWS_ENDPOINT_URL", ENDPOINT),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .into_iter()
}

/// Whether the emulator answers.
pub(crate) fn is_ready() -> bool {
    agent().get(format!("{ENDPOINT}/_ministack/health")).call().is_ok_and(|response| response.status() == 200)
}

/// Makes a bucket, or keeps the existing one.
pub(crate) fn create_bucket(name: &str) -> Result<()> {
    let response = agent().put(format!("{ENDPOINT}/{name}")).header("Authorization", signature("s3")).send_empty()?;
    match response.status().as_u16() {
        200 | 409 => Ok(()),
        status => bail!("the emulator made no bucket ({status})"),
    }
}

/// The outputs of a stack by name.
pub(crate) fn stack_outputs(stack: &str) -> Result<BTreeMap<String, String>> {
    let form = [("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", stack)];
    let mut response =
        agent().post(ENDPOINT).header("Authorization", signature("cloudformation")).send_form(form).context("no answer")?;
    let body = response.body_mut().read_to_string()?;
    let outputs: BTreeMap<_, _> = body.split("<member>").filter_map(output).collect();
    if outputs.is_empty() {
        bail!("the stack {stack} has no outputs: {body}");
    }
    Ok(outputs)
}

fn output(member: &str) -> Option<(String, String)> {
    Some((element(member, "OutputKey")?, element(member, "OutputValue")?))
}

fn element(xml: &str, name: &str) -> Option<String> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once(&format!("</{name}>"))?;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

/// Calls Cognito's user pools.
pub(crate) fn cognito(operation: &str, input: &Value) -> Result<Answer> {
    json("cognito-idp", "1.1", &format!("AWSCognitoIdentityProviderService.{operation}"), input)
}

/// Calls Secrets Manager.
pub(crate) fn secrets_manager(operation: &str, input: &Value) -> Result<Answer> {
    json("secretsmanager", "1.1", &format!("secretsmanager.{operation}"), input)
}

/// Calls SQS. The call must succeed.
pub(crate) fn sqs(operation: &str, input: &Value) -> Result<Value> {
    let Answer { status, body } = json("sqs", "1.0", &format!("AmazonSQS.{operation}"), input)?;
    if status != 200 {
        bail!("{operation}: {status} {body}");
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

/// Calls a service that speaks this version of AWS's JSON protocol.
fn json(service: &str, version: &str, target: &str, input: &Value) -> Result<Answer> {
    let response = agent()
        .post(ENDPOINT)
        .header("Authorization", signature(service))
        .header("Content-Type", format!("application/x-amz-json-{version}"))
        .header("X-Amz-Target", target)
        .send(input.to_string());
    answer(response).with_context(|| format!("no answer to {target}"))
}

/// Calls the product's own API with the token of a shopper or an operator.
pub(crate) fn put(url: &str, token: &str, input: &Value) -> Result<Answer> {
    call(agent().put(url), url, token, input)
}

/// As `put`, with POST.
pub(crate) fn post(url: &str, token: &str, input: &Value) -> Result<Answer> {
    call(agent().post(url), url, token, input)
}

/// Sends a command to a fake payment provider.
pub(crate) fn command(url: &str, input: &Value) -> Result<Answer> {
    send(agent().post(url), url, input)
}

fn call(request: RequestBuilder<WithBody>, url: &str, token: &str, input: &Value) -> Result<Answer> {
    send(request.header("Authorization", format!("Bearer {token}")), url, input)
}

fn send(request: RequestBuilder<WithBody>, url: &str, input: &Value) -> Result<Answer> {
    answer(request.header("Content-Type", "application/json").send(input.to_string()))
        .with_context(|| format!("no answer from {url}"))
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer> {
    let mut response = response?;
    Ok(Answer { status: response.status().as_u16(), body: response.body_mut().read_to_string()? })
}

/// Names the service for the emulator, which routes by it. Nothing is signed.
fn signature(service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=test")
}

/// Uses no proxy: every address is on this machine.
fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let timeout = Some(Duration::from_mins(1));
        Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(timeout).build().into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_from_xml() {
        let member = "<OutputKey>ApiUrl</OutputKey><OutputValue>a&amp;b</OutputValue></member>";
        assert_eq!(output(member), Some(("ApiUrl".to_owned(), "a&b".to_owned())));
        assert_eq!(output("<StackName>x</StackName>"), None);
    }
}
