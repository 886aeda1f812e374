import { BdcError } from '../errors.js';
import type { CountedTopic } from './message-source.js';

const INFO = 'sensor_msgs/msg/CameraInfo';
const IMAGE_TYPES = ['sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'] as const;
type ImageType = (typeof IMAGE_TYPES)[number];

/** A camera of a bag. */
export interface BagCamera {
  /** Last part of the namespace; all of it where two would have the same name. */
  readonly name: string;
  readonly imageTopic: string;
  readonly imageType: ImageType;
  readonly infoTopic: string;
  /** The images are rectified: the CameraInfo's P describes them. */
  readonly isRectified: boolean;
}

/**
 * Names that drivers and image_proc give images, best first: unrectified in colour, whole before compressed, then rectified. Each is the
 * topic's name behind the namespace.
 */
const IMAGE_NAMES = ['image_raw', 'image_color', 'image', 'image_rect_color', 'image_rect'].flatMap(
  (base) => [base, `${base}/compressed`, `${base}_compressed`],
);

/**
 * The cameras of a bag: each CameraInfo topic with the best image topic of its namespace.
 * @throws BdcError `BAG_NO_CAMERAS`, with what was found instead
 */
export function findCameras(topics: readonly CountedTopic[]): readonly BagCamera[] {
  const withMessages = topics.filter(
    ({ messageEncoding, messageCount }) => messageEncoding === 'cdr' && messageCount > 0,
  );
  const images = withMessages.filter(({ type }) => isImageType(type));
  const found = withMessages
    .filter(({ type }) => type === INFO)
    .flatMap(({ name: infoTopic }) => {
      const namespace = infoTopic.slice(0, infoTopic.lastIndexOf('/') + 1);
      const image = bestImage(images, namespace);
      return image === undefined ? [] : [{ namespace, infoTopic, image }];
    })
    .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  if (found.length === 0) throw noCameras(topics, images);

  const shortNames = found.map(({ namespace }) => namespace.split('/').at(-2) || 'camera');
  return found.map(({ namespace, infoTopic, image }, i) => ({
    name:
      shortNames.indexOf(shortNames[i]!) === shortNames.lastIndexOf(shortNames[i]!)
        ? shortNames[i]!
        : namespace.slice(1, -1),
    imageTopic: image.name,
    imageType: image.type as ImageType,
    infoTopic,
    isRectified: /_rect(_|\/|$)/.test(image.name.slice(namespace.length)),
  }));
}

/** Names of transform topics, also those inside of a robot's namespace. */
export function findTransformTopics(topics: readonly CountedTopic[]): {
  readonly dynamic: readonly string[];
  readonly fixed: readonly string[];
} {
  const ending = (last: string): readonly string[] =>
    topics
      .filter(({ name, type }) => type === 'tf2_msgs/msg/TFMessage' && name.split('/').at(-1) === last)
      .map(({ name }) => name);
  return { dynamic: ending('tf'), fixed: ending('tf_static') };
}

/**
 * The cameras that a network takes: all if they fit, else those that it was trained with.
 * @param requested names that the user asked for, in this order
 * @throws BdcError `BAG_CAMERA_UNKNOWN`, or `BAG_TOO_MANY_CAMERAS` where the user has to choose
 */
export function chooseCameras(
  found: readonly BagCamera[],
  {
    requested,
    trained,
    max,
  }: { readonly requested?: readonly string[]; readonly trained: readonly string[]; readonly max: number },
): readonly BagCamera[] {
  const names = found.map(({ name }) => name);
  const named = (wanted: readonly string[]): readonly BagCamera[] =>
    wanted.flatMap((name) => found.filter((camera) => camera.name === name));
  const unknown = requested?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BdcError('bag', {
      code: 'BAG_CAMERA_UNKNOWN',
      message: `the bag has the cameras ${names.join(', ')}, found "${unknown}" in the list of wanted ones`,
    });
  }
  if (requested !== undefined) return named(requested);
  const known = named(trained);
  if (found.length <= max) return [...known, ...found.filter((camera) => !known.includes(camera))];
  if (known.length > 0) return known;
  throw new BdcError('bag', {
    code: 'BAG_TOO_MANY_CAMERAS',
    message: `the model takes ${max} cameras, the bag has ${names.length}: choose some of ${names.join(', ')}`,
  });
}

/** The camera that sets the stamps unless the user says another: the one that looks ahead, by its name, else the first. */
export function defaultAnchor(cameras: readonly BagCamera[]): string {
  const ahead = cameras
    .map(({ name }) => name)
    .filter((name) => /front|forward/i.test(name))
    .sort((a, b) => a.length - b.length);
  return ahead[0] ?? cameras[0]!.name;
}

function bestImage(images: readonly CountedTopic[], namespace: string): CountedTopic | undefined {
  const rank = ({ name }: CountedTopic): number => IMAGE_NAMES.indexOf(name.slice(namespace.length));
  return images
    .filter((image) => image.name.startsWith(namespace) && rank(image) >= 0)
    .sort((a, b) => rank(a) - rank(b))[0];
}

export const isImageType = (type: string): type is ImageType =>
  (IMAGE_TYPES as readonly string[]).includes(type);

function noCameras(topics: readonly CountedTopic[], images: readonly CountedTopic[]): BdcError {
  const list = topics.map(({ name, type, messageCount }) => `${name} (${type}, ${messageCount})`).join(', ');
  const found =
    images.length > 0
      ? `image topics without a CameraInfo beside them (${images.map(({ name }) => name).join(', ')})`
      : `only ${list || 'no topics'}`;
  return new BdcError('bag', {
    code: 'BAG_NO_CAMERAS',
    message: `expected a camera_info topic and images (image_raw, image_raw/compressed, image_rect …) in one namespace, found ${found}`,
  });
}
