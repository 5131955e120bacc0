"""The desk's core: organisations and their people, inboxes, contacts, conversations."""
