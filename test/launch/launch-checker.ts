import { XMLParser, XMLValidator } from 'fast-xml-parser';

/**
 * What ROS 2 Jazzy's `launch`, `launch_xml` and `launch_ros` accept, for the part of their language that our files use. From the `parse` methods of
 * launch/actions/*.py and launch_ros/actions/*.py, which read each attribute by name and refuse what they did not read.
 */
interface ElementRule {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children: readonly string[];
}

const CONDITIONS = ['if', 'unless'];
const NODE_CHILDREN = ['param', 'remap', 'env'];
const ACTIONS = [
  'arg',
  'let',
  'include',
  'group',
  'node',
  'set_parameter',
  'set_remap',
  'push_ros_namespace',
];

/** By parent and tag where a tag means something else inside another one, else by tag. */
const ELEMENTS: Readonly<Record<string, ElementRule>> = {
  launch: { required: [], optional: ['version'], children: ACTIONS },
  arg: { required: ['name'], optional: ['default', 'description', ...CONDITIONS], children: ['choice'] },
  choice: { required: ['value'], optional: [], children: [] },
  'include/arg': { required: ['name', 'value'], optional: [], children: [] },
  let: { required: ['name', 'value'], optional: CONDITIONS, children: [] },
  include: { required: ['file'], optional: CONDITIONS, children: ['arg'] },
  group: { required: [], optional: ['scoped', 'forwarding', ...CONDITIONS], children: [...ACTIONS, 'keep'] },
  'group/keep': { required: ['name', 'value'], optional: [], children: [] },
  node: {
    required: ['pkg', 'exec'],
    optional: [
      ...['name', 'exec_name', 'namespace', 'args', 'ros_args', 'output', 'cwd', 'on_exit', 'launch-prefix'],
      ...['respawn', 'respawn_max_retries', 'respawn_delay', 'sigkill_timeout', 'sigterm_timeout'],
      ...['shell', 'emulate_tty', ...CONDITIONS],
    ],
    children: NODE_CHILDREN,
  },
  param: {
    required: [],
    optional: ['name', 'value', 'type', 'from', 'allow_substs', 'sep'],
    children: ['param'],
  },
  remap: { required: ['from', 'to'], optional: [], children: [] },
  env: { required: ['name', 'value'], optional: [], children: [] },
  set_parameter: { required: ['name', 'value'], optional: CONDITIONS, children: [] },
  set_remap: { required: ['from', 'to'], optional: CONDITIONS, children: [] },
  push_ros_namespace: { required: ['namespace'], optional: CONDITIONS, children: [] },
};

/** Attributes with a fixed set of values. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'node.on_exit': ['shutdown'],
  'node.output': ['screen', 'log', 'both', 'own_log', 'full'],
  'param.type': [
    'int',
    'float',
    'bool',
    'str',
    'list_of_int',
    'list_of_float',
    'list_of_bool',
    'list_of_str',
  ],
};

/** Number of words that a substitution takes. */
const SUBSTITUTIONS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  var: [1, 1],
  env: [1, 2],
  'find-pkg-share': [1, 1],
  'find-pkg-prefix': [1, 1],
  'find-exec': [1, 1],
  'exec-in-pkg': [2, 2],
  dirname: [0, 0],
  anon: [1, 1],
};

export interface LaunchElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly LaunchElement[];
}

type ParsedNode = Readonly<Record<string, unknown>>;

/** @throws Error where the text is not XML */
export function parseLaunch(xml: string): LaunchElement {
  const valid = XMLValidator.validate(xml);
  if (valid !== true) throw new Error(`line ${valid.err.line}: ${valid.err.msg}`);
  const parser = new XMLParser({
    ...{ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', ignoreDeclaration: true },
    ...{ parseAttributeValue: false, trimValues: true },
  });
  const convert = (node: ParsedNode): LaunchElement => {
    const [tag] = Object.keys(node).filter((key) => key !== ':@');
    return {
      tag: tag!,
      attributes: (node[':@'] as Record<string, string> | undefined) ?? {},
      children: (node[tag!] as ParsedNode[]).filter((child) => !('#text' in child)).map(convert),
    };
  };
  return convert((parser.parse(xml) as ParsedNode[])[0]!);
}

/** What is wrong with a launch file, one line each; none: launch would take it. */
export function launchFaults(xml: string): readonly string[] {
  let root: LaunchElement;
  try {
    root = parseLaunch(xml);
  } catch (error) {
    return [(error as Error).message];
  }
  if (root.tag !== 'launch') return [`expected <launch> around everything, found <${root.tag}>`];
  return elementFaults(root, '', new Set());
}

/** @param defined names of arguments and variables so far; elements run in the order of the file */
function elementFaults(
  { tag, attributes, children }: LaunchElement,
  parent: string,
  defined: Set<string>,
): string[] {
  const rule = ELEMENTS[`${parent}/${tag}`] ?? ELEMENTS[tag];
  if (rule === undefined) return [`<${tag}> is no element of launch`];
  const faults = [
    ...rule.required.filter((name) => !(name in attributes)).map((name) => `<${tag}> lacks ${name}`),
    ...Object.keys(attributes)
      .filter((name) => ![...rule.required, ...rule.optional].includes(name))
      .map((name) => `<${tag}> has no attribute ${name}`),
    ...Object.entries(attributes).flatMap(([name, value]) => valueFaults(tag, name, value, defined)),
    ...(tag === 'param' ? paramFaults(attributes, children.length) : []),
    ...('if' in attributes && 'unless' in attributes ? [`<${tag}> has both if and unless`] : []),
  ];
  if ((tag === 'arg' && parent !== 'include') || tag === 'let') defined.add(attributes['name'] ?? '');
  for (const child of children) {
    if (rule.children.includes(child.tag)) faults.push(...elementFaults(child, tag, defined));
    else faults.push(`<${child.tag}> may not stand inside <${tag}>`);
  }
  return faults;
}

function valueFaults(tag: string, name: string, value: string, defined: ReadonlySet<string>): string[] {
  const choices = VALUES[`${tag}.${name}`];
  const hasSubstitution = value.includes('$(');
  return [
    ...(choices && !hasSubstitution && !choices.includes(value)
      ? [`<${tag}> ${name} expects ${choices.join(', ')}, found ${value}`]
      : []),
    ...substitutionFaults(value, defined),
  ];
}

function substitutionFaults(text: string, defined: ReadonlySet<string>): string[] {
  if ((text.match(/\$\(/g) ?? []).length !== (text.match(/\)/g) ?? []).length)
    return [`unbalanced brackets in ${text}`];
  return [...text.matchAll(/\$\(([^()]*)\)/g)].flatMap(([whole, inner]) => {
    const [kind, ...words] = inner!.split(/\s+/);
    const range = SUBSTITUTIONS[kind!];
    if (range === undefined) return [`${whole} is no substitution of launch`];
    if (words.length < range[0] || words.length > range[1]) return [`${whole} has ${words.length} words`];
    if (kind === 'var' && !defined.has(words[0]!)) return [`${whole} is not defined before its use`];
    return [];
  });
}

function paramFaults(attributes: LaunchElement['attributes'], nested: number): readonly string[] {
  if ('from' in attributes) {
    return ['name', 'value', 'type']
      .filter((name) => name in attributes)
      .map((name) => `<param from> with ${name}`);
  }
  if (!('name' in attributes)) return ['<param> lacks name or from'];
  return 'value' in attributes === nested > 0 ? ['<param> needs either value or params inside'] : [];
}
