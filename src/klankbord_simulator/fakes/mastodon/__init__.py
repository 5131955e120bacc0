"""A Mastodon server with one connected shop account and people from several servers.

Written from Mastodon's documented API; Mastodon.py 2.3 posts, pages, uploads and streams against it. Kinder than real
servers in one respect: a stream of `user` is told about edits and deletions of every post that names the shop, while
real ones tell about those of followed people only.
"""

from .fake import Mastodon

__all__ = ["Mastodon"]
