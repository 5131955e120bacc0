"""Secrets at rest: what is sealed stays shut without its key, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from klankbord.plumbing.secrets import KEY_FILE, SecretError, UnreadableSecretError, Vault, load_vault, new_key

from .conftest import python

OLD, NEW = new_key(), new_key()


@pytest.mark.parametrize("text", ["", "EAAG-token", "geheim ☂ \x00 \n", "x" * 10_000])
def test_a_sealed_text_comes_back_and_cannot_be_read_before(text: str) -> None:
    sealed = Vault([NEW]).seal(text)
    assert Vault([NEW]).open(sealed) == text
    assert len(text) < 5 or text.encode() not in sealed


def test_the_same_text_is_never_sealed_to_the_same_bytes() -> None:
    vault = Vault([NEW])
    assert vault.seal("token") != vault.seal("token")


def test_after_a_rotation_the_old_key_still_opens_and_the_new_one_seals() -> None:
    before, after = Vault([OLD]), Vault([NEW, OLD])
    sealed = before.seal("token")
    assert after.open(sealed) == "token"
    assert not after.is_current(sealed)
    assert after.is_current(after.seal("token"))
    with pytest.raises(UnreadableSecretError):
        before.open(after.seal("token"))


def test_a_missing_key_is_named_and_the_way_out_given() -> None:
    sealed = Vault([OLD]).seal("token")
    with pytest.raises(UnreadableSecretError, match=r"not among the configured ones.*enter the secret again"):
        Vault([NEW]).open(sealed)


@pytest.mark.parametrize("place", [0, 1, 5, 17, -1])
def test_a_changed_byte_anywhere_is_noticed(place: int) -> None:
    sealed = bytearray(Vault([NEW]).seal("token"))
    sealed[place] ^= 1
    with pytest.raises(UnreadableSecretError):
        Vault([NEW]).open(bytes(sealed))


@pytest.mark.parametrize("junk", [b"", b"\x01", b"plain token", b"\x01" * 12])
def test_what_was_never_sealed_is_refused_in_words(junk: bytes) -> None:
    with pytest.raises(UnreadableSecretError):
        Vault([NEW]).open(junk)


def test_a_secret_copied_to_another_owner_does_not_open_there() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("token", bound_to="inbox 1")
    assert vault.open(sealed, bound_to="inbox 1") == "token"
    with pytest.raises(UnreadableSecretError, match="belongs elsewhere"):
        vault.open(sealed, bound_to="inbox 2")


def test_each_purpose_has_a_lasting_key_of_its_own() -> None:
    vault = Vault([NEW, OLD])
    assert vault.key_for("django") == Vault([NEW]).key_for("django")
    assert vault.key_for("django") != vault.key_for("reply-tags")
    assert vault.keys_for("django") == [Vault([NEW]).key_for("django"), Vault([OLD]).key_for("django")]
    assert len(vault.key_for("django")) == 32


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SecretError, match="at least 32"):
        Vault(["changeme"])


def test_without_a_setting_a_key_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    sealed = load_vault(tmp_path / "data", {}).seal("token")
    assert load_vault(tmp_path / "data", {}).open(sealed) == "token"
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_a_kept_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_vault(tmp_path, {})
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(SecretError, match="read by others"):
        load_vault(tmp_path, {})


def test_the_environment_gives_the_key_itself_or_a_file_with_several(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{NEW}\n{OLD}\n")
    sealed = load_vault(tmp_path, {"KLANKBORD_SECRET_KEY": OLD}).seal("token")
    assert load_vault(tmp_path, {"KLANKBORD_SECRET_KEY_FILE": str(keys)}).open(sealed) == "token"
    assert load_vault(tmp_path, {"KLANKBORD_SECRET_KEY": f"{NEW},{OLD}"}).open(sealed) == "token"
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize(
    "environ",
    [
        {"KLANKBORD_SECRET_KEY": ""},
        {"KLANKBORD_SECRET_KEY_FILE": "/no/such/file"},
        {"KLANKBORD_SECRET_KEY": NEW, "KLANKBORD_SECRET_KEY_FILE": "/etc/hostname"},
    ],
    ids=["empty", "absent file", "both"],
)
def test_a_doubtful_setting_stops_the_start_instead_of_making_a_new_key(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(SecretError):
        load_vault(tmp_path, environ)
    assert not (tmp_path / KEY_FILE).exists()


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from klankbord.plumbing.secrets import load_vault; sys.stdin.read()\n"
        "print(load_vault(Path(sys.argv[1]), {}).key_for('test').hex())"
    )
    crowd = [python(code, tmp_path / "data") for _ in range(6)]
    for one in crowd:
        assert one.stdin is not None
        one.stdin.close()
        one.stdin = None
    assert len({one.communicate()[0] for one in crowd}) == 1
