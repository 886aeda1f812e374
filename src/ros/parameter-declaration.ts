/** What a parameter may hold. A ROS integer is a number here: all of ours are small. */
export type ParameterValue = boolean | number | string | readonly string[];

interface Declared<Type extends string, Value extends ParameterValue> {
  readonly name: string;
  readonly type: Type;
  readonly defaultValue: Value;
  /** With the unit. */
  readonly description: string;
  /** Refuses a change while the node runs. */
  readonly readOnly: boolean;
  /** Heading under which it is documented. */
  readonly group: string;
}

interface NumberDeclaration extends Declared<'integer' | 'double', number> {
  /** Both ends included. */
  readonly range: readonly [number, number];
}

interface StringDeclaration extends Declared<'string', string> {
  readonly choices?: readonly string[];
}

export type ParameterDeclaration =
  | NumberDeclaration
  | StringDeclaration
  | Declared<'boolean', boolean>
  | Declared<'string_array', readonly string[]>;

/**
 * A value as it came from a file or a service call, checked and brought into its declared type: a whole number will do for a double, since
 * YAML writes `1` for both.
 *
 * @throws RangeError with a reason that can be shown to whoever set it
 */
export function checkedValue(declaration: ParameterDeclaration, value: unknown): ParameterValue {
  const { name } = declaration;
  switch (declaration.type) {
    case 'integer':
    case 'double': {
      const wanted = declaration.type === 'integer' ? 'a whole number' : 'a number';
      if (typeof value !== 'bigint' && typeof value !== 'number') throw refusal(name, wanted, value);
      // rclnodejs gives ROS integers as bigint and ROS doubles as number
      if (declaration.type === 'integer' && typeof value === 'number') throw refusal(name, wanted, value);
      const [low, high] = declaration.range;
      const number = Number(value);
      if (!(number >= low && number <= high)) throw refusal(name, `${wanted} from ${low} to ${high}`, value);
      return number;
    }
    case 'boolean':
      if (typeof value !== 'boolean') throw refusal(name, 'true or false', value);
      return value;
    case 'string': {
      const { choices } = declaration;
      if (typeof value !== 'string') throw refusal(name, 'a text', value);
      if (choices !== undefined && !choices.includes(value)) {
        throw refusal(name, `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`, value);
      }
      return value;
    }
    case 'string_array':
      if (!Array.isArray(value) || !value.every((element) => typeof element === 'string')) {
        throw refusal(name, 'a list of texts', value);
      }
      return value;
  }
}

function refusal(name: string, expected: string, value: unknown): RangeError {
  // JSON has no bigint
  const found = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item));
  return new RangeError(
    `parameter ${name}: expected ${expected}, found ${Number.isNaN(value) ? 'NaN' : found}`,
  );
}
