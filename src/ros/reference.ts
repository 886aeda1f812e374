import { cameraParameters, groupParameter, NODE_PARAMETERS } from './node-parameters.js';
import { OUTPUT_NAMES, OUTPUTS } from './outputs/output-table.js';
import type { ParameterDeclaration, ParameterValue } from './parameter-declaration.js';
import { DEFAULT_QOS } from './topic-qos.js';
import type { QosKey } from './topic-qos.js';

/** Written into both files, which nobody should change by hand. */
const ORIGIN = 'npm run reference';

const CAMERAS = NODE_PARAMETERS.find(({ name }) => name === 'cameras')!.defaultValue as readonly string[];
const GROUPS = NODE_PARAMETERS.find(({ name }) => name === 'voxel_groups')!.defaultValue as readonly string[];

/** Every parameter of a node with the default cameras and groups. */
export const DEFAULT_PARAMETERS: readonly ParameterDeclaration[] = [
  ...NODE_PARAMETERS,
  ...CAMERAS.flatMap((camera) => cameraParameters(camera)),
  ...GROUPS.map((group) => groupParameter(group)),
];

/** config/bdc_occ.yaml: every parameter with its default, described. */
export function parameterFile(): string {
  const lines = [
    '# Parameters of the node bdc_occ, with their defaults. Copy it, change it, and start with',
    '#   ros2 launch bdc_occ bdc_occ.launch.xml params_file:=/path/to/copy.yaml',
    '# "/**" means: whatever the node\'s name and namespace. [run time] can be changed with "ros2 param set".',
    `# Written by "${ORIGIN}" from the declarations in src/ros.`,
    '/**:',
    '  ros__parameters:',
  ];
  let before: readonly string[] = [];
  const described = new Set<string>();
  for (const declaration of DEFAULT_PARAMETERS) {
    const path = declaration.name.split('.');
    const parents = path.slice(0, -1);
    const shared = parents.findIndex((part, i) => part !== before[i]);
    const known = shared < 0 ? parents.length : shared;
    // cameras, outputs and topics are all alike, so only the first of them is described
    const key = parents.length < 2 ? declaration.name : `${parents[0]} ${path.at(-1)}`;
    const isNew = !described.has(key);
    described.add(key);
    parents.slice(known).forEach((part, i) => lines.push(`${indent(known + i)}${part}:`));
    if (isNew) lines.push(...wrapped(yamlComment(declaration), indent(parents.length)));
    lines.push(`${indent(parents.length)}${path.at(-1)}: ${yamlValue(declaration)}`);
    before = parents;
  }
  return `${lines.join('\n')}\n`;
}

/** docs/topics-and-parameters.md. */
export function referenceDocument(): string {
  const groups = [...new Set(DEFAULT_PARAMETERS.map(({ group }) => group))];
  return [
    '# Topics, services and parameters of the node',
    '',
    `Written by \`${ORIGIN}\` from the declarations in \`src/ros\`. How the node behaves: [ros2.md](ros2.md).`,
    '',
    '## Subscribed topics',
    '',
    'Names and types of the cameras’ topics are parameters, and so is the QoS of each topic (`qos.<key>.…`).',
    '',
    table(
      ['topic', 'type', 'QoS', 'key'],
      [
        ['`camera/<name>/image_raw/compressed`', '`sensor_msgs/CompressedImage` or `Image`', 'images'],
        ['`camera/<name>/camera_info`', '`sensor_msgs/CameraInfo`', 'camera_info'],
        ['`/tf`', '`tf2_msgs/TFMessage`', 'tf'],
        ['`/tf_static`', '`tf2_msgs/TFMessage`', 'tf_static'],
        ['`odom` (`ego_motion.source: odometry`)', '`nav_msgs/Odometry`', 'odometry'],
      ].map(([topic, type, key]) => [topic!, type!, qosText(key as QosKey), `\`${key}\``]),
    ),
    '',
    'With `use_sim_time` also `/clock` (`rosgraph_msgs/Clock`), best effort: as rosbag2 publishes it.',
    '',
    '## Published topics',
    '',
    'Results carry the stamp of the anchor camera’s image and are in `base_frame`. What nobody listens to is not made, but for the grid. A model',
    'without one of the two heads (occupancy, detection) leaves out its topics.',
    '',
    table(
      ['topic', 'type', 'QoS', 'at most', 'what'],
      OUTPUT_NAMES.map((name) => {
        const { type, description, maxRate } = OUTPUTS[name];
        const topic = name === 'voxels_by_class' ? '`~/voxels_by_class/<group>`' : `\`~/${name}\``;
        const rate = maxRate === 0 ? 'each frame' : `${maxRate} a second`;
        return [topic, `\`${type.replace('/msg/', '/')}\``, qosText(name), rate, description];
      }),
    ),
    '',
    table(
      ['topic', 'type', 'QoS', 'what'],
      [
        [
          '`/diagnostics`',
          '`diagnostic_msgs/DiagnosticArray`',
          'reliable, depth 1',
          'state of each component, `<node>: <component>`, once a second, from start to end',
        ],
        [
          '`~/statistics`',
          '`diagnostic_msgs/DiagnosticArray`',
          qosText('statistics'),
          'numbers of each second (frames, times of each stage, age of results, memory, event loop), in a form that plotting tools make curves of',
        ],
        [
          '`~/transition_event`',
          '`lifecycle_msgs/TransitionEvent`',
          'reliable',
          'changes of the lifecycle state',
        ],
      ],
    ),
    '',
    '## Services',
    '',
    table(
      ['service', 'type', 'what'],
      [
        [
          '`~/reload_model`',
          '`std_srvs/Trigger`',
          'reads the model that the parameters `model`, `threads` and `isa` name now; the old one works until then, and stays if the new one is no good',
        ],
        [
          '`~/save_frame`',
          '`std_srvs/Trigger`',
          'writes the current frame as an MCAP bag (images, CameraInfo, TF) for bug reports; the answer names the file',
        ],
        [
          '`~/change_state`, `~/get_state`, …',
          '`lifecycle_msgs`',
          'the managed node: `ros2 lifecycle set /bdc_occ configure`',
        ],
        ['`~/set_parameters`, …', '`rcl_interfaces`', 'the parameters: `ros2 param set /bdc_occ …`'],
      ],
    ),
    '',
    '## Parameters',
    '',
    'Checked when the node starts and at each change; a wrong name, type or value is refused with the reason. `config/bdc_occ.yaml` has all of them with',
    'their defaults.',
    ...groups.flatMap((group) => ['', `### ${group}`, '', parameterTable(group)]),
    '',
  ].join('\n');
}

function parameterTable(group: string): string {
  const declarations = documented().filter((declaration) => declaration.group === group);
  return table(
    ['parameter', 'type', 'default', 'range', 'run time', 'what'],
    declarations.map((declaration) => [
      `\`${declaration.name}\``,
      declaration.type.replace('_', ' '),
      defaultText(declaration),
      rangeText(declaration),
      declaration.readOnly ? '' : 'yes',
      declaration.description,
    ]),
  );
}

/** As `DEFAULT_PARAMETERS`, with a placeholder for the names of cameras. */
const documented = (): readonly ParameterDeclaration[] => [
  ...NODE_PARAMETERS,
  ...cameraParameters('<name>'),
  ...GROUPS.map((group) => groupParameter(group)),
];

function rangeText(declaration: ParameterDeclaration): string {
  if ('range' in declaration) return `${declaration.range[0]} … ${declaration.range[1]}`;
  if ('choices' in declaration && declaration.choices) {
    return declaration.choices.filter((choice) => choice !== '').join(', ');
  }
  return '';
}

function defaultText({ defaultValue }: ParameterDeclaration): string {
  const text = Array.isArray(defaultValue) ? defaultValue.join(', ') : String(defaultValue);
  return text === '' ? '' : `\`${text}\``;
}

const qosText = (key: QosKey): string => {
  const { reliability, durability, depth } = DEFAULT_QOS[key];
  const latched = durability === 'transient_local' ? ', transient local' : '';
  return `${reliability.replace('_', ' ')}${latched}, depth ${depth}`;
};

function yamlComment(declaration: ParameterDeclaration): string {
  const range = rangeText(declaration).replace('…', 'to');
  return [
    `${declaration.description.replaceAll('`', '')}.`,
    ...(range ? [`[${range}]`] : []),
    ...(declaration.readOnly ? [] : ['[run time]']),
  ].join(' ');
}

/** A double must stay one in YAML, also where it is whole. */
function yamlValue({ type, defaultValue }: ParameterDeclaration): string {
  const text = (value: ParameterValue): string => (value === '' ? "''" : String(value));
  if (Array.isArray(defaultValue)) return `[${(defaultValue as string[]).map(text).join(', ')}]`;
  if (type === 'double' && Number.isInteger(defaultValue)) return defaultValue.toFixed(1);
  return text(defaultValue);
}

const indent = (depth: number): string => '  '.repeat(depth + 2);

function wrapped(text: string, prefix: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length > 105) lines.push(`${prefix}# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
