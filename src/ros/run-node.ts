import { nativeProcess } from '../engine/native.js';
import { BdcError } from '../errors.js';
import { MessageCodec } from '../messages/message-codec.js';
import { Diagnostics } from './diagnostics/diagnostics.js';
import { guardExecute } from './guarded-execute.js';
import { Lifecycle } from './lifecycle.js';
import { NodeHealth } from './node-health.js';
import { NodeServices } from './node-services.js';
import { declareNodeParameters } from './node-settings.js';
import { OccupancyNode } from './occupancy-node.js';
import { givenOverrides, nodeWithoutOverrides, overridesFor, strayKeys } from './parameter-overrides.js';
import { publishParameterEvents } from './parameter-events.js';
import { ParameterServer } from './parameter-server.js';
import { QosTranslator } from './quality-of-service.js';
import type { Node, Rclnodejs } from './rclnodejs-types.js';
import { initialiseRos } from './ros-context.js';
import type { RosContext } from './ros-context.js';
import { ShutdownSequence } from './shutdown-sequence.js';
import type { ShutdownReason } from './shutdown-sequence.js';
import { thrownCondition, ThrottledLog } from './throttled-log.js';
import { checkTopicNames } from './topic-names.js';

const NODE_NAME = 'bdc_occ';
/** After this the process ends whatever still runs. */
const SHUTDOWN_LIMIT_MS = 900;
/** Exit code where it had to. */
const OVERDUE = 1;

/**
 * Runs the node until a signal, an unexpected error or the end of the ROS context. Sets the exit code: 0, 3 after an unexpected
 * error, 1 where the end took longer than it may.
 *
 * @param args `--ros-args …`, as ROS 2 starts nodes
 * @throws BdcError `environment` without a usable ROS 2, `configuration` for arguments and parameters; with `autostart` also what
 *     `configure` refuses
 */
export async function runNode(args: readonly string[]): Promise<void> {
  const shutdown = new ShutdownSequence();
  const ros = await initialiseRos(NODE_NAME, args);
  try {
    const early = await shutdown.soFar();
    if (early !== undefined) {
      process.exitCode = early.exitCode;
      process.stderr.write(`${early.text} before the node was there: shutting down\n`);
      return;
    }
    const running = new RunningNode(ros);
    running.onGraphGone(() => shutdown.graphIsGone());
    const reason = await Promise.race([shutdown.requested, running.start()]);
    await running.stop(reason ?? (await shutdown.requested));
  } finally {
    ros.rclnodejs.shutdown();
  }
}

/** The node with everything around it, in the order in which it is put together and taken apart. */
class RunningNode {
  readonly #node: Node;
  readonly #occupancy: OccupancyNode;
  readonly #lifecycle: Lifecycle;
  readonly #services: NodeServices;
  readonly #health: NodeHealth;
  readonly #diagnostics: Diagnostics;
  readonly #isAutostarted: boolean;

  constructor({ rclnodejs, addon, context }: RosContext) {
    const node = nodeWithoutOverrides(rclnodejs, addon, NODE_NAME);
    this.#node = node;
    const logger = node.getLogger();
    const log = new ThrottledLog(logger);
    let callbackErrors = 0;
    guardExecute(node, {
      onError: (error) => {
        callbackErrors++;
        const text = (error as Error).stack ?? String(error);
        log.error(thrownCondition(error), `a callback failed (${callbackErrors} times so far): ${text}`);
      },
    });
    const given = givenOverrides(addon, context);
    const fullName = node.getFullyQualifiedName();
    const overrides = overridesFor(fullName, given);
    const stray = strayKeys(fullName, given);
    if (stray.length > 0) {
      logger.warn(
        `the parameters given for ${stray.join(', ')} are not for this node, ${fullName}; use that as key, or /**`,
      );
    }
    const translator = new QosTranslator(rclnodejs.QoS);
    publishParameterEvents(node, translator);
    const parameters = new ParameterServer(node, rclnodejs, overrides);
    const settings = declareNodeParameters(parameters);
    checkTopicNames(settings, (topic) => node.resolveTopicName(topic));
    const codec = new MessageCodec();
    this.#isAutostarted = settings.autostart;
    this.#occupancy = new OccupancyNode({ node, translator, codec, parameters, settings });
    useSimTime(node, rclnodejs, overrides.get('use_sim_time'));
    this.#lifecycle = new Lifecycle(node, addon, this.#occupancy);
    const statisticsQos = settings.qos.statistics;
    this.#diagnostics = new Diagnostics({ node, translator, codec, statisticsQos });
    this.#health = new NodeHealth({
      node,
      occupancy: this.#occupancy,
      lifecycle: this.#lifecycle,
      diagnostics: this.#diagnostics,
      translator,
      parameters,
      settings,
      callbackErrors: () => callbackErrors,
    });
    this.#services = new NodeServices({
      ...{ node, parameters },
      ...{ occupancy: this.#occupancy, lifecycle: this.#lifecycle },
    });
  }

  /** Calls back right before the ROS context takes the node away, whoever asked for that. */
  onGraphGone(callback: () => void): void {
    const destroy = this.#node.destroy.bind(this.#node);
    this.#node.destroy = () => {
      this.#health.close();
      this.#occupancy.graphIsGone();
      callback();
      destroy();
    };
  }

  /** @throws what a transition refuses */
  async start(): Promise<undefined> {
    this.#node.spin();
    if (!this.#isAutostarted) {
      this.#node.getLogger().info('waiting for "configure" and "activate": autostart is off');
      return;
    }
    for (const transition of ['configure', 'activate'] as const) {
      const error = await this.#lifecycle.change(transition);
      if (error !== undefined) throw error;
    }
  }

  /** Ends work in order: no more input, the frame in work dropped, publishers destroyed, native memory freed. */
  async stop({ text, exitCode, isGraphGone }: ShutdownReason): Promise<void> {
    setTimeout(() => {
      process.stderr.write(`the end took longer than ${SHUTDOWN_LIMIT_MS} ms: ending without it\n`);
      // the middleware's exit handlers would abort: they take a living graph apart
      nativeProcess().end(OVERDUE);
    }, SHUTDOWN_LIMIT_MS).unref();
    process.exitCode = exitCode;
    this.#health.close();
    // the logger goes with the context
    if (isGraphGone) process.stderr.write(`${text}: shutting down\n`);
    else if (exitCode === 0) this.#node.getLogger().info(`${text}: shutting down`);
    else this.#node.getLogger().error(`${text}: shutting down`);
    await this.#lifecycle.end(() => this.#occupancy.release());
    await this.#services.settled();
    if (!isGraphGone) this.#diagnostics.close();
  }
}

/** @throws BdcError `PARAMETER_INVALID` */
function useSimTime(node: Node, { Parameter, ParameterType }: Rclnodejs, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== 'boolean') {
    throw new BdcError('configuration', {
      code: 'PARAMETER_INVALID',
      message: `parameter use_sim_time: expected true or false, found ${JSON.stringify(value)}`,
    });
  }
  node.setParameter(new Parameter('use_sim_time', ParameterType.PARAMETER_BOOL, value));
}
