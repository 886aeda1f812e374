import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Loaded before the node's program: SIGTERM comes the moment that it opens a model file. */
const { open, readFile } = fs;
const signalFor = (file: unknown): void => {
  if (String(file).endsWith('.safetensors')) process.kill(process.pid, 'SIGTERM');
};
fs.open = (...args: Parameters<typeof open>) => {
  signalFor(args[0]);
  return open(...args);
};
fs.readFile = ((...args: Parameters<typeof readFile>) => {
  signalFor(args[0]);
  return readFile(...args);
}) as typeof readFile;
syncBuiltinESMExports();
