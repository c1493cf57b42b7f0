"""Image files that attack, and what each costs.

`python -m tests.attacks.hostile_images bombs`, `cheap-bombs` or `mutations 1000` prints it.

Run in a process of its own: a decoder that crashes takes its process along, and the peak of resident memory
is the kernel's.
"""

from __future__ import annotations

import json
import random
import re
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ml.runtime.image.decoding import decode_color, decode_grey
from ml.runtime.image.errors import ImageError
from ml.runtime.image.header import MAX_PIXELS
from ml.runtime.image.opening import open_image
from tests import images

MIB: Final = 1 << 20
LARGEST: Final = 4 * MIB
# Seconds of a core each.
DEAR: Final = frozenset(
    {
        "a photograph of 24 million pixels",
        "PNG, 12 million pixels of 8 bytes, transparent",
        "PNG, 24 million pixels of 4 bytes, transparent",
    }
)
_END: Final = images.chunk(b"IEND")
_EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_COLOR: Final = images.picture(40, 56)
_GREY: Final = _COLOR[..., 0]


@dataclass(frozen=True)
class Cost:
    """What one file came to: the code of its refusal, or `decoded`."""

    name: str
    file_mib: float
    outcome: str
    cpu_s: float
    peak_mib: float


def interlaced(side: int = 8) -> bytes:
    """A grey PNG of Adam7, all of one shade."""
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b""
    for x, y, step_x, step_y in passes:
        width, height = -(-(side - x) // step_x), -(-(side - y) // step_y)
        rows += (b"\0" + b"\x40" * width) * height if width > 0 and height > 0 else b""
    pixels = images.chunk(b"IDAT", zlib.compress(rows))
    return images.PNG_SIGNATURE + images.png_head(side, side, interlace=1) + pixels + _END


def seeds() -> dict[str, bytes]:
    """Sound files of every kind that is decoded."""
    alpha = np.dstack([_COLOR[..., ::-1], _GREY])
    palette = images.chunk(b"PLTE", bytes(range(256)) * 3) + images.chunk(b"tRNS", bytes(range(256)))
    noted = images.exif(images.oriented(6))
    return {
        "png grey": images.grey_png(_GREY, images.physical(19685, 19685)),
        "png rgb": images.png(_COLOR[..., ::-1], images.RGB),
        "png alpha": images.png(alpha, images.RGB_ALPHA),
        "png 16": images.png(alpha.astype(">u2") * 257, images.RGB_ALPHA, depth=16),
        "png palette": images.png(_GREY, images.PALETTE, extra=palette),
        "png bits": images.png(np.packbits(_GREY > 127, axis=1), images.GREY, depth=1, width=56),
        "png interlaced": interlaced(24),
        "jpeg": images.with_segments(images.jpeg(_COLOR), noted),
        "jpeg progressive": images.jpeg(_COLOR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "jpeg restarts": images.jpeg(_COLOR, cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
        "jpeg grey": images.jpeg(_GREY),
        "bmp": images.bmp(_COLOR, 24, per_meter=19685),
        "bmp 32": images.bmp(np.dstack([_COLOR, _GREY]), 32, coding=3, masks=images.MASKS),
        "bmp grey": images.bmp(_GREY, 8, palette=images.grey_palette(), top_down=True),
        "bmp bits": images.bmp(np.packbits(_GREY > 127, axis=1), 1, width=56, palette=images.grey_palette(2)),
    }


def mutated(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """One to four changes to a file; half of the PNGs get right checksums again, so as to come further."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_CHANGES)(changed, rng, others)
    if content.startswith(images.PNG_SIGNATURE) and rng.random() < 0.5:
        return _with_right_checksums(bytes(changed))
    return bytes(changed)


def _place(changed: bytearray, rng: random.Random) -> int:
    """Anywhere, and in the first hundred bytes as often as not."""
    return rng.randrange(max(1, min(100, len(changed)) if rng.random() < 0.5 else len(changed)))


def _flip_bit(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    if changed:
        changed[_place(changed, rng)] ^= 1 << rng.randrange(8)


def _set_byte(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    if changed:
        changed[_place(changed, rng)] = rng.randrange(256)


def _set_number(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at, form = _place(changed, rng), rng.choice((">H", "<H", ">I", "<I"))
    size = struct.calcsize(form)
    changed[at : at + size] = struct.pack(form, rng.choice(_EDGES) & (256**size - 1))


def _cut(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    del changed[_place(changed, rng) :]


def _remove(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = _place(changed, rng)
    del changed[at : at + rng.randint(1, 64)]


def _repeat(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = _place(changed, rng)
    changed[at:at] = changed[at : at + rng.randint(1, 400)] * rng.randint(1, 5)


def _insert(changed: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = _place(changed, rng)
    changed[at:at] = rng.randbytes(rng.randint(1, 64))


def _splice(changed: bytearray, rng: random.Random, others: list[bytes]) -> None:
    other = rng.choice(others)
    at = rng.randrange(len(other))
    changed[_place(changed, rng) :] = other[at:]


_CHANGES: Final[tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...]] = (
    _flip_bit, _flip_bit, _set_byte, _set_byte, _set_number, _cut, _remove, _repeat, _insert, _splice,
)  # fmt: skip


def _with_right_checksums(content: bytes) -> bytes:
    parts, at = [content[:8]], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if at + 12 + length > len(content):
            break
        parts.append(images.chunk(content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join([*parts, content[at:]])


def _bits(text: str) -> bytes:
    """Bits of a JPEG's scan, filled with ones, every 0xFF stuffed."""
    filled = text + "1" * (-len(text) % 8)
    return int(filled, 2).to_bytes(len(filled) // 8, "big").replace(b"\xff", b"\xff\x00")


def progressive(side: int, n_scans: int, *, n_bytes: int = 0) -> bytes:
    """A color JPEG without content, whose refining scans say "nothing here" of 32 767 blocks at a time."""
    n_blocks = (-(-side // 8)) ** 2
    frame = struct.pack(">BHHB", 8, side, side, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    one_code = bytes([1] + [0] * 15)
    tables = images.segment(0xDB, b"\0" + b"\1" * 64) + images.segment(0xC4, b"\x00" + one_code + b"\x00")
    tables += images.segment(0xC4, b"\x10" + one_code + b"\xe0")
    first = images.segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0])) + _bits("0" * 3 * n_blocks)
    nothing = _bits(("0" + "1" * 14) * -(-n_blocks // 32_767))
    scans = [images.segment(0xDA, bytes([1, 1 + n % 3, 0, 1, 63, 0x10])) + nothing for n in range(3)]
    wanted = n_scans - 1 if not n_bytes else n_bytes // len(scans[0])
    body = b"".join((scans * (wanted // 3 + 1))[:wanted])
    return b"\xff\xd8" + tables + images.segment(0xC2, frame) + first + body + b"\xff\xd9"


def _png_of(head: bytes, row: bytes, n_rows: int) -> bytes:
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"\0" + row) for _ in range(n_rows)) + packer.flush()
    return images.PNG_SIGNATURE + head + images.chunk(b"IDAT", data) + _END


def _inflating_to(n_mib: int) -> bytes:
    """A zlib stream of zeros: one block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(4 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (n_mib * MIB % 65_521) << 16 | 1
    return b"\x78\xda" + block * (n_mib // 4) + b"\x03\x00" + struct.pack(">I", checksum)


def photograph() -> bytes:
    """A progressive JPEG of 24 million pixels, as large as a request may be: the dearest honest file."""
    noise = cv2.resize(images.picture(500, 750), (6000, 4000), interpolation=cv2.INTER_CUBIC)
    return images.jpeg(noise, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 92)


def bombs() -> Mapping[str, Callable[[], bytes]]:
    """Files that cost more than their bytes promise, by name."""
    small = images.grey_png(_GREY)
    jpeg = images.without_jfif(images.jpeg(_COLOR))
    frame_at = jpeg.index(b"\xff\xc0") + 5
    scan_at = jpeg.index(b"\xff\xda")
    start = images.PNG_SIGNATURE + images.png_head(56, 40)

    def with_metadata(kind: bytes) -> bytes:
        return start + images.chunk(kind, b"name\0\0" + _inflating_to(1000)) + small[33:]

    return {
        "a photograph of 24 million pixels": photograph,
        "PNG that claims 60 000 × 60 000": lambda: (
            images.PNG_SIGNATURE + images.png_head(60_000, 60_000) + small[33:]
        ),
        "PNG, 25 million white pixels of a bit": lambda: _png_of(
            images.png_head(5000, 5000, 1), b"\xff" * 625, 5000
        ),
        "PNG, 25 million pixels of 8 bytes": lambda: _png_of(
            images.png_head(5000, 5000, 16, images.RGB_ALPHA), bytes(40_000), 1
        ),
        "PNG, 12 million pixels of 8 bytes, transparent": lambda: _png_of(
            images.png_head(5000, 2490, 16, images.RGB_ALPHA), bytes(40_000), 2490
        ),
        "PNG, 24 million pixels of 4 bytes, transparent": lambda: _png_of(
            images.png_head(5000, 4990, 8, images.RGB_ALPHA), bytes(20_000), 4990
        ),
        "PNG of 8 × 8 that inflates to 4 000 MiB": lambda: (
            images.PNG_SIGNATURE + images.png_head(8, 8) + images.chunk(b"IDAT", _inflating_to(4000)) + _END
        ),
        "PNG with a profile that inflates to 1 000 MiB": lambda: with_metadata(b"iCCP"),
        "PNG with a text that inflates to 1 000 MiB": lambda: with_metadata(b"zTXt"),
        "PNG of 350 000 chunks": lambda: start + images.chunk(b"tEXt") * 349_000 + small[33:],
        "PNG with a million animation frames": lambda: (
            start + images.chunk(b"acTL", struct.pack(">II", 10**6, 0)) + small[33:]
        ),
        "JPEG that claims 65 535 × 65 535": lambda: (
            jpeg[:frame_at] + struct.pack(">HH", 65_535, 65_535) + jpeg[frame_at + 4 :]
        ),
        "JPEG, 25 million pixels of 1 kB": lambda: (
            jpeg[:frame_at] + struct.pack(">HH", 5000, 5000) + jpeg[frame_at + 4 :]
        ),
        "progressive JPEG, 25 million pixels, 32 scans": lambda: progressive(5000, 32),
        "progressive JPEG, 25 million pixels, 4 MiB of scans": lambda: progressive(5000, 0, n_bytes=LARGEST),
        "JPEG of 4 MiB of fill bytes": lambda: jpeg[:scan_at] + b"\xff" * LARGEST + jpeg[scan_at:],
        "JPEG of a million restarts": lambda: jpeg[:-2] + b"\xff\xd0" * (2 * MIB) + b"\xff\xd9",
        "JPEG of a million tables": lambda: jpeg[:2] + b"\xff\xc4\0\2" * MIB + jpeg[2:],
        "BMP of run lengths for 25 million pixels": lambda: images.bmp(
            np.zeros((1, 4), np.uint8), 8, width=5000, coding=1, palette=images.grey_palette()
        ),
        "BMP that claims 5000 × 5000": lambda: (
            images.bmp(_COLOR, 24)[:18] + struct.pack("<ii", 5000, 5000) + images.bmp(_COLOR, 24)[26:]
        ),
        "EXIF whose directory points to itself": lambda: images.with_segments(
            jpeg, images.exif(b"II*\0\0\0\0\0" + bytes(60_000))
        ),
    }


def outcome_of(content: bytes) -> str:
    """Decode a file in every way that encoders do.

    Raises:
        AssertionError: What came is not a picture of the stated size.
    """
    try:
        image = open_image(content)
        assert image.header.width * image.header.height <= MAX_PIXELS
        for reduce in (1, 8):
            pixels = decode_color(image, reduce=reduce)
            sides = sorted((-(-image.header.width // reduce), -(-image.header.height // reduce)))
            assert pixels.dtype == np.uint8
            assert sorted(pixels.shape[:2]) == sides
        assert decode_grey(image).size == image.header.width * image.header.height
    except ImageError as error:
        return error.code
    return "decoded"


def _status_mib(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def _forget_peak() -> float:
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mib("VmRSS")


def cost_of(name: str, content: bytes) -> Cost:
    before_mib, started_s = _forget_peak(), time.process_time()
    outcome = outcome_of(content)
    cpu_s = time.process_time() - started_s
    return Cost(name, len(content) / MIB, outcome, cpu_s, _status_mib("VmHWM") - before_mib)


def costs_of_bombs(names: Iterable[str]) -> Iterator[Cost]:
    made = bombs()
    for name in names:
        yield cost_of(name, made[name]())


def totals_of_mutations(n: int) -> dict[str, object]:
    """Outcomes of so many changed files, the dearest file, and the memory that stays."""
    rng, sound = random.Random(14), seeds()
    names, others = list(sound), list(sound.values())
    outcomes: Counter[str] = Counter(outcome_of(content) for content in others)
    assert outcomes.keys() == {"decoded"}
    resident_mib, dearest_s = _forget_peak(), 0.0
    for number in range(n):
        name = names[number % len(names)]
        content = mutated(sound[name], rng, others)
        started_s = time.process_time()
        outcomes[outcome_of(content)] += 1
        dearest_s = max(dearest_s, time.process_time() - started_s)
    peak_mib = _status_mib("VmHWM") - resident_mib
    return {
        "outcomes": dict(outcomes - Counter(decoded=len(others))),
        "dearest_s": dearest_s,
        "peak_mib": peak_mib,
        "kept_mib": _status_mib("VmRSS") - resident_mib,
    }


def main(which: str, n: str = "0") -> None:
    if which.endswith("bombs"):
        for cost in costs_of_bombs(name for name in bombs() if which == "bombs" or name not in DEAR):
            sys.stdout.write(json.dumps(asdict(cost)) + "\n")
    else:
        sys.stdout.write(json.dumps(totals_of_mutations(int(n))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
