import { readFile } from 'node:fs/promises';
import { loadEngine } from '../engine/load-engine.js';
import { shippedModel } from '../engine/shipped-model.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { parseCalibrationFile } from '../geometry/calibration-file.js';
import type { MessageCodec } from '../messages/message-codec.js';
import type { CalibratedCamera } from './camera-subscriptions.js';
import { createTogether } from './create-together.js';
import { FrameStatistics } from './frame-statistics.js';
import type { Lifecycle, ManagedNode } from './lifecycle.js';
import { modelSettings } from './node-settings.js';
import type { NodeSettings } from './node-settings.js';
import { OutputPublishers } from './outputs/output-publishers.js';
import type { ParameterServer } from './parameter-server.js';
import { PerceptionSession } from './perception-session.js';
import type { QosTranslator } from './quality-of-service.js';
import type { Node } from './rclnodejs-types.js';
import { resultSelection } from './result-selection.js';
import { RosTime } from './ros-time.js';
import { startUpText } from './start-up-text.js';
import { ThrottledLog } from './throttled-log.js';
import { TypedSubscriptions } from './typed-subscriptions.js';

/** One jump is seen by the clock and by the images, within this time. */
const SAME_JUMP_MS = 2000;

export interface OccupancyNodeOptions {
  readonly node: Node;
  readonly translator: QosTranslator;
  readonly codec: MessageCodec;
  readonly parameters: ParameterServer;
  readonly settings: NodeSettings;
}

/** A model ready to run, and what was made for it. */
interface Configured {
  readonly engine: Engine;
  readonly outputs: OutputPublishers;
  readonly cameras: readonly CalibratedCamera[];
}

/**
 * Camera topics in, result topics out, as a managed node: `configure` loads the model, `activate` joins the graph and works, `deactivate`
 * stops that and keeps the model, `cleanup` frees it. Nothing here computes on the event loop: images are decoded and the network runs on
 * native threads, the newest frame wins.
 */
export class OccupancyNode implements ManagedNode {
  readonly statistics = new FrameStatistics();
  readonly time: RosTime;
  readonly #options: OccupancyNodeOptions;
  readonly #log: ThrottledLog;
  #configured: Configured | undefined;
  #session: PerceptionSession | undefined;
  #error: Error | undefined;
  #isGraphGone = false;
  #lastJumpMs = -Infinity;

  constructor(options: OccupancyNodeOptions) {
    const { node, translator, codec, parameters } = options;
    this.#options = options;
    this.#log = new ThrottledLog(node.getLogger());
    this.time = new RosTime(node, {
      translator,
      codec,
      onBackwardJump: (from) => {
        this.#session?.clear({ from, now: () => this.time.nowNs });
        this.#onTimeJump();
      },
    });
    parameters.require((values) => {
      if (this.#configured !== undefined) resultSelection(values, this.#configured.engine.manifest);
    });
  }

  get engine(): Engine | undefined {
    return this.#configured?.engine;
  }

  get outputs(): OutputPublishers | undefined {
    return this.#configured?.outputs;
  }

  /** Undefined unless active. */
  get session(): PerceptionSession | undefined {
    return this.#session;
  }

  /** What made the last transition fail; undefined after one that went well. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** The ROS context took publishers and subscriptions away. */
  get isGraphGone(): boolean {
    return this.#isGraphGone;
  }

  /** @throws BdcError of kind `model`, `camera` (a calibration file) or `configuration` */
  async configure(): Promise<void> {
    const cameras = await this.#calibratedCameras();
    const engine = await this.#loadEngine();
    this.#configured = { engine, cameras, outputs: this.#makeOutputs(engine) };
    this.#error = undefined;
  }

  async activate(): Promise<void> {
    await this.#startSession(this.#configured!);
    this.#error = undefined;
    const { node, settings } = this.#options;
    const { engine, outputs } = this.#configured!;
    const topics = { subscribed: this.#session!.subscriptions.topics, published: outputs.topics };
    node.getLogger().info(startUpText(engine, settings, topics));
  }

  async deactivate(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close(() => this.#isGraphGone);
  }

  cleanup(): Promise<void> {
    if (!this.#isGraphGone) this.#configured?.outputs.close();
    this.#configured?.engine.dispose();
    this.#configured = undefined;
    return Promise.resolve();
  }

  async release(): Promise<void> {
    await this.deactivate();
    await this.cleanup();
  }

  onTransitionError(transition: string, error: unknown): void {
    this.#error = error as Error;
    const text = error instanceof BdcError ? `${error.message} [${error.code}]` : (error as Error).stack;
    this.#options.node.getLogger().error(`${transition} failed: ${text}`);
  }

  /**
   * Loads the model that the parameters name now, and goes on with it; the old one works until then, and stays if the new one is no good.
   * @param lifecycle transitions go on while the model is read, but none comes into the change
   * @throws BdcError as `configure`, and `NODE_NOT_CONFIGURED`
   */
  async reloadModel(lifecycle: Pick<Lifecycle, 'exclusively'>): Promise<Engine> {
    const before = this.#configured;
    if (before === undefined) {
      throw new BdcError('configuration', {
        code: 'NODE_NOT_CONFIGURED',
        message: 'there is no model to take the place of; configure the node first',
      });
    }
    const engine = await this.#loadEngine();
    return lifecycle.exclusively(async () => {
      if (this.#configured !== before || this.#isGraphGone) {
        engine.dispose();
        throw new BdcError('configuration', {
          code: 'NODE_NOT_CONFIGURED',
          message: 'the node was cleaned up or got another model while this one was read; reload again',
        });
      }
      const wasActive = this.#session !== undefined;
      await this.deactivate();
      await this.cleanup();
      this.#configured = { engine, cameras: before.cameras, outputs: this.#makeOutputs(engine) };
      if (wasActive) await this.#startSession(this.#configured);
      return engine;
    });
  }

  /** The ROS context is about to take publishers and subscriptions away: nothing may touch them any more. */
  graphIsGone(): void {
    this.#isGraphGone = true;
  }

  async #startSession({ engine, outputs, cameras }: Configured): Promise<void> {
    const { node, translator, codec, settings } = this.#options;
    const subscriptions = new TypedSubscriptions(node, translator, codec);
    try {
      this.#session = createTogether(
        node,
        () =>
          new PerceptionSession({
            settings,
            cameras,
            subscriptions,
            engine,
            outputs,
            statistics: this.statistics,
            time: this.time,
            log: this.#log,
            onTimeJump: () => this.#onTimeJump(),
          }),
      );
    } catch (error) {
      await subscriptions.close(() => this.#isGraphGone);
      throw error;
    }
  }

  #makeOutputs(engine: Engine): OutputPublishers {
    const { node, translator, codec, settings, parameters } = this.#options;
    return new OutputPublishers({
      node,
      qos: translator,
      codec,
      settings,
      values: parameters.values,
      manifest: engine.manifest,
    });
  }

  async #loadEngine(): Promise<Engine> {
    const { parameters, settings } = this.#options;
    const { file, engine: options } = modelSettings(parameters.values);
    const engine = await loadEngine(file ?? shippedModel(), { ...options, logits: false });
    for (const warning of engine.warnings) this.#options.node.getLogger().warn(warning);
    try {
      const { manifest } = engine;
      if (settings.cameras.length > manifest.input.cameras) {
        throw new BdcError('configuration', {
          code: 'TOO_MANY_CAMERAS',
          message: `model ${manifest.name} takes at most ${manifest.input.cameras} cameras, found ${settings.cameras.length} in parameter cameras; name fewer`,
        });
      }
      checkClasses(() => resultSelection(parameters.values, manifest));
    } catch (error) {
      engine.dispose();
      throw error;
    }
    return engine;
  }

  #calibratedCameras(): Promise<readonly CalibratedCamera[]> {
    return Promise.all(
      this.#options.settings.cameras.map(async (settings) => {
        const file = settings.calibrationFile;
        if (file === undefined) return { settings, calibration: undefined };
        const text = await readFile(file, 'utf8').catch((cause: unknown) => {
          throw new BdcError('camera', {
            code: 'CALIBRATION_FILE_UNREADABLE',
            message: `camera ${settings.name}: cannot read its calibration file (${(cause as Error).message}); correct camera.${settings.name}.calibration_file`,
            cause,
          });
        });
        return { settings, calibration: parseCalibrationFile(text, file) };
      }),
    );
  }

  #onTimeJump(): void {
    const now = performance.now();
    if (now - this.#lastJumpMs < SAME_JUMP_MS) return;
    this.#lastJumpMs = now;
    this.#options.node
      .getLogger()
      .warn('time went backwards: images, moving transforms, poses and the frame in work were forgotten');
  }
}

/** @throws BdcError `PARAMETER_INVALID` */
function checkClasses(check: () => unknown): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BdcError('configuration', { code: 'PARAMETER_INVALID', message: cause.message, cause });
  }
}
