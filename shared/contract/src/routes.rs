//! Every route of the API. One entry is one route. Its types and refusals are in this crate.

use kit::ProblemKind;

use crate::{
    ChallengeView, CheckoutRequest, DrawView, EndedHoldsView, Group, HealthView, InventoryView, OrderAccepted,
    OrderRefundRequest, OrderView, OrdersView, PROOF_OF_WORK, PaymentRequest, PaymentView, PlaceOrderRequest, ReceivedView,
    ReportView, ReservationView, ReserveRequest, ReservedView, RestockRequest, Route, SaleRequest, SaleView, SalesView,
    description::TypeSchema,
    problems::{
        ADDRESS_FIXED, ALREADY_PAID, ALREADY_PURCHASED, AMOUNT_MISMATCH, COOLING_DOWN, IDEMPOTENCY_KEY_REUSED, NO_DRAW,
        NO_PROOF_OF_WORK, NOT_REFUNDABLE, NOT_TOGETHER, NOT_YET_ADMITTED, PAYMENT_IN_PROGRESS, PAYMENT_METHOD_UNAVAILABLE,
        PROOF_OF_WORK_EXPIRED, PROOF_OF_WORK_INVALID, PROOF_OF_WORK_REQUIRED, QUANTITY_NOT_ALLOWED, REFUND_REFUSED,
        REFUND_TOO_LARGE, REQUIRES_ACTION, RESERVATION_EXPIRED, SALE_ENDED, SALE_IN_PREPARATION, SALE_IN_USE, SALE_NOT_OVER,
        SALE_NOT_STARTED, SALE_OVER, SALE_PAUSED, SALE_RESTOCKED, SALE_STARTED, SOLD_OUT, TOO_MANY_ATTEMPTS, TOO_MANY_REFUNDS,
        TOO_MANY_RESTOCKS, UNHEALTHY, UNKNOWN_ORDER, UNKNOWN_PRODUCT, UNKNOWN_PROVIDER, UNKNOWN_RESERVATION, WEBHOOK_REFUSED,
    },
    route::Method::{Delete, Get, Post, Put},
    schemas,
};

/// The refusals of a reservation, in the order in which `reserve` checks them.
const NO_UNITS: [ProblemKind; 14] = [
    UNKNOWN_PRODUCT,
    SALE_NOT_STARTED,
    SALE_IN_PREPARATION,
    SALE_PAUSED,
    SALE_ENDED,
    QUANTITY_NOT_ALLOWED,
    SOLD_OUT,
    NOT_TOGETHER,
    NOT_YET_ADMITTED,
    PROOF_OF_WORK_REQUIRED,
    PROOF_OF_WORK_INVALID,
    PROOF_OF_WORK_EXPIRED,
    COOLING_DOWN,
    ALREADY_PURCHASED,
];

/// The refusals of another address or payment method for an existing order.
const NO_CHANGE: [ProblemKind; 5] =
    [ADDRESS_FIXED, PAYMENT_IN_PROGRESS, ALREADY_PAID, TOO_MANY_ATTEMPTS, PAYMENT_METHOD_UNAVAILABLE];

/// The description of the parameter by which the gate at the edge judges a request with a body.
const SAME_PRODUCT: &str =
    "The `product_id` of the body, for the gate at the edge, which cannot read bodies. Another one is refused.";

/// The description of the header with the solution of a challenge.
const SOLUTION: &str = "The solution of a challenge, as ALTCHA's widget encodes it, in a sale that asks for a proof of work.";

/// The route table.
#[must_use]
pub fn routes() -> Vec<Route> {
    [for_anyone(), for_shoppers(), for_operators(), for_providers()].concat()
}

fn for_anyone() -> Vec<Route> {
    let route = |method, path, name, says| Route::new(Group::Anyone, method, path, name, says);
    vec![
        route(Get, "/health", "health", "Check that the service answers.")
            .query("deep", TypeSchema::inline::<bool>(), false, "`true` is refused: `GET /admin/health` is the deep check.")
            .answers::<HealthView>(200, "The service answers.")
            .refuses(&[ProblemKind::FORBIDDEN]),
        route(
            Get,
            "/api/flash-sales",
            "list-sales",
            "The catalogue, a hundred sales to a page; those that are settled come last.",
        )
        .query("state", TypeSchema::of::<schemas::SaleState>(), false, "Only sales in this state.")
        .query("next", TypeSchema::of::<schemas::CataloguePage>(), false, "`next` of the page before.")
        .answers::<SalesView>(200, "A page of sales.")
        .refuses(&[ProblemKind::MALFORMED_REQUEST]),
        route(Get, "/api/flash-sales/{product_id}", "get-sale", "One sale with its stock.")
            .answers::<SaleView>(200, "The sale.")
            .refuses(&[UNKNOWN_PRODUCT]),
        route(
            Get,
            "/api/flash-sales/{product_id}/draw",
            "get-draw",
            "The draw of a sale, with its seed once the sale has ended.",
        )
        .answers::<DrawView>(200, "The draw.")
        .refuses(&[UNKNOWN_PRODUCT, NO_DRAW]),
        route(Get, "/inventory/{product_id}", "get-inventory", "The units that are left of a sale.")
            .answers::<InventoryView>(200, "The units left.")
            .refuses(&[UNKNOWN_PRODUCT]),
    ]
}

fn for_providers() -> Vec<Route> {
    let route = |path, name, says| {
        let route = Route::new(Group::Providers, Post, path, name, says).takes_bytes();
        let route = route.answers::<ReceivedView>(200, "The event is queued, now or before.");
        route.refuses(&[WEBHOOK_REFUSED, UNKNOWN_PROVIDER])
    };
    let text = TypeSchema::inline::<String>;
    vec![
        route("/webhooks/stripe", "receive-stripe", "An event of Stripe, in Stripe's own form.").header(
            "Stripe-Signature",
            text(),
            true,
            "Time and signatures, as Stripe documents them.",
        ),
        route("/webhooks/paypal", "receive-paypal", "An event of PayPal, in PayPal's own form.")
            .header("PAYPAL-TRANSMISSION-ID", text(), true, "The id of this delivery.")
            .header("PAYPAL-TRANSMISSION-TIME", text(), true, "The time of this delivery.")
            .header("PAYPAL-TRANSMISSION-SIG", text(), true, "The signature.")
            .header("PAYPAL-CERT-URL", text(), true, "Where PayPal has the certificate of the signature.")
            .header("PAYPAL-AUTH-ALGO", text(), true, "`SHA256withRSA`."),
    ]
}

fn for_shoppers() -> Vec<Route> {
    let route = |method, path, name, says| Route::new(Group::Shoppers, method, path, name, says);
    let reserves = |route: Route| {
        route
            .header(PROOF_OF_WORK, TypeSchema::inline::<String>(), false, SOLUTION)
            .query("product_id", TypeSchema::of::<schemas::ProductId>(), false, SAME_PRODUCT)
            .takes::<ReserveRequest>()
            .answers::<ReservedView>(201, "The units are held.")
            .answers::<ReservedView>(200, "The shopper has this reservation already.")
            .with_rate_limit()
            .refuses(&NO_UNITS)
            .refuses(&[ProblemKind::FORBIDDEN])
    };
    vec![
        reserves(route(Post, "/reserve-inventory", "reserve", "Hold units of a sale.")),
        reserves(route(Post, "/add-to-cart", "add-to-cart", "Hold units of a sale; the reservation is also called a cart."))
            .by("reserve"),
        route(Get, "/api/flash-sales/{product_id}/challenge", "get-challenge", "A challenge to solve before units are held.")
            .answers::<ChallengeView>(200, "The challenge, for this shopper and this sale only.")
            .refuses(&[
                UNKNOWN_PRODUCT,
                NO_PROOF_OF_WORK,
                SALE_NOT_STARTED,
                SALE_IN_PREPARATION,
                SALE_PAUSED,
                SALE_ENDED,
                SOLD_OUT,
            ]),
        route(Get, "/reservations/{reservation_id}", "get-reservation", "One reservation of the caller's.")
            .answers::<ReservationView>(200, "The reservation.")
            .refuses(&[UNKNOWN_RESERVATION]),
        route(Get, "/reservations", "find-reservation", "What the caller holds in a sale, after an answer was lost.")
            .by("get-reservation")
            .query("product_id", TypeSchema::of::<schemas::ProductId>(), true, "The product on sale.")
            .answers::<ReservationView>(200, "The reservation.")
            .refuses(&[ProblemKind::MALFORMED_REQUEST, UNKNOWN_RESERVATION]),
        route(Delete, "/reservations/{reservation_id}", "cancel-reservation", "Give held units back.")
            .answers_nothing("The reservation is over, or was not there.")
            .refuses(&[UNKNOWN_RESERVATION, PAYMENT_IN_PROGRESS, ALREADY_PURCHASED]),
        route(Post, "/checkout", "checkout", "Make an order of a reservation and have it paid.")
            .takes::<CheckoutRequest>()
            .answers::<OrderAccepted>(202, "The order waits for its payment.")
            .answers::<OrderAccepted>(200, "The order was there before, and has ended.")
            .with_location()
            .refuses(&[ProblemKind::FORBIDDEN, UNKNOWN_RESERVATION, RESERVATION_EXPIRED, ProblemKind::INVALID_REQUEST])
            .refuses(&NO_CHANGE),
        route(Post, "/api/flash-sales/{product_id}/order", "place-order", "Reserve and order in one call.")
            .header(PROOF_OF_WORK, TypeSchema::inline::<String>(), false, SOLUTION)
            .may_take::<PlaceOrderRequest>()
            .answers::<OrderAccepted>(202, "The order waits for its payment.")
            .answers::<OrderAccepted>(200, "The order was there before, and has ended.")
            .with_location()
            .with_rate_limit()
            .refuses(&NO_UNITS)
            .refuses(&[UNKNOWN_RESERVATION, RESERVATION_EXPIRED, ProblemKind::INVALID_REQUEST])
            .refuses(&NO_CHANGE),
        route(Post, "/payment", "pay", "Pay an order that waits for it, the first time or again.")
            .header("Prefer", TypeSchema::inline::<String>(), false, "`wait=N`: answer when the payment has ended, at most 10 s.")
            .takes::<PaymentRequest>()
            .answers::<PaymentView>(202, "The payment is under way.")
            .answers::<PaymentView>(200, "The payment has ended.")
            .refuses(&[UNKNOWN_ORDER, ALREADY_PAID, PAYMENT_IN_PROGRESS, REQUIRES_ACTION, RESERVATION_EXPIRED])
            .refuses(&[AMOUNT_MISMATCH, ProblemKind::INVALID_REQUEST, TOO_MANY_ATTEMPTS, PAYMENT_METHOD_UNAVAILABLE]),
        route(Get, "/orders/{order_id}", "get-order", "One order of the caller's.")
            .answers::<OrderView>(200, "The order.")
            .refuses(&[UNKNOWN_ORDER]),
        route(Get, "/orders", "list-orders", "The caller's orders, newest first, twenty to a page.")
            .by("get-order")
            .query("next", TypeSchema::of::<schemas::OrderId>(), false, "`next` of the page before.")
            .answers::<OrdersView>(200, "A page of orders.")
            .refuses(&[ProblemKind::MALFORMED_REQUEST]),
    ]
}

fn for_operators() -> Vec<Route> {
    let route = |method, path, name, says| Route::new(Group::Operators, method, path, name, says);
    vec![
        route(Get, "/admin/health", "check-health", "Check that tables and queue answer.")
            .by("health")
            .answers::<HealthView>(200, "All of them answer.")
            .refuses(&[UNHEALTHY]),
        route(Put, "/admin/flash-sales/{product_id}", "manage-sale", "Make a sale, or change it before it starts.")
            .takes::<SaleRequest>()
            .answers::<SaleView>(201, "The sale was made.")
            .answers::<SaleView>(200, "The sale was changed, or was as described already.")
            .refuses(&[SALE_STARTED, SALE_PAUSED, SALE_RESTOCKED, SALE_OVER, ProblemKind::INVALID_REQUEST]),
        route(Delete, "/admin/flash-sales/{product_id}", "delete-sale", "Delete a sale in which nothing is held or sold.")
            .by("manage-sale")
            .answers_nothing("The sale is deleted, or was not there.")
            .refuses(&[UNKNOWN_PRODUCT, SALE_IN_USE]),
        route(Post, "/admin/flash-sales/{product_id}/pause", "pause-sale", "Stop a sale for now.")
            .by("change-sale-status")
            .answers::<SaleView>(200, "The sale.")
            .refuses(&[UNKNOWN_PRODUCT, SALE_IN_PREPARATION, SALE_OVER]),
        route(Post, "/admin/flash-sales/{product_id}/resume", "resume-sale", "Let a sale follow its times again.")
            .by("change-sale-status")
            .answers::<SaleView>(200, "The sale.")
            .refuses(&[UNKNOWN_PRODUCT, SALE_IN_PREPARATION, SALE_OVER]),
        route(Post, "/admin/flash-sales/{product_id}/close", "close-sale", "End a sale for good.")
            .by("change-sale-status")
            .answers::<SaleView>(200, "The sale.")
            .refuses(&[UNKNOWN_PRODUCT]),
        route(Post, "/admin/flash-sales/{product_id}/end-holds", "end-holds", "End the holds of a sale that is over.")
            .answers::<EndedHoldsView>(200, "The holds that this request ended; what is being paid stays.")
            .refuses(&[UNKNOWN_PRODUCT, SALE_NOT_OVER]),
        route(Post, "/admin/flash-sales/{product_id}/restock", "restock-sale", "Add units to a sale.")
            .header("Idempotency-Key", TypeSchema::of::<schemas::IdempotencyKey>(), true, "One for each restock.")
            .takes::<RestockRequest>()
            .answers::<SaleView>(200, "The sale with its new units.")
            .refuses(&[UNKNOWN_PRODUCT, SALE_IN_PREPARATION, SALE_OVER, TOO_MANY_RESTOCKS])
            .refuses(&[ProblemKind::INVALID_REQUEST, IDEMPOTENCY_KEY_REUSED]),
        route(Get, "/admin/orders", "find-orders", "Orders of a sale, one by its id, or those whose refund is not confirmed.")
            .by("list-orders")
            .query("status", TypeSchema::of::<schemas::ListedStatus>(), false, "Required without `order_id` or `sale`.")
            .query("sale", TypeSchema::of::<schemas::ProductId>(), false, "Only orders of this sale, oldest first.")
            .query("order_id", TypeSchema::of::<schemas::OrderId>(), false, "Only this order.")
            .query("since", TypeSchema::of::<schemas::Time>(), false, "Only orders placed, or refunds pending, since then.")
            .query("next", TypeSchema::of::<schemas::OrdersPage>(), false, "`next` of the page before.")
            .answers::<OrdersView>(200, "A page of at most a hundred orders.")
            .or_csv()
            .refuses(&[ProblemKind::MALFORMED_REQUEST]),
        route(Get, "/admin/orders/{order_id}", "read-order", "One order with its attempts to pay and its history.")
            .by("list-orders")
            .answers::<OrderView>(200, "The order.")
            .refuses(&[UNKNOWN_ORDER]),
        route(
            Post,
            "/admin/orders/{order_id}/refund",
            "refund-order",
            "Give the price of a completed order back, or a part of it.",
        )
        .header("Idempotency-Key", TypeSchema::of::<schemas::IdempotencyKey>(), true, "One for each refund.")
        .takes::<OrderRefundRequest>()
        .answers::<OrderView>(200, "The refund is done, now or before.")
        .answers::<OrderView>(202, "The payment provider has not confirmed the refund. It is asked again until it does.")
        .refuses(&[UNKNOWN_ORDER, NOT_REFUNDABLE, REFUND_TOO_LARGE, REFUND_REFUSED, TOO_MANY_REFUNDS])
        .refuses(&[ProblemKind::INVALID_REQUEST, IDEMPOTENCY_KEY_REUSED]),
        route(Get, "/admin/flash-sales/{product_id}/report", "get-sale-report", "The exact figures of a sale.")
            .answers::<ReportView>(200, "The figures.")
            .refuses(&[UNKNOWN_PRODUCT]),
    ]
}
