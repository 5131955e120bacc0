"""The platforms, as a client sees them over the network. All listen on loopback only."""
