"""From a camera's image to the network's input: the resize and crop rule of docs/model-format.md."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class ResizeCrop:
    """Scale by the larger of the two ratios, then crop left and right equally and at the top only."""

    scaled_width: int
    scaled_height: int
    left: int
    top: int
    # [3, 3]: pixel of the network's image from pixel of the camera's image (pixel centres at whole numbers).
    matrix: np.ndarray

    @staticmethod
    def of(image_size: tuple[int, int], network_size: tuple[int, int]) -> "ResizeCrop":
        """Both sizes are (width, height) in pixels."""
        (image_width, image_height), (width, height) = image_size, network_size
        scale = max(width / image_width, height / image_height)
        scaled_width = max(width, round(image_width * scale))
        scaled_height = max(height, round(image_height * scale))
        left, top = (scaled_width - width) // 2, scaled_height - height
        sx, sy = scaled_width / image_width, scaled_height / image_height
        # A pixel's centre lies half a pixel from its edge, and resizing maps edges onto edges.
        matrix = np.array([[sx, 0, 0.5 * sx - 0.5 - left], [0, sy, 0.5 * sy - 0.5 - top], [0, 0, 1.0]])
        return ResizeCrop(scaled_width, scaled_height, left, top, matrix)


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) from the file's header."""
    with Image.open(path) as file:
        return file.size


def load_image(path: Path, network_size: tuple[int, int]) -> tuple[np.ndarray, ResizeCrop]:
    """RGB image as uint8 [3, height, width], and how it was resized. `network_size` is (width, height).

    @raises FileNotFoundError, or ValueError for a file that can't be decoded.
    """
    width, height = network_size
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow's errors of damaged files, which don't all tell the name.
        raise ValueError(f"{path}: not an image that can be decoded, or a damaged one ({error})") from error
    rule = ResizeCrop.of(image.size, network_size)
    if image.size != (rule.scaled_width, rule.scaled_height):
        image = image.resize((rule.scaled_width, rule.scaled_height), Image.BILINEAR)
    image = image.crop((rule.left, rule.top, rule.left + width, rule.top + height))
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1)), rule
