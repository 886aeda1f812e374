import type { Publisher } from './rclnodejs-types.js';

/** Encapsulation header of CDR: no message is shorter. */
const LEAST_BYTES = 4;

/**
 * Publishes a serialized message. All messages of this project go this way: rclnodejs would send other bytes than those of a typed array that
 * begins in the middle of its memory, and an empty buffer ends a process that subscribes to the topic itself.
 *
 * @throws RangeError for fewer bytes than the header of CDR has
 */
export function publishCdr(publisher: Publisher, { buffer, byteOffset, byteLength }: Uint8Array): void {
  if (byteLength < LEAST_BYTES) {
    throw new RangeError(
      `expected a CDR message of at least ${LEAST_BYTES} bytes for ${publisher.topic}, found ${byteLength} bytes`,
    );
  }
  publisher.publish(Buffer.from(buffer, byteOffset, byteLength));
}
