//! Who may call: the API asks one authorizer, which believes the issuers that the template names. What lets a local stack be used
//! without a real issuer cannot be deployed elsewhere.

use serde_json::{Value, json};
use system_tests::{Repository, template};

use crate::{Faults, none, notices, properties, set};

/// Seconds for which API Gateway keeps an answer. AWS allows up to an hour.
const LONGEST_CACHED_SECONDS: i64 = 300;

fn authorizer(repository: &Repository) -> Faults {
    let auth = &repository.template["Resources"]["Api"]["Properties"]["Auth"];
    let mut faults = Faults::new();
    let authorizers: Vec<(&String, &Value)> = auth["Authorizers"].as_object().into_iter().flatten().collect();
    let [(name, authorizer)] = authorizers.as_slice() else {
        return vec![format!("the API has {} authorizers, not one", authorizers.len())];
    };
    if auth["DefaultAuthorizer"] != **name {
        faults.push(format!("{name} is not the default authorizer: a new route would be open to anyone"));
    }
    if template::target(&authorizer["FunctionArn"]) != Some("AuthorizeFunction") {
        faults.push(format!("{name} is not the function authorize"));
    }
    // Only a token authorizer's answer is kept by the token alone, for all routes.
    if authorizer["FunctionPayloadType"] != "TOKEN" || authorizer["Identity"]["Header"] != "Authorization" {
        faults.push(format!("{name} does not ask for the token in Authorization"));
    }
    let seconds = authorizer["Identity"]["ReauthorizeEvery"].as_i64().unwrap_or_default();
    if !(1..=LONGEST_CACHED_SECONDS).contains(&seconds) {
        faults.push(format!("{name}: an answer is kept for {seconds} s, not for up to {LONGEST_CACHED_SECONDS}"));
    }
    let expression = authorizer["Identity"]["ValidationExpression"].as_str().unwrap_or_default();
    if !expression.starts_with('^') || !expression.ends_with('$') || expression.matches("[.]").count() != 2 {
        faults.push(format!("{name}: texts that are no tokens invoke the function"));
    }
    faults
}

/// The variables of `authorize`: without an own issuer, the pool of this stack and its client.
fn issuers(repository: &Repository) -> Faults {
    let variables = &repository.template["Resources"]["AuthorizeFunction"]["Properties"]["Environment"]["Variables"];
    let pool = |pool: &str| json!({"Fn::Sub": format!("https://cognito-idp.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{pool}}}")});
    let keys = |pool: &str| {
        let at = |base: &str| json!({"Fn::Sub": format!("{base}/${{{pool}}}/.well-known/jwks.json")});
        let cognito = at("https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}");
        json!({"Fn::If": ["HasCognitoElsewhere", at("${CognitoUrl}"), cognito]})
    };
    let own = |parameter: &str, otherwise: Value| json!({"Fn::If": ["HasOwnIssuer", {"Ref": parameter}, otherwise]});
    let wanted = [
        ("CUSTOMER_ISSUER", own("CustomerIssuer", pool("ShopperPool"))),
        ("CUSTOMER_AUDIENCES", own("CustomerAudiences", json!({"Ref": "ShopperPoolClient"}))),
        ("CUSTOMER_KEYS_URL", own("CustomerKeysUrl", keys("ShopperPool"))),
        ("OPERATOR_ISSUER", pool("OperatorPool")),
        ("OPERATOR_AUDIENCES", json!({"Ref": "OperatorPoolClient"})),
        ("OPERATOR_KEYS_URL", keys("OperatorPool")),
    ];
    let differ = wanted.into_iter().filter(|(name, wanted)| variables[name] != *wanted);
    let mut faults: Faults = differ.map(|(name, wanted)| format!("{name} is {}, not {wanted}", variables[name])).collect();
    let whole = assertions(repository, "AnIssuerIsNamedAsAWhole");
    for parameter in ["CustomerAudiences", "CustomerKeysUrl"] {
        if !whole.contains(&json!({"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]})) {
            faults.push(format!("CustomerIssuer can be deployed without {parameter}"));
        }
    }
    faults
}

fn pools(repository: &Repository) -> Faults {
    let resources = &repository.template["Resources"];
    let mut faults = Faults::new();
    for (id, pool) in template::resources(&repository.template, "AWS::Cognito::UserPool") {
        if pool["Properties"]["UserPoolTier"] != "LITE" {
            faults.push(format!("{id}: its tier costs more than what is used of it"));
        }
    }
    let operators = &resources["OperatorPool"]["Properties"];
    if operators["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] != true {
        faults.push("OperatorPool: anyone can sign up as an operator".to_owned());
    }
    let second_factor = json!({"Fn::If": ["IsLocal", "OFF", {"Fn::If": ["IsProd", "ON", "OPTIONAL"]}]});
    let kinds = json!({"Fn::If": ["IsLocal", {"Ref": "AWS::NoValue"}, ["SOFTWARE_TOKEN_MFA"]]});
    if operators["MfaConfiguration"] != second_factor || operators["EnabledMfas"] != kinds {
        faults.push("OperatorPool: a code beside the password is not required in prod and possible in staging".to_owned());
    }
    for (id, group) in template::resources(&repository.template, "AWS::Cognito::UserPoolGroup") {
        if template::target(&group["Properties"]["UserPoolId"]) != Some("OperatorPool") {
            faults.push(format!("{id}: is a group of shoppers"));
        }
    }
    faults
}

/// The conditions that a rule asserts.
fn assertions(repository: &Repository, rule: &str) -> Vec<Value> {
    let rule = &repository.template["Rules"][rule]["Assertions"];
    rule.as_array().into_iter().flatten().map(|assertion| assertion["Assert"].clone()).collect()
}

/// What replaces a token or an issuer on a developer's machine is refused in every other stage.
fn locally(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let is_local = json!({"Fn::Equals": [{"Ref": "Environment"}, "local"]});
    let header = &repository.template["Rules"]["HeaderIdentityOnlyLocally"];
    let is_on = json!({"Fn::Equals": [{"Ref": "TrustUserIdHeader"}, "true"]});
    if header["RuleCondition"] != is_on || !assertions(repository, "HeaderIdentityOnlyLocally").contains(&is_local) {
        faults.push("TrustUserIdHeader can be on outside local".to_owned());
    }
    if repository.template["Parameters"]["TrustUserIdHeader"]["Default"] != "false" {
        faults.push("TrustUserIdHeader is on if nobody turns it off".to_owned());
    }
    let elsewhere = &repository.template["Rules"]["ProvidersAreRealOutsideLocal"];
    let is_cognito = json!({"Fn::Equals": [{"Ref": "CognitoUrl"}, ""]});
    if elsewhere["RuleCondition"] != json!({"Fn::Not": [is_local]})
        || !assertions(repository, "ProvidersAreRealOutsideLocal").contains(&is_cognito)
    {
        faults.push("CognitoUrl can be set outside local".to_owned());
    }
    let in_prod = &repository.template["Rules"]["MoneyMovesInProduction"];
    let only_sandboxes = ["sandbox,sandbox-standby", "sandbox-standby,sandbox", "sandbox", "sandbox-standby"];
    let is_real = json!({"Fn::Not": [{"Fn::Contains": [only_sandboxes, {"Ref": "PaymentGateways"}]}]});
    if in_prod["RuleCondition"] != json!({"Fn::Equals": [{"Ref": "Environment"}, "prod"]})
        || !assertions(repository, "MoneyMovesInProduction").contains(&is_real)
    {
        faults.push("prod can have the sandbox alone".to_owned());
    }
    for (name, function) in template::functions(&repository.template) {
        let trusts = function.variables.get("TRUST_USER_ID_HEADER");
        if trusts.is_some_and(|value| *value != json!({"Ref": "TrustUserIdHeader"})) {
            faults.push(format!("{name}: trusts X-User-ID whatever the parameter says"));
        }
    }
    // No stage on AWS says so in its own settings either.
    for (section, settings) in &repository.samconfig {
        let overrides = settings.get("parameter_overrides").and_then(Value::as_str).unwrap_or_default();
        let is_local = section.starts_with("local.");
        if !is_local && ["TrustUserIdHeader", "CognitoUrl"].iter().any(|name| overrides.contains(name)) {
            faults.push(format!("samconfig.toml: {section} has a parameter of local stacks"));
        }
    }
    faults
}

#[test]
fn the_api_asks_one_authorizer_for_every_route() {
    none(&authorizer(&Repository::read()));
    let auth = |change: fn(&mut Value)| properties("Api", move |api| change(&mut api["Auth"]));
    notices(authorizer, "0 authorizers", auth(|auth| auth["Authorizers"] = json!({})));
    notices(authorizer, "not the default", auth(|auth| auth["DefaultAuthorizer"] = Value::Null));
    let one = |change: fn(&mut Value)| properties("Api", move |api| change(&mut api["Auth"]["Authorizers"]["TokenAuthorizer"]));
    notices(authorizer, "not the function authorize", one(|one| one["FunctionArn"] = json!({"Fn::GetAtt": "PayFunction.Arn"})));
    notices(authorizer, "does not ask for the token", one(|one| one["FunctionPayloadType"] = json!("REQUEST")));
    for seconds in [0, 301, 3600] {
        notices(authorizer, &format!("kept for {seconds} s"), |repository| {
            let api = &mut repository.template["Resources"]["Api"]["Properties"];
            api["Auth"]["Authorizers"]["TokenAuthorizer"]["Identity"]["ReauthorizeEvery"] = json!(seconds);
        });
    }
    notices(authorizer, "invoke the function", one(|one| one["Identity"]["ValidationExpression"] = json!(".*")));
}

#[test]
fn the_authorizer_believes_the_issuers_of_the_template() {
    none(&issuers(&Repository::read()));
    let variable = |name: &'static str, value: Value| {
        properties("AuthorizeFunction", move |function| function["Environment"]["Variables"][name] = value)
    };
    notices(issuers, "OPERATOR_AUDIENCES is", variable("OPERATOR_AUDIENCES", json!({"Ref": "ShopperPoolClient"})));
    notices(issuers, "CUSTOMER_ISSUER is", variable("CUSTOMER_ISSUER", json!({"Ref": "CustomerIssuer"})));
    notices(issuers, "OPERATOR_KEYS_URL is", variable("OPERATOR_KEYS_URL", json!("https://example.com")));
    notices(issuers, "without CustomerAudiences", |repository| {
        repository.template["Rules"]["AnIssuerIsNamedAsAWhole"]["Assertions"].as_array_mut().unwrap().remove(0);
    });
}

#[test]
fn operators_have_a_pool_of_their_own_with_a_second_factor() {
    none(&pools(&Repository::read()));
    notices(pools, "OperatorPool: its tier", set("OperatorPool", "UserPoolTier", json!("PLUS")));
    notices(pools, "anyone can sign up", set("OperatorPool", "AdminCreateUserConfig", Value::Null));
    notices(pools, "a code beside the password", set("OperatorPool", "MfaConfiguration", json!("OFF")));
    notices(pools, "a group of shoppers", set("OperatorsGroup", "UserPoolId", json!({"Ref": "ShopperPool"})));
}

#[test]
fn what_replaces_an_issuer_on_one_machine_cannot_be_deployed_elsewhere() {
    none(&locally(&Repository::read()));
    for (rule, what) in
        [("HeaderIdentityOnlyLocally", "TrustUserIdHeader can be on"), ("ProvidersAreRealOutsideLocal", "CognitoUrl can be set")]
    {
        notices(locally, what, |repository| _ = repository.template["Rules"].as_object_mut().unwrap().remove(rule));
        notices(locally, what, |repository| repository.template["Rules"][rule]["Assertions"] = json!([]));
        notices(locally, what, |repository| {
            repository.template["Rules"][rule]["RuleCondition"] = json!({"Fn::Equals": [{"Ref": "Environment"}, "prod"]});
        });
    }
    notices(locally, "if nobody turns it off", |repository| {
        repository.template["Parameters"]["TrustUserIdHeader"]["Default"] = json!("true");
    });
    notices(locally, "pay: trusts X-User-ID", |repository| {
        let function = &mut repository.template["Resources"]["PayFunction"]["Properties"];
        function["Environment"]["Variables"]["TRUST_USER_ID_HEADER"] = json!("true");
    });
    notices(locally, "prod.deploy.parameters has a parameter of local stacks", |repository| {
        let settings = repository.samconfig.get_mut("prod.deploy.parameters").unwrap();
        settings.insert("parameter_overrides".to_owned(), json!("Environment=prod TrustUserIdHeader=true"));
    });
}
