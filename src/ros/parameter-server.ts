import { BdcError } from '../errors.js';
import { checkedValue } from './parameter-declaration.js';
import { didYouMean } from './nearest-name.js';
import type { ParameterDeclaration, ParameterValue } from './parameter-declaration.js';
import type {
  Node,
  Parameter,
  ParameterDescriptor,
  Rclnodejs,
  SetParametersResult,
} from './rclnodejs-types.js';

const ACCEPTED: SetParametersResult = { successful: true, reason: '' };

/**
 * Declares parameters on a node and keeps their checked values. Checks are made here and not by rclnodejs, which refuses the integer 1
 * for a double at run time, takes it at start as a bigint, and gives a wrong reason for a value out of range.
 */
export class ParameterServer {
  readonly #node: Node;
  readonly #rclnodejs: Rclnodejs;
  readonly #overrides: ReadonlyMap<string, unknown>;
  readonly #declarations = new Map<string, ParameterDeclaration>();
  readonly #values = new Map<string, ParameterValue>();
  readonly #relations: ((values: ReadonlyMap<string, ParameterValue>) => void)[] = [];

  /** @param overrides values given at start, by name */
  constructor(node: Node, rclnodejs: Rclnodejs, overrides: ReadonlyMap<string, unknown>) {
    this.#node = node;
    this.#rclnodejs = rclnodejs;
    this.#overrides = overrides;
    answerBadRequests(node);
    node.addPreSetParametersCallback((parameters) => parameters.map((parameter) => this.#widened(parameter)));
    node._validateParameters = (parameters, isDeclaration = false) =>
      isDeclaration ? ACCEPTED : this.#refusal(parameters);
    node.addOnSetParametersCallback((parameters) => this.#onSet(parameters));
  }

  /**
   * Makes a parameter known to the graph, with the value from the command line or a parameter file, else the default.
   * @throws BdcError `PARAMETER_INVALID`
   */
  declare(declaration: ParameterDeclaration): void {
    const { name, defaultValue } = declaration;
    const value = this.#overrides.has(name) ? this.#startValue(declaration) : defaultValue;
    this.#declarations.set(name, declaration);
    this.#values.set(name, value);
    const { Parameter } = this.#rclnodejs;
    const parameter = new Parameter(name, this.#rosType(declaration), rosValue(declaration, value));
    this.#node.declareParameter(parameter, this.#descriptor(declaration), true);
  }

  /**
   * Adds a condition between parameters, asked for now and at each change; `check` throws a RangeError with the reason.
   * @throws BdcError `PARAMETER_INVALID`
   */
  require(check: (values: ReadonlyMap<string, ParameterValue>) => void): void {
    this.#relations.push(check);
    asConfiguration(() => check(this.#values));
  }

  get values(): ReadonlyMap<string, ParameterValue> {
    return this.#values;
  }

  /**
   * To be called once everything is declared.
   * @throws BdcError `PARAMETER_UNKNOWN` for a value that was given at start under a name that nobody declared
   */
  refuseUnknownOverrides(): void {
    const unknown = [...this.#overrides.keys()].find(
      // rclnodejs and rcl declare these by themselves, some of them only when they are used
      (name) =>
        !this.#declarations.has(name) &&
        !/^(use_sim_time|start_type_description_service|qos_overrides\..*)$/.test(name),
    );
    if (unknown === undefined) return;
    throw new BdcError('configuration', {
      code: 'PARAMETER_UNKNOWN',
      message:
        `parameter ${unknown} is not one of this node${didYouMean(unknown, this.#declarations.keys())}; ` +
        'config/bdc_occ.yaml has all of them',
    });
  }

  #startValue(declaration: ParameterDeclaration): ParameterValue {
    return asConfiguration(() => checkedValue(declaration, this.#overrides.get(declaration.name)));
  }

  /** An integer that is set on a double becomes a double. */
  #widened(parameter: Parameter): Parameter {
    const { Parameter, ParameterType } = this.#rclnodejs;
    const isDouble = this.#declarations.get(parameter.name)?.type === 'double';
    if (!isDouble || parameter.type !== ParameterType.PARAMETER_INTEGER) return parameter;
    return new Parameter(parameter.name, ParameterType.PARAMETER_DOUBLE, Number(parameter.value));
  }

  /** Names and read-only flags; rclnodejs takes undeclared names for declared ones, and its reasons are wrong. */
  #refusal(parameters: readonly Parameter[]): SetParametersResult {
    for (const { name } of parameters) {
      const declaration = this.#declarations.get(name);
      if (declaration === undefined && !this.#node.hasParameter(name)) {
        const reason = `parameter ${name} is not one of this node${didYouMean(name, this.#declarations.keys())}`;
        return { successful: false, reason };
      }
      if (declaration?.readOnly) {
        return { successful: false, reason: `parameter ${name} is read-only: set it at start` };
      }
    }
    return ACCEPTED;
  }

  #onSet(parameters: readonly Parameter[]): SetParametersResult {
    const changed = new Map(this.#values);
    try {
      for (const { name, value } of parameters) {
        const declaration = this.#declarations.get(name);
        if (declaration !== undefined) changed.set(name, checkedValue(declaration, value));
      }
      for (const check of this.#relations) check(changed);
    } catch (error) {
      if (error instanceof RangeError) return { successful: false, reason: error.message };
      throw error;
    }
    for (const [name, value] of changed) this.#values.set(name, value);
    return ACCEPTED;
  }

  #rosType({ type }: ParameterDeclaration): number {
    const { ParameterType } = this.#rclnodejs;
    return {
      integer: ParameterType.PARAMETER_INTEGER,
      double: ParameterType.PARAMETER_DOUBLE,
      boolean: ParameterType.PARAMETER_BOOL,
      string: ParameterType.PARAMETER_STRING,
      string_array: ParameterType.PARAMETER_STRING_ARRAY,
    }[type];
  }

  #descriptor(declaration: ParameterDeclaration): ParameterDescriptor {
    const { name, description, readOnly } = declaration;
    const descriptor = new this.#rclnodejs.ParameterDescriptor(
      name,
      this.#rosType(declaration),
      'choices' in declaration && declaration.choices
        ? `${description}. One of: ${declaration.choices.map((choice) => JSON.stringify(choice)).join(', ')}`
        : description,
      readOnly,
    );
    if ('range' in declaration) {
      // rclnodejs forgets the range when it describes a parameter
      const message = { ...descriptor.toMessage(), ...rangeMessage(declaration) };
      descriptor.toMessage = () => message;
    }
    return descriptor;
  }
}

/**
 * rclnodejs throws on requests that anybody on the graph can make (a parameter without a name, a value of no type), and the caller would wait
 * for an answer for ever.
 */
function answerBadRequests({ _parameterService: service }: Node): void {
  const refuse = (error: unknown): SetParametersResult => ({
    successful: false,
    reason: `the request cannot be read: ${(error as Error).message}`,
  });
  const set = service._handleSetParameters.bind(service);
  service._handleSetParameters = (request, response) => {
    try {
      set(request, response);
    } catch (error) {
      response.send({ results: request.parameters.map(() => refuse(error)) });
    }
  };
  const setAtomically = service._handleSetParametersAtomically.bind(service);
  service._handleSetParametersAtomically = (request, response) => {
    try {
      setAtomically(request, response);
    } catch (error) {
      response.send({ result: refuse(error) });
    }
  };
}

/** The range fields of rcl_interfaces/ParameterDescriptor; step 0 means any value in between. */
function rangeMessage({
  type,
  range: [from_value, to_value],
}: Extract<ParameterDeclaration, { readonly range: unknown }>): object {
  return type === 'integer'
    ? { integer_range: [{ from_value: BigInt(from_value), to_value: BigInt(to_value), step: 1n }] }
    : { floating_point_range: [{ from_value, to_value, step: 0 }] };
}

const rosValue = ({ type }: ParameterDeclaration, value: ParameterValue): unknown =>
  type === 'integer' ? BigInt(value as number) : value;

function asConfiguration<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BdcError('configuration', {
      code: 'PARAMETER_INVALID',
      message: `${cause.message}; correct the parameter file or the command line`,
      cause,
    });
  }
}
