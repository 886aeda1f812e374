import { Command } from 'commander';
import { runNode } from '../ros/run-node.js';

export function nodeCommand(): Command {
  return new Command('node')
    .description('run as a ROS 2 node: camera topics in, voxels, grid, detections and markers out')
    .argument('[ros-args...]', 'as ROS 2 starts nodes: --ros-args --params-file FILE -r __ns:=/NAME …')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nParameters: config/bdc_occ.yaml. Topics and how to get a ROS 2 environment: docs/ros2.md.',
    )
    .action((_: readonly string[], __: object, command: Command) => runNode(command.args));
}
