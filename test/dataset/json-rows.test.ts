import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readJsonRows } from '../../src/dataset/json-rows.js';

describe('readJsonRows', function () {
  // Megabytes of JSON, on a busy machine.
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-rows-'));
  });

  after(() => rm(folder, { recursive: true }));

  const rowsOf = async (text: string): Promise<unknown[]> => {
    const path = join(folder, 'table.json');
    await writeFile(path, text);
    const rows: unknown[] = [];
    for await (const row of readJsonRows(path)) rows.push(row);
    return rows;
  };

  it('gives what JSON.parse gives, also of rows across the chunks it reads', async () => {
    const rows = Array.from({ length: 15_000 }, (_, i) => ({
      token: `${i}-\\"]}[{,ü`,
      translation: [i / 7, [i * 1e-9], {}],
      inner: { list: [{ a: null }] },
    }));
    for (const space of [undefined, 2]) {
      const text = JSON.stringify(rows, undefined, space);
      assert.ok(text.length > 1.2e6);
      assert.deepEqual(await rowsOf(text), rows);
    }
    assert.deepEqual(await rowsOf(' [\n] \n'), []);
  });

  for (const [what, text] of [
    ['no list', '{"a": 1}'],
    ['a list of numbers', '[1, 2]'],
    ['something after the list', '[{}] [{}]'],
    ['a list that is cut', '[{"a": 1}, {"a"'],
    ['a list that is cut between rows', '[{"a": 1},'],
    ['nothing', ''],
    ['what Python writes of a NaN', '[{"a": NaN}]'],
    ['brackets that do not match', '[{"a": [}]'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(rowsOf(text), { name: 'DatasetError', code: 'DATASET_TABLE_INVALID' });
    });
  }
});
