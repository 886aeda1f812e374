/** ROS 2 messages as the CDR codec takes and gives them; field names as in the .msg files, units as ROS defines them. */

export interface Time {
  readonly sec: number;
  readonly nanosec: number;
}
export type Duration = Time;

export interface Header {
  readonly stamp: Time;
  readonly frame_id: string;
}

export interface ColorRGBA {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly a: number;
}

export interface Vector3 {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}
export type Point = Vector3;

export interface Quaternion {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly w: number;
}

export interface Pose {
  readonly position: Point;
  readonly orientation: Quaternion;
}

export interface PoseWithCovariance {
  readonly pose: Pose;
  /** Row-major 6×6: x, y, z, rotations about x, y, z. */
  readonly covariance: ArrayLike<number>;
}

export interface PoseStamped {
  readonly header: Header;
  readonly pose: Pose;
}

export interface Twist {
  readonly linear: Vector3;
  readonly angular: Vector3;
}

export interface TwistWithCovariance {
  readonly twist: Twist;
  readonly covariance: ArrayLike<number>;
}

export interface TransformStamped {
  readonly header: Header;
  readonly child_frame_id: string;
  readonly transform: { readonly translation: Vector3; readonly rotation: Quaternion };
}

export interface TFMessage {
  readonly transforms: readonly TransformStamped[];
}

export interface Image {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly encoding: string;
  readonly is_bigendian: number;
  readonly step: number;
  readonly data: Uint8Array;
}

export interface CompressedImage {
  readonly header: Header;
  readonly format: string;
  readonly data: Uint8Array;
}

export interface RegionOfInterest {
  readonly x_offset: number;
  readonly y_offset: number;
  readonly height: number;
  readonly width: number;
  readonly do_rectify: boolean;
}

export interface CameraInfo {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly distortion_model: string;
  readonly d: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly r: ArrayLike<number>;
  readonly p: ArrayLike<number>;
  readonly binning_x: number;
  readonly binning_y: number;
  readonly roi: RegionOfInterest;
}

export interface PointField {
  readonly name: string;
  readonly offset: number;
  readonly datatype: number;
  readonly count: number;
}

export interface PointCloud2 {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly fields: readonly PointField[];
  readonly is_bigendian: boolean;
  readonly point_step: number;
  readonly row_step: number;
  readonly data: Uint8Array;
  readonly is_dense: boolean;
}

export interface LaserScan {
  readonly header: Header;
  /** Radians about +z, 0 = +x. */
  readonly angle_min: number;
  readonly angle_max: number;
  readonly angle_increment: number;
  readonly time_increment: number;
  readonly scan_time: number;
  readonly range_min: number;
  readonly range_max: number;
  /** Metres; +Infinity: nothing up to range_max, NaN: unknown (REP-117). */
  readonly ranges: Float32Array;
  readonly intensities: Float32Array;
}

export interface Clock {
  readonly clock: Time;
}

export interface OccupancyGrid {
  readonly header: Header;
  readonly info: {
    readonly map_load_time: Time;
    readonly resolution: number;
    readonly width: number;
    readonly height: number;
    readonly origin: Pose;
  };
  readonly data: Int8Array;
}

export interface Odometry {
  readonly header: Header;
  readonly child_frame_id: string;
  readonly pose: PoseWithCovariance;
  readonly twist: TwistWithCovariance;
}

export interface Detection3D {
  readonly header: Header;
  readonly results: readonly {
    readonly hypothesis: { readonly class_id: string; readonly score: number };
    readonly pose: PoseWithCovariance;
  }[];
  readonly bbox: { readonly center: Pose; readonly size: Vector3 };
  readonly id: string;
}

export interface Detection3DArray {
  readonly header: Header;
  readonly detections: readonly Detection3D[];
}

export interface Marker {
  readonly header: Header;
  readonly ns: string;
  readonly id: number;
  readonly type: number;
  readonly action: number;
  readonly pose: Pose;
  readonly scale: Vector3;
  readonly color: ColorRGBA;
  readonly lifetime: Duration;
  readonly frame_locked: boolean;
  readonly points: readonly Point[];
  readonly colors: readonly ColorRGBA[];
  readonly texture_resource: string;
  readonly texture: CompressedImage;
  readonly uv_coordinates: readonly { readonly u: number; readonly v: number }[];
  readonly text: string;
  readonly mesh_resource: string;
  readonly mesh_file: { readonly filename: string; readonly data: Uint8Array };
  readonly mesh_use_embedded_materials: boolean;
}

export interface MarkerArray {
  readonly markers: readonly Marker[];
}

export interface DiagnosticArray {
  readonly header: Header;
  readonly status: readonly {
    readonly level: number;
    readonly name: string;
    readonly message: string;
    readonly hardware_id: string;
    readonly values: readonly { readonly key: string; readonly value: string }[];
  }[];
}

/** The types that this project reads or writes, by ROS name. */
export interface RosMessages {
  'builtin_interfaces/msg/Time': Time;
  'std_msgs/msg/Header': Header;
  'sensor_msgs/msg/Image': Image;
  'sensor_msgs/msg/CompressedImage': CompressedImage;
  'sensor_msgs/msg/CameraInfo': CameraInfo;
  'sensor_msgs/msg/PointCloud2': PointCloud2;
  'sensor_msgs/msg/LaserScan': LaserScan;
  'rosgraph_msgs/msg/Clock': Clock;
  'nav_msgs/msg/OccupancyGrid': OccupancyGrid;
  'nav_msgs/msg/Odometry': Odometry;
  'geometry_msgs/msg/PoseStamped': PoseStamped;
  'geometry_msgs/msg/TransformStamped': TransformStamped;
  'tf2_msgs/msg/TFMessage': TFMessage;
  'vision_msgs/msg/Detection3DArray': Detection3DArray;
  'visualization_msgs/msg/MarkerArray': MarkerArray;
  'diagnostic_msgs/msg/DiagnosticArray': DiagnosticArray;
}
export type RosTypeName = keyof RosMessages;
