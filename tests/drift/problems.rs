//! The refusals of API Gateway itself look like those of the functions, and use their codes.

use serde_json::{Value, json};
use system_tests::{Repository, rust};

use crate::{Faults, none, notices};

/// Faults that only API Gateway can find.
const OF_THE_GATEWAY: [&str; 1] = ["refused"];

fn problems(repository: &Repository) -> Faults {
    let known: Vec<String> = repository.product_sources().flat_map(rust::string_literals).collect();
    let responses = &repository.template["Resources"]["Api"]["Properties"]["GatewayResponses"];
    let mut faults = Faults::new();
    for (name, response) in responses.as_object().expect("the API has gateway responses") {
        let body = response["ResponseTemplates"]["application/json"].as_str().unwrap_or_default();
        let Ok(problem) = serde_json::from_str::<Value>(&body.replace("$context.requestId", "id")) else {
            faults.push(format!("{name}: the body is not JSON"));
            continue;
        };
        let code = problem["code"].as_str().unwrap_or_default();
        if problem["type"] != format!("/problems/{code}") || problem["status"] != response["StatusCode"] {
            faults.push(format!("{name}: type or status do not fit its code and status: {problem}"));
        }
        if !known.iter().any(|literal| literal == code) && !OF_THE_GATEWAY.contains(&code) {
            faults.push(format!("{name}: no function refuses with {code:?}"));
        }
        if response["ResponseParameters"]["Headers"]["Content-Type"] != "'application/problem+json'" {
            faults.push(format!("{name}: is not application/problem+json"));
        }
        // RFC 9110, section 15.5.2. API Gateway renames the header in a function's answer, but not in its own.
        if response["StatusCode"] == 401 && response["ResponseParameters"]["Headers"]["WWW-Authenticate"] != "'Bearer'" {
            faults.push(format!("{name}: does not say how to authenticate"));
        }
    }
    faults
}

#[test]
fn the_gateway_refuses_in_the_words_of_the_functions() {
    none(&problems(&Repository::read()));
}

#[test]
fn a_gateway_response_in_words_of_its_own_is_noticed() {
    let body = |code: &str, status: i64| json!({"type": format!("/problems/{code}"), "status": status, "code": code}).to_string();
    notices(problems, "no function refuses with \"slow-down\"", throttling_with(&body("slow-down", 429)));
    notices(problems, "type or status", throttling_with(&body("rate-limited", 503)));
    notices(problems, "not JSON", throttling_with(""));
    notices(problems, "EXPIRED_TOKEN: does not say how to authenticate", |repository| {
        let responses = &mut repository.template["Resources"]["Api"]["Properties"]["GatewayResponses"];
        responses["EXPIRED_TOKEN"]["ResponseParameters"]["Headers"]["WWW-Authenticate"] = json!("'Basic'");
    });
}

fn throttling_with(body: &str) -> impl FnOnce(&mut Repository) {
    move |repository| {
        repository.template["Resources"]["Api"]["Properties"]["GatewayResponses"]["THROTTLED"]["ResponseTemplates"] =
            json!({"application/json": body});
    }
}
