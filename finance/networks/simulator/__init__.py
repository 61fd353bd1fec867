"""The other side of the network links: other banks' card registers and the clearing house.

A process of its own with state of its own. It can be told to delay, reject, repeat, vanish; see server.Server.
"""
