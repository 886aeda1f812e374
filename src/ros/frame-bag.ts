import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { BdcError } from '../errors.js';
import type { RosMessages, RosTypeName } from '../messages/ros-types.js';

/** A message of any type, and where it goes. */
export type FrameMessage = {
  readonly [Name in RosTypeName]: {
    readonly topic: string;
    readonly type: Name;
    readonly message: RosMessages[Name];
    readonly isLatched?: boolean;
  };
}[RosTypeName];

/** What the process is told first; the images' bytes come through its standard input, one after the other. */
export interface FrameBagJob {
  readonly file: string;
  /** Of every message in the bag, in nanoseconds. */
  readonly stamp: bigint;
  /** Images are without their bytes. */
  readonly messages: readonly { readonly message: FrameMessage; readonly imageBytes: number }[];
}

/** What it says at the end. */
export interface FrameBagReply {
  readonly fault?: { readonly code: string; readonly message: string };
}

const PROGRAM = fileURLToPath(new URL('./frame-bag-process.js', import.meta.url));

/**
 * Writes the messages of a frame as a bag. A process of its own does that, since packing six raw images keeps a thread for half a second: the
 * event loop has cameras to listen to, and rclnodejs does not bear worker threads. Images are read until this resolves.
 *
 * @param file is replaced where it is there
 * @throws BdcError `OUTPUT_NOT_WRITABLE`
 */
export async function writeFrameBag(
  file: string,
  stamp: bigint,
  messages: readonly FrameMessage[],
): Promise<void> {
  const images: Uint8Array[] = [];
  const job: FrameBagJob = {
    file,
    stamp,
    messages: messages.map((message) => {
      if (message.type !== 'sensor_msgs/msg/Image' && message.type !== 'sensor_msgs/msg/CompressedImage')
        return { message, imageBytes: 0 };
      const { data } = message.message;
      images.push(data);
      const withoutData = { ...message, message: { ...message.message, data: new Uint8Array() } };
      return { message: withoutData as FrameMessage, imageBytes: data.length };
    }),
  };
  const child = fork(PROGRAM, [], {
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  child.send(job);
  // where it ends early its reply or its exit code says why, and the broken pipe nothing more
  const sent = pipeline(Readable.from(images), child.stdin!).catch(() => undefined);
  const { fault } = await replyOf(child, file);
  await sent;
  if (fault !== undefined) throw new BdcError('configuration', fault);
}

function replyOf(child: ChildProcess, file: string): Promise<FrameBagReply> {
  return new Promise((resolve, reject) => {
    child.once('message', (reply: FrameBagReply) => resolve(reply));
    child.on('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the process that writes ${file} ended early (${signal ?? code})`)),
    );
  });
}
