import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { readFileSync } from 'node:fs';
import { BdcError } from '../errors.js';
import type { ModelManifest } from './manifest.js';

const FORMAT = 'bdc_occ';
const FORMAT_VERSION = 1;

let validator: ValidateFunction<ModelManifest> | undefined;

function manifestValidator(): ValidateFunction<ModelManifest> {
  if (validator === undefined) {
    const schema = readFileSync(new URL('../../models/manifest.schema.json', import.meta.url), 'utf8');
    validator = new Ajv({ verbose: true }).compile<ModelManifest>(JSON.parse(schema) as object);
  }
  return validator;
}

const invalid = (message: string): BdcError =>
  new BdcError('model', { code: 'MODEL_MANIFEST', message: `the model's manifest is wrong: ${message}` });

function describe({ instancePath, message, data }: ErrorObject): string {
  const found = typeof data === 'object' && data !== null ? '' : ` (found ${JSON.stringify(data)})`;
  return `${instancePath.slice(1).replaceAll('/', '.') || 'manifest'} ${message ?? 'is wrong'}${found}`;
}

/**
 * The manifest in a model file's metadata.
 * @throws BdcError `MODEL_VERSION` for a file of another format version, `MODEL_MANIFEST` naming the field that is wrong
 */
export function parseManifest(metadata: Readonly<Record<string, unknown>>): ModelManifest {
  if (typeof metadata['manifest'] !== 'string') {
    throw invalid('expected a JSON document in __metadata__.manifest, found none');
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(metadata['manifest']);
  } catch (cause) {
    throw invalid(`it is not JSON (${(cause as Error).message})`);
  }
  const { format, format_version: version } = (manifest ?? {}) as Record<string, unknown>;
  if (format === FORMAT && version !== FORMAT_VERSION) {
    throw new BdcError('model', {
      code: 'MODEL_VERSION',
      message:
        `expected a model of format version ${FORMAT_VERSION}, found ${JSON.stringify(version)}; ` +
        'export it again with the bdc_training of this release, or use the release it was made for',
    });
  }
  const validate = manifestValidator();
  if (!validate(manifest)) throw invalid(describe(validate.errors![0]!));
  checkRanges(manifest);
  return manifest;
}

/** What a schema can't say. */
function checkRanges({ input, grid, occupancy }: ModelManifest): void {
  for (const axis of [0, 1, 2] as const) {
    if (!(grid.min[axis] < grid.max[axis])) {
      throw invalid(
        `grid.min[${axis}] must be less than grid.max[${axis}] ` +
          `(found ${grid.min[axis]} and ${grid.max[axis]})`,
      );
    }
  }
  if (occupancy !== undefined && occupancy.free >= occupancy.classes.length) {
    throw invalid(
      `occupancy.free must be the index of one of the ${occupancy.classes.length} classes ` +
        `(found ${occupancy.free})`,
    );
  }
  if (input.camera_names.length > input.cameras) {
    throw invalid(
      `input.camera_names must name at most input.cameras = ${input.cameras} cameras ` +
        `(found ${input.camera_names.length})`,
    );
  }
}
