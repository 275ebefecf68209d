"""What schemathesis.toml cannot say: examples from its dictionaries, and requests that are not made."""

import ast
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import schemathesis

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# The largest sale has 4,000 shards, and the emulator would write them for minutes.
MOST_UNITS = 1_000
METHODS = ("get", "put", "post", "delete")


@schemathesis.hook
def before_load_schema(context, description):
    """Gives parameters and members their dictionary's first word as an example.

    Only the phase `fuzzing` draws from dictionaries. The phases `examples` and `coverage` take examples, so that they reach
    a sale, an order or a reservation that exists.
    """
    configuration = tomllib.loads(CONFIGURATION.read_text())
    words = {name: first_word(dictionary) for name, dictionary in configuration["dictionaries"].items()}
    for methods in description["paths"].values():
        for operation in (methods[method] for method in METHODS if method in methods):
            for place, binding in bindings(configuration, operation).items():
                location, _, name = place.partition(".")
                if location == "body":
                    add_to_body(description, operation, name, words[binding["dictionary"]])
                for parameter in operation.get("parameters", ()):
                    if (parameter["in"], parameter["name"]) == (location, name):
                        parameter["example"] = words[binding["dictionary"]]


def first_word(dictionary):
    if "values" in dictionary:
        return dictionary["values"][0]
    lines = (CONFIGURATION.parent / dictionary["from-file"]).read_text().splitlines()
    return ast.literal_eval(lines[0])


def bindings(configuration, operation):
    """The dictionaries of an operation; as in Schemathesis, the first entry that fits it counts."""
    found = {}
    for entry in configuration["operations"]:
        fits = entry.get("include-operation-id") == operation["operationId"] or entry.get("include-tag") in operation["tags"]
        if fits and "parameters" in entry:
            found = entry["parameters"]
            break
    return {**configuration["parameters"], **found}


def add_to_body(description, operation, name, word):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        schema = description["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        if name in schema["properties"]:
            schema["properties"][name]["examples"] = [word]


@schemathesis.hook
def filter_case(context, case):
    """Drops what the emulator cannot serve, and what JSON Schema cannot exclude."""
    if is_cut_by_the_emulator(case.path_parameters or {}) or has_a_card_number(case.body):
        return False
    return not isinstance(case.body, dict) or not (makes_a_large_sale(case.body) or has_an_exponent(case.body.get("amount")))


def is_cut_by_the_emulator(path_parameters):
    """ministack decodes a path before it looks for the route, so that `%3F` and `%23` end the path."""
    return any(character in unquote(str(value)) for value in path_parameters.values() for character in "?#")


def has_a_card_number(body):
    """Random digits that pass the check of card numbers are refused anywhere in a body: 400 `card-data`."""
    text = json.dumps(body, ensure_ascii=False) if isinstance(body, (dict, list)) else str(body)
    for run in re.findall(r"\d+(?:[ -]{1,3}\d+)*", text):
        groups = re.findall(r"\d+", run)
        starts = range(len(groups))
        if any(is_card_number("".join(groups[a:b])) for a in starts for b in range(a + 1, len(groups) + 1)):
            return True
    return False


def is_card_number(digits):
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and int(digits[0]) in range(2, 7) and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def makes_a_large_sale(body):
    """More units than a sale may have are refused at once, and stay."""
    sizes = (body.get("units"), body.get("shards"))
    return any(isinstance(size, (int, float)) and MOST_UNITS < size <= 400_000 for size in sizes)


def has_an_exponent(amount):
    """JSON writes such a number as 1e22. The API takes plain decimals only, and a schema cannot say so."""
    return isinstance(amount, float) and "e" in repr(amount)


@schemathesis.hook
def map_body(context, body):
    """Writes 5.0 as 5. JSON Schema makes no difference, but the API takes a whole number without a fraction only.

    An `amount` that is a number is a decimal.
    """
    if not isinstance(body, dict):
        return body
    return {name: value if name == "amount" and isinstance(value, float) else whole(value) for name, value in body.items()}


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return value
