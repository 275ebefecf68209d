//! Orders: the bodies of requests that place them, and an order as its owner sees it.

use domain::{
    Accounts, Address, Attempt, Money, Order, OrderLine, OrderStatus, PaymentMethod, PaymentMethodError, PaymentStatus, Quantity,
    SandboxMethod, ShopperId, StockStatus, Timestamp,
};
use kit::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    attempt::AttemptView,
    object::Object,
    payment::{ActionView, PaymentOption, ShownStatus, action, progress},
    refund::RefundView,
    requests, schemas, time,
};

/// Body of `POST /checkout`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CheckoutRequest {
    /// The reservation to check out.
    #[schema(value_type = schemas::ReservationId)]
    pub cart_id: String,
    #[schema(value_type = schemas::PaymentMethod)]
    payment_method: String,
    #[schema(value_type = ShippingAddress)]
    shipping_address: Object<ShippingAddress>,
    /// The caller's id. Another shopper's is refused.
    #[schema(value_type = Option<schemas::ShopperId>)]
    pub user_id: Option<ShopperId>,
}

/// Body of `POST /api/flash-sales/{product_id}/order`.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PlaceOrderRequest {
    /// Default: 1.
    #[schema(value_type = Option<schemas::Quantity>)]
    quantity: Option<i64>,
    /// An order without a payment method waits for `POST /payment`.
    #[schema(value_type = Option<schemas::PaymentMethod>)]
    payment_method: Option<String>,
    #[schema(value_type = Option<ShippingAddress>)]
    shipping_address: Option<Object<ShippingAddress>>,
}

/// A shipping address: lines of text in any script, kept as they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShippingAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::Recipient>, inline)]
    name: Option<String>,
    #[schema(value_type = schemas::AddressLine1, inline)]
    address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::AddressLine2>, inline)]
    address_line2: Option<String>,
    #[schema(value_type = schemas::City, inline)]
    city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::State>, inline)]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::PostalCode>, inline)]
    postal_code: Option<String>,
    #[schema(value_type = schemas::Country, inline)]
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::Phone>, inline)]
    phone: Option<String>,
}

/// The checked payment method and address of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutDetails {
    /// The token by which a gateway takes the money.
    pub payment_method: PaymentMethod,
    /// Where the units go; `None`: the client sent no address.
    pub shipping_address: Option<Address>,
}

impl CheckoutRequest {
    /// The payment method and the address, checked.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the member at fault.
    pub fn details(self) -> Result<CheckoutDetails, Problem> {
        let shipping_address = Some(self.shipping_address.0.checked()?);
        Ok(CheckoutDetails { payment_method: payment_method(&self.payment_method)?, shipping_address })
    }
}

impl PlaceOrderRequest {
    /// The units that the request asks for. `None` is more than any sale allows.
    ///
    /// # Errors
    /// 400 when it is less than one.
    pub fn quantity(&self) -> Result<Option<Quantity>, Problem> {
        requests::quantity(self.quantity)
    }

    /// The payment method and the address, checked.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the member at fault.
    pub fn details(self) -> Result<(Option<PaymentMethod>, Option<Address>), Problem> {
        let address = self.shipping_address.map(|Object(address)| address.checked()).transpose()?;
        Ok((self.payment_method.map(|method| payment_method(&method)).transpose()?, address))
    }
}

impl ShippingAddress {
    fn checked(self) -> Result<Address, Problem> {
        let Self { name, address_line1, address_line2, city, state, postal_code, country, phone } = self;
        let address = Address { name, address_line1, address_line2, city, state, postal_code, country, phone };
        match address.check() {
            Ok(()) => Ok(address),
            Err(error) => Err(Problem::invalid_request(error.to_string(), &format!("/shipping_address/{}", error.member()))),
        }
    }
}

impl From<&Address> for ShippingAddress {
    fn from(address: &Address) -> Self {
        let Address { name, address_line1, address_line2, city, state, postal_code, country, phone } = address.clone();
        Self { name, address_line1, address_line2, city, state, postal_code, country, phone }
    }
}

/// The payment method that a client sent, or 422 `invalid-request`. The sandbox's methods are known, so a misspelt one is refused
/// before it costs an attempt to pay.
pub(crate) fn payment_method(text: &str) -> Result<PaymentMethod, Problem> {
    let invalid = |why: String| Problem::invalid_request(why, "/payment_method");
    let method: PaymentMethod = text.parse().map_err(|error: PaymentMethodError| invalid(error.to_string()))?;
    if text.starts_with(SandboxMethod::PREFIX) && SandboxMethod::of(&method).is_none() {
        return Err(invalid(format!("the sandbox knows only {}", SandboxMethod::ALL.map(SandboxMethod::as_str).join(", "))));
    }
    Ok(method)
}

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrderHistory)]
pub(crate) struct HistoryView {
    #[schema(value_type = schemas::Time)]
    at: String,
    #[schema(value_type = schemas::OrderEvent)]
    event: OrderLine,
    /// The reason, for the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    reason: Option<String>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    #[schema(value_type = schemas::OrderId)]
    order_id: String,
    /// The shopper's id, for operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::ShopperId)]
    user_id: Option<ShopperId>,
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    #[schema(value_type = schemas::Quantity)]
    quantity: u32,
    /// The price of the whole order.
    #[schema(value_type = schemas::Money)]
    price: Money,
    #[schema(value_type = schemas::OrderStatus)]
    order_status: OrderStatus,
    #[schema(value_type = schemas::PaymentStatus)]
    payment_status: ShownStatus,
    #[schema(value_type = schemas::InventoryStatus)]
    inventory_status: StockStatus,
    /// What the shopper has to do, while `payment_status` is `requires_action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ActionView)]
    action: Option<ActionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ShippingAddress)]
    shipping_address: Option<ShippingAddress>,
    /// The payment gateway's reference of a paid order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    transaction_id: Option<String>,
    /// The end of the time to pay, while the order waits for a payment. A failed payment leaves at least two minutes, but
    /// none prolongs the time beyond the sale's `max_hold_seconds` after the reservation was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    pay_by: Option<String>,
    #[schema(value_type = schemas::Time)]
    created_at: String,
    #[schema(value_type = schemas::Time)]
    updated_at: String,
    /// The ways to pay, the preferred one first, until the order has ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    payment_options: Vec<PaymentOption>,
    /// The refunds that operators requested, oldest first; missing if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    refunds: Vec<RefundView>,
    /// The order's events, oldest first.
    history: Vec<HistoryView>,
    /// For operators who read orders: the number of changes that made the order as it is, also in its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64)]
    revision: Option<u64>,
    /// For operators who read one order: its attempts to pay, oldest first; missing if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    attempts: Vec<AttemptView>,
}

impl OrderView {
    /// `order` at `now`, with the accounts that can take its payment.
    #[must_use]
    pub fn new(order: &Order, accounts: &Accounts, now: Timestamp) -> Self {
        let (order_status, payment_status, inventory_status) = order.statuses(now);
        let history =
            order.history.iter().map(|line| HistoryView { at: time(line.at), event: line.event, reason: line.reason.clone() });
        Self {
            order_id: order.id.to_string(),
            user_id: None,
            product_id: order.product().to_string(),
            quantity: order.quantity.units(),
            price: order.amount,
            order_status,
            payment_status: ShownStatus::Order(payment_status),
            inventory_status,
            action: None,
            shipping_address: order.shipping_address.as_ref().map(ShippingAddress::from),
            transaction_id: order.transaction_id.clone(),
            pay_by: pay_by(order, order_status),
            created_at: time(order.created_at),
            updated_at: time(order.updated_at),
            payment_options: payment_options(order, order_status, accounts),
            refunds: order.refunds.all.iter().map(RefundView::new).collect(),
            history: history.collect(),
            revision: None,
            attempts: Vec::new(),
        }
    }

    /// The same while the order's payment is under way as `attempt` says.
    #[must_use]
    pub fn under_way(self, attempt: &Attempt) -> Self {
        let payment_status = progress(attempt).map_or(self.payment_status, ShownStatus::Attempt);
        Self { payment_status, action: action(attempt), ..self }
    }

    /// `order` at `now`, with its shopper.
    #[must_use]
    pub fn for_operators(order: &Order, now: Timestamp) -> Self {
        let refunds = order.refunds.all.iter().map(RefundView::for_operators).collect();
        Self { user_id: Some(order.shopper.clone()), refunds, ..Self::new(order, &Accounts::default(), now) }
    }

    /// The same, with the order's revision.
    #[must_use]
    pub fn with_revision(self, revision: u64) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// The same, with the order's attempts to pay.
    #[must_use]
    pub fn with_attempts(self, attempts: &[Attempt]) -> Self {
        Self { attempts: attempts.iter().map(AttemptView::from).collect(), ..self }
    }

    /// The same, with the time at which the gateway is next asked for its pending refunds.
    #[must_use]
    pub fn with_next_try(self, at: Timestamp) -> Self {
        Self { refunds: self.refunds.into_iter().map(|refund| refund.with_next_try(at)).collect(), ..self }
    }
}

/// A page of orders: the caller's, newest first, or those that an operator asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Orders)]
pub struct OrdersView {
    /// Twenty at most; a hundred for operators.
    pub orders: Vec<OrderView>,
    /// The value of `?next=` for the next page. The last page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::OrdersPage)]
    pub next: Option<String>,
    /// For operators: so many orders belong on this page and are missing, because they cannot be read. The log names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, value_type = usize)]
    pub unreadable: Option<usize>,
}

/// The answer to a checkout: the order's state, before or after its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderAccepted {
    #[schema(value_type = schemas::OrderId)]
    order_id: String,
    #[schema(value_type = schemas::Quantity)]
    quantity: u32,
    #[schema(value_type = schemas::OrderStatus)]
    order_status: OrderStatus,
    #[schema(value_type = schemas::PaymentStatus)]
    payment_status: PaymentStatus,
    #[schema(value_type = schemas::InventoryStatus)]
    inventory_status: StockStatus,
    /// The end of the time to pay, while the order waits for a payment. A failed payment leaves at least two minutes, but
    /// none prolongs the time beyond the sale's `max_hold_seconds` after the reservation was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    pay_by: Option<String>,
    /// The ways to pay, the preferred one first, until the order has ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    payment_options: Vec<PaymentOption>,
}

impl OrderAccepted {
    /// `order` at `now`, with the accounts that can take its payment.
    #[must_use]
    pub fn new(order: &Order, accounts: &Accounts, now: Timestamp) -> Self {
        let (order_status, payment_status, inventory_status) = order.statuses(now);
        Self {
            order_id: order.id.to_string(),
            quantity: order.quantity.units(),
            order_status,
            payment_status,
            inventory_status,
            pay_by: pay_by(order, order_status),
            payment_options: payment_options(order, order_status, accounts),
        }
    }
}

/// The ways to pay an order that has not ended.
fn payment_options(order: &Order, status: OrderStatus, accounts: &Accounts) -> Vec<PaymentOption> {
    match status {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => PaymentOption::all(accounts, &order.id, &order.accounts),
        OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => Vec::new(),
    }
}

/// The end of the time to pay, while the order waits for a payment.
pub(crate) fn pay_by(order: &Order, status: OrderStatus) -> Option<String> {
    (status == OrderStatus::AwaitingPayment).then(|| time(order.pay_by))
}
