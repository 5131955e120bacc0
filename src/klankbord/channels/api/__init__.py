"""Any other system: its messages come in through a signed webhook, our replies go out the same way."""

channel = "adapter:Api"
