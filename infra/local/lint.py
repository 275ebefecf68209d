"""Runs cfn-lint on what CloudFormation gets: template.yaml after SAM's transform.

`sam validate --lint` sees the template before the transform, where a property of a SAM resource may still be anything. The
parameters that conditions read take each of their values in turn.
"""

import itertools
import json
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


# Values of parameters that may have any value, besides their defaults. They are taken together: no condition reads two of them.
EXAMPLES = {
    "CognitoUrl": "http://127.0.0.1:4566",
    "CustomerIssuer": "https://login.example.com/",
    "EdgeStoreArn": "arn:aws:cloudfront::123456789012:key-value-store/gate",
    "MailIdentity": "arn:aws:ses:us-east-1:123456789012:identity/shop.example.com",
    "ShopperRate": "30",
}


def stages(template):
    """The combinations of the values of the parameters that conditions read; the other parameters have their defaults."""
    parameters = template["Parameters"]
    read = sorted(set(re.findall(r'{"Ref": "(\w+)"}', json.dumps(template["Conditions"]))))
    defaults = {name: parameter["Default"] for name, parameter in parameters.items() if "Default" in parameter}
    listed = [name for name in read if "AllowedValues" in parameters[name]]
    unknown = set(read) - set(listed) - set(EXAMPLES)
    if unknown:
        sys.exit(f"infra/local/lint.py needs an example of {sorted(unknown)}, which a condition of the template reads")
    for values in itertools.product(*(parameters[name]["AllowedValues"] for name in listed)):
        for others in ({}, EXAMPLES):
            yield defaults | others | dict(zip(listed, values, strict=True))


def transformed(template, parameters):
    """The template after the transform, as `sam deploy` sends it: with the code in a bucket."""
    for resource in template["Resources"].values():
        for uri in {"CodeUri", "DefinitionUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][uri] = "s3://bucket/key"
    return Translator({}, Parser()).translate(template, parameters)


def main(path, cfn_lint):
    """Lints each result once: most values of the parameters are read after the transform."""
    logging.disable(logging.WARNING)
    text = Path(path).read_text(encoding="utf-8")
    results = {json.dumps(transformed(yaml_parse(text), parameters), indent=1) for parameters in stages(yaml_parse(text))}
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.json" for number in range(len(results))]
        for file, result in zip(files, results, strict=True):
            file.write_text(result, encoding="utf-8")
        return subprocess.run([cfn_lint, "--regions", "us-east-1", "--", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
