//! The demo data of a fresh stack: nine shoppers, an operator, and two sales made through the product's own API.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::aws;
use crate::stack::Stack;

/// The password of all demo users.
pub(crate) const PASSWORD: &str = "Flash-Sale-1";
pub(crate) const OPERATOR: &str = "ops@example.com";
pub(crate) const SHOPPERS: u32 = 9;
/// Opens shortly after `up`.
pub(crate) const SALE: &str = "demo";
/// Is open at once and has short holds, so that a developer can watch a hold end.
pub(crate) const EXPIRY_SALE: &str = "demo-expiry";
const OPENS_AFTER: SignedDuration = SignedDuration::from_secs(20);
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Makes the shoppers and the operator. Existing users stay unchanged.
pub(crate) fn create_people(stack: &Stack) -> Result<()> {
    for number in 1..=SHOPPERS {
        create_person(stack, &format!("shopper-{number}@example.com"))?;
    }
    create_in(&stack.operator_pool_id, OPERATOR)?;
    cognito("AdminAddUserToGroup", &json!({"UserPoolId": stack.operator_pool_id, "Username": OPERATOR, "GroupName": "ops"}))?;
    Ok(())
}

/// Makes a shopper with the demo password, or keeps the existing one.
pub(crate) fn create_person(stack: &Stack, email: &str) -> Result<()> {
    create_in(&stack.user_pool_id, email)
}

fn create_in(pool: &str, email: &str) -> Result<()> {
    let attributes = json!([{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]);
    let created = aws::cognito(
        "AdminCreateUser",
        &json!({"UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS", "UserAttributes": attributes}),
    )?;
    if created.status != 200 && !created.body.contains("UsernameExistsException") {
        bail!("{email} was not created: {}", created.body);
    }
    let password = json!({"UserPoolId": pool, "Username": email, "Password": PASSWORD, "Permanent": true});
    cognito("AdminSetUserPassword", &password)?;
    Ok(())
}

/// Makes the two sales as an operator would. With `--keep` they may exist and have started; then they stay unchanged.
pub(crate) fn create_sales(stack: &Stack) -> Result<()> {
    let token = sign_in(stack, OPERATOR)?;
    let now = now()?;
    let first = json!({
        "name": "Demo: 100 units, opening in a moment",
        "description": "Opens 20 seconds after the stack is up. A unit is held for two minutes.",
        "price": {"amount_minor": 19_900, "currency": "USD"},
        "units": 100,
        "starts_at": (now + OPENS_AFTER).to_string(),
        "ends_at": (now + OPEN_FOR).to_string(),
        "hold_seconds": 120,
    });
    let second = json!({
        "name": "Demo: 10 units with short holds",
        "description": "Open already. A unit that nobody pays for is back after 15 seconds.",
        "price": {"amount_minor": 4_900, "currency": "USD"},
        "units": 10,
        "starts_at": now.to_string(),
        "ends_at": (now + OPEN_FOR).to_string(),
        "hold_seconds": 15,
    });
    for (product, sale) in [(EXPIRY_SALE, second), (SALE, first)] {
        let answer = aws::put(&format!("{}/admin/flash-sales/{product}", stack.api_url), &token, &sale)?;
        let kept = answer.status == 409 && answer.body.contains("sale-started");
        if !matches!(answer.status, 200 | 201) && !kept {
            bail!("the sale {product} was not created ({}): {}", answer.status, answer.body);
        }
    }
    Ok(())
}

pub(crate) fn now() -> Result<Timestamp> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Timestamp::from_second(i64::try_from(seconds)?).map_err(anyhow::Error::msg)
}

/// The ID token of a user with the demo password, from the pool of shoppers or of operators.
pub(crate) fn sign_in(stack: &Stack, email: &str) -> Result<String> {
    let client = if email == OPERATOR { &stack.operator_client_id } else { &stack.client_id };
    let parameters = json!({"USERNAME": email, "PASSWORD": PASSWORD});
    let input = json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": parameters});
    let answer = cognito("InitiateAuth", &input)?;
    let token = answer.pointer("/AuthenticationResult/IdToken").and_then(Value::as_str);
    token.map(str::to_owned).with_context(|| format!("{email} cannot sign in: {answer}"))
}

/// The `sub` of a user's tokens.
pub(crate) fn subject(stack: &Stack, email: &str) -> Result<String> {
    let user = cognito("AdminGetUser", &json!({"UserPoolId": stack.user_pool_id, "Username": email}))?;
    let mut attributes = user.get("UserAttributes").and_then(Value::as_array).into_iter().flatten();
    let attribute = attributes.find(|attribute| attribute.get("Name").is_some_and(|name| name == "sub"));
    let subject = attribute.and_then(|attribute| attribute.get("Value")?.as_str());
    subject.map(str::to_owned).with_context(|| format!("{email} has no sub: {user}"))
}

fn cognito(operation: &str, input: &Value) -> Result<Value> {
    let answer = aws::cognito(operation, input)?;
    if answer.status != 200 {
        bail!("{operation} was refused: {}", answer.body);
    }
    Ok(serde_json::from_str(&answer.body).unwrap_or_default())
}
