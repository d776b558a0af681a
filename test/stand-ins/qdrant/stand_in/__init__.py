"""Qdrant's REST interface, as far as ragdock uses it, over Qdrant's own engine (qdrant-edge-py)."""

# The server version whose behaviour was recorded and is held here.
VERSION = "1.19.0"
