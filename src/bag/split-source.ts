import type { BagMessage, CountedTopic, MessageSource } from './message-source.js';

/** The files that one recording was split into, read one after the other as rosbag2 plays them. */
export class SplitSource implements MessageSource {
  readonly indexed: boolean;
  readonly warnings: readonly string[];
  readonly remedy: string;
  readonly topics: readonly CountedTopic[];
  readonly #parts: readonly MessageSource[];
  readonly #merged = new Map<string, CountedTopic>();

  /** @param parts at least one, in the order of recording */
  constructor(parts: readonly MessageSource[]) {
    this.#parts = parts;
    this.indexed = parts.every(({ indexed }) => indexed);
    this.warnings = parts.flatMap(({ warnings }) => warnings);
    this.remedy = parts[0]!.remedy;
    for (const topic of parts.flatMap(({ topics }) => topics)) {
      const known = this.#merged.get(keyOf(topic));
      const messageCount = topic.messageCount + (known?.messageCount ?? 0);
      this.#merged.set(keyOf(topic), { ...(known ?? topic), messageCount });
    }
    this.topics = [...this.#merged.values()];
  }

  async *read(topics: readonly string[] | undefined): AsyncGenerator<BagMessage> {
    for (const part of this.#parts) {
      for await (const message of part.read(topics)) {
        yield { ...message, topic: this.#merged.get(keyOf(message.topic))! };
      }
    }
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

const keyOf = ({ name, type }: CountedTopic): string => `${name}\0${type}`;
