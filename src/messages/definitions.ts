import { parse } from '@foxglove/rosmsg';
import { ros2jazzy } from '@foxglove/rosmsg-msgs-common';
import { BdcError } from '../errors.js';

export type MessageDefinition = ReturnType<typeof parse>[number];
export type MessageField = MessageDefinition['definitions'][number];

/** Not among the common interfaces; the fields of vision_msgs 4 (ros-perception/vision_msgs). */
const VISION_MSGS: Readonly<Record<string, string>> = {
  'vision_msgs/ObjectHypothesis': 'string class_id\nfloat64 score',
  'vision_msgs/ObjectHypothesisWithPose':
    'vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose',
  'vision_msgs/BoundingBox3D': 'geometry_msgs/Pose center\ngeometry_msgs/Vector3 size',
  'vision_msgs/Detection3D':
    'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\nvision_msgs/BoundingBox3D bbox\nstring id',
  'vision_msgs/Detection3DArray': 'std_msgs/Header header\nvision_msgs/Detection3D[] detections',
};

const definitions: ReadonlyMap<string, MessageDefinition> = new Map([
  ...Object.entries<MessageDefinition>(ros2jazzy),
  ...Object.entries(VISION_MSGS).map(
    ([name, text]) => [name, { ...parse(text, { ros2: true, skipTypeFixup: true })[0]!, name }] as const,
  ),
]);

/** The parser knows the two time types as primitives, as ROS 1 had them. */
const TIME_TYPES: Readonly<Record<string, string>> = {
  time: 'builtin_interfaces/Time',
  duration: 'builtin_interfaces/Duration',
};

const SEPARATOR = '='.repeat(80);

/**
 * A message's definition followed by those of all types in it, each once, in the order that they are met.
 * @param type for example `sensor_msgs/msg/Image`
 * @throws BdcError `MESSAGE_TYPE_UNKNOWN`
 */
export function messageDefinitions(type: string): readonly MessageDefinition[] {
  const found = new Map<string, MessageDefinition>();
  const visit = (name: string): void => {
    const definition = definitions.get(name);
    if (definition === undefined) {
      throw new BdcError('message', {
        code: 'MESSAGE_TYPE_UNKNOWN',
        message: `the definition of message type ${type} is not known here (${name} is missing)`,
      });
    }
    if (found.has(name)) return;
    found.set(name, definition);
    for (const field of definition.definitions) {
      if (field.isComplex) visit(field.type);
      else if (field.type in TIME_TYPES) visit(TIME_TYPES[field.type]!);
    }
  };
  visit(type.replace('/msg/', '/'));
  return [...found.values()];
}

/** The same as text, in the `ros2msg` form that rosbag2 writes into MCAP schemas. */
export function messageDefinitionText(type: string): string {
  return messageDefinitions(type)
    .map(({ name, definitions: fields }, i) =>
      [...(i === 0 ? [] : [SEPARATOR, `MSG: ${name}`]), ...fields.map(fieldText), ''].join('\n'),
    )
    .join('');
}

function fieldText(field: MessageField): string {
  const base = TIME_TYPES[field.type] ?? field.type;
  if (field.isConstant) return `${base} ${field.name}=${field.valueText ?? String(field.value)}`;
  const bound = field.upperBound === undefined ? '' : `<=${field.upperBound}`;
  const length =
    field.arrayLength ?? (field.arrayUpperBound === undefined ? '' : `<=${field.arrayUpperBound}`);
  const array = field.isArray ? `[${length}]` : '';
  const initial = field.defaultValue === undefined ? '' : ` ${JSON.stringify(field.defaultValue)}`;
  return `${base}${bound}${array} ${field.name}${initial}`;
}
