import { BdcError } from '../errors.js';
import type { OccupancyNode } from './occupancy-node.js';
import type { ParameterServer } from './parameter-server.js';
import type { Node } from './rclnodejs-types.js';
import { defaultDirectory, saveFrame } from './save-frame.js';

const TRIGGER = 'std_srvs/srv/Trigger';

/** The node's own services: `~/reload_model` and `~/save_frame`, both std_srvs/Trigger. */
export function offerServices(node: Node, occupancy: OccupancyNode, parameters: ParameterServer): void {
  const offer = (name: string, work: () => Promise<string>): void => {
    node.createService(TRIGGER, `~/${name}`, async () => {
      try {
        return { success: true, message: await work() };
      } catch (error) {
        const message =
          error instanceof BdcError ? `${error.message} [${error.code}]` : (error as Error).message;
        node.getLogger().error(`${name} failed: ${message}`);
        return { success: false, message };
      }
    });
  };
  offer('reload_model', async () => {
    const { manifest } = await occupancy.reloadModel();
    node.getLogger().info(`model ${manifest.name} took over`);
    return `model ${manifest.name}`;
  });
  offer('save_frame', async () => {
    const { session } = occupancy;
    const directory = (parameters.values.get('save_frame_directory') as string) || defaultDirectory();
    const file = await session?.withLastFrame((frame) => saveFrame(frame, session.intake, directory));
    if (file === undefined) {
      throw new BdcError('configuration', {
        code: 'NO_FRAME',
        message: 'there is no frame to save: the node is not active, or no camera could be used yet',
      });
    }
    node.getLogger().info(`saved the current frame: ${file}`);
    return file;
  });
}
