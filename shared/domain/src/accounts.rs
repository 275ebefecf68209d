//! The shop's accounts at payment providers, and which of them a reservation pays to.
//!
//! A token for a way to pay belongs to the account whose public key made it. So the account is chosen when the reservation is
//! made, the shopper's page uses its public key, and no token is ever sent to another account.

use std::str::FromStr;

use crate::{GatewayName, PaymentMethod, ReservationId, layout::hashed};

/// Who makes tokens for ways to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// Moves no money. All its accounts take the same tokens.
    Sandbox,
    /// <https://stripe.com>.
    Stripe,
    /// <https://www.paypal.com>.
    Paypal,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Stripe, Self::Paypal];

    /// How its tokens and the names of its accounts begin.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
            Self::Paypal => "paypal",
        }
    }

    /// The provider that made a token; `None` if this version knows none of this name.
    #[must_use]
    pub fn of(method: &PaymentMethod) -> Option<Self> {
        Self::named(method.parts().0)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }
}

/// One account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name by which it is configured: the provider's, alone or with `-` and more, such as `stripe-eu`.
    pub name: GatewayName,
    /// The provider that the account is at.
    pub provider: Provider,
    /// The key by which a shopper's page makes tokens for this account. It is no secret. The sandbox has none.
    pub public_key: Option<String>,
    /// The merchant id of an account at PayPal, if the shop's page makes orders there: no order for another payee is taken.
    pub merchant_id: Option<String>,
}

/// The text is not an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No provider has accounts of this name.
    #[error("{0:?} is no account: its name is that of a provider (sandbox, stripe, paypal), alone or with \"-\" and a suffix")]
    Name(String),
    /// A provider other than the sandbox makes tokens by a public key.
    #[error("{0} has no public key: write {0}=<public key>")]
    NoPublicKey(String),
    /// It is a secret, and would be shown to every shopper.
    #[error("{0} has a secret key where its public key belongs: replace the secret key now, it may have been seen")]
    SecretKey(String),
    /// Two accounts have this name.
    #[error("{0} is there twice")]
    Twice(String),
}

/// How Stripe's secret and restricted keys begin (<https://docs.stripe.com/keys>).
const SECRET_KEYS: [&str; 2] = ["sk_", "rk_"];
/// The longest name of an account, in characters.
const LONGEST_NAME: usize = 40;

impl FromStr for Account {
    type Err = AccountError;

    /// Reads `<name>`, `<name>=<public key>` or, of PayPal, `<name>=<public key>:<merchant id>`.
    fn from_str(text: &str) -> Result<Self, AccountError> {
        let (name, key) = text.split_once('=').unwrap_or((text, ""));
        let (name, key) = (name.trim(), key.trim());
        let wrong = || AccountError::Name(name.to_owned());
        let (provider, suffix) = name.split_once('-').unwrap_or((name, "x"));
        let provider = Provider::named(provider).ok_or_else(wrong)?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if suffix.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
            return Err(wrong());
        }
        if SECRET_KEYS.iter().any(|prefix| key.starts_with(prefix)) {
            return Err(AccountError::SecretKey(name.to_owned()));
        }
        let public_key = Some(key.to_owned()).filter(|key| !key.is_empty());
        if public_key.is_none() && provider != Provider::Sandbox {
            return Err(AccountError::NoPublicKey(name.to_owned()));
        }
        let (public_key, merchant_id) = match public_key {
            Some(key) if provider == Provider::Paypal => match key.split_once(':') {
                Some((key, merchant)) => (Some(key.to_owned()), Some(merchant.to_owned())),
                None => (Some(key), None),
            },
            other => (other, None),
        };
        Ok(Self { name: GatewayName(name.to_owned()), provider, public_key, merchant_id })
    }
}

/// The configured accounts, the preferred one first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// Reads accounts as `<name>` or `<name>=<public key>`.
    ///
    /// # Errors
    /// Names the first entry that is wrong.
    pub fn read(entries: &[String]) -> Result<Self, AccountError> {
        let accounts = entries.iter().map(|entry| entry.parse()).collect::<Result<Vec<Account>, _>>()?;
        for (place, account) in accounts.iter().enumerate() {
            if accounts.iter().take(place).any(|earlier| earlier.name == account.name) {
                return Err(AccountError::Twice(account.name.to_string()));
            }
        }
        Ok(Self(accounts))
    }

    /// All accounts, the preferred one first.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    /// The account called `name`.
    #[must_use]
    pub fn named(&self, name: &GatewayName) -> Option<&Account> {
        self.iter().find(|account| account.name == *name)
    }

    /// The providers that have an account, the preferred one first.
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        let mut providers = Vec::new();
        for account in self.iter() {
            if !providers.contains(&account.provider) {
                providers.push(account.provider);
            }
        }
        providers
    }

    /// Whether an account takes tokens of this provider.
    #[must_use]
    pub fn take(&self, method: &PaymentMethod) -> bool {
        Provider::of(method).is_some_and(|provider| self.iter().any(|account| account.provider == provider))
    }

    /// Chooses one account of each provider for a reservation, by its id, so that reservations spread over the accounts evenly.
    /// The sandbox is not among them: every sandbox takes every token of the sandbox.
    #[must_use]
    pub fn choose(&self, id: &ReservationId) -> Vec<GatewayName> {
        let hash = hashed(id.to_string().bytes());
        let providers = self.providers().into_iter().filter(|provider| *provider != Provider::Sandbox);
        let chosen = providers.filter_map(|provider| {
            let of_provider: Vec<_> = self.iter().filter(|account| account.provider == provider).collect();
            let places = u64::try_from(of_provider.len()).ok()?;
            let place = usize::try_from(hash.checked_rem(places)?).ok()?;
            of_provider.get(place).map(|account| account.name.clone())
        });
        chosen.collect()
    }

    /// The accounts by which a reservation or its order can be paid, one of each provider, the preferred one first. `chosen` are
    /// the names that the reservation contains. It contains none if no real account was configured when it was made; then the
    /// choice is made now, and is the same each time.
    #[must_use]
    pub fn options(&self, id: &ReservationId, chosen: &[GatewayName]) -> Vec<&Account> {
        let now;
        let chosen = if chosen.is_empty() {
            now = self.choose(id);
            &now
        } else {
            chosen
        };
        let mut options: Vec<&Account> = Vec::new();
        for account in self.iter() {
            let is_offered = options.iter().any(|offered| offered.provider == account.provider);
            if !is_offered && (account.provider == Provider::Sandbox || chosen.contains(&account.name)) {
                options.push(account);
            }
        }
        options
    }

    /// The names of the accounts that can take this token, in the order in which they are asked: the chosen account of its
    /// provider, or every sandbox.
    #[must_use]
    pub fn that_take(&self, method: &PaymentMethod, id: &ReservationId, chosen: &[GatewayName]) -> Vec<&GatewayName> {
        let Some(provider) = Provider::of(method) else { return Vec::new() };
        if provider == Provider::Sandbox {
            return self.iter().filter(|account| account.provider == provider).map(|account| &account.name).collect();
        }
        let options = self.options(id, chosen).into_iter();
        options.filter(|account| account.provider == provider).map(|account| &account.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn accounts(entries: &[&str]) -> Accounts {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        Accounts::read(&entries).unwrap()
    }

    fn reservation(number: u64) -> ReservationId {
        let ulid = ulid::Ulid::from_parts(1_795_000_000_000 + number, u128::from(number) * 7919);
        format!("demo.{ulid}").parse().unwrap()
    }

    fn method(text: &str) -> PaymentMethod {
        text.parse().unwrap()
    }

    const MIXED: [&str; 5] = ["stripe-a=pk_a", "sandbox", "stripe-b=pk_b", "sandbox-standby", "paypal=client"];

    fn names(accounts: &[&Account]) -> Vec<String> {
        accounts.iter().map(|account| account.name.to_string()).collect()
    }

    #[test]
    fn an_account_is_named_after_its_provider_and_has_a_public_key() {
        for (entry, provider, key) in [
            ("sandbox", Provider::Sandbox, None),
            ("sandbox-standby", Provider::Sandbox, None),
            ("stripe=pk_live_1", Provider::Stripe, Some("pk_live_1")),
            (" stripe-eu = pk_live_2 ", Provider::Stripe, Some("pk_live_2")),
            ("paypal-2=AbC=", Provider::Paypal, Some("AbC=")),
        ] {
            let account: Account = entry.parse().unwrap();
            assert_eq!((account.provider, account.public_key.as_deref()), (provider, key), "{entry}");
        }
        let merchant: Account = "paypal=AbC:M1".parse().unwrap();
        assert_eq!((merchant.public_key.as_deref(), merchant.merchant_id.as_deref()), (Some("AbC"), Some("M1")));
        for entry in ["", "=pk", "adyen=pk", "stripes=pk", "stripe-=pk", "Stripe=pk", "stripe_eu=pk", "sandbox standby"] {
            assert!(matches!(entry.parse::<Account>(), Err(AccountError::Name(_))), "{entry}");
        }
        assert!(matches!(format!("stripe-{}=pk", "x".repeat(40)).parse::<Account>(), Err(AccountError::Name(_))));
        assert_eq!("stripe".parse::<Account>(), Err(AccountError::NoPublicKey("stripe".to_owned())));
        assert_eq!("paypal=".parse::<Account>(), Err(AccountError::NoPublicKey("paypal".to_owned())));
        for key in ["sk_live_1", "rk_test_1"] {
            let wrong = format!("stripe={key}").parse::<Account>();
            assert_eq!(wrong, Err(AccountError::SecretKey("stripe".to_owned())));
            assert!(!wrong.unwrap_err().to_string().contains(key), "a secret is not repeated");
        }
        let twice = Accounts::read(&["stripe=a".to_owned(), "stripe=b".to_owned()]);
        assert_eq!(twice, Err(AccountError::Twice("stripe".to_owned())));
    }

    #[test]
    fn a_reservation_has_one_account_of_each_provider_and_keeps_it() {
        let all = accounts(&MIXED);
        let mut counts = BTreeMap::<String, u32>::new();
        for number in 0..2_000 {
            let id = reservation(number);
            let chosen = all.choose(&id);
            assert_eq!(chosen.len(), 2);
            *counts.entry(chosen[0].to_string()).or_default() += 1;
            let expected = [chosen[0].to_string(), "sandbox".to_owned(), "paypal".to_owned()];
            let mut expected = expected.to_vec();
            expected.sort_by_key(|name| all.iter().position(|account| account.name.to_string() == *name));
            assert_eq!(names(&all.options(&id, &chosen)), expected);
            // Another account beside them changes nothing for this reservation.
            let more = accounts(&[&["stripe-c=pk_c"], &MIXED[..]].concat());
            assert_eq!(names(&more.options(&id, &chosen)), expected);
        }
        assert!(counts.values().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_token_goes_to_the_chosen_account_of_its_provider_only() {
        let (all, id) = (accounts(&MIXED), reservation(1));
        let b = [GatewayName("stripe-b".to_owned()), GatewayName("paypal".to_owned())];
        let asked = |method_text: &str, chosen: &[GatewayName]| -> Vec<String> {
            all.that_take(&method(method_text), &id, chosen).into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(asked("stripe:pm_1", &b), ["stripe-b"]);
        assert_eq!(asked("paypal:5O1", &b), ["paypal"]);
        assert_eq!(asked("sandbox:ok", &b), ["sandbox", "sandbox-standby"]);
        assert_eq!(asked("adyen:1", &b), [""; 0]);
        // The account was taken out of the configuration: no other one can take its tokens.
        assert_eq!(asked("stripe:pm_1", &[GatewayName("stripe-gone".to_owned())]), [""; 0]);
        // Made before there were accounts: by its id, the same each time.
        assert_eq!(asked("stripe:pm_1", &[]), asked("stripe:pm_1", &all.choose(&id)));
    }

    #[test]
    fn only_tokens_of_configured_providers_are_taken() {
        let all = accounts(&["sandbox", "stripe=pk"]);
        assert!(all.take(&method("sandbox:ok")) && all.take(&method("stripe:pm_1")));
        assert!(!all.take(&method("paypal:5O1")) && !all.take(&method("adyen:1")));
        assert_eq!(all.providers(), [Provider::Sandbox, Provider::Stripe]);
        assert_eq!(accounts(&["sandbox"]).choose(&reservation(1)), [], "every sandbox takes every token");
    }
}
