import { loadEngine } from '../../src/engine/load-engine.js';
import type { ModelManifest } from '../../src/engine/manifest.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import type { PerceptionResult } from '../../src/perception/types.js';
import type { CameraScene } from './camera-scene.js';
import { modelFile } from './frame-file.js';

export interface ExpectedResult {
  readonly result: PerceptionResult;
  readonly manifest: ModelManifest;
}

/** What the pipeline makes of a scene's images without any ROS in between, stamped as the node should. */
export async function expectedResult(
  scene: CameraScene,
  stamp: bigint,
  working = scene.cameras,
): Promise<ExpectedResult> {
  const { rig, frame } = scene.frame;
  const engine = await loadEngine(modelFile());
  try {
    const used = scene.cameras.flatMap((name, i) => (working.includes(name) ? [i] : []));
    const pipeline = new PerceptionPipeline({ engine });
    await pipeline.setRig({ ...rig, cameras: used.map((i) => rig.cameras[i]!) });
    const result = await pipeline.process({ stamp, images: used.map((i) => frame.images[i]) });
    return { result: result, manifest: engine.manifest };
  } finally {
    engine.dispose();
  }
}
