import { createRequire } from 'node:module';

/** Loaded before the node's program: SIGUSR2 shuts the ROS context down from inside the process, as a library might. */
process.on('SIGUSR2', () => {
  const require = createRequire(new URL('../../../src/ros/rclnodejs.ts', import.meta.url));
  (require('rclnodejs') as { shutdown(): void }).shutdown();
});
