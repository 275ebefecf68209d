//! CloudFormation can create the stack, roll a failed creation back, and leaves data alone.

use serde_json::{Value, json};
use system_tests::{Repository, template};

use crate::{Faults, none, notices};

/// The properties that protect a resource from being deleted.
const PROTECTIONS: [&str; 2] = ["DeletionProtection", "DeletionProtectionEnabled"];
/// The types of resources that hold data of shoppers.
const HOLD_DATA: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool"];

/// A protected resource that is to be deleted when its creation is rolled back makes the roll-back fail.
fn protection(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (id, resource) in repository.template["Resources"].as_object().into_iter().flatten() {
        let is_protected = PROTECTIONS.iter().any(|property| resource["Properties"].get(property).is_some());
        let holds_data = HOLD_DATA.iter().any(|kind| resource["Type"] == *kind);
        if holds_data && !is_protected {
            faults.push(format!("{id}: has no deletion protection"));
        }
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            if (holds_data || is_protected) && resource[policy] != "Retain" {
                faults.push(format!("{id}: {policy} is {}, not Retain", resource[policy]));
            }
        }
    }
    faults
}

/// CloudFormation refuses a template in which a resource depends on one that its condition leaves out.
fn order(repository: &Repository) -> Faults {
    let resources = &repository.template["Resources"];
    let mut faults = Faults::new();
    for (id, resource) in resources.as_object().into_iter().flatten() {
        for other in template::one_or_many(&resource["DependsOn"]).into_iter().filter_map(Value::as_str) {
            let condition = &resources[other]["Condition"];
            if resources.get(other).is_none() {
                faults.push(format!("{id}: depends on {other}, which does not exist"));
            } else if !condition.is_null() && *condition != resource["Condition"] {
                faults.push(format!("{id}: depends on {other}, which exists only if {condition}"));
            }
        }
    }
    faults
}

#[test]
fn a_protected_resource_stays_when_its_creation_is_rolled_back() {
    none(&protection(&Repository::read()));
}

#[test]
fn a_resource_that_cannot_be_rolled_back_or_is_not_protected_is_noticed() {
    let set = |id: &'static str, member: &'static str| {
        move |repository: &mut Repository| repository.template["Resources"][id][member] = json!("RetainExceptOnCreate")
    };
    notices(protection, "ShopperPool: DeletionPolicy is \"RetainExceptOnCreate\"", set("ShopperPool", "DeletionPolicy"));
    notices(protection, "OrderTable: UpdateReplacePolicy", set("OrderTable", "UpdateReplacePolicy"));
    notices(protection, "StockTable: has no deletion protection", |repository| {
        let properties = repository.template["Resources"]["StockTable"]["Properties"].as_object_mut().unwrap();
        properties.remove("DeletionProtectionEnabled");
    });
}

#[test]
fn no_resource_depends_on_one_that_may_be_left_out() {
    none(&order(&Repository::read()));
    for (other, what) in [("ApiLogsAccount", "exists only if \"CreateApiLogsRole\""), ("Nothing", "does not exist")] {
        notices(order, what, |repository| repository.template["Resources"]["Api"]["DependsOn"] = json!([other]));
    }
}
