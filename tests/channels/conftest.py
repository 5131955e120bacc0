"""Common tests of all channels.

A channel joins by having its folder in `klankbord.channels` and a bench in `benches/<kind>.py`; `benches_of.py` says
what a bench offers, `worlds.py` has stand-ins of a platform, `sentences.py` prints what a fixture means.
"""
