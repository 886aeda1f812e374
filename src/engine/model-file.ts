import { open, readFile, type FileHandle } from 'node:fs/promises';
import { BdcError } from '../errors.js';
import type { ModelManifest } from './manifest.js';
import { parseManifest } from './manifest-validation.js';
import { headerLength, parseHeader, PREFIX_BYTES, type SafetensorsHeader } from './safetensors.js';

export interface ModelFile {
  readonly bytes: Uint8Array;
  readonly header: SafetensorsHeader;
  readonly manifest: ModelManifest;
}

const unreadable = (path: string, cause: unknown): BdcError => {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new BdcError('model', {
    code: code === 'ENOENT' ? 'MODEL_NOT_FOUND' : 'MODEL_UNREADABLE',
    message: code === 'ENOENT' ? `there is no model file ${path}` : `can't read the model file: ${message}`,
    cause,
  });
};

/** Errors of the file's content name the file. */
async function naming<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof BdcError)) throw unreadable(path, cause);
    throw new BdcError(cause.kind, { code: cause.code, message: `${path}: ${cause.message}`, cause });
  }
}

/** Reads and checks a whole model file. @throws BdcError of kind `model` */
export function readModelFile(path: string): Promise<ModelFile> {
  return naming(path, async () => {
    const bytes = await readFile(path);
    const length = headerLength(bytes.subarray(0, PREFIX_BYTES), bytes.length);
    const header = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
    return { bytes, header, manifest: parseManifest(header.metadata) };
  });
}

/** Reads and checks the manifest of a model file, not its tensors. @throws BdcError of kind `model` */
export function readManifest(path: string): Promise<ModelManifest> {
  return naming(path, async () => {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const length = headerLength(await readBytes(file, 0, PREFIX_BYTES), size);
      return parseManifest(parseHeader(await readBytes(file, PREFIX_BYTES, length)).metadata);
    } finally {
      await file.close();
    }
  });
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
