"""Telegram, through a bot."""

channel = "adapter:Telegram"
