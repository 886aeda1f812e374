import type { Isa } from '../engine/types.js';
import type { HeightBand } from '../messages/occupancy-grid.js';
import { cameraParameters, NODE_PARAMETERS } from './node-parameters.js';
import type { ImageTransport } from './node-parameters.js';
import type { ParameterValue } from './parameter-declaration.js';
import type { ParameterServer } from './parameter-server.js';

export interface CameraSettings {
  readonly name: string;
  readonly imageTopic: string;
  readonly infoTopic: string;
  readonly transport: ImageTransport;
}

/** The parameters that are fixed from the start. */
export interface NodeSettings {
  readonly cameras: readonly CameraSettings[];
  readonly anchorCamera: string;
  readonly maxSpreadMs: number;
  readonly maxWaitMs: number;
  readonly baseFrame: string;
  /** Undefined: the model that is shipped. */
  readonly model: string | undefined;
  readonly engine: { readonly threads?: number; readonly isa?: Isa };
}

/** The parameters that may change at run time, as they are now. */
export interface LiveSettings {
  readonly heightBand: HeightBand;
}

/**
 * Declares all parameters of the node and reads those that are fixed.
 * @throws BdcError `PARAMETER_INVALID`
 */
export function declareNodeParameters(parameters: ParameterServer): NodeSettings {
  for (const declaration of NODE_PARAMETERS) parameters.declare(declaration);
  parameters.require(checkCameras);
  parameters.require(checkHeights);
  const values = parameters.values;
  const names = values.get('cameras') as readonly string[];
  const cameras = names.map((name): CameraSettings => {
    const declarations = cameraParameters(name);
    for (const declaration of declarations) parameters.declare(declaration);
    const [imageTopic, infoTopic, transport] = declarations.map((declaration) =>
      values.get(declaration.name),
    );
    return {
      name,
      imageTopic: imageTopic as string,
      infoTopic: infoTopic as string,
      transport: transport as ImageTransport,
    };
  });
  const threads = values.get('threads') as number;
  const isa = values.get('isa') as Isa | '';
  return {
    cameras,
    anchorCamera: (values.get('anchor_camera') as string) || names[0]!,
    maxSpreadMs: values.get('max_spread_ms') as number,
    maxWaitMs: values.get('max_wait_ms') as number,
    baseFrame: values.get('base_frame') as string,
    model: (values.get('model') as string) || undefined,
    engine: { ...(threads > 0 && { threads }), ...(isa !== '' && { isa }) },
  };
}

export const liveSettings = ({ values }: ParameterServer): LiveSettings => ({
  heightBand: {
    min: values.get('grid_min_height') as number,
    max: values.get('grid_max_height') as number,
  },
});

type Values = ReadonlyMap<string, ParameterValue>;

function checkCameras(values: Values): void {
  const cameras = values.get('cameras') as readonly string[];
  const anchor = values.get('anchor_camera') as string;
  // names become parts of parameter and topic names
  const bad = cameras.find((name) => !/^[A-Za-z]\w*$/.test(name));
  if (bad !== undefined) {
    throw new RangeError(
      `parameter cameras: expected names of letters, digits and _, found ${JSON.stringify(bad)}`,
    );
  }
  if (cameras.length === 0 || new Set(cameras).size < cameras.length) {
    throw new RangeError(
      `parameter cameras: expected different names, at least one, found [${cameras.join(', ')}]`,
    );
  }
  if (anchor !== '' && !cameras.includes(anchor)) {
    throw new RangeError(
      `parameter anchor_camera: expected one of ${cameras.join(', ')}, found ${JSON.stringify(anchor)}`,
    );
  }
  if (values.get('base_frame') === '')
    throw new RangeError('parameter base_frame: expected a frame name, found none');
}

function checkHeights(values: Values): void {
  const [low, high] = [values.get('grid_min_height') as number, values.get('grid_max_height') as number];
  if (low >= high) {
    throw new RangeError(
      `parameter grid_min_height: expected less than grid_max_height (${high}), found ${low}`,
    );
  }
}
