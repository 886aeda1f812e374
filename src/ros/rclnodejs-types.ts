/** The part of rclnodejs 2.2.0 that is used; its own declarations are generated at install time and differ from machine to machine. */

export interface Rclnodejs {
  readonly Context: { defaultContext(): Context };
  readonly lifecycle: { readonly LifecycleNode: new (name: string) => Node };
  readonly Parameter: new (name: string, type: number, value: unknown) => Parameter;
  readonly ParameterDescriptor: ParameterDescriptorClass;
  readonly ParameterType: Readonly<Record<ParameterTypeName, number>>;
  readonly QoS: QoSClass;
  init(context: Context, argv: readonly string[]): Promise<void>;
  removeROSArgs(argv: readonly string[]): string[];
  shutdown(): void;
}

export interface Context {
  readonly handle: unknown;
}

/** The native addon, for what rclnodejs keeps to itself. */
export interface RclAddon {
  getParameterOverrides: (contextHandle: unknown) => readonly NodeParameterOverrides[] | undefined;
  /** Throws where the state has no such transition. */
  triggerLifecycleTransitionByLabel(stateMachine: unknown, label: string): LifecycleState;
}

/** The parameters under one key of a parameter file, or given on the command line for one node name. */
export interface NodeParameterOverrides {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: number; readonly value: unknown }[];
}

/** lifecycle.LifecycleNode. What begins with an underscore is private to rclnodejs: that is why its version is pinned. */
export interface Node {
  name(): string;
  namespace(): string;
  getFullyQualifiedName(): string;
  getLogger(): Logger;
  getClock(): { now(): { readonly nanoseconds: bigint } };
  resolveTopicName(topic: string): string;
  createPublisher(type: string, topic: string, options: { readonly qos: QoS }): Publisher;
  destroyPublisher(publisher: Publisher): void;
  createSubscription(
    type: string,
    topic: string,
    options: { readonly qos: QoS; readonly isRaw: true },
    callback: (cdr: Buffer) => void,
  ): Subscription;
  destroySubscription(subscription: Subscription): void;
  createService(
    type: string,
    name: string,
    callback: (request: object, response: ServiceResponse) => Promise<void>,
  ): object;
  getPublishersInfoByTopic(topic: string): readonly TopicEndpoint[];
  getSubscriptionsInfoByTopic(topic: string): readonly TopicEndpoint[];
  declareParameter(parameter: Parameter, descriptor: ParameterDescriptor, ignoreOverride: boolean): void;
  hasParameter(name: string): boolean;
  getParameter(name: string): Parameter;
  setParameter(parameter: Parameter): SetParametersResult;
  /** May change what is to be set, before any check. */
  addPreSetParametersCallback(callback: (parameters: readonly Parameter[]) => readonly Parameter[]): void;
  addOnSetParametersCallback(callback: (parameters: readonly Parameter[]) => SetParametersResult): void;
  /** Called by the executor with what is ready; an exception that leaves it ends the process. */
  execute(handles: readonly unknown[]): void;
  spin(): void;
  /** Has the executor wait for what there is now; waits for the executor's thread itself. */
  syncHandles(): void;
  /** Called by whoever shuts the context down. */
  destroy(): void;

  readonly currentState: LifecycleState;
  readonly availableTransitions: readonly { readonly transition: LifecycleState }[];
  readonly _stateMachineHandle: unknown;
  /** Answers the service ~/change_state; may be asynchronous. */
  _onChangeState(
    request: { readonly transition: LifecycleState },
    response: ServiceResponse,
  ): Promise<object> | void;
  _validateParameters(parameters: readonly Parameter[], isDeclaration?: boolean): SetParametersResult;
  readonly _subscriptions: readonly { readonly handle: unknown }[];
  readonly _parameterService: ParameterService;
  _parameterEventPublisher: Publisher;
  readonly _timeSource: TimeSource;
}

export interface LifecycleState {
  readonly id: number;
  readonly label: string;
}

export interface ParameterService {
  _handleSetParameters(request: SetParametersRequest, response: ServiceResponse): void;
  _handleSetParametersAtomically(request: SetParametersRequest, response: ServiceResponse): void;
  _handleGetParameters(request: object, response: ServiceResponse): void;
  _handleDescribeParameters(request: object, response: ServiceResponse): void;
  _handleGetParameterTypes(request: object, response: ServiceResponse): void;
}

export interface SetParametersRequest {
  readonly parameters: readonly object[];
}

export interface TimeSource {
  readonly isRosTimeActive: boolean;
  _clockSubscription: Subscription | undefined;
  _subscribeToClockTopic(): void;
  _clockCallback(message: { readonly clock: { readonly sec: number; readonly nanosec: number } }): void;
}

export interface ServiceResponse {
  /** An answer without anything in it. */
  readonly template: object;
  send(response: object): void;
}

export interface Logger {
  info(message: string): boolean;
  warn(message: string): boolean;
  error(message: string): boolean;
}

export interface Publisher {
  readonly topic: string;
  readonly subscriptionCount: number;
  publish(cdr: Buffer): void;
}

export interface Subscription {
  readonly topic: string;
  readonly publisherCount: number;
}

/** A publisher or subscription of any node; policies by rmw's numbers. */
export interface TopicEndpoint {
  readonly node_name: string;
  readonly node_namespace: string;
  readonly topic_type: string;
  readonly qos_profile: { readonly reliability: number; readonly durability: number };
}

export interface Parameter {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface SetParametersResult {
  readonly successful: boolean;
  readonly reason: string;
}

export type ParameterTypeName =
  | 'PARAMETER_NOT_SET'
  | 'PARAMETER_BOOL'
  | 'PARAMETER_INTEGER'
  | 'PARAMETER_DOUBLE'
  | 'PARAMETER_STRING'
  | 'PARAMETER_STRING_ARRAY';

export interface ParameterDescriptor {
  /** As rcl_interfaces/ParameterDescriptor. */
  toMessage: () => object;
}

export type ParameterDescriptorClass = new (
  name: string,
  type: number,
  description: string,
  readOnly: boolean,
) => ParameterDescriptor;

export interface QoS {
  readonly depth: number;
}

export interface QoSClass {
  new (history: number, depth: number, reliability: number, durability: number): QoS;
  readonly HistoryPolicy: { readonly RMW_QOS_POLICY_HISTORY_KEEP_LAST: number };
  readonly ReliabilityPolicy: {
    readonly RMW_QOS_POLICY_RELIABILITY_RELIABLE: number;
    readonly RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT: number;
  };
  readonly DurabilityPolicy: {
    readonly RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL: number;
    readonly RMW_QOS_POLICY_DURABILITY_VOLATILE: number;
  };
}
