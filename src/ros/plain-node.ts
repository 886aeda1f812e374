import type { Node } from './rclnodejs-types.js';

/** A node without lifecycle: what tools on the graph need of one. */
export interface PlainNode extends Pick<
  Node,
  'getLogger' | 'createPublisher' | 'createSubscription' | 'execute' | 'spin'
> {
  createService(
    type: string,
    name: string,
    callback: (request: object, response: { send(message: object): void }) => void,
  ): object;
}

export interface PlainNodes {
  readonly Node: new (name: string) => PlainNode;
}
