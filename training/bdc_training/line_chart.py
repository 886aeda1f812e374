"""Lines with error bars as an SVG picture, without a plotting library."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 240, 40, 52


@dataclass(frozen=True)
class Line:
    """Values at x = 0, 1, 2, …; `spreads` are half the error bars' heights, `dash` an SVG dash pattern."""

    name: str
    means: Sequence[float]
    spreads: Sequence[float]
    hue: str
    dash: str = ""


def line_chart_svg(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> str:
    """The y axis goes from 0 to 1."""
    count = max(len(line.means) for line in lines)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + (right - LEFT) * x / max(count - 1, 1), bottom - (bottom - TOP) * y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(18 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    for tick in range(6):
        x, y = at(0, tick / 5)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick / 5:.1f}</text>')
    for tick in range(count):
        x, y = at(tick, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{tick}</text>')
    for row, line in enumerate(lines):
        stroke = f'fill="none" stroke="{line.hue}" stroke-width="1.6" stroke-dasharray="{line.dash}"'
        points = [at(x, y) for x, y in enumerate(line.means)]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" {stroke}/>')
        for x, (value, spread) in enumerate(zip(line.means, line.spreads, strict=True)):
            (px, top), (_, low) = at(x, value + spread), at(x, value - spread)
            parts.append(f'<path d="M{px:.1f} {top:.1f}V{low:.1f}" stroke="{line.hue}"/>')
        y = TOP + 8 + 20 * row
        parts.append(f'<path d="M{right + 16} {y}h34" {stroke}/>')
        parts.append(f'<text x="{right + 58}" y="{y + 4}">{escape(line.name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
