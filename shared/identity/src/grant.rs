//! What the authorizer grants: it travels from the authorizer through API Gateway, which keeps it for minutes, to the functions.

use domain::{ShopperId, Timestamp};

use crate::claims;

/// The people whom an issuer vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Realm {
    /// The shop's customers.
    Customers,
    /// The people who run sales.
    Operators,
}

impl Realm {
    /// The realm's name in a grant, in logs and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Operators => "operators",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Customers, Self::Operators].into_iter().find(|realm| realm.name() == name)
    }
}

/// Who calls, and until when the token says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token's `sub`.
    pub subject: ShopperId,
    /// The realm of the issuer that vouches for the caller.
    pub realm: Realm,
    /// The caller's groups. Only operators have any.
    pub groups: Vec<String>,
    /// The token's `exp`.
    pub expires_at: Timestamp,
}

/// The names under which API Gateway hands a grant on. It calls the subject `principalId`.
const SUBJECT: &str = "principalId";
const REALM: &str = "realm";
const GROUPS: &str = "groups";
const EXPIRES_AT: &str = "exp";

impl Grant {
    /// Whether the token's time is over. API Gateway keeps a grant beyond that, so the functions ask again.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        claims::is_over(self.expires_at, now)
    }

    /// The members of an authorizer's context. API Gateway hands on texts, and no lists.
    #[must_use]
    pub fn context(&self) -> [(&'static str, String); 3] {
        [
            (REALM, self.realm.name().to_owned()),
            (GROUPS, self.groups.join(",")),
            (EXPIRES_AT, self.expires_at.as_second().to_string()),
        ]
    }

    /// The grant of a request. `member` gives the text of a member of its `requestContext.authorizer`.
    #[must_use]
    pub fn read<'m>(member: impl Fn(&str) -> Option<&'m str>) -> Option<Self> {
        let subject = member(SUBJECT)?.parse().ok()?;
        let realm = Realm::named(member(REALM)?)?;
        let groups = member(GROUPS)?.split(',').filter(|name| claims::is_plain(name)).map(str::to_owned).collect();
        let expires_at = member(EXPIRES_AT)?.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())?;
        Some(Self { subject, realm, groups, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn grant() -> Grant {
        Grant {
            subject: "auth0|1".parse().unwrap(),
            realm: Realm::Operators,
            groups: vec!["ops".to_owned(), "night_shift".to_owned()],
            expires_at: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    fn members(grant: &Grant) -> HashMap<&'static str, String> {
        grant.context().into_iter().chain([(SUBJECT, grant.subject.to_string())]).collect()
    }

    fn read(members: &HashMap<&'static str, String>) -> Option<Grant> {
        Grant::read(|name| members.get(name).map(String::as_str))
    }

    #[test]
    fn a_grant_arrives_as_it_was_given() {
        let without_groups = Grant { groups: Vec::new(), realm: Realm::Customers, ..grant() };
        for grant in [grant(), without_groups] {
            assert_eq!(read(&members(&grant)), Some(grant));
        }
    }

    #[test]
    fn a_grant_without_one_of_its_members_is_none() {
        for name in [SUBJECT, REALM, GROUPS, EXPIRES_AT] {
            let mut lacking = members(&grant());
            lacking.remove(name);
            assert_eq!(read(&lacking), None, "{name}");
        }
        for (name, value) in [
            (SUBJECT, ""),
            (REALM, "Operators"),
            (REALM, ""),
            (EXPIRES_AT, "soon"),
            (EXPIRES_AT, "1.5"),
            (EXPIRES_AT, "99999999999999"),
        ] {
            let mut wrong = members(&grant());
            wrong.insert(name, value.to_owned());
            assert_eq!(read(&wrong), None, "{name} {value}");
        }
    }

    #[test]
    fn a_grant_is_over_a_leeway_after_the_tokens_end() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        assert!(!grant().is_over(at(-1)) && !grant().is_over(at(59)));
        assert!(grant().is_over(at(60)) && grant().is_over(at(300)));
    }
}
