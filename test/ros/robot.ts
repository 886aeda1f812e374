import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Header } from '../../src/messages/ros-types.js';
import { nsFromTime } from '../../src/messages/stamp.js';
import { CameraScene } from './camera-scene.js';
import type { Transport } from './camera-scene.js';
import { frameFile, modelFile } from './frame-file.js';
import { pointsOf } from './helpers/clouds.js';
import type { ArrayFile, Peer } from './peer.js';
import { Ros2Graph } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import type { RunningNode } from './running-node.js';
import { WaitLimitError } from './waiting.js';

export const RESULTS = {
  '/bdc_occ/occupied_voxels': { type: 'sensor_msgs/msg/PointCloud2', qos: {} },
  '/bdc_occ/occupancy_grid': {
    type: 'nav_msgs/msg/OccupancyGrid',
    qos: { durability: 'transient_local', depth: 1 },
  },
  '/bdc_occ/detections': { type: 'vision_msgs/msg/Detection3DArray', qos: {} },
  '/bdc_occ/markers': { type: 'visualization_msgs/msg/MarkerArray', qos: {} },
} as const;

export interface ReceivedCloud {
  readonly header: Header;
  readonly width: number;
  readonly height: number;
  readonly fields: readonly {
    readonly name: string;
    readonly offset: number;
    readonly datatype: number;
    readonly count: number;
  }[];
  readonly is_bigendian: boolean;
  readonly point_step: number;
  readonly row_step: number;
  readonly data: ArrayFile | readonly number[];
  readonly is_dense: boolean;
}

export interface ReceivedGrid {
  readonly header: Header;
  readonly info: { readonly resolution: number; readonly width: number; readonly height: number };
  readonly data: ArrayFile | readonly number[];
}

export interface ReceivedDetections {
  readonly header: Header;
  readonly detections: readonly {
    readonly header: Header;
    readonly results: readonly {
      readonly hypothesis: { readonly class_id: string; readonly score: number };
    }[];
    readonly bbox: {
      readonly center: { readonly position: { readonly x: number; readonly y: number; readonly z: number } };
    };
  }[];
}

export interface ReceivedMarkers {
  readonly markers: readonly { readonly header: Header; readonly ns: string; readonly type: number }[];
}

export interface ReceivedResults {
  /** Of the anchor's image that made them. */
  readonly stamp: bigint;
  readonly cloud: ReceivedCloud;
  readonly grid: ReceivedGrid;
  readonly detections: ReceivedDetections;
  readonly markers: ReceivedMarkers;
}

/** Says which cameras the results of the same stamp are made of. */
const COVERAGE = '/bdc_occ/camera_coverage';
/** Between two sets of images, in nanoseconds. */
const FRAME_PERIOD = 500_000_000n;
/** How long a set of images may take until its results are there; then the next one is sent. */
const RESULT_LIMIT_MS = 10_000;
const ATTEMPTS = 6;

/** A robot of processes: one drives the cameras, the node perceives, one receives. */
export class Robot {
  readonly graph: Ros2Graph;
  readonly scene: CameraScene;
  readonly cameras: Peer;
  readonly receiver: Peer;
  #node: RunningNode | undefined;
  #sets = 0n;

  private constructor(graph: Ros2Graph, scene: CameraScene) {
    this.graph = graph;
    this.scene = scene;
    this.cameras = graph.startPeer();
    this.receiver = graph.startPeer();
  }

  static async assemble(ros: Ros2Environment, transport: Transport = 'compressed'): Promise<Robot> {
    const graph = new Ros2Graph(ros);
    return new Robot(graph, await CameraScene.load(await frameFile(graph.folder), transport, graph.folder));
  }

  get node(): RunningNode {
    return this.#node!;
  }

  /** Starts the node with a parameter file and waits until it is ready. */
  async startNode(parameters: Record<string, unknown> = {}): Promise<void> {
    const file = path.join(this.graph.folder, 'parameters.yaml');
    // the cameras publish one after the other, on a machine that may have much else to do
    const all = {
      model: modelFile(),
      max_wait_ms: 10_000,
      camera_timeout_ms: 60_000,
      'outputs.camera_coverage.max_rate': 0,
      ...this.scene.parameters,
      ...parameters,
    };
    writeFileSync(file, stringify({ '/**': { ros__parameters: all } }));
    this.#node = this.graph.startNode(['--ros-args', '--params-file', file]);
    await this.node.waitForLog(/ready: model/);
  }

  async receiveResults(): Promise<void> {
    for (const [topic, { type, qos }] of Object.entries(RESULTS))
      await this.receiver.subscribe(topic, type, qos);
    await this.receiver.subscribe(COVERAGE, 'sensor_msgs/msg/PointCloud2', {});
    await this.receiver.waitMatched();
  }

  /** @param working cameras that publish */
  async startCameras(working = this.scene.cameras): Promise<void> {
    await this.scene.advertise(this.cameras, working);
    await this.cameras.waitMatched();
  }

  async publishImages(working = this.scene.cameras): Promise<bigint> {
    const shift = this.#sets++ * FRAME_PERIOD;
    await this.scene.publishImages(this.cameras, shift, working);
    return shift;
  }

  /**
   * Sends sets of images until one comes out as results of all working cameras, on all four topics. Input is best effort, and each of the
   * eight ends of the graph learns of the other one in its own time, so the first sets may be lost, or some cameras' CameraInfo.
   */
  async nextResults(working = this.scene.cameras): Promise<ReceivedResults> {
    let missing: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const shift = await this.publishImages(working);
      const stamp = this.scene.stampOf(this.scene.cameras[0]!) + shift;
      try {
        const results = await this.#resultsOf(stamp);
        const used = await this.#camerasOf(stamp);
        const unused = working.filter((camera) => !used.has(camera));
        if (unused.length === 0) return results;
        missing = new Error(`results without ${unused.join(', ')}`);
      } catch (error) {
        if (!(error instanceof WaitLimitError)) throw error;
        missing = error;
      }
    }
    throw new Error(`no results of ${ATTEMPTS} sets of images`, { cause: missing });
  }

  async #camerasOf(stamp: bigint): Promise<ReadonlySet<string>> {
    const isOfStamp = ({ header }: ReceivedCloud): boolean => nsFromTime(header.stamp) === stamp;
    const coverage = await this.receiver.next<ReceivedCloud>(COVERAGE, isOfStamp, {
      limitMs: RESULT_LIMIT_MS,
      show: ({ header }) => header,
    });
    const seenBy = pointsOf(coverage, 'cameras').reduce((all, { value }) => all | value, 0);
    return new Set(this.scene.cameras.filter((_, bit) => seenBy & (1 << bit)));
  }

  async #resultsOf(stamp: bigint): Promise<ReceivedResults> {
    const of = <T>(topic: keyof typeof RESULTS, header: (message: T) => Header): Promise<T> =>
      this.receiver.next<T>(topic, (message) => nsFromTime(header(message).stamp) === stamp, {
        limitMs: RESULT_LIMIT_MS,
        show: header,
      });
    const [cloud, grid, detections, markers] = await Promise.all([
      of<ReceivedCloud>('/bdc_occ/occupied_voxels', ({ header }) => header),
      of<ReceivedGrid>('/bdc_occ/occupancy_grid', ({ header }) => header),
      of<ReceivedDetections>('/bdc_occ/detections', ({ header }) => header),
      of<ReceivedMarkers>('/bdc_occ/markers', ({ markers: [first] }) => first!.header),
    ]);
    return { stamp, cloud, grid, detections, markers };
  }
}
