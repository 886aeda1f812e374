import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { RESULT_TYPES } from '../../src/messages/result-messages.js';
import { cameraParameters, NODE_PARAMETERS } from '../../src/ros/node-parameters.js';
import { DEFAULT_PARAMETERS } from '../../src/ros/reference.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(project + file, 'utf8');

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

const XML_TO_JSON = `
import json, sys, xml.etree.ElementTree as tree
def convert(e): return {"tag": e.tag, "attributes": e.attrib, "children": [convert(child) for child in e]}
print(json.dumps(convert(tree.parse(sys.argv[1]).getroot())))
`;

/** @throws if the file is not well-formed */
const parseXml = (file: string): Element =>
  JSON.parse(execFileSync('python3', ['-c', XML_TO_JSON, project + file], { encoding: 'utf8' })) as Element;

const descendants = (element: Element): readonly Element[] => [
  element,
  ...element.children.flatMap(descendants),
];

interface Display {
  readonly Class: string;
  readonly Topic?: Readonly<Record<string, string>>;
}

describe('the files that ROS 2 users start from', function () {
  // Python starts once for each XML file that is read
  this.timeout(60_000);

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

  describe('launch files', () => {
    const files = readdirSync(`${project}launch`).map((name) => `launch/${name}`);
    const installed = new Set(
      ['launch', 'config'].flatMap((folder) =>
        readdirSync(project + folder).map((name) => `${folder}/${name}`),
      ),
    );

    for (const file of files) {
      it(`${file} is well-formed and names only arguments and files that are there`, () => {
        const elements = descendants(parseXml(file));
        const args = elements.filter(({ tag }) => tag === 'arg').map(({ attributes }) => attributes['name']);
        const texts = elements.flatMap(({ attributes }) => Object.values(attributes));
        for (const [, name] of texts.join('\n').matchAll(/\$\(var (\w+)\)/g))
          assert.ok(args.includes(name), `argument ${name}`);
        for (const [, name] of texts.join('\n').matchAll(/\$\(find-pkg-share bdc_occ\)\/([\w./]+)/g)) {
          assert.ok(installed.has(name!), `file ${name}`);
        }
      });
    }

    it('start the executable that CMake installs', () => {
      const executables = files.flatMap((file) =>
        descendants(parseXml(file)).filter(
          ({ tag, attributes }) => tag === 'node' && attributes['pkg'] === 'bdc_occ',
        ),
      );
      assert.ok(executables.length > 0);
      for (const { attributes } of executables) {
        assert.match(read('CMakeLists.txt'), new RegExp(`install\\(PROGRAMS scripts/${attributes['exec']} `));
      }
    });

    it('hand each other only arguments that the other one has', () => {
      for (const include of files
        .flatMap((file) => descendants(parseXml(file)))
        .filter(({ tag }) => tag === 'include')) {
        const target = include.attributes['file']!.replace('$(find-pkg-share bdc_occ)/', '');
        const known = descendants(parseXml(target))
          .filter(({ tag }) => tag === 'arg')
          .map(({ attributes }) => attributes['name']);
        for (const { attributes } of include.children)
          assert.ok(known.includes(attributes['name']), attributes['name']);
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

  it('package.xml and package.json have the same version, and the DDS profile is well-formed', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.match(read('package.xml'), new RegExp(`<version>${version.replaceAll('.', '\\.')}</version>`));
    assert.equal(parseXml('package.xml').tag, 'package');
    assert.match(parseXml('config/fastdds_large_images.xml').tag, /profiles$/);
  });
});
