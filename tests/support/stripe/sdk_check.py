"""Holds the fake Stripe to Stripe's own Python client.

`cargo xtask test` starts the fake and runs this with its URL: `sdk_check.py http://127.0.0.1:<port>`. The client makes the
requests, reads the answers, raises its errors and verifies the webhooks. Every object is also compared with the members and
types that the client declares. The first difference ends the script with an error.
"""

import json
import sys
import threading
import time
import typing
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import stripe

SECRET = "whsec_local"
CARD = {"amount": 2000, "currency": "usd", "payment_method_types": ["card"]}
PATIENCE_SECONDS = 20

NOT_CHECKED = """What no official client checks, so that only Stripe's documentation stands behind it:
  - which of Stripe's refusals a request gets: their texts, `param`, and which of them an idempotency key keeps;
  - that a key is kept for 24 hours, an authorisation for 7 days, and that the search lags by a minute;
  - the order of events, which events a change makes, and the pauses between deliveries;
  - that a release of an authorisation is a refund of the charge, and what a failed refund does to the charge;
  - what happens when a capture is refused (pm_fake_captureDeclined);
  - that a publishable key may only see and confirm the intent whose client secret it has;
  - rate limits, locks, and the minimum amounts of currencies."""


class Mismatch(Exception):
    """The fake does not do what the client expects."""


def same(what, found, expected):
    """Fails unless both are equal."""
    if found != expected:
        raise Mismatch(f"{what}: {found!r} instead of {expected!r}")


def holds(what, condition):
    """Fails unless the condition holds."""
    if not condition:
        raise Mismatch(what)


# ---- The members and types that the client declares.


def resolved(kind):
    """The class behind a forward reference; None if the client does not export it."""
    name = getattr(kind, "__forward_arg__", None)
    return kind if name is None else getattr(stripe, name, None)


def fits(value, kind, path):
    """Why a value is not of a declared type; empty if it is."""
    kind = resolved(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is None or kind is typing.Any:
        return []
    if origin is typing.Union:
        return fits_one(value, arguments, path)
    if origin is typing.Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of the declared words"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [fault for index, item in enumerate(value) for fault in fits(item, arguments[0], f"{path}[{index}]")]
    if origin is not None and isinstance(origin, type) and issubclass(origin, stripe.ListObject):
        return [fault for index, item in enumerate(value["data"]) for fault in fits(item, arguments[0], f"{path}.data[{index}]")]
    if origin is not None or not isinstance(kind, type):
        return [] if isinstance(value, dict) else [f"{path}: {value!r} is no object"]
    if issubclass(kind, stripe.StripeObject):
        return fits_class(value, kind, path)
    return [] if type(value) is kind else [f"{path}: {value!r} is no {kind.__name__}"]


def fits_one(value, kinds, path):
    """A union. The words of a literal count, although the client also takes later ones."""
    if value is None:
        return [] if type(None) in kinds else [f"{path}: null is not declared"]
    words = [kind for kind in kinds if typing.get_origin(kind) is typing.Literal]
    if words and isinstance(value, str):
        return fits(value, words[0], path)
    plain = {str, int, bool, float, type(None)}
    kinds = [kind for kind in kinds if kind is not type(None) and (kind not in plain or not isinstance(value, dict))]
    return min((fits(value, kind, path) for kind in kinds), key=len, default=[f"{path}: {value!r} is not declared"])


def fits_class(value, kind, path):
    """An object with declared members. Those that may not be null must be there, and there are no others."""
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {kind.__name__}"]
    declared = {name: one for name, one in kind.__annotations__.items() if typing.get_origin(one) is not typing.ClassVar}
    if not declared:
        return []
    optional = {name for name, one in declared.items() if type(None) in typing.get_args(one)}
    faults = [f"{path}.{name} is missing" for name in sorted(declared.keys() - optional - value.keys())]
    faults += [f"{path}.{name} is not declared" for name in sorted(value.keys() - declared.keys())]
    for name in sorted(declared.keys() & value.keys()):
        faults += fits(value[name], declared[name], f"{path}.{name}")
    return faults


KINDS = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "payment_method": stripe.PaymentMethod,
    "event": stripe.Event,
}
checked = {}


def declared(value):
    """Fails unless the object, with those inside it, is as the client declares it. Returns it."""
    raw = value if isinstance(value, dict) else json.loads(json.dumps(value.to_dict()))
    kind = KINDS[raw["object"]]
    faults = fits(raw, kind, raw["object"])
    if raw["object"] == "event":
        declared(raw["data"]["object"])
    if faults:
        raise Mismatch("not as the client declares it:\n  " + "\n  ".join(faults))
    checked[raw["object"]] = checked.get(raw["object"], 0) + 1
    return value


CODES = typing.get_args(next(
    kind for kind in typing.get_args(stripe.PaymentIntent.LastPaymentError.__annotations__["code"])
    if typing.get_origin(kind) is typing.Literal
))


def refused(kind, code, act):
    """The error of this class and code that the client raises."""
    try:
        act()
    except stripe.StripeError as error:
        same(f"the class of {error}", type(error), kind)
        same(f"the code of {error}", error.json_body["error"].get("code"), code)
        if code is not None:
            holds(f"{code} is no error code that the client knows", code in CODES)
            holds("a code comes with its documentation", error.error.doc_url.startswith("https://"))
        holds("an error names its request", error.request_id.startswith("req_"))
        return error
    raise Mismatch(f"a request that should end in {kind.__name__} succeeded")


# ---- The other sides: this fake's controls, and the shop that gets the webhooks.


def control(url, path, body=None):
    """A control request of the fake."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_fake/{path}", data=data, method="GET" if data is None else "POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


class Shop(HTTPServer):
    """Gets webhooks, refuses the first one, and keeps what the client makes of the others."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.events, self.refused, self.failure = [], 0, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait(self, kind, object_id):
        """The first event of this type about this object."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if self.failure is not None:
                raise Mismatch(f"a webhook was not verified: {self.failure}")
            for event in list(self.events):
                if event.type == kind and event.data.object["id"] == object_id:
                    return event
            time.sleep(0.02)
        raise Mismatch(f"no {kind} of {object_id} within {PATIENCE_SECONDS} s")


class Receiver(BaseHTTPRequestHandler):
    """The shop's webhook endpoint."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.refused == 0:
            self.server.refused = 1
            return self.answer(500)
        try:
            event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], SECRET)
        except (ValueError, stripe.SignatureVerificationError) as error:
            self.server.failure = error
            return self.answer(400)
        self.server.events.append(event)
        return self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


# ---- What the client is made to do.


class Check:
    """The checks. Each is a method, and runs on payments of its own."""

    def __init__(self, url):
        self.url, self.shop = url, Shop()
        addresses = {"api": url}
        self.client = stripe.StripeClient("sk_test_local", base_addresses=addresses, max_network_retries=0)
        self.patient = stripe.StripeClient("sk_test_local", base_addresses=addresses, max_network_retries=3)
        self.stranger = stripe.StripeClient("sk_test_stranger", base_addresses=addresses, max_network_retries=0)
        self.intents, self.refunds = self.client.v1.payment_intents, self.client.v1.refunds
        control(url, "webhooks", {"url": f"http://127.0.0.1:{self.shop.server_port}/stripe", "secret": SECRET})

    def pay(self, method, options=None, **more):
        """Makes and confirms an intent over 20 dollars."""
        params = {**CARD, "confirm": True, "payment_method": method, **more}
        return declared(self.intents.create(params, options=options or {}))

    def hold(self, **more):
        """Authorises 20 dollars."""
        intent = self.pay("pm_card_visa", capture_method="manual", **more)
        same("the status of a hold", (intent.status, intent.amount_capturable), ("requires_capture", 2000))
        return intent

    def create_confirm_retrieve(self):
        intent = declared(self.intents.create({**CARD, "metadata": {"order": "o-1"}, "description": "one unit"}))
        same("a new intent", (intent.status, intent.metadata["order"]), ("requires_payment_method", "o-1"))
        confirmed = declared(self.intents.confirm(intent.id, {"payment_method": "pm_card_visa"}))
        same("a confirmed intent", (confirmed.status, confirmed.amount_received), ("succeeded", 2000))
        wrong = {**confirmed.to_dict(), "colour": "red", "amount": "2000"}
        same("the comparison itself", len(fits(wrong, stripe.PaymentIntent, "wrong")), 2)
        seen = declared(self.intents.retrieve(intent.id, {"expand": ["latest_charge", "payment_method"]}))
        same("the expanded charge", (declared(seen.latest_charge).status, seen.latest_charge.captured), ("succeeded", True))
        same("the expanded method", declared(seen.payment_method).card.last4, "4242")
        same("the charge by itself", declared(self.client.v1.charges.retrieve(seen.latest_charge.id)).payment_intent, intent.id)
        for kind in ["payment_intent.created", "payment_intent.succeeded"]:
            self.shop.wait(kind, intent.id)
        self.shop.wait("charge.succeeded", seen.latest_charge.id)

    def version_is_echoed(self):
        answer = self.intents.list({"limit": 1}).last_response
        same("the version", answer.headers["stripe-version"], stripe.api_version)
        old = self.intents.list({"limit": 1}, options={"stripe_version": "2024-06-20"}).last_response
        same("a pinned version", old.headers["stripe-version"], "2024-06-20")

    def capture(self):
        whole = declared(self.intents.capture(self.hold().id))
        same("a whole capture", (whole.status, whole.amount_received), ("succeeded", 2000))
        part = declared(self.intents.capture(self.hold().id, {"amount_to_capture": 1500, "expand": ["latest_charge"]}))
        same("a partial capture", (part.amount_received, part.latest_charge.amount_captured), (1500, 1500))
        self.shop.wait("payment_intent.amount_capturable_updated", part.id)
        self.shop.wait("charge.captured", part.latest_charge.id)
        error = refused(
            stripe.InvalidRequestError, "payment_intent_unexpected_state", lambda: self.intents.capture(whole.id)
        )
        same("the intent in the error", declared(error.error.payment_intent).id, whole.id)
        refused(
            stripe.InvalidRequestError,
            "amount_too_large",
            lambda: self.intents.capture(self.hold().id, {"amount_to_capture": 2001}),
        )

    def cancel(self):
        hold = self.hold()
        over = declared(self.intents.cancel(hold.id, {"cancellation_reason": "requested_by_customer"}))
        same("a cancelled intent", (over.status, over.cancellation_reason), ("canceled", "requested_by_customer"))
        self.shop.wait("payment_intent.canceled", hold.id)
        refused(stripe.InvalidRequestError, "payment_intent_unexpected_state", lambda: self.intents.confirm(hold.id))
        for refund in self.refunds.list({"payment_intent": hold.id}).data:
            declared(refund)

    def refund(self):
        intent = self.pay("pm_card_visa")
        part = declared(self.refunds.create({"payment_intent": intent.id, "amount": 500, "reason": "requested_by_customer"}))
        same("a partial refund", (part.status, part.amount, part.charge), ("succeeded", 500, intent.latest_charge))
        refused(
            stripe.InvalidRequestError,
            None,
            lambda: self.refunds.create({"payment_intent": intent.id, "amount": 1501}),
        )
        rest = declared(self.refunds.create({"charge": intent.latest_charge}))
        same("the rest", rest.amount, 1500)
        refused(
            stripe.InvalidRequestError, "charge_already_refunded", lambda: self.refunds.create({"payment_intent": intent.id})
        )
        same("a refund by itself", declared(self.refunds.retrieve(part.id)).amount, 500)
        same("the list", [one.id for one in self.refunds.list({"payment_intent": intent.id})], [rest.id, part.id])
        same("the charge", declared(self.client.v1.charges.retrieve(intent.latest_charge)).refunded, True)
        self.shop.wait("refund.created", part.id)
        self.shop.wait("charge.refunded", intent.latest_charge)
        refused(stripe.InvalidRequestError, None, lambda: self.refunds.create({"payment_intent": self.hold().id}))

    def refunds_that_change_later(self):
        for method, first, then in [("pm_card_pendingRefund", "pending", "succeeded"), ("pm_card_refundFail", "succeeded", "failed")]:
            refund = declared(self.refunds.create({"payment_intent": self.pay(method).id}))
            same(f"a refund of {method}", refund.status, first)
            control(self.url, "clock", {"seconds": 5})
            same(f"a refund of {method} later", declared(self.refunds.retrieve(refund.id)).status, then)
            self.shop.wait("refund.updated", refund.id)

    def idempotency(self):
        first = self.pay("pm_card_visa", options={"idempotency_key": "o-1:1"})
        again = self.pay("pm_card_visa", options={"idempotency_key": "o-1:1"})
        same("a repetition", (again.id, again.last_response.headers["idempotent-replayed"]), (first.id, "true"))
        same("the key of the answer", again.last_response.idempotency_key, "o-1:1")
        error = refused(
            stripe.IdempotencyError, None, lambda: self.pay("pm_card_mastercard", options={"idempotency_key": "o-1:1"})
        )
        same("the type of the error", error.error.type, "idempotency_error")
        other = lambda: self.pay("pm_card_chargeDeclined", options={"idempotency_key": "o-2:1"})  # noqa: E731
        declined, replayed = (refused(stripe.CardError, "card_declined", other) for _ in range(2))
        same("a repeated decline", replayed.json_body["error"]["charge"], declined.json_body["error"]["charge"])
        same("its header", replayed.headers["idempotent-replayed"], "true")

    def declines(self):
        for method, code, decline_code in [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
            ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ]:
            error = refused(stripe.CardError, code, lambda method=method: self.pay(method))
            same(f"the decline code of {method}", error.json_body["error"].get("decline_code"), decline_code)
            intent = declared(error.error.payment_intent)
            same("its intent", (intent.status, intent.last_payment_error.code), ("requires_payment_method", code))
            same("its charge", declared(self.client.v1.charges.retrieve(error.error.charge)).status, "failed")
            self.shop.wait("payment_intent.payment_failed", intent.id)
            same("another method", declared(self.intents.confirm(intent.id, {"payment_method": "pm_card_visa"})).status, "succeeded")

    def three_d_secure(self):
        for outcome, status in [("passed", "requires_capture"), ("failed", "requires_payment_method")]:
            intent = self.pay("pm_card_threeDSecure2Required", capture_method="manual", return_url="http://127.0.0.1/done")
            same("what the shopper has to do", (intent.status, intent.next_action.type), ("requires_action", "redirect_to_url"))
            self.shop.wait("payment_intent.requires_action", intent.id)
            control(self.url, f"payment_intents/{intent.id}/authenticate", {"outcome": outcome})
            seen = declared(self.intents.retrieve(intent.id))
            same(f"3-D Secure {outcome}", seen.status, status)
        same("why", seen.last_payment_error.code, "payment_intent_authentication_failure")
        declared(self.pay("pm_card_authenticationRequired"))

    def payments_that_settle_later(self):
        bank = {"payment_method_types": ["us_bank_account"]}
        for method, status in [("pm_usBankAccount_success", "succeeded"), ("pm_usBankAccount_insufficientFunds", "requires_payment_method")]:
            intent = self.pay(method, **bank)
            same(f"{method} at first", intent.status, "processing")
            control(self.url, "clock", {"seconds": 5})
            same(f"{method} later", declared(self.intents.retrieve(intent.id, {"expand": ["latest_charge"]})).status, status)
            self.shop.wait("payment_intent.processing", intent.id)

    def an_authorisation_expires(self):
        hold = self.hold()
        control(self.url, "clock", {"seconds": 7 * 86400})
        over = declared(self.intents.retrieve(hold.id, {"expand": ["latest_charge"]}))
        same("an expired hold", (over.status, over.cancellation_reason), ("canceled", "automatic"))
        self.shop.wait("charge.expired", over.latest_charge.id)
        for refund in self.refunds.list({"payment_intent": hold.id}).data:
            declared(refund)

    def search(self):
        intent = self.hold(metadata={"order": "searched"})
        query = {"query": "metadata['order']:'searched'"}
        same("a search at once", self.intents.search(query).data, [])
        control(self.url, "clock", {"seconds": 60})
        same("a search later", [declared(one).id for one in self.intents.search(query).auto_paging_iter()], [intent.id])
        refused(stripe.InvalidRequestError, None, lambda: self.intents.search({"query": "order"}))

    def lists(self):
        ids = [self.intents.create(CARD).id for _ in range(5)]
        found = [intent.id for intent in self.intents.list({"limit": 2}).auto_paging_iter()]
        same("the latest five", found[:5], ids[::-1])
        back = self.intents.list({"limit": 2, "ending_before": ids[0]})
        same("back again", [intent.id for intent in back.auto_paging_iter()], ids[1:])
        events = self.client.v1.events.list({"limit": 100})
        for event in events.auto_paging_iter():
            declared(event)
        same("an event by itself", declared(self.client.v1.events.retrieve(events.data[0].id)).id, events.data[0].id)

    def wrong_requests(self):
        invalid = stripe.InvalidRequestError
        refused(stripe.AuthenticationError, None, lambda: self.stranger.v1.payment_intents.create(CARD))
        refused(invalid, "resource_missing", lambda: self.intents.retrieve("pi_unknown"))
        refused(invalid, "resource_missing", lambda: self.pay("pm_card_unknown"))
        refused(invalid, "resource_missing", lambda: self.refunds.create({"charge": "ch_unknown"}))
        for params, code in [
            ({"currency": "usd"}, "parameter_missing"),
            ({**CARD, "amount": 10}, "amount_too_small"),
            ({**CARD, "colour": "red"}, "parameter_unknown"),
            ({**CARD, "amount": "x"}, "parameter_invalid_integer"),
        ]:
            error = refused(invalid, code, lambda params=params: self.intents.create(params))
            holds("it names its parameter", error.param)

    def faults(self):
        fault = {"path": "/v1/payment_intents", "method": "POST"}
        for kind in ["lost-answer", "lost-request"]:
            before = len(control(self.url, "payments")["payments"])
            control(self.url, "faults", {**fault, "fault": kind})
            refused_by_network(lambda: self.pay("pm_card_visa"))
            control(self.url, "faults", {**fault, "fault": kind})
            params = {**CARD, "confirm": True, "payment_method": "pm_card_visa"}
            same(f"a retry after a {kind}", self.patient.v1.payment_intents.create(params).status, "succeeded")
            made = len(control(self.url, "payments")["payments"]) - before
            same(f"payments after a {kind}, and one that was retried", made, 2 if kind == "lost-answer" else 1)
        control(self.url, "faults", {**fault, "fault": "error-500"})
        refused(stripe.APIError, None, lambda: self.pay("pm_card_visa"))
        control(self.url, "faults", {**fault, "fault": "rate-limited"})
        refused(stripe.RateLimitError, "rate_limit", lambda: self.pay("pm_card_visa"))

    def a_slow_request_is_busy(self):
        hold = self.hold()
        control(self.url, "faults", {"path": "/v1/payment_intents/*/capture", "fault": "slow", "seconds": 2})
        slow = threading.Thread(target=lambda: self.intents.capture(hold.id, options={"idempotency_key": "slow"}))
        slow.start()
        end = time.monotonic() + PATIENCE_SECONDS
        while self.intents.retrieve(hold.id).status != "succeeded" and time.monotonic() < end:
            time.sleep(0.02)
        busy = lambda: self.intents.capture(hold.id, options={"idempotency_key": "slow"})  # noqa: E731
        error = refused(stripe.APIError, "idempotency_key_in_use", busy)
        same("its status", error.http_status, 409)
        refused(stripe.RateLimitError, "lock_timeout", lambda: self.intents.cancel(hold.id))
        captured = self.patient.v1.payment_intents.capture(hold.id, options={"idempotency_key": "slow"})
        same("the client's own retries", captured.status, "succeeded")
        slow.join()

    def webhooks(self):
        holds("the first webhook was refused and came again", self.shop.refused == 1)
        end = time.monotonic() + PATIENCE_SECONDS
        while control(self.url, "webhooks")["waiting"] and time.monotonic() < end:
            time.sleep(0.02)
        same("webhooks that nobody accepted", control(self.url, "webhooks")["waiting"], [])
        listed = {event.id for event in self.client.v1.events.list({"limit": 100}).auto_paging_iter()}
        same("the events that were delivered", {event.id for event in self.shop.events}, listed)
        for event in self.shop.events:
            declared(event)


def refused_by_network(act):
    """The connection breaks."""
    try:
        act()
    except stripe.APIConnectionError:
        return
    raise Mismatch("a request succeeded although its connection should break")


def main(url):
    check = Check(url)
    steps = [name for name, step in vars(Check).items() if callable(step) and name not in ("__init__", "pay", "hold")]
    for name in steps:
        try:
            getattr(check, name)()
        except (Mismatch, stripe.StripeError) as error:
            sys.exit(f"stripe {stripe.VERSION}, {name.replace('_', ' ')}: {type(error).__name__}: {error}")
    objects = ", ".join(f"{count} {kind}" for kind, count in sorted(checked.items()))
    print(f"stripe {stripe.VERSION} ({stripe.api_version}): {len(steps)} steps; objects as declared: {objects}")
    print(NOT_CHECKED)


if __name__ == "__main__":
    main(sys.argv[1])
