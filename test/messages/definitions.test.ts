import { parse } from '@foxglove/rosmsg';
import assert from 'node:assert/strict';
import { messageDefinitions, messageDefinitionText } from '../../src/messages/definitions.js';
import { TYPE_HASHES } from '../../src/messages/type-hashes.js';

describe('message definitions', () => {
  for (const type of Object.keys(TYPE_HASHES)) {
    it(`of ${type} come back from their text`, () => {
      const [root, ...others] = messageDefinitions(type);
      const [parsedRoot, ...parsedOthers] = parse(messageDefinitionText(type), { ros2: true });
      assert.deepEqual(shape(parsedRoot!), shape(root!));
      assert.deepEqual(
        parsedOthers.map(({ name }) => name),
        others.map(({ name }) => name),
      );
      parsedOthers.forEach((parsed, i) => assert.deepEqual(shape(parsed), shape(others[i]!)));
    });
  }

  it('of an unknown type are asked for in vain', () => {
    assert.throws(() => messageDefinitions('my_msgs/msg/Odd'), { code: 'MESSAGE_TYPE_UNKNOWN' });
  });
});

const shape = ({ definitions }: ReturnType<typeof parse>[number]) =>
  definitions.map(({ name, type, isArray, arrayLength, isConstant, value, defaultValue }) => ({
    name,
    type,
    isArray: isArray ?? false,
    arrayLength,
    isConstant: isConstant ?? false,
    value,
    defaultValue,
  }));
