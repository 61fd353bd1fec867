"""What a process knows of the others' messages on the layer: whether one may have been lost.

Every process numbers what it tells, and says its last number every few seconds (a beat). So a number that is missing,
and a process that falls silent, are noticed by whoever listens; what exactly was lost only the log knows.
"""

from dataclasses import dataclass, field

BEAT_S = 2.0
GRACE_S = 1.0
"""What two tasks of a process send at once may overtake each other on the way, for so long."""
SILENT_S = 7.0
"""Three beats and a little: a process that says nothing for so long was stopped, perhaps before it told its last."""
AWAY_AGAIN_S = 5.0
"""While not even oneself is heard, clients have to ask, so often."""
MAX_MISSING = 1_000


@dataclass
class _Peer:
    following: int
    heard_at: float
    missing: dict[int, float] = field(default_factory=dict)


class Ear:
    """Told of everything that comes, it answers now and then whether something did not. Times are the loop's.

    `shared`: other processes may be on the layer, so that one's own beats have to come back. Where they do not, nobody
    knows whether there are others: a process that began while the layer was away has heard of none.
    """

    def __init__(self, at: float, *, shared: bool) -> None:
        self._peers: dict[bytes, _Peer] = {}
        self._shared = shared
        self._own_at = at
        self._away_told_at = at
        self._lost = False

    def heard_myself(self, at: float) -> None:
        """One's own beat came back: the layer carries."""
        self._own_at = at

    def heard(self, sender: bytes, number: int, at: float, *, beat: bool = False) -> None:
        """A message with its number; or a beat, with the number of the last one (0: none yet)."""
        peer = self._peers.get(sender)
        if peer is None:
            # One that began before us has told others what we did not hear.
            self._lost = self._lost or number > 1 or (beat and number > 0)
            self._peers[sender] = _Peer(number + 1, at)
            return
        peer.heard_at = at
        end = number + 1 if beat else number
        if end - peer.following > MAX_MISSING:
            self._lost = True
            peer.following = end
        while peer.following < end:
            peer.missing[peer.following] = at
            peer.following += 1
        if not beat:
            peer.missing.pop(number, None)
            peer.following = max(peer.following, number + 1)

    def gone(self, sender: bytes, number: int, at: float) -> None:
        """It says that it ends, and its last number: its silence means nothing."""
        self.heard(sender, number, at, beat=True)
        peer = self._peers.pop(sender)
        self._lost = self._lost or bool(peer.missing)

    def missed(self, at: float) -> bool:
        """Whether something may have been lost since this was last asked."""
        lost, self._lost = self._lost, False
        for sender, peer in list(self._peers.items()):
            late = [number for number, since in peer.missing.items() if at - since > GRACE_S]
            for number in late:
                del peer.missing[number]
            gone = at - peer.heard_at > SILENT_S
            if gone:
                del self._peers[sender]
            lost = lost or bool(late) or gone
        away = self._shared and at - self._own_at > SILENT_S and at - self._away_told_at > AWAY_AGAIN_S
        if away:
            self._away_told_at = at
        return lost or away
