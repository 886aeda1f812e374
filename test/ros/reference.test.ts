import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { parameterFile, referenceDocument } from '../../src/ros/reference.js';

describe('what is written from the declarations of parameters and topics', () => {
  for (const [file, text] of [
    ['config/bdc_occ.yaml', parameterFile],
    ['docs/topics-and-parameters.md', referenceDocument],
  ] as const) {
    it(`${file} is what "npm run reference" writes now`, async () => {
      const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
      const expected = await format(text(), { ...(await resolveConfig(path)), filepath: path });
      assert.equal(readFileSync(path, 'utf8'), expected);
    });
  }
});
