import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readThresholds, type Thresholds } from '../../src/expectation/thresholds.js';

describe('a file of thresholds', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'bdc-thresholds-'))));
  after(() => rm(folder, { recursive: true }));

  async function read(yaml: string): Promise<Thresholds> {
    const file = join(folder, 'thresholds.yaml');
    await writeFile(file, yaml);
    return readThresholds(file, ['car', 'manmade']);
  }

  it('is read as it is written', async () => {
    assert.deepEqual(
      await read('faults: {max: 0}\nregions: [{name: a, x: [1, 2], detections: {max: {min: 1}}}]'),
      {
        faults: { max: 0 },
        regions: [{ name: 'a', x: [1, 2], detections: { max: { min: 1 } } }],
      },
    );
  });

  for (const [what, yaml, message] of [
    ['with an unknown key', 'frame: {}', /the file has "frame", expected only frames, latency_ms, faults, /],
    [
      'with an unknown key inside',
      'regions: [{name: a, classes: [car], occupied: {}}]',
      /regions\.0 has "occupied", expected only name, x, y, z, seconds, classes, /,
    ],
    ['with a number where a range belongs', 'faults: 0', /faults must be object, found 0/],
    ['with a text for a number', 'faults: {max: none}', /faults\.max must be number, found "none"/],
    ['with an empty range', 'frames: {dropped: {}}', /frames\.dropped must NOT have fewer than 1 properties/],
    ['with a region that checks nothing', 'regions: [{name: a}]', /regions\.0 checks nothing, expected/],
    [
      'with a minimum above the maximum',
      'faults: {min: 2, max: 1}',
      /faults expects min at most max, found min 2/,
    ],
    [
      'with a region that is inside out',
      'regions: [{name: a, y: [2, -2], detections: {mean: {min: 1}}}]',
      /region "a": y expects \[from, to\] in rising order, found \[2, -2\]/,
    ],
    [
      'with a class that the model lacks',
      'regions: [{name: a, classes: [truck], detections: {mean: {min: 1}}}]',
      /the model has no class "truck", it has car, manmade/,
    ],
    ['that is empty', '', /the file must be object, found null/],
  ] as const) {
    it(`${what} is refused, with the place`, () =>
      assert.rejects(read(yaml), { code: 'THRESHOLDS_INVALID', message }));
  }

  it('that is no YAML, or not there, is refused', async () => {
    await assert.rejects(read('a: ['), { code: 'THRESHOLDS_UNREADABLE' });
    await assert.rejects(readThresholds(join(folder, 'none.yaml'), []), { code: 'THRESHOLDS_UNREADABLE' });
  });
});
