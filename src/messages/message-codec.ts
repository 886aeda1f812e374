import { MessageReader, MessageWriter } from '@foxglove/rosmsg2-serialization';
import { BdcError } from '../errors.js';
import { CdrCheck } from './cdr-check.js';
import { messageDefinitions } from './definitions.js';
import type { RosMessages, RosTypeName } from './ros-types.js';

/** Middleware may pad a message to a multiple of eight bytes; more left over means that the type is another one. */
const MAX_PADDING = 7;

interface TypeCodec {
  readonly check: CdrCheck;
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
}

/** Messages of known types to CDR bytes (with their four-byte header, as raw publishers and bags take them) and back. */
export class MessageCodec {
  readonly #types = new Map<string, TypeCodec>();

  encode<Name extends RosTypeName>(type: Name, message: RosMessages[Name]): Uint8Array {
    return this.#codec(type).writer.writeMessage(message);
  }

  /**
   * Numeric arrays of the result are views into `bytes` where alignment allows.
   * @throws BdcError `MESSAGE_MALFORMED` if the bytes are not a message of that type
   */
  decode<Name extends RosTypeName>(type: Name, bytes: Uint8Array): RosMessages[Name] {
    const { check, reader } = this.#codec(type);
    let end: number;
    try {
      end = check.measure(bytes);
    } catch (cause) {
      throw malformed(type, bytes, (cause as Error).message, cause);
    }
    if (bytes.byteLength - end > MAX_PADDING) {
      throw malformed(type, bytes, `the message ends after ${end} bytes`);
    }
    return reader.readMessage<RosMessages[Name]>(bytes);
  }

  #codec(type: RosTypeName): TypeCodec {
    let codec = this.#types.get(type);
    if (codec === undefined) {
      const definitions = [...messageDefinitions(type)];
      codec = {
        check: new CdrCheck(definitions),
        reader: new MessageReader(definitions),
        writer: new MessageWriter(definitions),
      };
      this.#types.set(type, codec);
    }
    return codec;
  }
}

const malformed = (type: string, bytes: Uint8Array, found: string, cause?: unknown): BdcError =>
  new BdcError('message', {
    code: 'MESSAGE_MALFORMED',
    message: `expected a ${type} in ${bytes.byteLength} bytes: ${found}; the sender uses another message definition or the data is damaged`,
    cause,
  });
