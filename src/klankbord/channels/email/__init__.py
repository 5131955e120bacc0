"""E-mail: a mailbox read over IMAP, answers handed over by SMTP."""

channel = "adapter:Email"
