"""Images, drawn anew: what comes out is only pixels, without place, camera, comments or anything behind the picture.

Decoders are large and old, and bytes are hostile: for files from outside, run `clean_or_empty` in a `plumbing.sandbox`.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

# Pixels at most, and the longest side that is kept, so that each kind stays within 200 MB: a large JPEG is decoded at a
# fraction of its size; reading and writing a WebP each take several times its pixels.
_PIXEL_LIMITS = {"JPEG": 40_000_000, "PNG": 16_000_000, "WEBP": 9_000_000}
_LONGEST_SIDES = {"JPEG": 2560, "PNG": 2560, "WEBP": 1920}
_SAVE_OPTIONS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 88},
}


def clean_image(data: bytes) -> bytes | None:
    """The first frame of a JPEG, PNG or WebP as a fresh file of the same kind, upright, scaled down when very large.

    None when it is no such image, is damaged, or would take too much memory to look at.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_PIXEL_LIMITS)) as image:
            # A photo with a second one behind it (MPO) is opened by the JPEG reader under its own name.
            kind = image.format if image.format in _PIXEL_LIMITS else "JPEG"
            if image.width * image.height > _PIXEL_LIMITS[kind]:
                return None
            pixels = _pixels(image, kind)
        return _encoded(pixels, kind)  # after the decoder has given back its memory
    except Exception:  # whatever hostile bytes make a decoder raise, the answer is the same
        return None


def clean_or_empty(data: bytes) -> bytes:
    """The same for a sandbox, which speaks bytes only: empty means None."""
    return clean_image(data) or b""


def _pixels(image: Image.Image, kind: str) -> Image.Image:
    box = (_LONGEST_SIDES[kind], _LONGEST_SIDES[kind])
    image.draft("RGB", box)  # only JPEG can; the others ignore it
    has_alpha = kind != "JPEG" and ("A" in image.getbands() or "transparency" in image.info)
    mode = "RGBA" if has_alpha else "RGB"
    if image.mode in ("1", "P"):  # cannot be scaled smoothly; a byte a pixel, so that the copy is affordable
        image = image.convert(mode)
    image.thumbnail(box)
    pixels = image.convert(mode)
    ImageOps.exif_transpose(pixels, in_place=True)
    pixels.info.clear()  # else the colour profile and comments are written again
    return pixels


def _encoded(pixels: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    pixels.save(out, kind, **_SAVE_OPTIONS[kind])
    return out.getvalue()
