//! The issuers of tokens that the shop has chosen.

use identity::{Issuer, Realm};

use crate::Parts;

/// An issuer, and where it publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Its name, its realm and the rules for its tokens.
    pub issuer: Issuer,
    /// The address of its key set: `jwks_uri` of its discovery document.
    pub keys_url: String,
}

/// The variables of one realm.
struct Variables {
    realm: Realm,
    issuer: &'static str,
    audiences: &'static str,
    keys_url: &'static str,
}

const CUSTOMER_VARIABLES: Variables = Variables {
    realm: Realm::Customers,
    issuer: "CUSTOMER_ISSUER",
    audiences: "CUSTOMER_AUDIENCES",
    keys_url: "CUSTOMER_KEYS_URL",
};
const OPERATOR_VARIABLES: Variables = Variables {
    realm: Realm::Operators,
    issuer: "OPERATOR_ISSUER",
    audiences: "OPERATOR_AUDIENCES",
    keys_url: "OPERATOR_KEYS_URL",
};

impl Parts {
    /// The customers' issuer and the operators' issuer. They are never the same: its customers would be operators.
    pub fn trusted_issuers(&mut self) -> Vec<TrustedIssuer> {
        let issuers: Vec<TrustedIssuer> =
            [CUSTOMER_VARIABLES, OPERATOR_VARIABLES].into_iter().filter_map(|one| self.trusted_issuer(&one)).collect();
        if let [customers, operators] = issuers.as_slice() {
            if customers.issuer.url() == operators.issuer.url() {
                self.configuration.fault("CUSTOMER_ISSUER and OPERATOR_ISSUER have to be different issuers");
            }
            if customers.keys_url == operators.keys_url {
                self.configuration.fault("CUSTOMER_KEYS_URL and OPERATOR_KEYS_URL have to be different addresses");
            }
        }
        issuers
    }

    fn trusted_issuer(&mut self, variables: &Variables) -> Option<TrustedIssuer> {
        let url = self.configuration.text(variables.issuer);
        let audiences = self.configuration.list(variables.audiences);
        let keys_url = self.configuration.text(variables.keys_url);
        let is_local = self.configuration.text("ENVIRONMENT") == "local";
        if url.is_empty() || audiences.is_empty() || keys_url.is_empty() {
            return None;
        }
        // Without TLS, anyone on the way could put keys of their own in place of the issuer's.
        if !(keys_url.starts_with("https://") || (is_local && keys_url.starts_with("http://127.0.0.1:"))) {
            self.configuration.fault(format!("{} has to begin with https://", variables.keys_url));
        }
        let issuer = Issuer::new(variables.realm, url, audiences);
        let issuer = issuer.map_err(|error| self.configuration.fault(format!("{}: {error}", variables.issuer))).ok()?;
        Some(TrustedIssuer { issuer, keys_url })
    }
}
