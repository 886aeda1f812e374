import assert from 'node:assert/strict';
import { XMLParser } from 'fast-xml-parser';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { RESULT_TYPES } from '../../src/messages/result-messages.js';
import { cameraParameters, NODE_PARAMETERS } from '../../src/ros/node-parameters.js';
import { DEFAULT_PARAMETERS } from '../../src/ros/reference.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(project + file, 'utf8');

interface Display {
  readonly Class: string;
  readonly Topic?: Readonly<Record<string, string>>;
}

describe('the files that ROS 2 users start from', () => {
  describe('config/bdc_occ.yaml', () => {
    const root = parse(read('config/bdc_occ.yaml')) as Record<
      string,
      { ros__parameters: Record<string, unknown> }
    >;
    const given = new Map<string, unknown>();
    const collect = (prefix: string, value: unknown): void => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) given.set(prefix, value);
      else
        for (const [key, inner] of Object.entries(value))
          collect(prefix === '' ? key : `${prefix}.${key}`, inner);
    };
    collect('', root['/**']!.ros__parameters);
    const declared = DEFAULT_PARAMETERS;

    it('names every parameter, and no other', () => {
      assert.deepEqual([...given.keys()].sort(), declared.map(({ name }) => name).sort());
    });

    it('shows the defaults', () => {
      for (const { name, defaultValue } of declared) assert.deepEqual(given.get(name), defaultValue, name);
    });

    it('writes doubles so that YAML keeps them doubles', () => {
      for (const { name, type } of declared.filter((declaration) => declaration.type === 'double')) {
        assert.match(
          read('config/bdc_occ.yaml'),
          new RegExp(`^ *${name.split('.').at(-1)}: -?\\d+\\.\\d+$`, 'm'),
          `${name} (${type})`,
        );
      }
    });
  });

  it('config/bdc_occ.rviz shows each result with the QoS that it is published with', () => {
    const layout = parse(read('config/bdc_occ.rviz')) as {
      'Visualization Manager': { Displays: readonly Display[] };
    };
    const topics = layout['Visualization Manager'].Displays.flatMap(({ Topic }) => (Topic ? [Topic] : []));
    for (const name of Object.keys(RESULT_TYPES).filter((result) => result !== 'detections')) {
      const topic = topics.find(({ Value }) => Value === `/bdc_occ/${name}`);
      assert.equal(
        topic?.['Durability Policy'],
        name === 'occupancy_grid' ? 'Transient Local' : 'Volatile',
        name,
      );
      assert.equal(topic?.['Reliability Policy'], 'Reliable', name);
    }
    const cameraTopics = (
      NODE_PARAMETERS.find(({ name }) => name === 'cameras')!.defaultValue as readonly string[]
    ).map((camera) => `/${cameraParameters(camera)[0].defaultValue}`);
    for (const topic of topics.filter(({ Value }) => !Value!.startsWith('/bdc_occ/'))) {
      assert.ok(cameraTopics.includes(topic['Value']!), topic['Value']);
    }
  });

  it('package.xml and package.json have the same version and licence', () => {
    const { version, license } = JSON.parse(read('package.json')) as Readonly<Record<string, string>>;
    const { package: described } = new XMLParser().parse(read('package.xml'), true) as {
      readonly package: Readonly<Record<string, string>>;
    };
    assert.deepEqual([described['version'], described['license']], [version, license]);
  });
});
