import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import { CameraStatus } from './diagnostics/camera-status.js';
import type { Diagnostics } from './diagnostics/diagnostics.js';
import { processingStatus } from './diagnostics/processing-status.js';
import { qosStatus } from './diagnostics/qos-status.js';
import { ERROR, OK, WARN } from './diagnostics/status.js';
import type { ComponentStatus } from './diagnostics/status.js';
import type { PeriodStatistics } from './frame-statistics.js';
import type { Lifecycle } from './lifecycle.js';
import type { NodeSettings } from './node-settings.js';
import type { OccupancyNode } from './occupancy-node.js';
import type { ParameterServer } from './parameter-server.js';
import type { PerceptionSession } from './perception-session.js';
import type { QosTranslator } from './quality-of-service.js';
import type { Node } from './rclnodejs-types.js';

export interface NodeHealthOptions {
  readonly node: Node;
  readonly occupancy: OccupancyNode;
  readonly lifecycle: Lifecycle;
  readonly diagnostics: Diagnostics;
  readonly translator: QosTranslator;
  readonly parameters: ParameterServer;
  readonly settings: NodeSettings;
  /** Exceptions in callbacks so far. */
  readonly callbackErrors: () => number;
}

/** Looks at the node once a period, from start to end, and has diagnostics and statistics published. */
export class NodeHealth {
  readonly #options: NodeHealthOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #eventLoop: IntervalHistogram = monitorEventLoopDelay({ resolution: 5 });
  #cameras: { readonly session: PerceptionSession; readonly status: CameraStatus } | undefined;

  constructor(options: NodeHealthOptions) {
    this.#options = options;
    this.#eventLoop.enable();
    this.#timer = setInterval(() => this.#look(), options.settings.diagnosticsPeriodMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#eventLoop.disable();
  }

  #look(): void {
    const { occupancy, diagnostics } = this.#options;
    const period = occupancy.statistics.takePeriod();
    const context = { hardware: occupancy.engine?.manifest.name ?? '', nowNs: occupancy.time.nowNs };
    diagnostics.publish(this.#statuses(period), context);
    diagnostics.publishStatistics(() => this.#statistics(period), context);
    this.#eventLoop.reset();
  }

  #statuses(period: PeriodStatistics): readonly ComponentStatus[] {
    const { occupancy, node, translator, parameters } = this.#options;
    const { session } = occupancy;
    if (session === undefined) return [this.#lifecycleStatus()];
    const limit = parameters.values.get('overrun_limit') as number;
    const { topics: subscribed } = session.subscriptions;
    return [
      this.#lifecycleStatus(),
      ...this.#cameraStatus(session).statuses(session.intake, subscribed),
      processingStatus(occupancy.statistics, period, limit),
      qosStatus(node, translator, { subscribed, published: occupancy.outputs?.topics ?? [] }),
      ...this.#egoMotionStatus(session),
    ];
  }

  /** Counts of faults start anew with each session. */
  #cameraStatus(session: PerceptionSession): CameraStatus {
    if (this.#cameras?.session !== session) {
      this.#cameras = { session, status: new CameraStatus(this.#options.settings) };
    }
    return this.#cameras.status;
  }

  #lifecycleStatus(): ComponentStatus {
    const { occupancy, lifecycle, callbackErrors } = this.#options;
    const { engine, error, time } = occupancy;
    const values = {
      state: lifecycle.state,
      ...(engine && {
        model: engine.manifest.name,
        'instruction set': engine.isa,
        threads: engine.threads,
      }),
      'simulated time': time.isSimulated,
      'exceptions in callbacks': callbackErrors(),
    };
    if (error !== undefined) return { component: 'lifecycle', level: ERROR, message: error.message, values };
    return { component: 'lifecycle', level: OK, message: lifecycle.state, values };
  }

  #egoMotionStatus({ hasFrame, lastPose }: PerceptionSession): readonly ComponentStatus[] {
    if (this.#options.settings.egoMotion.source === 'none') return [];
    const component = 'ego motion';
    if (!hasFrame) return [{ component, level: OK, message: 'no frame yet' }];
    if (lastPose === undefined) {
      return [{ component, level: WARN, message: 'the last frame has no pose: see component cameras' }];
    }
    const { frameId, worldFromBase } = lastPose;
    const [x, y, z] = worldFromBase.translation;
    const [qx, qy, qz, qw] = worldFromBase.rotation;
    const yaw = Math.atan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz));
    const values = { frame: frameId, 'x m': x, 'y m': y, 'z m': z, 'yaw rad': yaw };
    return [{ component, level: OK, message: `pose in ${frameId} at each frame's stamp`, values }];
  }

  /** Numbers over time, each component a table: what plotting tools make curves of. */
  #statistics({ seconds, stages, ...counts }: PeriodStatistics): readonly ComponentStatus[] {
    const { occupancy } = this.#options;
    const numbers = (component: string, values: Readonly<Record<string, number>>): ComponentStatus => ({
      component,
      level: OK,
      message: '',
      values,
    });
    const memory = process.memoryUsage.rss() / 2 ** 20;
    return [
      numbers('frames', {
        'period s': seconds,
        ...counts,
        'dropped in all': occupancy.statistics.total.dropped,
      }),
      ...Object.entries(stages).map(([stage, { p50, p99, max }]) =>
        numbers(`${stage} ms`, { p50, p99, max }),
      ),
      numbers('process', {
        'resident memory MiB': memory,
        'event loop delay ms max': this.#eventLoop.max / 1e6,
      }),
      numbers(
        'published',
        Object.fromEntries(
          (occupancy.outputs?.topics ?? []).map(({ topic, published }) => [topic, published]),
        ),
      ),
    ];
  }
}
