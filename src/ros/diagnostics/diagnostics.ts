import type { MessageCodec } from '../../messages/message-codec.js';
import { timeFromNs } from '../../messages/stamp.js';
import { publishCdr } from '../publish-cdr.js';
import type { QosTranslator } from '../quality-of-service.js';
import type { Node, Publisher } from '../rclnodejs-types.js';
import { ThrottledLog } from '../throttled-log.js';
import type { TopicQos } from '../topic-qos.js';
import { diagnosticArray, ERROR, OK, WARN } from './status.js';
import type { ComponentStatus } from './status.js';

/** A component that goes back and forth says so no more often. */
const SAME_CHANGE_MS = 5000;
const TYPE = 'diagnostic_msgs/msg/DiagnosticArray';
/** As diagnostic_updater publishes. */
const DIAGNOSTICS_QOS: TopicQos = { reliability: 'reliable', durability: 'volatile', depth: 1 };

export interface DiagnosticsOptions {
  readonly node: Node;
  readonly translator: QosTranslator;
  readonly codec: MessageCodec;
  readonly statisticsQos: TopicQos;
}

/** Publishes what the components say on /diagnostics, numbers on ~/statistics, and logs each change of a
 * component's state once. */
export class Diagnostics {
  readonly #node: Node;
  readonly #codec: MessageCodec;
  readonly #diagnostics: Publisher;
  readonly #statistics: Publisher;
  readonly #name: string;
  readonly #logs: ThrottledLog;
  readonly #states = new Map<string, string>();

  constructor({ node, translator, codec, statisticsQos }: DiagnosticsOptions) {
    this.#node = node;
    this.#codec = codec;
    this.#logs = new ThrottledLog(node.getLogger(), { repeatMs: SAME_CHANGE_MS });
    // nodes of the same name in different namespaces share the topic
    this.#name = node.getFullyQualifiedName().slice(1);
    this.#diagnostics = node.createPublisher(TYPE, '/diagnostics', {
      qos: translator.profile(DIAGNOSTICS_QOS),
    });
    this.#statistics = node.createPublisher(TYPE, '~/statistics', { qos: translator.profile(statisticsQos) });
  }

  publish(
    statuses: readonly ComponentStatus[],
    { hardware, nowNs }: { readonly hardware: string; readonly nowNs: bigint },
  ): void {
    for (const status of statuses) this.#log(status);
    this.#send(this.#diagnostics, statuses, hardware, nowNs);
  }

  /** Made only while somebody listens. */
  publishStatistics(
    statuses: () => readonly ComponentStatus[],
    { hardware, nowNs }: { readonly hardware: string; readonly nowNs: bigint },
  ): void {
    if (this.#statistics.subscriptionCount === 0) return;
    this.#send(this.#statistics, statuses(), hardware, nowNs);
  }

  close(): void {
    this.#node.destroyPublisher(this.#diagnostics);
    this.#node.destroyPublisher(this.#statistics);
  }

  #send(publisher: Publisher, statuses: readonly ComponentStatus[], hardware: string, nowNs: bigint): void {
    const message = diagnosticArray(statuses, { node: this.#name, hardware, stamp: timeFromNs(nowNs) });
    publishCdr(publisher, this.#codec.encode(TYPE, message));
  }

  #log({ component, level, message, cause = '' }: ComponentStatus): void {
    const state = `${level} ${cause}`;
    const before = this.#states.get(component) ?? `${OK} `;
    this.#states.set(component, state);
    if (state === before) return;
    const condition = `${component} ${state}`;
    const text = `${component}: ${message}`;
    switch (level) {
      case OK:
        this.#logs.info(condition, text);
        break;
      case WARN:
        this.#logs.warn(condition, text);
        break;
      case ERROR:
        this.#logs.error(condition, text);
        break;
    }
  }
}
