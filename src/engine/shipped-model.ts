import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BdcError } from '../errors.js';

/**
 * The model file that comes with the program and is used where none is named.
 * @throws BdcError `MODEL_NOT_NAMED` if there is none
 */
export function shippedModel(): string {
  // from src/engine as well as from dist/engine
  const folder = new URL('../../models/edge/', import.meta.url);
  const name = existsSync(folder)
    ? readdirSync(folder).find((file) => file.endsWith('.safetensors'))
    : undefined;
  if (name === undefined) {
    throw new BdcError('model', {
      code: 'MODEL_NOT_NAMED',
      message: `expected a model file in ${fileURLToPath(folder)}, found none; name one`,
    });
  }
  return fileURLToPath(new URL(name, folder));
}
