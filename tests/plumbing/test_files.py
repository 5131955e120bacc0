"""Files: stored whole or not at all, recognised by their bytes, named and drawn without harm."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from klankbord.plumbing.files import (
    FileTooLargeError,
    LocalFiles,
    NoSuchFileError,
    clean_image,
    display_name,
    may_show_inline,
    sniff,
)
from klankbord.plumbing.sandbox import Sandbox

from .conftest import SOURCE, python, wait_until


@pytest.fixture
def store(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "files")


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# ------------------------------------------------------------------------------------------------ the store


def test_what_is_saved_can_be_opened_again_and_is_told_by_its_bytes(store: LocalFiles) -> None:
    stored = store.save("org-1", [b"%PDF-1.7 ", b"rest"], limit_bytes=100)
    assert (stored.size_bytes, stored.content_type) == (13, "application/pdf")
    with store.open("org-1", stored.name) as file:
        assert file.read() == b"%PDF-1.7 rest"


def test_two_equal_files_get_different_unguessable_names(store: LocalFiles) -> None:
    first, second = (store.save("org-1", [b"same"], limit_bytes=10) for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.name != second.name
    assert len(first.name) == 32


def test_a_file_can_only_be_reached_through_its_own_shelf(store: LocalFiles) -> None:
    stored = store.save("org-1", [b"x"], limit_bytes=10)
    assert store.exists("org-1", stored.name)
    assert not store.exists("org-2", stored.name)
    assert not store.delete("org-2", stored.name)
    with pytest.raises(NoSuchFileError):
        store.open("org-2", stored.name)


def test_a_deleted_file_is_gone_from_the_disk(store: LocalFiles, tmp_path: Path) -> None:
    stored = store.save("org-1", [b"x"], limit_bytes=10)
    assert store.delete("org-1", stored.name)
    assert not store.delete("org-1", stored.name)
    assert everything(tmp_path) == []


def test_emptying_a_shelf_leaves_the_others(store: LocalFiles) -> None:
    one, two = (store.save(shelf, [b"x"], limit_bytes=10) for shelf in ("org-1", "org-2"))
    store.delete_shelf("org-1")
    store.delete_shelf("never-used")
    assert not store.exists("org-1", one.name)
    assert store.exists("org-2", two.name)


def test_f28_a_stream_over_the_limit_is_stopped_at_once_and_leaves_nothing(store: LocalFiles, tmp_path: Path) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(1000)

    with pytest.raises(FileTooLargeError) as refusal:
        store.save("org-1", endless(), limit_bytes=4500)
    assert refusal.value.limit_bytes == 4500
    assert len(taken) == 5
    assert everything(tmp_path) == []


def test_a_broken_stream_leaves_nothing(store: LocalFiles, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.save("org-1", broken(), limit_bytes=4500)
    assert everything(tmp_path) == []


def test_f12_a_disk_that_takes_no_more_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from klankbord.plumbing.files import LocalFiles\n"
        "try: LocalFiles(Path(sys.argv[1])).save('org-1', [bytes(1000)] * 100, limit_bytes=10**6)\n"
        "except OSError as error: print(type(error).__name__)"
    )
    answer = subprocess.run(
        [sys.executable, "-B", "-c", code, tmp_path],  # -B: Python would leave truncated bytecode behind
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert answer.stdout.strip() == "OSError"
    assert everything(tmp_path) == []


@pytest.mark.faults
def test_f1_what_a_killed_process_left_half_written_is_no_file_and_can_be_swept(
    store: LocalFiles, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from klankbord.plumbing.files import LocalFiles\n"
        "def slow():\n  yield bytes(100_000)\n  print('half', flush=True)\n  sys.stdin.read()\n"
        "LocalFiles(Path(sys.argv[1])).save('org-1', slow(), limit_bytes=10**6)"
    )
    writer = python(code, tmp_path / "files")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half\n"
    writer.kill()
    writer.communicate()
    wait_until(lambda: len(everything(tmp_path)) == 1)
    assert not (tmp_path / "files" / "org-1").exists()
    now = datetime.now(UTC)
    assert store.delete_abandoned(before=now - timedelta(hours=1)) == 0
    assert store.delete_abandoned(before=now + timedelta(hours=1)) == 1
    assert everything(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..", "", "a" * 31, "a" * 31 + "/", "A" * 32, "a" * 32 + "\n", "a\x00" * 16],
    ids=repr,
)
def test_x3_a_name_the_store_never_gave_out_is_no_file(store: LocalFiles, name: str) -> None:
    assert not store.exists("org-1", name)
    assert not store.delete("org-1", name)
    with pytest.raises(NoSuchFileError):
        store.open("org-1", name)


@pytest.mark.parametrize("shelf", ["..", "", "a/b", "../x", "a\x00", ".hidden", "incoming", "a\n", "x" * 65], ids=repr)
def test_x6_a_shelf_cannot_lead_out_of_the_store(store: LocalFiles, shelf: str) -> None:
    for attempt in (
        lambda: store.save(shelf, [b"x"], limit_bytes=10),
        lambda: store.open(shelf, "a" * 32),
        lambda: store.delete_shelf(shelf),
    ):
        with pytest.raises(ValueError, match="shelf"):
            attempt()


def test_files_are_readable_by_our_account_alone(store: LocalFiles, tmp_path: Path) -> None:
    store.save("org-1", [b"x"], limit_bytes=10)
    (path,) = everything(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert all(part.stat().st_mode & 0o066 == 0 for part in path.parents[:4])


# ------------------------------------------------------------------------------------------------ what it is


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "x")
    return out.getvalue()


OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("GIF"), "image/gif"),
        (picture("WEBP"), "image/webp"),
        (picture("BMP"), "image/bmp"),
        (picture("TIFF"), "image/tiff"),
        (b"%PDF-1.4\n", "application/pdf"),
        (archive("a.txt"), "application/zip"),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), OFFICE + "wordprocessingml.document"),
        (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), OFFICE + "spreadsheetml.sheet"),
        (archive("mimetype", "content.xml"), "application/vnd.oasis.opendocument.text"),
        (b"ID3\x04\x00" + bytes(50), "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(50), "audio/mpeg"),
        (b"\xff\xf1\x50\x80" + bytes(50), "audio/aac"),
        (b"OggS\x00\x02" + bytes(22) + b"OpusHead", "audio/ogg"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x20ftypM4A \x00\x00", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00", "video/mp4"),
        (b"\x00\x00\x00\x20ftypheic\x00\x00", "image/heic"),
        (b"\x1a\x45\xdf\xa3\x01\x00\x42\x82\x84webm", "video/webm"),
        (b"#!AMR\n", "audio/amr"),
        ("Geachte heer, 1 < 2 — groeten".encode(), "text/plain"),
        ("é".encode() * 4095 + b"e" + "é".encode(), "text/plain"),
        ("Hallo".encode("utf-16"), "text/plain"),
        (b"", "text/plain"),
        (b"BMW is a car", "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"caf\xe9 in latin-1, somewhere in the middle", "application/octet-stream"),
    ],
)
def test_the_kind_is_told_from_the_bytes(head: bytes, expected: str) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml"),
        (b"\xef\xbb\xbf\n <?xml version='1.0'?><!-- x --><s:svg onload='x'/>", "image/svg+xml"),
        (b"<!-- harmless --><SCRIPT>alert(1)</SCRIPT>", "text/html"),
        (b"GIF89 is not here <html><body>", "text/html"),
        (b"<img src=x onerror=alert(1)>", "text/html"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "text/html"),
        (b"<?xml version='1.0'?><order/>", "application/xml"),
        ("<html>".encode("utf-16"), "text/html"),
    ],
)
def test_x1_markup_is_never_plain_text_and_never_shown_inline(head: bytes, expected: str) -> None:
    assert sniff(head) == expected
    assert not may_show_inline(expected)


@pytest.mark.parametrize("kind", ["application/pdf", "image/svg+xml", "text/html", "text/plain", "application/zip", ""])
def test_x1_only_listed_kinds_are_shown_inline(kind: str) -> None:
    assert not may_show_inline(kind)
    assert may_show_inline("image/png")


# ------------------------------------------------------------------------------------------------ its name


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("Foto van de bon.jpg", "Foto van de bon.jpg", id="an ordinary name"),
        pytest.param("klacht één (2) ☂.pdf", "klacht één (2) ☂.pdf", id="accents and signs"),
        pytest.param("../../x", "x", id="X2 path"),
        pytest.param("..\\..\\x.txt", "x.txt", id="X2 backslashes"),
        pytest.param("C:\\x", "x", id="X2 drive"),
        pytest.param("C:x", "C_x", id="X2 drive without a folder"),
        pytest.param("／etc／passwd", "passwd", id="X2 full-width slashes"),
        pytest.param("\u2024\u2024／x", "x", id="X2 look-alike dots"),
        pytest.param(".\u200b./.\u200b./x", "x", id="X2 dots hidden by zero width"),
        pytest.param(".htaccess", "htaccess", id="X2 htaccess"),
        pytest.param("\u200b.htaccess", "htaccess", id="X2 htaccess behind zero width"),
        pytest.param("a.php\u200b", "a.php", id="X2 zero width at the end"),
        pytest.param("factuur\u202efdp.exe", "factuurfdp.exe", id="X2 direction override"),
        pytest.param("a\x00b.txt", "ab.txt", id="X2 NUL"),
        pytest.param("a\r\nSet-Cookie: x.txt", "a Set-Cookie_ x.txt", id="X2 newline"),
        pytest.param("a\u2028b\tc", "a b c", id="X2 other line ends"),
        pytest.param("CON", "_CON", id="X2 reserved"),
        pytest.param("nul.tar.gz", "_nul.tar.gz", id="X2 reserved with an ending"),
        pytest.param("COM¹.txt", "_COM1.txt", id="X2 reserved in disguise"),
        pytest.param("console.log", "console.log", id="X2 not reserved"),
        pytest.param("x.txt:evil.exe", "x.txt_evil.exe", id="X2 second stream"),
        pytest.param('<img src="x">.png', "_img src=_x__.png", id="X2 markup"),
        pytest.param("name. . ", "name", id="X2 dots and spaces at the end"),
        pytest.param("lone \ud800 half.txt", "lone half.txt", id="X2 lone surrogate"),
        pytest.param("", "file", id="X2 nothing"),
        pytest.param("../..", "file", id="X2 only dots"),
        pytest.param("folder/", "folder", id="X2 slash at the end"),
    ],
)
def test_a_sender_s_name_becomes_harmless(raw: str, expected: str) -> None:
    assert display_name(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "é" * 300 + ".pdf",
        "x" * 300,
        "a" + "\u0301" * 1000 + ".png",
        "x." + "y" * 300,
        "\N{FAMILY}\u200d\N{BOY}" * 50 + ".jpg",
        "x" * 10**6,
    ],
    ids=["accents", "no ending", "one letter under many", "an endless ending", "emoji", "a megabyte"],
)
def test_x2_a_long_name_is_cut_and_keeps_a_short_ending(raw: str) -> None:
    name = display_name(raw)
    assert 0 < len(name.encode()) <= 180
    assert raw[-4:].startswith(".") is name[-4:].startswith(".")


# ------------------------------------------------------------------------------------------------ pictures


def described_picture(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "canary description"
    exif.get_ifd(0x8825)[2] = (52.0, 22.0, 0.0)
    options = {"exif": exif, "icc_profile": b"canary profile"}
    if kind == "JPEG":
        options["comment"] = b"canary comment"
    return picture(kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_x5_a_picture_comes_out_upright_and_says_nothing_about_its_maker(kind: str) -> None:
    original = described_picture(kind) + b"<script>canary</script>"
    assert b"canary" in original
    cleaned = clean_image(original)
    assert cleaned is not None
    assert b"canary" not in cleaned
    with Image.open(io.BytesIO(cleaned)) as image:
        assert (image.format, image.size) == (kind, (40, 60))
        assert not image.getexif()
        red, green, blue = image.convert("RGB").getpixel((20, 30))
        assert abs(red - 200) < 12
        assert abs(green - 30) < 12
        assert abs(blue - 30) < 12


def test_transparency_survives() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 255, 0)).save(out, "PNG")
    cleaned = clean_image(out.getvalue())
    assert cleaned is not None
    with Image.open(io.BytesIO(cleaned)) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0


def test_x5_an_animated_webp_becomes_its_first_frame() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue", "green")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    cleaned = clean_image(out.getvalue())
    assert cleaned is not None
    with Image.open(io.BytesIO(cleaned)) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("RGB").getpixel((5, 5))[0] > 200


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png_that_claims(50_000, 50_000), id="X5 bomb"),
        pytest.param(png_that_claims(10_000, 9_000), id="X5 just too large"),
        pytest.param(picture("PNG")[:60], id="cut short"),
        pytest.param(picture("GIF"), id="another kind"),
        pytest.param(b"<svg/>", id="X1 svg"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xd8\xff" + os.urandom(5000), id="noise"),
    ],
)
def test_what_is_no_sound_picture_of_a_known_kind_is_refused(data: bytes) -> None:
    assert clean_image(data) is None


def test_x5_even_the_largest_picture_fits_into_two_hundred_megabytes() -> None:
    large = []
    for kind, mode, size in (
        ("PNG", "RGBA", (5120, 3120)),
        ("PNG", "LA", (3990, 3990)),
        ("PNG", "P", (3990, 3990)),
        ("WEBP", "RGBA", (3000, 3000)),
        ("JPEG", "RGB", (7300, 5470)),
    ):
        out = io.BytesIO()
        options = {"JPEG": {"progressive": True}, "WEBP": {"lossless": True}}.get(kind, {})
        Image.new(mode, size, 100).save(out, kind, **options)
        large.append(out.getvalue())
    with Sandbox(
        "klankbord.plumbing.files.images:clean_or_empty", cpu_seconds=30, memory_bytes=200_000_000, wall_seconds=60
    ) as box:
        results = box.call_each(large)
    formats = []
    for result in results:
        assert isinstance(result, bytes)
        with Image.open(io.BytesIO(result)) as image:
            formats.append(image.format)
            assert max(image.size) <= 2560
    assert formats == ["PNG", "PNG", "PNG", "WEBP", "JPEG"]
