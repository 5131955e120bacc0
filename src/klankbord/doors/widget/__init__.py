"""The door for visitors of our customers' sites: one script tag, a frame of its own, a small API and a stream of ids.

`views` answers short requests under WSGI, `stream` is native ASGI, `gate` decides who may knock and how often.
"""
