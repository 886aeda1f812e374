import type { ModelManifest, ModuleName } from './manifest.js';
import type { NetworkEngine } from './network-engine.js';

/** Multiply-adds of one frame with all cameras; convolutions only. */
export interface MacCounts {
  /** Binary weights on bits. */
  readonly binary: number;
  /** Real weights on real values. */
  readonly real: number;
  /** Weights of eight bits on values of eight bits. */
  readonly int8: number;
  /** Binary weights on values of eight bits (W1A8). */
  readonly binary_weight_int8_input: number;
  /** Binary weights on real values (W1A32). */
  readonly binary_weight_real_input: number;
}

export interface ModuleSummary {
  readonly parameters: number;
  /** Of the parameters, those of one bit. */
  readonly binary_parameters: number;
  readonly macs: MacCounts;
}

export interface ModelSummary extends ModuleSummary {
  readonly name: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly modules: Readonly<Record<ModuleName, ModuleSummary>>;
  readonly input: ModelManifest['input'];
  readonly grid: ModelManifest['grid'];
  /** What the network keeps of the previous frame: the operations that do, and their memory. None: it needs no ego motion. */
  readonly history: { readonly operations: readonly string[]; readonly bytes: number };
  /** Whether it needs the cameras' calibration beside their rays, and images without distortion. */
  readonly uses_calibration: boolean;
  readonly classes: { readonly occupancy: readonly string[]; readonly detection: readonly string[] };
}

const KEEP_HISTORY: ReadonlySet<string> = new Set(['align_previous', 'stereo_cost_volume']);

/** What a loaded model consists of and costs. */
export function summarizeModel(engine: NetworkEngine, bytes: number): ModelSummary {
  const { name, input, grid, graph, occupancy, detection } = engine.manifest;
  const of = (wanted?: ModuleName): ModuleSummary => {
    const macs = { binary: 0, real: 0, int8: 0, binary_weight_int8_input: 0, binary_weight_real_input: 0 };
    let parameters = 0;
    let binaryParameters = 0;
    for (const [i, { module }] of graph.operations.entries()) {
      if (wanted !== undefined && module !== wanted) continue;
      const operation = engine.operations[i]!;
      parameters += operation.parameters;
      binaryParameters += operation.binaryParameters;
      const images = operation.outputShape[0] || input.cameras;
      if (operation.arithmetic !== 'none') macs[operation.arithmetic] += operation.macs * images;
    }
    return { parameters, binary_parameters: binaryParameters, macs };
  };
  return {
    name,
    bytes,
    ...of(),
    modules: {
      image_encoder: of('image_encoder'),
      view_transformer: of('view_transformer'),
      bev_encoder: of('bev_encoder'),
      heads: of('heads'),
    },
    input,
    grid,
    history: {
      operations: graph.operations.map(({ op }) => op).filter((op) => KEEP_HISTORY.has(op)),
      bytes: engine.historyBytes,
    },
    uses_calibration: engine.usesCalibration,
    classes: {
      occupancy: occupancy?.classes.map((entry) => entry.name) ?? [],
      detection: detection?.classes.map((entry) => entry.name) ?? [],
    },
  };
}
