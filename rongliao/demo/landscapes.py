"""Pictures for the demo world, painted when it is filled: hills, water, light. No text, no people."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

# Sky above, sky below, far hills, near hills, sun.
MOODS: dict[str, tuple[Colour, Colour, Colour, Colour, Colour]] = {
    "morning": ((196, 214, 220), (246, 226, 200), (142, 164, 158), (64, 92, 84), (255, 244, 220)),
    "autumn": ((226, 196, 150), (248, 228, 188), (186, 128, 76), (112, 66, 40), (255, 236, 196)),
    "dusk": ((92, 88, 128), (232, 160, 132), (104, 84, 112), (44, 42, 62), (255, 206, 160)),
    "lake": ((176, 204, 216), (226, 236, 232), (112, 146, 150), (48, 84, 88), (250, 250, 240)),
    "snow": ((186, 198, 214), (236, 238, 240), (168, 182, 198), (96, 114, 134), (255, 252, 246)),
    "meadow": ((168, 206, 214), (240, 240, 214), (138, 174, 122), (74, 116, 70), (255, 250, 224)),
}


def _blend(first: Colour, second: Colour, share: float) -> Colour:
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def paint(mood: str, seed: int, size: tuple[int, int] = (1200, 900)) -> io.BytesIO:
    """A JPEG of a landscape; the same seed gives the same picture."""
    chance = random.Random(seed)  # noqa: S311 - a brush, not a secret
    above, below, far, near, sun = MOODS[mood]
    width, height = size
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(height):
        draw.line([(0, y), (width, y)], fill=_blend(above, below, min(1.0, y / (height * 0.7))))
    radius = height * chance.uniform(0.05, 0.09)
    x, y_sun = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.16, 0.34)
    halo = Image.new("L", size)
    ImageDraw.Draw(halo).ellipse(
        [x - 2.6 * radius, y_sun - 2.6 * radius, x + 2.6 * radius, y_sun + 2.6 * radius], fill=120
    )
    image.paste(sun, mask=halo.filter(ImageFilter.GaussianBlur(radius)))
    draw = ImageDraw.Draw(image)
    draw.ellipse([x - radius, y_sun - radius, x + radius, y_sun + radius], fill=sun)
    layers = 5
    for layer in range(layers):
        share = layer / (layers - 1)
        base = height * (0.46 + 0.13 * layer)
        waves = [
            (
                chance.uniform(0.8, 3.2) * (1 + share),
                chance.uniform(0, math.tau),
                chance.uniform(14, 60) * (1 - share / 2),
            )
            for _ in range(4)
        ]
        ridge = [
            (
                float(step),
                base + sum(high * math.sin(often * math.tau * step / width + start) for often, start, high in waves),
            )
            for step in range(0, width + 8, 8)
        ]
        draw.polygon([(0.0, float(height)), *ridge, (float(width), float(height))], fill=_blend(far, near, share))
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.6)).save(out, "JPEG", quality=88)
    out.seek(0)
    return out
