"""Imported last by the process that servers are forked from: none of them looks through what it has loaded."""

import gc

gc.collect()
gc.freeze()
