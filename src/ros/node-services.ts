import { BdcError } from '../errors.js';
import type { Lifecycle } from './lifecycle.js';
import type { OccupancyNode } from './occupancy-node.js';
import type { ParameterServer } from './parameter-server.js';
import type { Node, ServiceResponse } from './rclnodejs-types.js';
import { defaultDirectory, saveFrame } from './save-frame.js';

const TRIGGER = 'std_srvs/srv/Trigger';

export interface NodeServicesOptions {
  readonly node: Node;
  readonly occupancy: OccupancyNode;
  readonly lifecycle: Lifecycle;
  readonly parameters: ParameterServer;
}

/** The node's own services: `~/reload_model` and `~/save_frame`, both std_srvs/Trigger. */
export class NodeServices {
  readonly #options: NodeServicesOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: NodeServicesOptions) {
    this.#options = options;
    this.#offer('reload_model', () => this.#reloadModel());
    this.#offer('save_frame', () => this.#saveFrame());
  }

  /** Resolves once every request is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #offer(name: string, work: () => Promise<string>): void {
    this.#options.node.createService(TRIGGER, `~/${name}`, async (_, response) => {
      const answered = this.#answer(name, work, response);
      this.#running.add(answered);
      await answered.finally(() => this.#running.delete(answered));
    });
  }

  async #answer(name: string, work: () => Promise<string>, response: ServiceResponse): Promise<void> {
    const { node, occupancy } = this.#options;
    const { success, message } = await outcome(work);
    // neither the log nor the answer would go anywhere
    if (occupancy.isGraphGone) return;
    if (success) node.getLogger().info(`${name}: ${message}`);
    else node.getLogger().error(`${name} failed: ${message}`);
    response.send({ success, message });
  }

  async #reloadModel(): Promise<string> {
    const { occupancy, lifecycle } = this.#options;
    const { manifest } = await occupancy.reloadModel(lifecycle);
    return `model ${manifest.name}`;
  }

  async #saveFrame(): Promise<string> {
    const { occupancy, parameters } = this.#options;
    const { session } = occupancy;
    const directory = (parameters.values.get('save_frame_directory') as string) || defaultDirectory();
    const file = await session?.withLastFrame((frame) => saveFrame(frame, session.intake, directory));
    if (file === undefined) {
      throw new BdcError('configuration', {
        code: 'NO_FRAME',
        message: 'there is no frame to save: the node is not active, or no camera could be used yet',
      });
    }
    return file;
  }
}

/** An answer of std_srvs/Trigger. */
async function outcome(
  work: () => Promise<string>,
): Promise<{ readonly success: boolean; readonly message: string }> {
  try {
    return { success: true, message: await work() };
  } catch (error) {
    const message = error instanceof BdcError ? `${error.message} [${error.code}]` : (error as Error).message;
    return { success: false, message };
  }
}
