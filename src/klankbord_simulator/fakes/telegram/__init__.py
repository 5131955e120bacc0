"""The Telegram Bot API with one bot, the shop's, and people who chat with it in private.

Written from the documented API.
"""

from .fake import Telegram

__all__ = ["Telegram"]
