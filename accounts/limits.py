"""The named limits of accounts."""

from datetime import timedelta

# Signing in: wrong tries at a number from one of its own devices, or from one network; at any numbers from one network
# (many people may share it); and at a number from everywhere but its own devices. NIST SP 800-63B allows a hundred.
SIGN_IN_TRIES = 8
SIGN_IN_WINDOW = timedelta(minutes=15)
SIGN_IN_TRIES_PER_ADDRESS = 120
SIGN_IN_TRIES_OF_STRANGERS = 50
SIGN_IN_WINDOW_OF_STRANGERS = timedelta(days=1)

# One-time codes.
CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5
CODES_PER_MINUTE = 1
# To one number: for one of its own devices; for everybody else; of those, for one network.
CODES_PER_DAY = 12
CODES_PER_DAY_AND_NETWORK = 6
CODES_PER_ADDRESS_AND_HOUR = 120
CODE_PAUSE = timedelta(seconds=60)

# Proof of identity: each asks another bank.
CARD_TRIES_PER_DAY = 10
MAX_CARDS = 10

# Contacts.
MAX_FRIENDS = 5_000
REQUESTS_PER_HOUR = 30
MAX_REQUESTS_SHOWN = 100

# New names and pictures of one's own: everybody who shares a conversation hears of each, and asks how one looks.
LOOKS_PER_HOUR = 30

DEVICES_PAGE = 20
MAX_NAME = 20
MAX_REMARK = 20
MAX_GREETING = 60

# How old rows of the throttle and spent codes may grow before they are swept away.
SWEEP_AFTER = timedelta(days=2)
