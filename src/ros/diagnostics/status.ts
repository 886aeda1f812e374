import type { DiagnosticArray } from '../../messages/ros-types.js';

/** Levels of diagnostic_msgs/DiagnosticStatus. */
export const OK = 0;
export const WARN = 1;
export const ERROR = 2;

/** What one component says of itself. */
export interface ComponentStatus {
  /** Behind the node's name: `<node>: <component>`. */
  readonly component: string;
  readonly level: typeof OK | typeof WARN | typeof ERROR;
  readonly message: string;
  /** What is wrong, where the message changes from time to time (counts, stamps) and the cause does not. */
  readonly cause?: string;
  readonly values?: Readonly<Record<string, string | number | boolean>>;
}

/** Numbers keep three decimals: more would only be read as noise. */
const text = (value: string | number | boolean): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);

export function diagnosticArray(
  statuses: readonly ComponentStatus[],
  {
    node,
    hardware,
    stamp,
  }: { readonly node: string; readonly hardware: string; readonly stamp: DiagnosticArray['header']['stamp'] },
): DiagnosticArray {
  return {
    header: { stamp, frame_id: '' },
    status: statuses.map(({ component, level, message, values = {} }) => ({
      level,
      name: `${node}: ${component}`,
      message,
      hardware_id: hardware,
      values: Object.entries(values).map(([key, value]) => ({ key, value: text(value) })),
    })),
  };
}
