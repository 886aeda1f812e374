import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Loaded before the node's program: SIGTERM comes the moment that it opens a model file, which then never comes. */
const { open, readFile } = fs;
const instead = <T>(file: unknown, read: () => Promise<T>): Promise<T> => {
  if (!String(file).endsWith('.safetensors')) return read();
  process.kill(process.pid, 'SIGTERM');
  return new Promise<T>(() => undefined);
};
fs.open = (...args: Parameters<typeof open>) => instead(args[0], () => open(...args));
fs.readFile = ((...args: Parameters<typeof readFile>) =>
  instead(args[0], () => readFile(...args))) as typeof readFile;
syncBuiltinESMExports();
