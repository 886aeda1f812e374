import type { CameraIntake, IntakeStatistics } from '../../perception/camera-intake.js';
import type { CameraState } from '../../perception/camera-synchronizer.js';
import type { FaultCount } from '../../perception/fault-log.js';
import type { NodeSettings } from '../node-settings.js';
import type { SubscribedTopic } from '../typed-subscriptions.js';
import { ERROR, OK, WARN } from './status.js';
import type { ComponentStatus } from './status.js';

/** Frames in a row without a camera that is alive, before it is said to lag. */
const LAGS_AFTER_MISSES = 3;

/** What the cameras do: one component each, and `cameras` for all of them. */
export class CameraStatus {
  readonly #settings: NodeSettings;
  /** Counts of faults when they were looked at last, by code and camera. */
  #reported = new Map<string, number>();

  constructor(settings: NodeSettings) {
    this.#settings = settings;
  }

  /** Faults since the last call count. */
  statuses(intake: CameraIntake, topics: readonly SubscribedTopic[]): readonly ComponentStatus[] {
    const { statistics } = intake;
    const faults = this.#newFaults(statistics);
    const cameras = this.#settings.cameras.map(({ name }) => name);
    return [
      this.#summary(statistics, faults),
      ...cameras.map((name) => {
        const state = statistics.synchronizer.cameras[name]!;
        const topic = topics.find(({ requested }) => requested === this.#imageTopic(name));
        return cameraStatus(name, state, { fault: faults.find(({ camera }) => camera === name), topic });
      }),
    ];
  }

  #imageTopic(camera: string): string {
    return this.#settings.cameras.find(({ name }) => name === camera)!.imageTopic;
  }

  #newFaults({ faults }: IntakeStatistics): readonly FaultCount[] {
    const key = ({ code, camera }: FaultCount): string => `${code} ${camera ?? ''}`;
    const fresh = faults.filter((fault) => fault.count > (this.#reported.get(key(fault)) ?? 0));
    this.#reported = new Map(faults.map((fault) => [key(fault), fault.count]));
    return fresh;
  }

  #summary(
    { synchronizer, droppedFrames, framesWithoutPose }: IntakeStatistics,
    faults: readonly FaultCount[],
  ): ComponentStatus {
    const states = Object.entries(synchronizer.cameras);
    const names = (liveness: CameraState['liveness']): readonly string[] =>
      states.flatMap(([name, state]) => (state.liveness === liveness ? [name] : []));
    const [live, dead, waiting] = [names('live'), names('dead'), names('waiting')];
    const values = {
      live: live.join(' '),
      dead: dead.join(' '),
      anchor: synchronizer.anchor,
      frames: synchronizer.frames,
      'frames no camera could be used of': droppedFrames,
      'frames without ego motion': framesWithoutPose,
      'time jumps': synchronizer.timeJumps,
    };
    const status = (level: ComponentStatus['level'], message: string): ComponentStatus => ({
      component: 'cameras',
      level,
      message,
      values,
    });
    if (live.length === 0 && waiting.length === 0)
      return status(ERROR, 'no camera is alive: nothing is published');
    const shared = faults.find(({ camera }) => camera === undefined);
    if (shared !== undefined) return { ...status(WARN, described(shared)), cause: shared.code };
    if (dead.length > 0) {
      return status(WARN, `${live.length} of ${states.length} cameras are alive; masked: ${dead.join(', ')}`);
    }
    if (waiting.length > 0) return status(OK, `waiting for images of ${waiting.join(', ')}`);
    return status(OK, `all ${states.length} cameras are alive`);
  }
}

function cameraStatus(
  name: string,
  state: CameraState,
  { fault, topic }: { readonly fault: FaultCount | undefined; readonly topic: SubscribedTopic | undefined },
): ComponentStatus {
  const { liveness, silenceMs, lagMs, missedInARow, ...counts } = state;
  const values = {
    state: liveness,
    topic: topic?.topic ?? '',
    publishers: topic?.publisherCount ?? 0,
    ...(silenceMs !== undefined && { 'silence ms': silenceMs }),
    ...(lagMs !== undefined && { 'lag ms': lagMs }),
    ...counts,
  };
  const status = (level: ComponentStatus['level'], message: string): ComponentStatus => ({
    component: `camera ${name}`,
    level,
    message,
    values,
  });
  const on = `on ${topic?.topic} (${topic?.publisherCount} publishers with matching QoS)`;
  if (fault !== undefined) {
    return { ...status(WARN, described(fault).replace(`camera ${name}: `, '')), cause: fault.code };
  }
  switch (liveness) {
    case 'dead':
      return silenceMs === undefined
        ? { ...status(WARN, `no image yet ${on}`), cause: 'never' }
        : status(WARN, `no image any more ${on}; masked, its voxels are unknown`);
    case 'waiting':
      return status(OK, 'waiting for its first image');
    case 'live':
      // one that only fell silent is as far behind as it is silent
      if (missedInARow >= LAGS_AFTER_MISSES && (lagMs ?? 0) > 2 * (silenceMs ?? 0)) {
        return status(
          WARN,
          `its images come too late for the frames: ${Math.round(lagMs ?? 0)} ms behind; masked`,
        );
      }
      return status(OK, 'alive');
  }
}

const described = ({ message, code, count }: FaultCount): string =>
  `${message} [${code}, ${count} times so far]`;
