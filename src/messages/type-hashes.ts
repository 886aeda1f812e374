import type { RosTypeName } from './ros-types.js';

/** Hashes of the definitions (REP-2016), as ROS 2 Jazzy has them; rosbag2 writes them beside each topic. */
export const TYPE_HASHES: Readonly<Record<RosTypeName, string>> = {
  'builtin_interfaces/msg/Time': 'RIHS01_b106235e25a4c5ed35098aa0a61a3ee9c9b18d197f398b0e4206cea9acf9c197',
  'std_msgs/msg/Header': 'RIHS01_f49fb3ae2cf070f793645ff749683ac6b06203e41c891e17701b1cb597ce6a01',
  'sensor_msgs/msg/Image': 'RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47',
  'sensor_msgs/msg/CompressedImage':
    'RIHS01_15640771531571185e2efc8a100baf923961a4d15d5569652e6cb6691e8e371a',
  'sensor_msgs/msg/CameraInfo': 'RIHS01_b3dfd68ff46c9d56c80fd3bd4ed22c7a4ddce8c8348f2f59c299e73118e7e275',
  'sensor_msgs/msg/PointCloud2': 'RIHS01_9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5',
  'sensor_msgs/msg/LaserScan': 'RIHS01_64c191398013af96509d518dac71d5164f9382553fce5c1f8cca5be7924bd828',
  'rosgraph_msgs/msg/Clock': 'RIHS01_692f7a66e93a3c83e71765d033b60349ba68023a8c689a79e48078bcb5c58564',
  'nav_msgs/msg/OccupancyGrid': 'RIHS01_8d348150c12913a31ee0ec170fbf25089e4745d17035792a1ba94d6f0bc0cfc7',
  'geometry_msgs/msg/PoseStamped': 'RIHS01_10f3786d7d40fd2b54367835614bff85d4ad3b5dab62bf8bca0cc232d73b4cd8',
  'tf2_msgs/msg/TFMessage': 'RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087',
  'vision_msgs/msg/Detection3DArray':
    'RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018',
  'visualization_msgs/msg/MarkerArray':
    'RIHS01_86cb8800b6fb05b5eff1abd7a56f62a5641d3ae9a1c29e78e67e704f1d067dcf',
  'diagnostic_msgs/msg/DiagnosticArray':
    'RIHS01_5a8a36efb05fb25070fa0fb3810290c0e6cd4862b54a8fb975a1ee8dc55a333e',
  'nav_msgs/msg/Odometry': 'RIHS01_3cc97dc7fb7502f8714462c526d369e35b603cfc34d946e3f2eda2766dfec6e0',
  'geometry_msgs/msg/TransformStamped':
    'RIHS01_0a241f87d04668d94099cbb5ba11691d5ad32c2f29682e4eb5653424bd275206',
};
