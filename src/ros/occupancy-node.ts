import { loadEngine } from '../engine/load-engine.js';
import { shippedModel } from '../engine/shipped-model.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { MessageCodec } from '../messages/message-codec.js';
import { CameraIntake } from '../perception/camera-intake.js';
import type { RiggedFrame } from '../perception/camera-intake.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import { subscribeCameras } from './camera-subscriptions.js';
import type { CameraSubscription } from './camera-subscriptions.js';
import { FrameProcessor } from './frame-processor.js';
import { InputWatch } from './input-watch.js';
import { liveSettings } from './node-settings.js';
import type { NodeSettings } from './node-settings.js';
import type { ParameterServer } from './parameter-server.js';
import type { QosProfiles } from './quality-of-service.js';
import type { Node } from './rclnodejs-types.js';
import { ResultPublisher } from './result-publisher.js';
import { ThrottledLog } from './throttled-log.js';

/** How often the log may learn of silent cameras and refused input. */
const WATCH_PERIOD_MS = 5000;

export interface OccupancyNodeOptions {
  readonly node: Node;
  readonly qos: QosProfiles;
  readonly parameters: ParameterServer;
  readonly settings: NodeSettings;
}

/**
 * Camera topics in, result topics out. Nothing here computes on the event loop: images are decoded and the network runs on native threads,
 * the newest frame wins.
 */
export class OccupancyNode {
  readonly #node: Node;
  readonly #parameters: ParameterServer;
  readonly #engine: Engine;
  readonly #intake: CameraIntake;
  readonly #frames: FrameProcessor;
  readonly #results: ResultPublisher;
  readonly #log: ThrottledLog;
  readonly #watch: NodeJS.Timeout;
  #isClosed = false;

  /**
   * Loads the model and joins the graph. Messages arrive once the node spins.
   * @throws BdcError of kind `model` or `configuration`
   */
  static async start(options: OccupancyNodeOptions): Promise<OccupancyNode> {
    const { model, engine, cameras } = options.settings;
    const loaded = await loadEngine(model ?? shippedModel(), engine);
    const { cameras: most } = loaded.manifest.input;
    if (cameras.length > most) {
      loaded.dispose();
      throw new BdcError('configuration', {
        code: 'TOO_MANY_CAMERAS',
        message: `model ${loaded.manifest.name} takes at most ${most} cameras, found ${cameras.length} in parameter cameras; name fewer`,
      });
    }
    return new OccupancyNode(options, loaded);
  }

  private constructor({ node, qos, parameters, settings }: OccupancyNodeOptions, engine: Engine) {
    const codec = new MessageCodec();
    this.#node = node;
    this.#parameters = parameters;
    this.#engine = engine;
    this.#log = new ThrottledLog(node.getLogger());
    this.#frames = new FrameProcessor(
      new PerceptionPipeline({
        engine,
        onImageError: (camera, error) =>
          this.#log.warn(`${error.code} ${camera}`, `${error.message} [${error.code}]`),
      }),
    );
    this.#results = new ResultPublisher({ node, qos, codec, manifest: engine.manifest });
    this.#intake = new CameraIntake({
      cameras: settings.cameras.map(({ name }) => name),
      anchor: settings.anchorCamera,
      baseFrame: settings.baseFrame,
      maxSpreadMs: settings.maxSpreadMs,
      maxWaitMs: settings.maxWaitMs,
      onFrame: (frame) => void this.#process(frame),
    });
    const subscriptions = subscribeCameras({
      node,
      qos,
      cameras: settings.cameras,
      codec,
      intake: this.#intake,
    });
    const watch = new InputWatch(this.#intake, subscriptions, this.#log);
    this.#watch = setInterval(() => watch.check(), WATCH_PERIOD_MS);
    this.#introduce(settings, subscriptions);
  }

  /** Ends work in order: no more frames, the one in work dropped, native memory freed. The ROS node itself belongs to the caller. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#intake.clear();
    await this.#frames.close();
    this.#engine.dispose();
  }

  async #process(frame: RiggedFrame): Promise<void> {
    if (this.#isClosed) return;
    try {
      const result = await this.#frames.process(frame);
      if (result === undefined || this.#isClosed) return;
      this.#results.publish(result, liveSettings(this.#parameters).heightBand);
      const { preprocess, modules, decode, total } = result.timings;
      const network = Object.values(modules).reduce((sum, ms) => sum + ms, 0);
      this.#node
        .getLogger()
        .debug(
          `frame ${result.stamp}: ${result.liveCameras.filter(Boolean).length} cameras, ${total.toFixed(1)} ms ` +
            `(images ${preprocess.toFixed(1)}, network ${network.toFixed(1)}, decoding ${decode.toFixed(1)})`,
        );
    } catch (error) {
      if (this.#isClosed) return;
      if (error instanceof BdcError)
        this.#log.warn(error.code, `frame dropped: ${error.message} [${error.code}]`);
      else
        this.#node
          .getLogger()
          .error(`frame dropped by a defect, please report it: ${(error as Error).stack}`);
    }
  }

  #introduce({ baseFrame, anchorCamera }: NodeSettings, subscriptions: readonly CameraSubscription[]): void {
    const { manifest, isa, threads, mode } = this.#engine;
    this.#node
      .getLogger()
      .info(
        [
          `ready: model ${manifest.name} (${mode}, ${isa}, ${threads} threads), results in frame ${baseFrame}`,
          ...subscriptions.map(
            ({ camera, image, info }) =>
              `  camera ${camera}${camera === anchorCamera ? ' (anchor)' : ''}: ${image.topic}, ${info.topic}`,
          ),
          `  publishes ${this.#results.topics.join(', ')}`,
        ].join('\n'),
      );
  }
}
