// Writes config/bdc_occ.yaml and docs/topics-and-parameters.md from the declarations of the node's parameters and topics:
//   node --import tsx scripts/node-reference.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { parameterFile, referenceDocument } from '../src/ros/reference.ts';

for (const [file, text] of [
  ['config/bdc_occ.yaml', parameterFile()],
  ['docs/topics-and-parameters.md', referenceDocument()],
]) {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
  console.log(`written: ${file}`);
}
