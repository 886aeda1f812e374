import type { Engine } from '../engine/types.js';
import type { NodeSettings } from './node-settings.js';
import type { PublishedTopic } from './outputs/output-publishers.js';
import type { SubscribedTopic } from './typed-subscriptions.js';

/** One block that says what the node works with: model, instruction set, threads, cameras and topics. */
export function startUpText(
  { manifest, isa, threads, mode }: Engine,
  { baseFrame, anchorCamera, cameras }: NodeSettings,
  {
    subscribed,
    published,
  }: { readonly subscribed: readonly SubscribedTopic[]; readonly published: readonly PublishedTopic[] },
): string {
  // names as the graph has them, namespace and remapping included
  const resolved = (topic: string): string =>
    subscribed.find(({ requested }) => requested === topic)?.topic ?? topic;
  return [
    `ready: model ${manifest.name} (${mode}, ${isa}, ${threads} threads), results in frame ${baseFrame}`,
    ...cameras.map(({ name, imageTopic, infoTopic, calibrationFile }) => {
      const calibration = calibrationFile ?? resolved(infoTopic);
      return `  camera ${name}${name === anchorCamera ? ' (anchor)' : ''}: ${resolved(imageTopic)}, ${calibration}`;
    }),
    `  publishes ${published.map(({ topic }) => topic).join(', ')}`,
  ].join('\n');
}
