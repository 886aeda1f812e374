import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../../src', import.meta.url));

describe('rclnodejs', () => {
  it('is loaded by one module: import and require would give two instances that know nothing of each other', () => {
    const loaders = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        /(from|import|require)\s*\(?\s*'rclnodejs'/.test(readFileSync(path.join(sources, file), 'utf8')),
    );
    assert.deepEqual(loaders, [path.join('ros', 'rclnodejs.ts')]);
  });
});
