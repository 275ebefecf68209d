//! The JSON schema of a type, from `utoipa`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// A type's schema, with the components that it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeSchema {
    /// The schema, by reference.
    pub schema: Value,
    /// Schemas by name: the type's own and those of its members.
    pub components: BTreeMap<String, Value>,
}

impl TypeSchema {
    /// A type by its name.
    #[must_use]
    pub fn of<T: ToSchema>() -> Self {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        Self {
            schema: reference(&T::name()),
            components: found.into_iter().map(|(name, schema)| (name, written(&schema))).collect(),
        }
    }

    /// A type without a name of its own, such as `bool`.
    #[must_use]
    pub fn inline<T: ToSchema>() -> Self {
        Self { schema: written(&T::schema()), components: BTreeMap::new() }
    }
}

/// The reference to a component.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn written(schema: &RefOr<Schema>) -> Value {
    json!(schema)
}
