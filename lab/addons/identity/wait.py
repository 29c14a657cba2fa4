"""Return when every address that is given answers: oauth2-proxy stops when its issuers do not."""

from __future__ import annotations

import sys
import time
import urllib.request

for address in sys.argv[1:]:
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310
        except OSError as error:
            print(f"{address}: {error}")
            time.sleep(0.5)
        else:
            break
