import type { LifecycleState, Node, RclAddon } from './rclnodejs-types.js';

/** What a managed node does on its way from state to state (design.ros2.org/articles/node_lifecycle.html). */
export interface ManagedNode {
  configure(): Promise<void>;
  activate(): Promise<void>;
  deactivate(): Promise<void>;
  cleanup(): Promise<void>;
  /** From any state; also after one of the others failed. Frees everything and does not throw. */
  release(): Promise<void>;
  /** Called with what made a transition fail. */
  onTransitionError(transition: TransitionLabel, error: unknown): void;
}

const TRANSITIONS = ['configure', 'activate', 'deactivate', 'cleanup', 'shutdown'] as const;
export type TransitionLabel = (typeof TRANSITIONS)[number];

/**
 * The state machine of the node, for the services of lifecycle_msgs and for the program itself. rclnodejs has one whose callbacks must be
 * synchronous, and which ends the process where a request names a transition that the state does not have: a model takes time to load,
 * and anybody may ask for anything, so requests are answered here.
 */
export class Lifecycle {
  readonly #node: Node;
  readonly #addon: RclAddon;
  readonly #managed: ManagedNode;
  #isChanging = false;
  #isOver = false;
  /** The end of the transition or the work that is under way; never rejects. */
  #underWay: Promise<void> | undefined;

  constructor(node: Node, addon: RclAddon, managed: ManagedNode) {
    this.#node = node;
    this.#addon = addon;
    this.#managed = managed;
    node._onChangeState = async ({ transition }) => {
      const label = this.#requested(transition);
      return { success: label !== undefined && (await this.change(label)) === undefined };
    };
  }

  get state(): string {
    return this.#node.currentState.label;
  }

  /**
   * Goes through a transition, after exclusive work if that is under way; a failing one ends in `unconfigured` with everything freed.
   * @returns what made it fail, or undefined
   */
  async change(label: TransitionLabel): Promise<Error | undefined> {
    while (!this.#isChanging && this.#underWay !== undefined) await this.#underWay;
    if (this.#isOver) return new Error(`transition ${label} is not possible: the node ends`);
    if (this.#isChanging || !this.#isAvailable(label)) {
      const busy = this.#isChanging ? 'while another transition is under way' : `in state ${this.state}`;
      const error = new Error(`transition ${label} is not possible ${busy}`);
      this.#managed.onTransitionError(label, error);
      return error;
    }
    return this.#alone(() => this.#change(label));
  }

  /** Does what no transition may come into: waits for one that is under way, and later ones wait for the work. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#underWay !== undefined) await this.#underWay;
    return this.#alone(work);
  }

  /** The work at the end of the node: as `exclusively`, and no transition comes after it. */
  end(work: () => Promise<void>): Promise<void> {
    this.#isOver = true;
    return this.exclusively(work);
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = work();
    const free = (): void => (this.#underWay = undefined);
    this.#underWay = done.then(free, free);
    return done;
  }

  async #change(label: TransitionLabel): Promise<Error | undefined> {
    this.#isChanging = true;
    try {
      return await this.#pass(label);
    } finally {
      this.#isChanging = false;
    }
  }

  async #pass(label: TransitionLabel): Promise<Error | undefined> {
    this.#trigger(label);
    try {
      await (label === 'shutdown' ? this.#managed.release() : this.#managed[label]());
      this.#trigger('transition_success');
      return undefined;
    } catch (error) {
      this.#managed.onTransitionError(label, error);
      this.#trigger('transition_error');
      await this.#managed.release();
      this.#trigger('transition_success');
      return error as Error;
    }
  }

  /** Requests name a transition by its label or, if that is empty, by its id; only those that a user may ask for are taken. */
  #requested({ id, label }: LifecycleState): TransitionLabel | undefined {
    const found = this.#node.availableTransitions.find(({ transition }) =>
      label === '' ? transition.id === id : transition.label === label,
    )?.transition.label;
    return TRANSITIONS.find((known) => known === found);
  }

  #isAvailable(label: TransitionLabel): boolean {
    return this.#node.availableTransitions.some(({ transition }) => transition.label === label);
  }

  #trigger(label: string): void {
    this.#addon.triggerLifecycleTransitionByLabel(this.#node._stateMachineHandle, label);
  }
}
