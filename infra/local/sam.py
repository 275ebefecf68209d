"""SAM CLI that zips fast instead of small, because here a function's code travels over loopback only.

With 23 functions of 25 MB (dev profile) that is 7 s instead of 21 s each time the stack comes up.
"""

import sys
import zipfile
from functools import partialmethod

from samcli.cli.main import cli

zipfile.ZipFile.writestr = partialmethod(zipfile.ZipFile.writestr, compresslevel=1)

if __name__ == "__main__":
    sys.argv[0] = "sam"
    cli()
