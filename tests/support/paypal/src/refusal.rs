//! Refusals in PayPal's form: a status, a name, and details with an issue.
//!
//! Clients depend on `name` and `issue`; PayPal reserves the right to change the texts, so these are our own.

use http::StatusCode;
use serde_json::{Map, Value, json};

/// Why PayPal refuses a request: `details[].issue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issue {
    ActionDoesNotMatchIntent,
    AuthCaptureCurrencyMismatch,
    AuthorizationAlreadyCaptured,
    AuthorizationDenied,
    AuthorizationExpired,
    AuthorizationVoided,
    CannotBeVoided,
    CannotBeZeroOrNegative,
    CaptureFullyRefunded,
    DecimalPrecision,
    DecimalsNotSupported,
    DuplicateInvoiceId,
    InstrumentDeclined,
    InvalidCurrencyCode,
    InvalidParameterSyntax,
    InvalidParameterValue,
    InvalidResourceId,
    InvalidStringLength,
    MalformedRequestJson,
    MaxCaptureAmountExceeded,
    MaxNumberOfPaymentAttemptsExceeded,
    MaxValueExceeded,
    MissingRequiredParameter,
    /// Not PayPal's: PayPal can do this and the fake cannot, so a test must not pass by accident.
    NotInTheFake,
    OrderAlreadyAuthorized,
    OrderAlreadyCaptured,
    OrderNotApproved,
    PayerActionRequired,
    PayerCannotPay,
    PaypalRequestIdRequired,
    PendingCapture,
    PermissionDenied,
    PreviousRequestInProgress,
    PreviouslyCaptured,
    PreviouslyVoided,
    RefundAmountExceeded,
    RefundCaptureCurrencyMismatch,
    RefundNotAllowed,
    RefundTimeLimitExceeded,
    TransactionRefused,
    UnsupportedIntent,
    UnsupportedMediaType,
}

/// The class of a refusal: its status, and `name` and `message` of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    InvalidRequest,
    NotAuthorized,
    ResourceNotFound,
    ResourceConflict,
    UnsupportedMediaType,
    UnprocessableEntity,
    NotInTheFake,
}

impl Class {
    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "INVALID_REQUEST", "The request does not have the required form."),
            Self::NotAuthorized => (StatusCode::FORBIDDEN, "NOT_AUTHORIZED", "The caller's permissions do not allow this."),
            Self::ResourceNotFound => (StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such resource."),
            Self::ResourceConflict => (StatusCode::CONFLICT, "RESOURCE_CONFLICT", "Another request is in progress."),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "The body has to be application/json.")
            }
            Self::UnprocessableEntity => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "UNPROCESSABLE_ENTITY",
                "The request is well-formed and cannot be carried out.",
            ),
            Self::NotInTheFake => (StatusCode::NOT_IMPLEMENTED, "NOT_IN_THE_FAKE", "PayPal has this; the fake does not."),
        }
    }
}

impl Issue {
    /// Its class, its name at PayPal, and a text.
    fn facts(self) -> (Class, &'static str, &'static str) {
        use Class::{InvalidRequest, UnprocessableEntity};
        match self {
            Self::ActionDoesNotMatchIntent => {
                (UnprocessableEntity, "ACTION_DOES_NOT_MATCH_INTENT", "The order has the other intent.")
            }
            Self::AuthCaptureCurrencyMismatch => {
                (UnprocessableEntity, "AUTH_CAPTURE_CURRENCY_MISMATCH", "The authorization is in another currency.")
            }
            Self::AuthorizationAlreadyCaptured => {
                (UnprocessableEntity, "AUTHORIZATION_ALREADY_CAPTURED", "The authorization is captured, finally or in full.")
            }
            Self::AuthorizationDenied => (UnprocessableEntity, "AUTHORIZATION_DENIED", "The authorization was denied."),
            Self::AuthorizationExpired => (UnprocessableEntity, "AUTHORIZATION_EXPIRED", "The authorization is 29 days old."),
            Self::AuthorizationVoided => (UnprocessableEntity, "AUTHORIZATION_VOIDED", "The authorization was voided."),
            Self::CannotBeVoided => (UnprocessableEntity, "CANNOT_BE_VOIDED", "This authorization holds nothing."),
            Self::CannotBeZeroOrNegative => {
                (UnprocessableEntity, "CANNOT_BE_ZERO_OR_NEGATIVE", "The amount has to be more than zero.")
            }
            Self::CaptureFullyRefunded => (UnprocessableEntity, "CAPTURE_FULLY_REFUNDED", "Nothing is left to refund."),
            Self::DecimalPrecision => (UnprocessableEntity, "DECIMAL_PRECISION", "The amount has too many decimals."),
            Self::DecimalsNotSupported => (UnprocessableEntity, "DECIMALS_NOT_SUPPORTED", "The currency has no decimals."),
            Self::DuplicateInvoiceId => {
                (UnprocessableEntity, "DUPLICATE_INVOICE_ID", "Another payment of this account has the invoice id.")
            }
            Self::InstrumentDeclined => (UnprocessableEntity, "INSTRUMENT_DECLINED", "The payer's instrument was declined."),
            Self::InvalidCurrencyCode => (UnprocessableEntity, "INVALID_CURRENCY_CODE", "PayPal does not take this currency."),
            Self::InvalidParameterSyntax => (InvalidRequest, "INVALID_PARAMETER_SYNTAX", "The field has another form."),
            Self::InvalidParameterValue => {
                (InvalidRequest, "INVALID_PARAMETER_VALUE", "The field has none of the possible values.")
            }
            Self::InvalidResourceId => {
                (Class::ResourceNotFound, "INVALID_RESOURCE_ID", "The id is unknown, or its order expired.")
            }
            Self::InvalidStringLength => (InvalidRequest, "INVALID_STRING_LENGTH", "The field is too short or too long."),
            Self::MalformedRequestJson => (InvalidRequest, "MALFORMED_REQUEST_JSON", "The body is not a JSON object."),
            Self::MaxCaptureAmountExceeded => {
                (UnprocessableEntity, "MAX_CAPTURE_AMOUNT_EXCEEDED", "The captures exceed the authorization and its overage.")
            }
            Self::MaxNumberOfPaymentAttemptsExceeded => {
                (UnprocessableEntity, "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "The order was declined too often.")
            }
            Self::MaxValueExceeded => (UnprocessableEntity, "MAX_VALUE_EXCEEDED", "The amount is too large."),
            Self::MissingRequiredParameter => (InvalidRequest, "MISSING_REQUIRED_PARAMETER", "The field is missing."),
            Self::NotInTheFake => (Class::NotInTheFake, "NOT_IN_THE_FAKE", "The fake does not know this part of PayPal's API."),
            Self::OrderAlreadyAuthorized => {
                (UnprocessableEntity, "ORDER_ALREADY_AUTHORIZED", "An order is authorized at most once.")
            }
            Self::OrderAlreadyCaptured => (UnprocessableEntity, "ORDER_ALREADY_CAPTURED", "An order is captured at most once."),
            Self::OrderNotApproved => (UnprocessableEntity, "ORDER_NOT_APPROVED", "The payer has not approved the order."),
            Self::PayerActionRequired => {
                (UnprocessableEntity, "PAYER_ACTION_REQUIRED", "The payer has to act before the payment can go on.")
            }
            Self::PayerCannotPay => (UnprocessableEntity, "PAYER_CANNOT_PAY", "The payer's funds are not available any more."),
            Self::PaypalRequestIdRequired => {
                (InvalidRequest, "PAYPAL_REQUEST_ID_REQUIRED", "An order with a payment source needs a PayPal-Request-Id.")
            }
            Self::PendingCapture => (UnprocessableEntity, "PENDING_CAPTURE", "A pending capture cannot be refunded."),
            Self::PermissionDenied => (Class::NotAuthorized, "PERMISSION_DENIED", "The resource is another account's."),
            Self::PreviousRequestInProgress => {
                (Class::ResourceConflict, "PREVIOUS_REQUEST_IN_PROGRESS", "The first call with this id is not answered yet.")
            }
            Self::PreviouslyCaptured => (UnprocessableEntity, "PREVIOUSLY_CAPTURED", "The authorization is captured."),
            Self::PreviouslyVoided => (UnprocessableEntity, "PREVIOUSLY_VOIDED", "The authorization is void already."),
            Self::RefundAmountExceeded => (UnprocessableEntity, "REFUND_AMOUNT_EXCEEDED", "Less than that is left to refund."),
            Self::RefundCaptureCurrencyMismatch => {
                (UnprocessableEntity, "REFUND_CAPTURE_CURRENCY_MISMATCH", "The capture is in another currency.")
            }
            Self::RefundNotAllowed => (UnprocessableEntity, "REFUND_NOT_ALLOWED", "This capture took nothing."),
            Self::RefundTimeLimitExceeded => {
                (UnprocessableEntity, "REFUND_TIME_LIMIT_EXCEEDED", "The capture is more than 180 days old.")
            }
            Self::TransactionRefused => {
                (UnprocessableEntity, "TRANSACTION_REFUSED", "PayPal is still reviewing the authorization.")
            }
            Self::UnsupportedIntent => {
                (UnprocessableEntity, "UNSUPPORTED_INTENT", "Several purchase units can only be captured, not authorized.")
            }
            Self::UnsupportedMediaType => (Class::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "The body is not JSON."),
        }
    }
}

/// A refusal on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) issue: Issue,
    /// The field at fault, as a JSON pointer or a header's name.
    field: Option<String>,
    /// Where to send the payer.
    payer_goes_to: Option<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn at(issue: Issue, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::from(issue) }
    }

    /// With a link that the client is to send the payer to.
    pub(crate) fn sends_payer(self, relation: &'static str, url: String) -> Self {
        Self { payer_goes_to: Some((relation, url)), ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.issue.facts().0.facts().0
    }

    /// The body.
    pub(crate) fn json(&self, debug_id: &str) -> Value {
        let (class, issue, description) = self.issue.facts();
        let (_, name, message) = class.facts();
        let mut detail = Map::new();
        detail.insert("issue".to_owned(), json!(issue));
        detail.insert("description".to_owned(), json!(description));
        if let Some(field) = &self.field {
            detail.insert("field".to_owned(), json!(field));
            detail.insert("location".to_owned(), json!(if field.starts_with('/') { "body" } else { "header" }));
        }
        let help = format!("https://developer.paypal.com/docs/api/orders/v2/#error-{issue}");
        let mut links = vec![json!({"href": help, "rel": "information_link", "method": "GET"})];
        if let Some((relation, url)) = &self.payer_goes_to {
            links.push(json!({"href": url, "rel": relation, "method": "GET"}));
        }
        json!({"name": name, "message": message, "debug_id": debug_id, "details": [detail], "links": links})
    }
}

impl From<Issue> for Refusal {
    fn from(issue: Issue) -> Self {
        Self { issue, field: None, payer_goes_to: None }
    }
}
