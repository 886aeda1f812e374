"""Class lists that labels, networks and model files share: Occ3D-nuScenes' 18 and nuScenes' ten."""

from typing import NamedTuple


class OccupancyClass(NamedTuple):
    name: str
    color: tuple[int, int, int]
    traversable: bool = False


class DetectionClass(NamedTuple):
    name: str
    color: tuple[int, int, int]
    # Factor on the box size in non-maximum suppression (BEVDet's published configuration).
    nms_scale: float


# In Occ3D's order; colours as nuScenes-lidarseg paints them.
OCCUPANCY_CLASSES = (
    OccupancyClass("others", (0, 0, 0)),
    OccupancyClass("barrier", (112, 128, 144)),
    OccupancyClass("bicycle", (220, 20, 60)),
    OccupancyClass("bus", (255, 127, 80)),
    OccupancyClass("car", (255, 158, 0)),
    OccupancyClass("construction_vehicle", (233, 150, 70)),
    OccupancyClass("motorcycle", (255, 61, 99)),
    OccupancyClass("pedestrian", (0, 0, 230)),
    OccupancyClass("traffic_cone", (47, 79, 79)),
    OccupancyClass("trailer", (255, 140, 0)),
    OccupancyClass("truck", (255, 99, 71)),
    OccupancyClass("driveable_surface", (0, 207, 191), True),
    OccupancyClass("other_flat", (175, 0, 75), True),
    OccupancyClass("sidewalk", (75, 0, 75), True),
    OccupancyClass("terrain", (112, 180, 60), True),
    OccupancyClass("manmade", (222, 184, 135)),
    OccupancyClass("vegetation", (0, 175, 0)),
    OccupancyClass("free", (255, 255, 255), True),
)
FREE = 17

DETECTION_CLASSES = (
    DetectionClass("car", (255, 158, 0), 1.0),
    DetectionClass("truck", (255, 99, 71), 0.7),
    DetectionClass("construction_vehicle", (233, 150, 70), 0.7),
    DetectionClass("bus", (255, 127, 80), 0.4),
    DetectionClass("trailer", (255, 140, 0), 0.55),
    DetectionClass("barrier", (112, 128, 144), 1.1),
    DetectionClass("motorcycle", (255, 61, 99), 1.0),
    DetectionClass("bicycle", (220, 20, 60), 1.0),
    DetectionClass("pedestrian", (0, 0, 230), 1.5),
    DetectionClass("traffic_cone", (47, 79, 79), 3.5),
)
