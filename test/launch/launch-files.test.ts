import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireRos2, type Ros2Environment } from '../ros/ros2-graph.js';
import { launchFaults, parseLaunch, type LaunchElement } from './launch-checker.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const files = readdirSync(`${project}launch`);
const read = (file: string): string => readFileSync(`${project}launch/${file}`, 'utf8');
const SHARE = '$(find-pkg-share bdc_occ)/';

const descendants = (element: LaunchElement): readonly LaunchElement[] => [
  element,
  ...element.children.flatMap(descendants),
];
const elementsOf = (file: string): readonly LaunchElement[] => descendants(parseLaunch(read(file)));
/** Arguments of a launch file, and which of them must be given. */
const argumentsOf = (file: string) =>
  parseLaunch(read(file))
    .children.filter(({ tag }) => tag === 'arg')
    .map(({ attributes }) => ({ name: attributes['name']!, isRequired: !('default' in attributes) }));

describe('the launch files', () => {
  it('are the three that the documentation names', () => {
    assert.deepEqual(files.sort(), ['bdc_occ.launch.xml', 'bdc_occ_rviz.launch.xml', 'replay.launch.xml']);
  });

  for (const file of files) {
    describe(file, () => {
      it('keeps to the language of launch', () => assert.deepEqual(launchFaults(read(file)), []));

      it('describes each argument', () => {
        for (const { attributes } of parseLaunch(read(file)).children.filter(({ tag }) => tag === 'arg'))
          assert.ok(attributes['description'], attributes['name']);
      });

      it('names files that are installed', () => {
        const texts = elementsOf(file).flatMap(({ attributes }) => Object.values(attributes));
        const named = texts.filter((text) => text.includes(SHARE)).map((text) => text.split(SHARE)[1]!);
        for (const name of named) assert.ok(existsSync(project + name), name);
      });

      it('starts executables that CMake installs', () => {
        for (const { attributes } of elementsOf(file).filter(({ tag }) => tag === 'node')) {
          if (attributes['pkg'] !== 'bdc_occ') continue;
          const cmake = readFileSync(`${project}CMakeLists.txt`, 'utf8');
          assert.match(cmake, new RegExp(`install\\(PROGRAMS scripts/${attributes['exec']} `));
          assert.ok(existsSync(`${project}scripts/${attributes['exec']}`));
        }
      });

      it('starts nodes of packages that package.xml names', () => {
        const packages = elementsOf(file).flatMap(({ tag, attributes }) =>
          tag === 'node' ? [attributes['pkg']] : [],
        );
        const description = readFileSync(`${project}package.xml`, 'utf8');
        for (const name of packages.filter((each) => each !== 'bdc_occ'))
          assert.ok(description.includes(`<exec_depend>${name}</exec_depend>`), name);
      });

      it('passes on every argument that is of the node alone', () => {
        for (const { children } of elementsOf(file).filter(({ tag }) => tag === 'include')) {
          const given = children.map(({ attributes }) => attributes['name']);
          const own = argumentsOf('bdc_occ.launch.xml').map(({ name }) => name);
          assert.deepEqual(given.sort(), own.sort());
        }
      });

      it('sets the log level in any namespace: of no logger by name', () => {
        for (const { attributes } of elementsOf(file))
          assert.ok(!attributes['ros_args']?.includes(':='), attributes['ros_args']);
      });

      it('hands to another launch file what that one knows and needs', () => {
        for (const { attributes, children } of elementsOf(file).filter(({ tag }) => tag === 'include')) {
          const target = argumentsOf(path.basename(attributes['file']!));
          const given = children.map((child) => child.attributes['name']);
          for (const name of given)
            assert.ok(
              target.some((arg) => arg.name === name),
              name,
            );
          for (const { name, isRequired } of target) assert.ok(!isRequired || given.includes(name), name);
        }
      });
    });
  }
});

describe('launchFaults', () => {
  const launch = (inner: string): string => `<launch>${inner}</launch>`;
  for (const [what, xml, fault] of [
    ['a file that is not XML', '<launch>', /Unclosed tag 'launch'/],
    ['another root', '<robot/>', /expected <launch>/],
    ['an unknown element', launch('<rosnode/>'), /<rosnode> may not stand inside <launch>/],
    [
      'an unknown attribute',
      launch('<node pkg="a" exec="b" executable="c"/>'),
      /<node> has no attribute executable/,
    ],
    ['a missing attribute', launch('<node pkg="a"/>'), /<node> lacks exec/],
    [
      'an element in the wrong place',
      launch('<remap from="a" to="b"/>'),
      /<remap> may not stand inside <launch>/,
    ],
    ['an undefined variable', launch('<let name="a" value="$(var b)"/>'), /\$\(var b\) is not defined/],
    [
      'a variable that is defined too late',
      launch('<let name="a" value="$(var b)"/><arg name="b"/>'),
      /\$\(var b\) is not defined before its use/,
    ],
    [
      'an unknown substitution',
      launch('<let name="a" value="$(find b)"/>'),
      /\$\(find b\) is no substitution/,
    ],
    ['a substitution without its word', launch('<let name="a" value="$(var)"/>'), /\$\(var\) has 0 words/],
    ['an open bracket', launch('<let name="a" value="$(env b"/>'), /unbalanced/],
    [
      'a parameter without value',
      launch('<node pkg="a" exec="b"><param name="c"/></node>'),
      /<param> needs either/,
    ],
    [
      'an unknown type',
      launch('<node pkg="a" exec="b"><param name="c" value="1" type="double"/></node>'),
      /type expects/,
    ],
    [
      'a default for an included argument',
      launch('<include file="a"><arg name="b" default="c"/></include>'),
      /lacks value/,
    ],
  ] as const) {
    it(`finds ${what}`, () => assert.match(launchFaults(xml).join('\n'), fault));
  }
});

describe('the launch files with the real launch', function () {
  let ros: Ros2Environment;
  let prefix: string;

  before(function () {
    ros = requireRos2(this);
    const env = { ...process.env, ...ros.env };
    if (spawnSync(ros.python, ['-c', 'import launch_xml, launch_ros'], { env }).status !== 0) {
      if (ros.kind === 'sourced')
        throw new Error('the sourced ROS 2 lacks launch: apt install ros-jazzy-ros2launch');
      // the wheels bring no launch: its grammar has been checked above
      this.skip();
    }
    prefix = mkdtempSync(path.join(tmpdir(), 'bdc-launch-'));
    mkdirSync(`${prefix}/share/ament_index/resource_index/packages`, { recursive: true });
    writeFileSync(`${prefix}/share/ament_index/resource_index/packages/bdc_occ`, '');
    symlinkSync(project, `${prefix}/share/bdc_occ`);
  });
  after(() => {
    if (prefix) rmSync(prefix, { recursive: true });
  });

  for (const file of files) {
    it(`${file} is parsed to its last attribute`, () => {
      const env = {
        ...process.env,
        ...ros.env,
        AMENT_PREFIX_PATH: `${prefix}:${ros.env['AMENT_PREFIX_PATH'] ?? process.env['AMENT_PREFIX_PATH']}`,
      };
      const script = path.join(project, 'test/launch/parse_launch.py');
      const { status, stdout, stderr } = spawnSync(ros.python, [script, `${project}launch/${file}`], {
        env,
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      // those of included files come with them
      const found = JSON.parse(stdout) as readonly string[];
      for (const { name } of argumentsOf(file)) assert.ok(found.includes(name), name);
    });
  }
});
