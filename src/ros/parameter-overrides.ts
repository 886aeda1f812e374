import type { Context, Node, NodeParameterOverrides, RclAddon, Rclnodejs } from './rclnodejs-types.js';

/**
 * Makes a node without rclnodejs looking at the parameter values that were given at start: it throws on a list of whole numbers, whoever it is
 * for, and finds nothing under a node's full name.
 */
export function nodeWithoutOverrides({ lifecycle }: Rclnodejs, addon: RclAddon, name: string): Node {
  const read = addon.getParameterOverrides;
  addon.getParameterOverrides = () => undefined;
  try {
    return new lifecycle.LifecycleNode(name);
  } finally {
    addon.getParameterOverrides = read;
  }
}

/** The parameter values that were given at start, for any node. */
export const givenOverrides = (addon: RclAddon, context: Context): readonly NodeParameterOverrides[] =>
  addon.getParameterOverrides(context.handle) ?? [];

/**
 * The parameter values that files and the command line give to a node, the last one of a name winning, as rclcpp matches them:
 * a key is a node's full name, `*` stands for one part of it, `**` for any number. rclnodejs itself takes only `/**` and the bare name.
 */
export function overridesFor(
  fullName: string,
  overrides: readonly NodeParameterOverrides[],
): ReadonlyMap<string, unknown> {
  return new Map(
    overrides
      .filter(({ name }) => patternOf(name).test(fullName))
      .flatMap(({ parameters }) =>
        parameters.map(({ name, type, value }) => [name, typedValue(type, value)] as const),
      ),
  );
}

/** The keys of parameter files, if there are any and none of them means this node. */
export function strayKeys(fullName: string, overrides: readonly NodeParameterOverrides[]): readonly string[] {
  const keys = overrides.map(({ name }) => name);
  return keys.some((key) => patternOf(key).test(fullName)) ? [] : keys;
}

function patternOf(name: string): RegExp {
  const parts = name.split('/').filter((part) => part !== '');
  const pattern = parts.map((part) => {
    if (part === '**') return '(/[^/]+)*';
    return `/${part === '*' ? '[^/]+' : part.replaceAll(/[^\w]/g, '\\$&')}`;
  });
  return new RegExp(`^${pattern.join('')}$`);
}

const PARAMETER_INTEGER = 2;

/** Integers become bigint, as everywhere else in rclnodejs: at this one place they come as numbers and look like doubles. */
const typedValue = (type: number, value: unknown): unknown =>
  type === PARAMETER_INTEGER && typeof value === 'number' ? BigInt(value) : value;
