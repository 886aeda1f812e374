import { BdcError } from '../errors.js';
import type { NodeSettings } from './node-settings.js';

/** Names of the topics that the node will subscribe to, by parameter. */
const topicParameters = ({ cameras, egoMotion }: NodeSettings): readonly (readonly [string, string])[] => [
  ...cameras.flatMap(({ name, imageTopic, infoTopic, calibrationFile }) => [
    [`camera.${name}.image_topic`, imageTopic] as const,
    ...(calibrationFile === undefined ? [[`camera.${name}.info_topic`, infoTopic] as const] : []),
  ]),
  ...(egoMotion.source === 'odometry' ? [['ego_motion.odom_topic', egoMotion.odomTopic] as const] : []),
];

/**
 * @param resolve as rcl does when a topic is subscribed (`~`, `{node}`, remapping …); throws where the name is no topic
 * @throws BdcError `PARAMETER_INVALID`
 */
export function checkTopicNames(settings: NodeSettings, resolve: (topic: string) => string): void {
  for (const [parameter, topic] of topicParameters(settings)) {
    try {
      resolve(topic);
    } catch (cause) {
      throw new BdcError('configuration', {
        code: 'PARAMETER_INVALID',
        message:
          `parameter ${parameter}: expected a topic name of letters, digits, _ and / (no part empty or beginning with a digit), ` +
          `found ${JSON.stringify(topic)}; correct the parameter file or the command line`,
        cause,
      });
    }
  }
}
