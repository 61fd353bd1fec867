"""Run in the product's environment: proves the books as the product does, and prints what was looked at and how long.

python -m benchmarks.proofs whole    all of them, as verify_ledger does
python -m benchmarks.proofs minute   as the worker does each minute: all of them the first time, then what is new
"""

import json
import sys
import time

import django

django.setup()

from finance.ledger import verify


def main() -> None:
    began = time.perf_counter()
    if sys.argv[1] == "whole":
        report = verify.verify()
        whole, postings, broken = True, report.postings, report.broken
    else:
        kept = verify.verify_new()
        if kept is None:
            raise SystemExit("somebody was posting")
        whole, postings, broken = kept.whole, kept.postings, kept.rule
    seconds = time.perf_counter() - began
    if broken:
        raise SystemExit(f"the books do not hold: {broken}")
    print(json.dumps({"whole": whole, "postings": postings, "seconds": seconds}))


main()
