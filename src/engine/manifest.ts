/** The model manifest's types; models/manifest.schema.json is what is checked, docs/model-format.md what it means. */
export type Rgb = readonly [number, number, number];
export type Triple = readonly [number, number, number];

export interface OccupancyClass {
  readonly name: string;
  readonly color: Rgb;
  readonly traversable: boolean;
}

export interface DetectionClass {
  readonly name: string;
  readonly color: Rgb;
  readonly nms_scale: number;
}

export type ModuleName = 'image_encoder' | 'view_transformer' | 'bev_encoder' | 'heads';

export interface GraphOperation {
  readonly name: string;
  readonly op: string;
  readonly module: ModuleName;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly tensors?: Readonly<Record<string, string>>;
}

/** A camera that the network was trained with, level, as its images look after scaling and cropping. */
export interface TrainedView {
  /** Pixels of the network's input. */
  readonly focal_length: number;
  /** Principal point, pixels of the network's input; pixel (0, 0) is the centre of the top left pixel. */
  readonly center: readonly [number, number];
  /** Above the ground, metres. */
  readonly height: number;
}

export interface ModelManifest {
  readonly format: 'bdc_occ';
  readonly format_version: 1;
  readonly name: string;
  readonly license: string;
  readonly training_data: string;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly input: {
    readonly width: number;
    readonly height: number;
    readonly cameras: number;
    readonly camera_names: readonly string[];
    readonly mean: Triple;
    readonly std: Triple;
    /** The kinds of camera, the one that virtual cameras look like first; missing: not known. */
    readonly trained_views?: readonly TrainedView[];
  };
  readonly grid: { readonly min: Triple; readonly max: Triple; readonly shape: Triple };
  readonly occupancy?: { readonly classes: readonly OccupancyClass[]; readonly free: number };
  readonly detection?: {
    readonly classes: readonly DetectionClass[];
    readonly score_threshold: number;
    readonly nms_threshold: number;
    readonly max_candidates: number;
  };
  readonly graph: {
    readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | 'cameras')[] }[];
    readonly operations: readonly GraphOperation[];
    readonly outputs: Readonly<Record<string, string>>;
  };
}
