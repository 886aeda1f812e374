"""What the paper says its networks need and reach on nuScenes' validation set (arXiv 2405.17037, tables 1 to 3)."""

from typing import NamedTuple

from .config import Config


class PublishedResult(NamedTuple):
    name: str
    parameters_m: float
    # Of both, what bdc_training.published_count says.
    operations_g: float
    # mIoU (%) and nothing, or mAP (%) and NDS (%).
    scores: tuple[float, ...]


OCCUPANCY = (
    PublishedResult("FlashOcc", 44.74, 248.57, (37.84,)),
    PublishedResult("ReActNet-T", 26.80, 129.74, (31.29,)),
    PublishedResult("ReActNet-B", 28.17, 133.89, (33.32,)),
    PublishedResult("BBCU-T", 26.79, 129.69, (31.39,)),
    PublishedResult("BBCU-B", 28.16, 133.84, (32.27,)),
    PublishedResult("BiMatting-T", 26.82, 129.95, (30.58,)),
    PublishedResult("BiMatting-B", 28.17, 134.05, (31.32,)),
    PublishedResult("BiSRNet-T", 26.79, 129.70, (33.17,)),
    PublishedResult("BiSRNet-B", 28.16, 133.85, (34.51,)),
    PublishedResult("BDC-T", 26.82, 129.90, (37.24,)),
    PublishedResult("BDC-B", 28.19, 134.02, (37.20,)),
)
DETECTION = (
    PublishedResult("BEVDet", 44.25, 148.77, (38.36, 49.95)),
    PublishedResult("ReActNet-T", 26.53, 101.30, (32.22, 43.58)),
    PublishedResult("BBCU-T", 26.51, 101.24, (31.66, 40.46)),
    PublishedResult("BiMatting-T", 26.55, 101.41, (33.56, 44.28)),
    PublishedResult("BiSRNet-T", 26.52, 101.25, (34.31, 45.19)),
    PublishedResult("BDC-T", 26.54, 101.36, (35.98, 46.86)),
)


def published_result(config: Config) -> PublishedResult | None:
    """The paper's row about this network; None for one that isn't the paper's.

    Of networks that see two frames the paper has the scores, but its parameters and operations are those of one frame.
    """
    if config.image_encoder.kind != "resnet50" or config.frames_before > 0:
        return None
    rows = OCCUPANCY if config.heads.detection == "none" else DETECTION
    if config.bev_encoder.kind == "flashocc":
        return rows[0]
    unit = "BDC" if config.unit.version == "V3" else config.unit.version
    size = "T" if config.image_encoder.neck == "units" else "B"
    return next((row for row in rows if row.name == f"{unit}-{size}"), None)
