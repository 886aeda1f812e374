"""Detection targets lead back to the boxes."""

import numpy as np
import pytest

from bdc_training.detection_targets import detection_targets, gaussian_radius

MIN, MAX, SHAPE = (-40.0, -40.0, -1.0), (40.0, 40.0, 5.4), (80, 100)
CELL_X, CELL_Y = 0.8, 1.0
#        label    x      y     z    l    w    h   yaw   vx    vy
BOXES = np.array(
    [[1, 12.37, -7.71, 0.8, 4.4, 1.8, 1.6, 2.9, 6.0, -1.0], [0, -39.9, 39.9, 0.2, 0.6, 0.7, 1.7, -1.2, 0.0, 0.5]],
    dtype=np.float32,
)


def test_targets_decode_back_to_the_boxes() -> None:
    targets = detection_targets(BOXES, 3, MIN, MAX, SHAPE)
    for box, cell, code in zip(BOXES, targets.cells, targets.codes, strict=True):
        row, column = divmod(int(cell), SHAPE[1])
        assert targets.heatmap[int(box[0]), row, column] == 1
        decoded = [
            box[0],
            MIN[0] + (column + code[0]) * CELL_X,
            MIN[1] + (row + code[1]) * CELL_Y,
            code[2],
            *np.exp(code[3:6]),
            np.arctan2(code[6], code[7]),
            *code[8:10],
        ]
        np.testing.assert_allclose(decoded, box, atol=2e-5)


def test_the_heatmap_peaks_only_at_centres_and_falls_off_around_them() -> None:
    heatmap = detection_targets(BOXES[:1], 3, MIN, MAX, SHAPE).heatmap
    assert np.argwhere(heatmap == 1).tolist() == [[1, 32, 65]]
    assert 0 < heatmap[1, 32, 67] < heatmap[1, 32, 66] < 1
    assert not heatmap[0].any() and not heatmap[2].any()


def test_boxes_off_the_grid_have_no_target() -> None:
    outside = BOXES[[0, 0, 0]].copy()
    outside[0, 1], outside[1, 2], outside[2, 3] = 40.1, -40.1, 6.0
    targets = detection_targets(outside, 3, MIN, MAX, SHAPE)
    assert len(targets.cells) == 0 and targets.codes.shape == (0, 10) and not targets.heatmap.any()


def iou_shifted(length: float, width: float, r: float) -> float:
    overlap = (length - r) * (width - r)
    return overlap / (2 * length * width - overlap)


@pytest.mark.parametrize("overlap", [0.1, 0.7])
def test_the_radius_is_the_smallest_that_reaches_the_overlap_in_the_three_cases(overlap: float) -> None:
    length, width = 11.0, 5.0
    r = gaussian_radius(length, width, overlap)
    inside = (length - 2 * r) * (width - 2 * r) / (length * width)
    around = length * width / ((length + 2 * r) * (width + 2 * r))
    assert min(iou_shifted(length, width, r), inside, around) == pytest.approx(overlap)
