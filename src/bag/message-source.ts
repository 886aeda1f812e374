import type { BagTopic } from './bag-topic.js';

/** A topic of a bag that is being read. */
export interface CountedTopic extends BagTopic {
  readonly messageCount: number;
}

export interface BagMessage {
  readonly topic: CountedTopic;
  /** Nanoseconds: when the recorder received it. */
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** Something that messages are read from: an MCAP file, an SQLite file, or several files in a row. */
export interface MessageSource {
  /** Whether messages come in the order of their log time; else in that of the file. */
  readonly indexed: boolean;
  /** What is wrong with it though it can be read, one sentence each. */
  readonly warnings: readonly string[];
  readonly topics: readonly CountedTopic[];
  /** What can be done where the content turns out to be damaged, as the end of a sentence. */
  readonly remedy: string;
  /** @param topics names; undefined = all */
  read(topics: readonly string[] | undefined): AsyncGenerator<BagMessage>;
  close(): Promise<void>;
}
