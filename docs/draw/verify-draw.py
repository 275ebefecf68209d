#!/usr/bin/env python3
"""Verifies the draw of a sale that has ended, with Python's own library and nothing of the shop's.

  verify-draw.py draw.json                          does the seed match the commitment beside it?
  verify-draw.py draw.json PRODUCT SHOPPER          and when was this shopper's turn?
  verify-draw.py draw.json PRODUCT SHOPPER TIME     and was it the shopper's turn at this time?

draw.json is the answer of GET /api/flash-sales/PRODUCT/draw after the sale. Save it before the sale, too, and compare the two
commitments: that is what shows that the seed was fixed before. SHOPPER is the `sub` of the shopper's token. TIME is in UTC and
ends in Z.
"""

import datetime
import fractions
import hashlib
import hmac
import json
import re
import sys


def rank(seed: bytes, product: str, shopper: str) -> int:
    """The shopper's rank, of 2**64."""
    return int.from_bytes(hmac.digest(seed, product.encode() + b"\0" + shopper.encode(), "sha256")[:8], "big")


def seconds(time: str) -> fractions.Fraction:
    """A time in UTC with up to nine decimals, as seconds since 1970."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", time):
        sys.exit(f"{time} is not a time in UTC, such as 2026-11-27T12:00:14.147Z.")
    whole, _, decimals = time.removesuffix("Z").partition(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp()) + fractions.Fraction(int(decimals or "0"), 10 ** len(decimals))


def main(path: str, product: str = "", shopper: str = "", time: str = "") -> str:
    with open(path, encoding="utf-8") as file:
        draw = json.load(file)
    if "seed" not in draw:
        sys.exit("There is no seed in it: the sale has not ended.")
    seed = bytes.fromhex(draw["seed"])
    if hashlib.sha256(seed).hexdigest() != draw["commitment"]:
        sys.exit("WRONG: the seed does not match the commitment.")
    if not product or not shopper:
        return "The seed matches the commitment."
    share = fractions.Fraction(rank(seed, product, shopper), 2**64)
    turn = share * draw["ramp_seconds"]
    says = f"The seed matches the commitment. The turn of {shopper} came after {float(turn):.6f} s."
    if time and not share < (seconds(time) - seconds(draw["starts_at"])) / draw["ramp_seconds"]:
        sys.exit(f"{says} WRONG: at {time}, it had not come.")
    return says


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    print(main(*sys.argv[1:]))
