"""Imported last by the process that servers are forked from: what it has loaded is not looked through by each of them."""

import gc

gc.collect()
gc.freeze()
