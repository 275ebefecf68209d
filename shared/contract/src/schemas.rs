//! JSON schemas of the domain's types. The domain itself has none; the limits here are its constants.

use domain::{
    Address, Admission, AttemptStatus as Attempting, Currency as DomainCurrency, Money as DomainMoney, OrderLine,
    OrderStatus as Order, OrderStep, PaymentMethod as Method, PaymentStatus as Payment, ProductId as Product, ProofOfWork,
    Provider as PaymentProvider, Quantity as Units, RefundStatus as Refunding, RestockKey, SaleDraft, SaleState as Sale,
    ShopperId as Shopper, StockStatus,
};
use serde_json::{Value, json};
use utoipa::{
    Number, PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat,
        schema::{AdditionalProperties, AnyOfBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use crate::payment::AttemptProgress;

/// Types that only have a schema, for the domain's type of the same meaning.
macro_rules! schemas {
    ($($(#[doc = $says:literal])+ $name:ident = $schema:expr;)+) => {$(
        $(#[doc = $says])+
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.description(Some(concat!($($says),+).trim())).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

schemas! {
    /// A product.
    ProductId = text(Product::MAX_LENGTH).pattern(Some("^[a-z0-9_-]+$"));
    /// The id of a reservation. Opaque to clients.
    ReservationId = reservation_id();
    /// A payment provider.
    Provider = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(PaymentProvider::ALL.map(PaymentProvider::as_str)));
    /// The id of an order: that of its reservation.
    OrderId = reservation_id();
    /// The `sub` of a token: printable ASCII.
    ShopperId = text(Shopper::MAX_LENGTH).pattern(Some(PRINTABLE));
    /// A time: RFC 3339, UTC.
    Time = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    /// Units of one sale for one shopper.
    Quantity = whole(Units::ONE.units(), Units::MAX.units());
    /// Units of a sale or of a restock.
    SaleUnits = whole(1, SaleDraft::MOST_UNITS);
    /// Stock shards of a sale.
    Shards = whole(1, SaleDraft::MOST_SHARDS);
    /// The length of a hold, s.
    HoldSeconds = whole(*SaleDraft::HOLD_SECONDS.start(), *SaleDraft::HOLD_SECONDS.end());
    /// The longest time for which a hold may last, s.
    MaxHoldSeconds = whole(*SaleDraft::MAX_HOLD_SECONDS.start(), *SaleDraft::MAX_HOLD_SECONDS.end());
    /// The product's name: one line of text.
    SaleName = line(SaleDraft::MAX_NAME);
    /// The product's description.
    SaleDescription = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(SaleDraft::MAX_DESCRIPTION))
        .pattern(Some(format!(r"^([^{CONTROL_IN_PROSE}]*[^\s{CONTROL_IN_PROSE}][^{CONTROL_IN_PROSE}]*)?$")));
    /// The address of a picture.
    ImageUrl = text(SaleDraft::MAX_IMAGE_URL).pattern(Some(format!("^https://[^{CONTROL}]*$")));
    /// An ISO 4217 currency that is in use.
    Currency = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(currencies()));
    /// Integer minor units: cents of USD, yen of JPY.
    AmountMinor = whole(1, DomainMoney::MAX_MINOR);
    /// An amount of one currency, in integer minor units.
    Money = money();
    /// A decimal amount of the order's currency, compared digit by digit.
    DecimalAmount = AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some(decimal())))
        .item(ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)));
    /// A payment provider's token for a way to pay: `<provider>:<token>`. Never card data.
    PaymentMethod = text(Method::MAX_LENGTH).pattern(Some("^[!-9;-~]+:[!-~]+$"));
    /// The identity of a restock or a refund: printable ASCII, such as a UUID. A repeated request has the same key.
    IdempotencyKey = text(RestockKey::MAX_LENGTH).pattern(Some(PRINTABLE));
    /// The recipient.
    Recipient = line(Address::MAX_NAME);
    /// Street and number.
    AddressLine1 = line(Address::MAX_ADDRESS_LINE);
    /// Apartment, floor or building.
    AddressLine2 = line(Address::MAX_ADDRESS_LINE);
    /// The city.
    City = line(Address::MAX_CITY);
    /// The state, province or region.
    State = line(Address::MAX_STATE);
    /// The postal code. It may be missing only where `country` is the ISO 3166-1 alpha-2 code of a country without postal codes.
    PostalCode = line(Address::MAX_POSTAL_CODE);
    /// The country. The shop decides where it ships.
    Country = line(Address::MAX_COUNTRY);
    /// A telephone number for the delivery.
    Phone = line(Address::MAX_PHONE);
    /// Where a page of the catalogue begins. Opaque to clients.
    CataloguePage = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^(live|ended)([.][a-z0-9_-]{{1,{}}})?$", Product::MAX_LENGTH)));
    /// Where a page of orders begins. Opaque to clients.
    OrdersPage = orders_page();
    /// The state of a sale.
    SaleState = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(sale_states()));
    /// How a sale admits shoppers: first come, first served, or by draw, either with a proof of work. The ramp of a draw ends before
    /// the sale does.
    AdmissionRequest = OneOfBuilder::new().item(admission("fcfs")).item(
        admission("draw")
            .property("ramp_seconds", whole(*Admission::RAMP_SECONDS.start(), *Admission::RAMP_SECONDS.end()))
            .required("ramp_seconds"),
    );
    /// Rounds of PBKDF2 for each counter that a device tries.
    ProofOfWorkCost = whole(*ProofOfWork::COST.start(), *ProofOfWork::COST.end());
    /// How long a challenge is valid, s.
    WindowSeconds = whole(*ProofOfWork::WINDOW_SECONDS.start(), *ProofOfWork::WINDOW_SECONDS.end());
    /// Seconds from the start of a sale until its draw has admitted everybody.
    RampSeconds = whole(*Admission::RAMP_SECONDS.start(), *Admission::RAMP_SECONDS.end());
    /// What is wrong with a proof of work.
    ProofOfWorkFault = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["forged", "foreign", "wrong"]));
    /// 32 bytes in lower-case hex.
    Hex32 = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{64}$"));
    /// The status of an order.
    OrderStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(order_statuses()));
    /// The status of an order's payment.
    PaymentStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(shown_payment_statuses()));
    /// The status of orders that operators can list: that of the order, or `refund_pending` of its payment or its refunds.
    ListedStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(listed_statuses()));
    /// The status of an attempt to pay.
    AttemptStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(attempt_statuses()));
    /// The status of an order's units.
    InventoryStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(inventory_statuses()));
    /// The status of a refund.
    RefundStatus = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(refund_statuses()));
    /// An event of an order.
    OrderEvent = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(order_lines()));
}

/// An object with this mode of admission and no member that is not added to it.
fn admission(mode: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("mode", ObjectBuilder::new().schema_type(Type::String).enum_values(Some([mode])))
        .required("mode")
        .property("proof_of_work", proof_of_work())
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// The proof of work that a sale asks for; with cost 0, none.
fn proof_of_work() -> ObjectBuilder {
    let window = whole(*ProofOfWork::WINDOW_SECONDS.start(), *ProofOfWork::WINDOW_SECONDS.end());
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .property("cost", whole(0, *ProofOfWork::COST.end()))
        .required("cost")
        .property("window_seconds", window.schema_type(SchemaType::from_iter([Type::Integer, Type::Null])))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// The JSON values of an enum. A variant that is missing from the list does not compile.
macro_rules! values {
    ($($name:ident of $enum:ident { $($variant:ident)+ })+) => {$(
        fn $name() -> Vec<Value> {
            const { let _: fn($enum) = |value| match value { $($enum::$variant => {})+ }; }
            vec![$(json!($enum::$variant)),+]
        }
    )+};
}

values! {
    sale_states of Sale { InPreparation Scheduled Open Paused SoldOut Ended }
    order_statuses of Order { AwaitingPayment Pending Completed Failed Expired Refunded }
    payment_statuses of Payment { None Pending Completed Failed Refunded RefundPending }
    refund_statuses of Refunding { Pending Refunded Failed }
    attempt_statuses of Attempting {
        Started Authorised Charged Kept Refunding Declined Unavailable GivenUp Refunded Voided
    }
    inventory_statuses of StockStatus { Held Confirmed Released }
    order_steps of OrderStep {
        Placed PaymentStarted PaymentFailed Completed Refunded Failed RefundFailed RefundConfirmed Expired RefundRequested
        PartRefunded RefundRefused PriceRefunded PurchaseReturned PaidLate
    }
}

/// The statuses by which operators can list orders.
fn listed_statuses() -> Vec<Value> {
    order_statuses().into_iter().chain([json!(Payment::RefundPending)]).collect()
}

/// What a line of an order's history may say.
fn order_lines() -> Vec<Value> {
    let mut lines = order_steps();
    lines.push(json!(OrderLine::LateMoneyReturned));
    lines
}

/// Characters that no line of text has: the control characters of [`char::is_control`].
const CONTROL: &str = r"\x00-\x1f\x7f-\x9f";
/// Characters that no text of several lines has: [`CONTROL`] without tab and the ends of a line.
const CONTROL_IN_PROSE: &str = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f";
/// Printable ASCII.
const PRINTABLE: &str = "^[ -~]+$";

/// The statuses of an order's payment, and what an attempt says while it is under way.
fn shown_payment_statuses() -> Vec<Value> {
    payment_statuses().into_iter().chain(AttemptProgress::ALL.map(|progress| json!(progress))).collect()
}

fn text(longest: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(longest))
}

/// Text without control characters that is not blank. What else is no text, no pattern can say: docs/API.md.
fn line(longest: usize) -> ObjectBuilder {
    text(longest).pattern(Some(format!(r"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$")))
}

fn whole<N: Into<Number>>(least: N, most: N) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most))
}

/// `<product id>.<ULID>`, the ULID in Crockford's alphabet.
fn reservation_id() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{}$", id_pattern())))
}

fn id_pattern() -> String {
    format!("[a-z0-9_-]{{1,{}}}[.][0-7][0-9A-HJKMNP-TV-Z]{{25}}", Product::MAX_LENGTH)
}

/// The last order of the page before, for operators with its list and its place in the list.
fn orders_page() -> ObjectBuilder {
    let pattern = format!("^(requested|((failed|requested|placed)[.][0-9]{{1,15}}[.])?{})$", id_pattern());
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

fn currencies() -> Vec<String> {
    DomainCurrency::all_in_use().map(|currency| currency.to_string()).collect()
}

fn money() -> ObjectBuilder {
    let members = ObjectBuilder::new().schema_type(Type::Object).property("amount_minor", AmountMinor::schema());
    members.property("currency", Currency::schema()).required("amount_minor").required("currency")
}

fn decimal() -> String {
    let digits = DomainMoney::MAX_DECIMAL_DIGITS;
    format!("^[0-9]{{1,{digits}}}([.][0-9]{{1,{digits}}})?$")
}
