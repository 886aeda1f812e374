import { completing } from '../atomic-file.js';
import { rosTopic } from '../bag/bag-topic.js';
import { BagWriter } from '../bag/bag-writer.js';
import { LATCHED_QOS, RELIABLE_QOS } from '../bag/qos-profiles.js';
import { BdcError } from '../errors.js';
import { MessageCodec } from '../messages/message-codec.js';
import type { FrameBagJob, FrameBagReply } from './frame-bag.js';

async function write({ file, stamp, messages }: FrameBagJob): Promise<void> {
  const codec = new MessageCodec();
  const images = new ByteInput();
  const bag = await BagWriter.create(file);
  await completing(bag, async () => {
    for (const { message: entry, imageBytes } of messages) {
      const { topic, type, isLatched = false } = entry;
      const data = imageBytes > 0 ? { data: await images.take(imageBytes) } : {};
      const bytes = codec.encode(type, { ...entry.message, ...data } as typeof entry.message);
      const channel = await bag.addTopic(rosTopic(topic, type, isLatched ? LATCHED_QOS : RELIABLE_QOS));
      await bag.write(channel, bytes, stamp);
    }
  });
}

/** Standard input in pieces of wanted lengths. */
class ByteInput {
  readonly #chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  #rest: Uint8Array = new Uint8Array();

  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      if (this.#rest.length === 0) {
        const { value } = await this.#chunks.next();
        if (value === undefined) throw new RangeError(`the images ended ${count - filled} bytes too early`);
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, count - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return bytes;
  }
}

function replyTo(error: unknown): FrameBagReply {
  const { code, message } =
    error instanceof BdcError ? error : { code: 'OUTPUT_NOT_WRITABLE', message: String(error) };
  return { fault: { code, message } };
}

/** The program of the process that `writeFrameBag` starts: takes one job, writes it, says how that went, and ends. */
process.once('message', (job: FrameBagJob) => {
  void write(job)
    .then((): FrameBagReply => ({}), replyTo)
    .then((reply) => process.send!(reply, () => process.exit()));
});
