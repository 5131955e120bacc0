"""Chat on our customers' own site: visitors write through our own door, and read our answers there."""

channel = "adapter:Webchat"
