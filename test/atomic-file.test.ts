import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AtomicFile, writeAtomically } from '../src/atomic-file.js';

describe('AtomicFile', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomic-file-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('appears under its name when it is closed, with all that was written', async () => {
    const path = join(folder, 'new', 'rows.txt');
    const file = await AtomicFile.open(path);
    const pieces = Array.from({ length: 300 }, (_, i) => `${i} ${'ü'.repeat(1000)}\n`);
    for (const piece of pieces) await file.write(piece);
    assert.ok(!existsSync(path));
    await file.close();
    assert.equal(await readFile(path, 'utf8'), pieces.join(''));
    assert.deepEqual(await readdir(join(folder, 'new')), ['rows.txt']);
  });

  it('leaves what was there if it is discarded', async () => {
    const path = join(folder, 'file');
    await writeAtomically(path, 'before');
    const file = await AtomicFile.open(path);
    await file.write('after');
    await file.discard();
    assert.equal(await readFile(path, 'utf8'), 'before');
    assert.deepEqual(await readdir(folder), ['file']);
  });

  it('reports a folder that cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(writeAtomically(join(folder, 'file', 'x'), ''), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /file\/x cannot be written/,
    });
  });

  it('reports a folder or a device under its name before anything is written', async () => {
    await assert.rejects(AtomicFile.open(folder), { message: /cannot be written: it is a folder/ });
    await assert.rejects(AtomicFile.open('/dev/null'), { message: /it is a device or a pipe/ });
    assert.deepEqual(await readdir(folder), []);
  });

  it('reports a full disk, and leaves nothing', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const path = join(folder, 'file');
    await symlink('/dev/full', `${path}.part`);
    await assert.rejects(writeAtomically(path, Buffer.alloc(100)), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /ENOSPC/,
    });
    assert.deepEqual(await readdir(folder), []);
  });
});
