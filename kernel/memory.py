"""What Python's collector of cycles need not look at, and how seldom it looks at everything else."""

import gc

YOUNG = 5_000
"""New containers after which they are looked through: a few milliseconds."""
MIDDLE = 5
"""Of these collections, one takes in what the last ones left: some thirty milliseconds at most."""
ALL = 100
"""Of those, one looks through everything: after 2.5 million containers, some thousands of sockets, so that what died
in cycles unseen is never more than that."""


def settle() -> None:
    """Keeps all that is loaded by now out of the collector's sight, for as long as the process runs.

    Called once, when a process is ready for its work. Modules, routes and dictionaries never become garbage, and a
    full pass over them stops everybody in the process for some 0.3 s. A full pass over thousands of sockets takes as
    long, and Python makes one whenever their number has grown by a quarter; they go with their last reference, and
    what goes in cycles is nearly all found while it is young.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, ALL)
    gc.enable()
