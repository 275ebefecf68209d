"""Holds the fake PayPal to PayPal's official Python SDK.

`cargo xtask test` starts the fake and runs this with its URL: `sdk_check.py http://127.0.0.1:<port>`. The SDK makes the
requests, reads the answers and raises its errors; its models have to know every member of every answer. The first difference
ends the script with an error.

Nothing of the SDK is patched. The addresses of its two environments are fixed in `Configuration.environments`, so a subclass
names the fake as the sandbox.
"""

import json
import sys
import traceback
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta
from importlib.metadata import version

import requests
from apimatic_core.exceptions.auth_validation_exception import AuthValidationException
from paypalserversdk.api_helper import APIHelper
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.amount_with_breakdown import AmountWithBreakdown
from paypalserversdk.models.authorization_status import AuthorizationStatus
from paypalserversdk.models.capture_request import CaptureRequest
from paypalserversdk.models.capture_status import CaptureStatus
from paypalserversdk.models.checkout_payment_intent import CheckoutPaymentIntent
from paypalserversdk.models.money import Money
from paypalserversdk.models.order_request import OrderRequest
from paypalserversdk.models.order_status import OrderStatus
from paypalserversdk.models.payment_source import PaymentSource
from paypalserversdk.models.paypal_wallet import PaypalWallet
from paypalserversdk.models.paypal_wallet_experience_context import PaypalWalletExperienceContext
from paypalserversdk.models.purchase_unit_request import PurchaseUnitRequest
from paypalserversdk.models.refund_request import RefundRequest
from paypalserversdk.models.refund_status import RefundStatus
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

SDK = f"paypal-server-sdk {version('paypal-server-sdk')}"
WHOLE = "return=representation"
NOT_CHECKED = """What no official client checks, and only the tests in tests/support/paypal hold to PayPal's documentation:
- webhooks: the SDK neither receives them nor verifies signatures;
- when something ends: access tokens, orders, authorizations, refunds, stored request ids;
- that refusals are the right ones: the SDK passes every issue through;
- the approval page, `return_url` and `cancel_url`; the link to PayPal in INSTRUMENT_DECLINED;
- invoice ids, the overage of captures, pending captures and refunds."""


class Difference(Exception):
    """The fake and the SDK disagree."""


def same(what, found, expected):
    if found != expected:
        raise Difference(f"{what}: {found!r} instead of {expected!r}")


def connect(url, secret="paypal_secret_local"):
    """The SDK's client of the account `local`."""

    class Local(Configuration):
        environments = {Environment.SANDBOX: {Server.DEFAULT: url}}

    credentials = ClientCredentialsAuthCredentials("paypal_client_local", secret)
    return PaypalServersdkClient(
        config=Local(environment=Environment.SANDBOX, client_credentials_auth_credentials=credentials, max_retries=0)
    )


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Check:
    """The checks, which share a client, and short ways to say what it does."""

    def __init__(self, url):
        self.url = url
        client = connect(url)
        self.orders, self.payments = client.orders, client.payments
        self.answers = 0

    # Requests that are not PayPal's.

    def control(self, path, body):
        """A request to the fake itself."""
        data = json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_fake/{path}", data=data, method="POST")) as answer:
            return json.load(answer)

    def fault(self, path, kind):
        self.control("faults", {"path": path, "method": "POST", "fault": kind})

    def approve(self, order_id, instrument="good"):
        self.control(f"orders/{order_id}/approve", {"instrument": instrument})

    # Requests of the SDK.

    def call(self, status, operation, options):
        """Makes a call that succeeds with `status`. The SDK's model has to know every member of the answer."""
        answer = operation(options)
        same(f"status of {operation.__name__}", answer.status_code, status)
        if answer.text:
            known = APIHelper.to_dictionary(answer.body)
            missed(operation.__name__, json.loads(answer.text), json.loads(json.dumps(known)))
            self.answers += 1
        return answer.body

    def refused(self, status, issue, operation, options):
        """Makes a call that is refused, and returns the SDK's exception."""
        try:
            operation(options)
        except ApiException as refusal:
            what = f"{operation.__name__}, refused with {issue}"
            same(f"status of {what}", refusal.response_code, status)
            # The SDK reads the body of 500 from Orders v2 only.
            body = json.loads(refusal.response.text)
            same(what, body["details"][0]["issue"] if "details" in body else body["name"], issue)
            if isinstance(refusal, ErrorException):
                known = {name: getattr(refusal, name) for name in ("name", "message", "debug_id", "details", "links")}
                missed(what, body, {name: plain(value) for name, value in known.items()})
            return refusal
        raise Difference(f"{operation.__name__} succeeded instead of {issue}")

    def order(self, intent, value="100.00", status=201, **more):
        unit = PurchaseUnitRequest(
            amount=AmountWithBreakdown("USD", value), custom_id="sale.01J", invoice_id=more.pop("invoice_id", APIHelper.SKIP)
        )
        body = OrderRequest(intent, [unit], payment_source=more.pop("payment_source", APIHelper.SKIP))
        return self.call(status, self.orders.create_order, {"body": body, "prefer": WHOLE, **more})

    def authorized(self, instrument="good"):
        """An approved and authorized order's authorization."""
        order = self.order(CheckoutPaymentIntent.AUTHORIZE)
        self.approve(order.id, instrument)
        done = self.call(201, self.orders.authorize_order, {"id": order.id, "prefer": WHOLE})
        return done.purchase_units[0].payments.authorizations[0]

    def captured(self):
        """An approved and captured order's capture."""
        order = self.order(CheckoutPaymentIntent.CAPTURE)
        self.approve(order.id)
        done = self.call(201, self.orders.capture_order, {"id": order.id, "prefer": WHOLE})
        same("status of a captured order", done.status, OrderStatus.COMPLETED)
        return done.purchase_units[0].payments.captures[0]

    # The checks.

    def creates_and_approves(self):
        context = PaypalWalletExperienceContext(return_url="https://shop.example/back", cancel_url="https://shop.example/left")
        source = PaymentSource(paypal=PaypalWallet(experience_context=context))
        key = str(uuid.uuid4())
        order = self.order(CheckoutPaymentIntent.AUTHORIZE, status=200, payment_source=source, paypal_request_id=key)
        same("status of a new order", order.status, OrderStatus.PAYER_ACTION_REQUIRED)
        same("amount of an order", money(order.purchase_units[0].amount), ("USD", "100.00"))
        again = self.order(CheckoutPaymentIntent.AUTHORIZE, status=200, payment_source=source, paypal_request_id=key)
        same("id under the same request id", again.id, order.id)
        self.refused(422, "ORDER_NOT_APPROVED", self.orders.authorize_order, {"id": order.id})
        try:
            urllib.request.build_opener(NoRedirect).open(link(order, "payer-action"))
            raise Difference("the approval link leads nowhere")
        except urllib.error.HTTPError as redirect:
            same("status of the approval link", redirect.code, 302)
            back = f"https://shop.example/back?token={order.id}&PayerID="
            same("where the payer goes", redirect.headers["location"].startswith(back), True)
        read = self.call(200, self.orders.get_order, {"id": order.id})
        same("status of an approved order", read.status, OrderStatus.APPROVED)
        same("payer of an approved order", bool(read.payer.payer_id), True)

    def authorizes(self):
        order = self.order(CheckoutPaymentIntent.AUTHORIZE)
        same("status without a payment source", order.status, OrderStatus.CREATED)
        same("approve link", link(order, "approve"), f"{self.url}/checkoutnow?token={order.id}")
        self.approve(order.id)
        options = {"id": order.id, "prefer": WHOLE, "paypal_request_id": str(uuid.uuid4())}
        done = self.call(201, self.orders.authorize_order, options)
        again = self.call(200, self.orders.authorize_order, options)
        same("replayed authorization", APIHelper.to_dictionary(again), APIHelper.to_dictionary(done))
        self.refused(422, "ORDER_ALREADY_AUTHORIZED", self.orders.authorize_order, {"id": order.id})
        self.refused(422, "ACTION_DOES_NOT_MATCH_INTENT", self.orders.capture_order, {"id": order.id})
        authorization = done.purchase_units[0].payments.authorizations[0]
        same("status of an authorization", authorization.status, AuthorizationStatus.CREATED)
        lasts = time(authorization.expiration_time) - time(authorization.create_time)
        same("life of an authorization", lasts, timedelta(days=29))
        read = self.call(200, self.payments.get_authorized_payment, {"authorization_id": authorization.id})
        same("amount of an authorization", money(read.amount), ("USD", "100.00"))
        same("custom id of an authorization", read.custom_id, "sale.01J")
        same("order of an authorization", read.supplementary_data.related_ids.order_id, order.id)

    def declines(self):
        order = self.order(CheckoutPaymentIntent.CAPTURE)
        self.approve(order.id, "declines")
        refusal = self.refused(422, "INSTRUMENT_DECLINED", self.orders.capture_order, {"id": order.id})
        same("where a declined payer goes", link(refusal, "redirect"), f"{self.url}/checkoutnow?token={order.id}")
        same("status of a denied authorization", self.authorized("authorization_denied").status, AuthorizationStatus.DENIED)
        same("status of a reviewed authorization", self.authorized("authorization_pending").status, AuthorizationStatus.PENDING)

    def captures(self):
        path = {"authorization_id": self.authorized().id, "prefer": WHOLE}
        key = str(uuid.uuid4())
        part = {**path, "paypal_request_id": key, "body": CaptureRequest(amount=Money("USD", "60.00"))}
        first = self.call(201, self.payments.capture_authorized_payment, part)
        same("status of a capture", first.status, CaptureStatus.COMPLETED)
        same("amount of a capture", money(first.amount), ("USD", "60.00"))
        again = self.call(201, self.payments.capture_authorized_payment, part)
        same("replayed capture", APIHelper.to_dictionary(again), APIHelper.to_dictionary(first))
        same("after a part", self.status(path), AuthorizationStatus.PARTIALLY_CAPTURED)
        more = {**path, "body": CaptureRequest(amount=Money("USD", "55.01"))}
        self.refused(422, "MAX_CAPTURE_AMOUNT_EXCEEDED", self.payments.capture_authorized_payment, more)
        yen = {**path, "body": CaptureRequest(amount=Money("JPY", "1.5"))}
        self.refused(422, "DECIMALS_NOT_SUPPORTED", self.payments.capture_authorized_payment, yen)
        last = {**path, "body": CaptureRequest(amount=Money("USD", "40.00"), final_capture=True)}
        same("final capture", self.call(201, self.payments.capture_authorized_payment, last).final_capture, True)
        same("after the rest", self.status(path), AuthorizationStatus.CAPTURED)
        self.refused(422, "AUTHORIZATION_ALREADY_CAPTURED", self.payments.capture_authorized_payment, last)
        self.refused(422, "PREVIOUSLY_CAPTURED", self.payments.void_payment, path)
        read = self.call(200, self.payments.get_captured_payment, {"capture_id": first.id})
        net = read.seller_receivable_breakdown
        same("gross amount of a capture", money(net.gross_amount), ("USD", "60.00"))
        same("authorization of a capture", read.supplementary_data.related_ids.authorization_id, path["authorization_id"])

    def voids(self):
        path = {"authorization_id": self.authorized().id}
        self.call(204, self.payments.void_payment, path)
        same("after a void", self.status(path), AuthorizationStatus.VOIDED)
        self.refused(422, "PREVIOUSLY_VOIDED", self.payments.void_payment, path)
        self.refused(422, "AUTHORIZATION_VOIDED", self.payments.capture_authorized_payment, path)
        shown = {"authorization_id": self.authorized().id, "prefer": WHOLE, "paypal_request_id": str(uuid.uuid4())}
        same("a shown void", self.call(200, self.payments.void_payment, shown).status, AuthorizationStatus.VOIDED)
        same("a replayed void", self.call(200, self.payments.void_payment, shown).status, AuthorizationStatus.VOIDED)

    def refunds(self):
        path = {"capture_id": self.captured().id, "prefer": WHOLE}
        some = RefundRequest(Money("USD", "30.00"), note_to_payer="sorry")
        part = {**path, "paypal_request_id": str(uuid.uuid4()), "body": some}
        first = self.call(201, self.payments.refund_captured_payment, part)
        again = self.call(201, self.payments.refund_captured_payment, part)
        same("replayed refund", APIHelper.to_dictionary(again), APIHelper.to_dictionary(first))
        read = self.call(200, self.payments.get_captured_payment, path)
        same("after a part", read.status, CaptureStatus.PARTIALLY_REFUNDED)
        more = {**path, "body": RefundRequest(Money("USD", "70.01"))}
        self.refused(422, "REFUND_AMOUNT_EXCEEDED", self.payments.refund_captured_payment, more)
        rest = self.call(201, self.payments.refund_captured_payment, path)
        same("the rest", money(rest.amount), ("USD", "70.00"))
        same("refunded in all", money(rest.seller_payable_breakdown.total_refunded_amount), ("USD", "100.00"))
        self.refused(422, "CAPTURE_FULLY_REFUNDED", self.payments.refund_captured_payment, path)
        read = self.call(200, self.payments.get_captured_payment, path)
        same("after the rest", read.status, CaptureStatus.REFUNDED)
        read = self.call(200, self.payments.get_refund, {"refund_id": rest.id})
        same("status of a refund", read.status, RefundStatus.COMPLETED)
        same("capture of a refund", link(read, "up"), f"{self.url}/v2/payments/captures/{path['capture_id']}")

    def refuses(self):
        self.refused(404, "INVALID_RESOURCE_ID", self.orders.get_order, {"id": "OR999999999999999"})
        self.refused(404, "INVALID_RESOURCE_ID", self.payments.get_refund, {"refund_id": "RE999999999999999"})
        unit = PurchaseUnitRequest(AmountWithBreakdown("USD", "1.001"))
        body = {"body": OrderRequest(CheckoutPaymentIntent.CAPTURE, [unit])}
        refusal = self.refused(422, "DECIMAL_PRECISION", self.orders.create_order, body)
        same("field at fault", refusal.details[0].field, "/purchase_units/0/amount/value")
        try:
            connect(self.url, secret="wrong").orders.get_order({"id": "OR999999999999999"})
        except AuthValidationException:
            return
        raise Difference("a wrong secret opens the API")

    def survives_faults(self):
        for kind, status, name in [("error-500", 500, "INTERNAL_SERVER_ERROR"), ("rate-limited", 429, "RATE_LIMIT_REACHED")]:
            path = {"authorization_id": self.authorized().id, "paypal_request_id": str(uuid.uuid4())}
            self.fault(f"/v2/payments/authorizations/{path['authorization_id']}/capture", kind)
            self.refused(status, name, self.payments.capture_authorized_payment, path)
            same(f"after {kind}", self.status(path), AuthorizationStatus.CREATED)
            self.call(201, self.payments.capture_authorized_payment, path)
        path = {"capture_id": self.captured().id, "paypal_request_id": str(uuid.uuid4())}
        self.fault(f"/v2/payments/captures/{path['capture_id']}/refund", "lost-answer")
        try:
            self.payments.refund_captured_payment(path)
            raise Difference("a lost answer arrived")
        except requests.ConnectionError:
            pass
        read = self.call(200, self.payments.get_captured_payment, path)
        same("after a lost answer", read.status, CaptureStatus.REFUNDED)
        same("the refund again", self.call(201, self.payments.refund_captured_payment, path).status, RefundStatus.COMPLETED)

    def status(self, path):
        return self.call(200, self.payments.get_authorized_payment, {"authorization_id": path["authorization_id"]}).status


def plain(value):
    """What the SDK has read, as JSON."""
    return [APIHelper.to_dictionary(one) for one in value] if isinstance(value, list) else value


def money(amount):
    return amount.currency_code, amount.value


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def link(answer, relation):
    found = [one.href for one in answer.links or [] if one.rel == relation]
    if len(found) != 1:
        raise Difference(f"{len(found)} links {relation} in {answer}")
    return found[0]


def missed(where, sent, known):
    """Finds a member of the answer that the SDK's model has lost or changed."""
    if isinstance(sent, dict) and isinstance(known, dict):
        for name, value in sent.items():
            if name not in known:
                raise Difference(f"the SDK does not know {where}.{name}")
            missed(f"{where}.{name}", value, known[name])
    elif isinstance(sent, list) and isinstance(known, list):
        same(f"length of {where}", len(known), len(sent))
        for number, (one, other) in enumerate(zip(sent, known)):
            missed(f"{where}[{number}]", one, other)
    else:
        same(where, known, sent)


def main(url):
    check = Check(url)
    steps = [
        check.creates_and_approves,
        check.authorizes,
        check.declines,
        check.captures,
        check.voids,
        check.refunds,
        check.refuses,
        check.survives_faults,
    ]
    for step in steps:
        try:
            step()
        except Exception as error:  # the SDK raises ValueError and others when it cannot read an answer
            if not isinstance(error, (Difference, ApiException)):
                traceback.print_exc()
            answer = f" {error.response.text}" if isinstance(error, ApiException) else ""
            sys.exit(f"{SDK}, {step.__name__.replace('_', ' ')}: {type(error).__name__}: {error}{answer}")
    print(f"{SDK}: {len(steps)} steps, {check.answers} answers as its models declare them")
    print(NOT_CHECKED)


if __name__ == "__main__":
    main(sys.argv[1])
