"""Runs the SAM CLI with fast compression, because here a function's code travels over loopback only.

With 23 functions of about 25 MB each (dev profile), a deployment took 12 s instead of 29 s on two cores.
"""

import sys
import zipfile
from functools import partialmethod

from samcli.cli.main import cli

zipfile.ZipFile.writestr = partialmethod(zipfile.ZipFile.writestr, compresslevel=1)

if __name__ == "__main__":
    sys.argv[0] = "sam"
    cli()
