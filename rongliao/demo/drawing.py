"""Pictures for the demo's posts, drawn when it is filled: hills, water, streets, a table, in quiet colours."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 600, 450
Colour = tuple[int, int, int]

PALETTES: dict[str, tuple[Colour, Colour, list[Colour], Colour]] = {
    # sky above, sky below, hills from far to near, light
    "autumn": ((214, 160, 96), (247, 222, 178), [(190, 122, 70), (150, 84, 48), (96, 54, 36)], (255, 240, 206)),
    "moss": ((150, 178, 150), (224, 232, 208), [(124, 152, 104), (86, 118, 76), (52, 78, 54)], (250, 246, 222)),
    "gold": ((226, 186, 108), (250, 232, 184), [(206, 156, 78), (168, 112, 50), (110, 70, 36)], (255, 248, 220)),
    "dusk": ((74, 92, 116), (206, 160, 140), [(96, 104, 122), (66, 76, 96), (40, 48, 64)], (250, 206, 160)),
    "lake": ((132, 168, 190), (222, 234, 236), [(112, 144, 158), (76, 112, 128), (46, 78, 94)], (252, 250, 236)),
    "snow": ((176, 192, 208), (236, 240, 244), [(198, 208, 220), (164, 178, 194), (122, 138, 158)], (255, 255, 255)),
    "spring": ((190, 208, 178), (244, 236, 222), [(190, 176, 158), (150, 164, 118), (104, 132, 84)], (255, 246, 240)),
    "night": ((26, 32, 52), (70, 76, 110), [(44, 50, 78), (30, 36, 58), (18, 22, 38)], (250, 236, 190)),
}


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same picture each time is the point


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(palette: str, dice: random.Random) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    above, below, _, light = PALETTES[palette]
    column = Image.new("RGB", (1, HEIGHT))
    for row in range(HEIGHT):
        column.putpixel((0, row), _mix(above, below, row / HEIGHT))
    image = column.resize((WIDTH, HEIGHT))
    glow = Image.new("L", (WIDTH, HEIGHT), 0)
    across, down, size = dice.randrange(120, WIDTH - 120), dice.randrange(70, 190), dice.randrange(34, 62)
    ImageDraw.Draw(glow).ellipse((across - size, down - size, across + size, down + size), fill=230)
    image.paste(light, (0, 0), glow.filter(ImageFilter.GaussianBlur(2)))
    return image, ImageDraw.Draw(image)


def _ridge(dice: random.Random, base: float, height: float) -> list[tuple[float, float]]:
    waves = [(dice.uniform(0.004, 0.02), dice.uniform(0, 6.3), dice.uniform(0.2, 1.0)) for _ in range(4)]
    total = sum(weight for *_, weight in waves)
    return [
        (across, base - height * sum(w * math.sin(across * f + p) for f, p, w in waves) / total)
        for across in range(0, WIDTH + 12, 12)
    ]


def hills(palette: str, seed: int) -> bytes:
    """Ridges behind each other under a low sun."""
    dice = _dice(seed)
    image, pen = _sky(palette, dice)
    for index, colour in enumerate(PALETTES[palette][2]):
        line = _ridge(dice, HEIGHT * (0.52 + 0.17 * index), 56 - 8 * index)
        pen.polygon([(0, HEIGHT), *line, (WIDTH, HEIGHT)], fill=colour)
    return _out(image)


def water(palette: str, seed: int) -> bytes:
    """A far shore and its light on the water."""
    dice = _dice(seed)
    image, pen = _sky(palette, dice)
    far, near, deep = PALETTES[palette][2]
    shore = HEIGHT * 0.56
    pen.polygon([(0, shore), *_ridge(dice, shore - 24, 26), (WIDTH, shore)], fill=far)
    pen.rectangle((0, shore, WIDTH, HEIGHT), fill=_mix(near, PALETTES[palette][1], 0.35))
    for _ in range(46):
        down = dice.uniform(shore + 6, HEIGHT - 6)
        length = dice.uniform(24, 140) * (down - shore + 40) / 200
        across = dice.uniform(-40, WIDTH)
        pen.line((across, down, across + length, down), fill=_mix(deep, PALETTES[palette][3], 0.55), width=2)
    return _out(image)


def forest(palette: str, seed: int) -> bytes:
    """Trunks in the mist, the near ones dark."""
    dice = _dice(seed)
    image, pen = _sky(palette, dice)
    for index, colour in enumerate(PALETTES[palette][2]):
        for _ in range(15 - 4 * index):
            across, wide = dice.uniform(0, WIDTH), dice.uniform(4, 9) * (index + 1)
            top = dice.uniform(20, 150) + 30 * index
            pen.polygon(
                [(across, top), (across - wide * 3, HEIGHT * 0.95), (across + wide * 3, HEIGHT * 0.95)], fill=colour
            )
            pen.rectangle((across - wide / 2, HEIGHT * 0.7, across + wide / 2, HEIGHT), fill=colour)
    pen.rectangle((0, HEIGHT * 0.93, WIDTH, HEIGHT), fill=PALETTES[palette][2][2])
    return _out(image)


def town(palette: str, seed: int) -> bytes:
    """Roofs and a few lit windows."""
    dice = _dice(seed)
    image, pen = _sky(palette, dice)
    light = PALETTES[palette][3]
    for index, colour in enumerate(PALETTES[palette][2]):
        across = -20.0
        while across < WIDTH:
            wide, top = dice.uniform(56, 118), HEIGHT * (0.42 + 0.16 * index) + dice.uniform(-40, 40)
            pen.rectangle((across, top, across + wide, HEIGHT), fill=colour)
            pen.polygon([(across - 8, top), (across + wide / 2, top - 30), (across + wide + 8, top)], fill=colour)
            for floor in range(int(top) + 18, HEIGHT, 34):
                for place in range(int(across) + 12, int(across + wide) - 14, 24):
                    if dice.random() < 0.28:
                        pen.rectangle((place, floor, place + 9, floor + 13), fill=_mix(colour, light, 0.8))
            across += wide + dice.uniform(-6, 14)
    return _out(image)


def table(palette: str, seed: int) -> bytes:
    """Bowls on a table, seen from above."""
    dice = _dice(seed)
    above, below, tones, light = PALETTES[palette]
    image = Image.new("RGB", (WIDTH, HEIGHT), _mix(tones[1], below, 0.35))
    pen = ImageDraw.Draw(image)
    for row in range(0, HEIGHT, 90):
        pen.line((0, row, WIDTH, row + dice.randrange(-6, 6)), fill=_mix(tones[1], above, 0.4), width=2)
    for across, down, size in ((190, 190, 118), (470, 170, 96), (330, 390, 128), (585, 380, 84)):
        pen.ellipse(
            (across - size, down - size + 8, across + size, down + size + 8), fill=_mix(tones[2], tones[1], 0.4)
        )
        pen.ellipse((across - size, down - size, across + size, down + size), fill=light)
        inner = size * 0.8
        pen.ellipse((across - inner, down - inner, across + inner, down + inner), fill=tones[dice.randrange(3)])
        for _ in range(14):
            turn, far, dot = dice.uniform(0, 6.3), dice.uniform(0, inner * 0.72), dice.uniform(5, 14)
            x, y = across + far * math.cos(turn), down + far * math.sin(turn)
            pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=_mix(above, dice.choice(tones), dice.random()))
    return _out(image)


def _out(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.6)).save(out, "JPEG", quality=88)
    return out.getvalue()


SCENES = {"hills": hills, "water": water, "forest": forest, "town": town, "table": table}


def draw(name: str) -> bytes:
    """A picture by its name, "scene palette seed": the same name gives the same picture."""
    scene, palette, seed = name.split()
    return SCENES[scene](palette, int(seed))
