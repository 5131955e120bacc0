"""A private Dovecot and Postfix on loopback, in a folder of their own, for as long as the tests last.

Domains: winkel.test (ours, user `service`) and klant.test (user `anouk`); every password is `geheim`. Postfix offers
two doors: one that takes mail for anybody and finds out later that somebody does not exist (so that a real delivery
report comes back), and a strict one that refuses unknown people at once.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

PROGRAMS = ("/usr/sbin/dovecot", "/usr/sbin/postfix")
PASSWORD = "geheim"

T = TypeVar("T")


def why_not() -> str:
    """Why the servers cannot be started on this machine, "" when they can."""
    missing = [each for each in PROGRAMS if not Path(each).exists()]
    if missing:
        return f"needs {', '.join(missing)} (Debian: dovecot-imapd dovecot-lmtpd postfix)"
    return "" if os.geteuid() == 0 else "needs root: Postfix starts as root only"


def within(seconds: float, find: Callable[[], T]) -> T:
    """What `find` gives as soon as it gives something; it is asked again until the time is over."""
    until = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.05)
    return found


@dataclass
class MailHouse:
    folder: Path
    imap_port: int
    smtp_port: int
    strict_port: int

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        """A customer's mail program hands in a mail."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as smtp:
            smtp.sendmail(sender, [to], raw)

    def maildir(self, user: str) -> Path:
        return self.folder / "mail" / user / "Maildir"

    def mails(self, user: str) -> list[Path]:
        """The files of a user's mails, oldest first; a name that ends in S has been read."""
        found = [path for each in ("new", "cur") for path in (self.maildir(user) / each).glob("*")]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def count_anew(self, user: str) -> None:
        """Throw away how the server numbered the mails, as a restored or rebuilt mailbox does."""
        for path in self.maildir(user).glob("dovecot*"):
            path.unlink()

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-4_000:] for path in self.folder.glob("*.log"))


class Running:
    """Starts both on entering, ends both on leaving."""

    def __enter__(self) -> MailHouse:
        folder = Path(tempfile.mkdtemp(prefix="mailhouse-"))
        folder.chmod(0o755)
        imap, lmtp, smtp, strict = _free_ports(4)
        self._house = MailHouse(folder, imap, smtp, strict)
        self._dovecot = _start_dovecot(folder, imap, lmtp)
        self._postfix = folder / "postfix"
        try:
            _start_postfix(self._postfix, folder, lmtp, smtp, strict)
            for port in (imap, lmtp, smtp, strict):
                within(20, lambda port=port: _is_open(port))  # type: ignore[misc]
        except BaseException:
            print(self._house.logs())
            self.__exit__()
            raise
        return self._house

    def __exit__(self, *_: object) -> None:
        subprocess.run(["/usr/sbin/postfix", "-c", str(self._postfix), "stop"], capture_output=True, check=False)
        self._dovecot.terminate()
        self._dovecot.wait(timeout=20)
        shutil.rmtree(self._house.folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start_dovecot(folder: Path, imap: int, lmtp: int) -> subprocess.Popen[bytes]:
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    users = "".join(f"{user}:{{PLAIN}}{PASSWORD}:mail:mail::{folder}/mail/{user}::\n" for user in ("service", "anouk"))
    (folder / "users").write_text(users.replace(":mail:mail:", f":{_id_of('mail')}:"))
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_username_format = %Ln
auth_failure_delay = 0
recipient_delimiter = +
mail_location = maildir:~/Maildir
first_valid_uid = 1
default_login_user = dovenull
default_internal_user = dovecot
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
"""
    )
    return subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(configuration)], stdin=subprocess.DEVNULL)


def _start_postfix(home: Path, folder: Path, lmtp: int, smtp: int, strict: int) -> None:
    for name in ("", "queue", "data"):
        (home / name).mkdir(parents=True, exist_ok=True)
    shutil.chown(home / "data", "postfix")
    (home / "people").write_text("service@winkel.test x\nanouk@klant.test x\n")
    (home / "main.cf").write_text(
        f"""
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.winkel.test
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = winkel.test klant.test
virtual_mailbox_maps = texthash:{home}/people
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
smtpd_reject_unlisted_recipient = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
"""
    )
    services = [
        f"127.0.0.1:{smtp} inet n - n - - smtpd",
        f"127.0.0.1:{strict} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=yes",
        *(f"{name} unix {columns}" for name, columns in _SERVICES.items()),
        "postlog unix-dgram n - n - 1 postlogd",
    ]
    (home / "master.cf").write_text("\n".join(services) + "\n")
    subprocess.run(
        ["/usr/sbin/postfix", "-c", str(home), "start"], check=True, capture_output=True, timeout=60, close_fds=True
    )


# The fourth of these columns says whether the service runs in a chroot: here none does.
_SERVICES = {
    "pickup": "n - n 60 1 pickup",
    "cleanup": "n - n - 0 cleanup",
    "qmgr": "n - n 300 1 qmgr",
    "tlsmgr": "- - n 1000? 1 tlsmgr",
    "rewrite": "- - n - - trivial-rewrite",
    "bounce": "- - n - 0 bounce",
    "defer": "- - n - 0 bounce",
    "trace": "- - n - 0 bounce",
    "verify": "- - n - 1 verify",
    "flush": "n - n 1000? 0 flush",
    "proxymap": "- - n - - proxymap",
    "smtp": "- - n - - smtp",
    "relay": "- - n - - smtp",
    "showq": "n - n - - showq",
    "error": "- - n - - error",
    "retry": "- - n - - error",
    "discard": "- - n - - discard",
    "local": "- n n - - local",
    "virtual": "- n n - - virtual",
    "lmtp": "- - n - - lmtp",
    "anvil": "- - n - 1 anvil",
    "scache": "- - n - 1 scache",
}


def _id_of(user: str) -> str:
    import pwd

    entry = pwd.getpwnam(user)
    return f"{entry.pw_uid}:{entry.pw_gid}"
