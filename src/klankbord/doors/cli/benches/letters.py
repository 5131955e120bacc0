"""Mails to measure with: a note of a few lines, and what shops and offices really get."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

_WORDS = (
    "Ik heb deze bestelling vorige week geplaatst en betaald, maar het pakket is nog steeds niet bij mij aangekomen "
    "en de bezorger zegt dat hij van niets weet, terwijl ik er een één-op-één bevestiging van heb gekregen."
)
_OFFICE = "font-family:Calibri,sans-serif;font-size:11.0pt;color:#1F497D;margin:0cm"


def short(number: int, run: str, now: datetime) -> bytes:
    """About 800 bytes: five lines, in plain text and in HTML."""
    mail = _begun(number, run, now)
    text = f"Goedemiddag,\n\nBestelling {number} zou gisteren komen. Weet u waar hij is?\n\nGroet, klant {number}\n"
    mail.set_content(text)
    mail.add_alternative("".join(f"<p>{line}</p>" for line in text.split("\n") if line), subtype="html")
    return bytes(mail)


def long(number: int, run: str, now: datetime) -> bytes:
    """About 18 kB: an answer with the earlier mails below, or a confirmation passed on; three kinds in turn."""
    mail = _begun(number, run, now)
    mail["Received"] = f"from a.example (a.example [192.0.2.1]) by mx.measured.example; {format_datetime(now)}"
    mail["Authentication-Results"] = f"mx.measured.example; dkim=pass header.d={run}.example; dmarc=pass"
    mail["DKIM-Signature"] = f"v=1; a=rsa-sha256; d={run}.example; s=s1; bh={'A' * 44}; b={'B' * 344}"
    quoted = "Op ma 2 nov 2026 om 10:22 schreef Service <service@measured.example>:"
    own = [f"{_WORDS} ({number}.{each})" for each in range(4)]
    mail.set_content("\n\n".join([*own, quoted, *([f"> {_WORDS}"] * 25)]))
    mail.add_alternative(f"<html><body>{_SHAPES[number % 3](own)}</body></html>", subtype="html")
    return bytes(mail)


def _begun(number: int, run: str, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f"Klant {number} <klant{number}@{run}.example>"
    mail["To"] = "service@measured.example"
    mail["Subject"] = f"Bestelling {number} is niet aangekomen"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{run}-{number}@measured.example>"
    return mail


def _from_an_office(own: list[str]) -> str:
    lines = [
        f'<p class="MsoNormal" style="{_OFFICE}"><span style="{_OFFICE}">{each}<o:p></o:p></span></p>' for each in own
    ]
    block = "<b>Van:</b> Service<br><b>Verzonden:</b> maandag<br><b>Aan:</b> Klant<br><b>Onderwerp:</b> Bestelling"
    return "".join([*lines, f"<div><p>{block}</p></div>", *lines * 6])


def _from_a_web_mail(own: list[str]) -> str:
    quote = "".join(f"<div>{_WORDS}</div>" for _ in range(25))
    header = 'Op ma 2 nov 2026 om 10:22 schreef <a href="mailto:service@measured.example">Service</a>:<br>'
    return "".join(f"<div>{each}</div><div><br></div>" for each in own) + f"{header}<blockquote>{quote}</blockquote>"


def _from_a_shop(own: list[str]) -> str:
    rows = "".join(
        '<table width="600" style="background-color:#ffffff"><tr><td style="padding:10px;color:#333333">'
        f'<a href="https://shop.example/p/{each}" style="color:#0066cc"><img src="https://shop.example/{each}.png"'
        f' alt="Product {each}"></a></td><td style="color:#333333">Een artikel &euro;&nbsp;{each},95</td></tr></table>'
        for each in range(40)
    )
    return f'<p>{"<br>".join(own)}</p><table bgcolor="#f4f4f4"><tr><td align="center">{rows}</td></tr></table>'


_SHAPES = (_from_an_office, _from_a_web_mail, _from_a_shop)
