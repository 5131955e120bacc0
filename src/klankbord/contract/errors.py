"""What can go wrong between us and a platform; the class decides what happens next."""

from __future__ import annotations


class ChannelError(Exception):
    """Something between us and the platform. The class decides what happens next; `sentence` is for people.

    Refused        permanent: the platform will not take it; an agent must act
      CredentialsRejected   our access was revoked or has too few rights: the inbox is unhealthy until reconnected
      TooLong               the text is over the platform's limit
    Unavailable    try again, after `retry_after` seconds where the platform said so
    Uncertain      it may have arrived: never send again without looking or asking
    Unsupported    asked for something outside the capabilities
    BadSignature   a delivery that is not from who it claims
    """

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class Refused(ChannelError):
    """The platform will not take it. place_is_gone: deleted target, or the person blocked us: nothing will help."""

    def __init__(self, sentence: str, *, code: str = "", place_is_gone: bool = False) -> None:
        super().__init__(sentence, code=code)
        self.place_is_gone = place_is_gone


class CredentialsRejected(Refused):
    """The platform no longer accepts our credentials."""


class TooLong(Refused):
    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(f"{length} is over the limit of {limit}.", code="too-long")
        self.length, self.limit = length, limit


class Unavailable(ChannelError):
    """retry_after: seconds. is_inbox_wide: the limit holds for the whole account, not for this one thread.
    parts_done: external ids of the parts that did arrive before it failed."""

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float | None = None,
        is_inbox_wide: bool = False,
        parts_done: tuple[str, ...] = (),
        code: str = "",
    ) -> None:
        super().__init__(sentence, code=code)
        self.retry_after, self.is_inbox_wide, self.parts_done = retry_after, is_inbox_wide, parts_done


class Uncertain(ChannelError):
    def __init__(self, sentence: str, *, parts_done: tuple[str, ...] = (), code: str = "") -> None:
        super().__init__(sentence, code=code)
        self.parts_done = parts_done


class Unsupported(ChannelError):
    """The channel cannot do this; see its capabilities."""


class BadSignature(ChannelError):
    """Not from who it claims, or too old. Nothing is stored."""
