import { createReadStream } from 'node:fs';

import { BdcError } from '../errors.js';

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [LIST, LIST_END, ROW, ROW_END] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Space, tab, line feed, carriage return. */
const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/**
 * The rows of a JSON list of objects, one at a time: nuScenes' larger tables are longer than a JavaScript string can be.
 * @throws BdcError `DATASET_FILE_MISSING`, `DATASET_TABLE_INVALID`
 */
export async function* readJsonRows<Row>(path: string): AsyncGenerator<Row> {
  const scanner = new RowScanner(path);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      for (const row of scanner.add(chunk as Buffer)) yield row as Row;
    }
  } catch (cause) {
    if (cause instanceof BdcError) throw cause;
    throw new BdcError('dataset', {
      code: 'DATASET_FILE_MISSING',
      message: `${path}: cannot be read (${(cause as Error).message}); the data set is not complete`,
      cause,
    });
  }
  scanner.end();
}

/** Finds where rows begin and end; what is between is left to JSON.parse. */
class RowScanner {
  readonly #path: string;
  /** Bytes of a row that began in an earlier chunk. */
  #kept: Buffer = Buffer.alloc(0);
  /** 0 before the list, 1 in it, more within a row. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isDone = false;

  constructor(path: string) {
    this.#path = path;
  }

  *add(chunk: Buffer): Generator<unknown> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
        continue;
      }
      if (this.#depth <= 1) {
        if (isBlank(byte) || (byte === COMMA && this.#depth === 1)) continue;
        const expected =
          this.#depth === 0 ? byte === LIST && !this.#isDone : byte === ROW || byte === LIST_END;
        if (!expected) throw this.#invalid(`expected a list of rows`);
        if (byte === ROW) start = i;
      }
      if (byte === QUOTE) this.#isInString = true;
      else if (byte === ROW || byte === LIST) this.#depth++;
      else if (byte === ROW_END || byte === LIST_END) {
        this.#depth--;
        if (this.#depth === 0) this.#isDone = true;
        if (this.#depth === 1) {
          yield this.#parse(Buffer.concat([this.#kept, chunk.subarray(start, i + 1)]));
          this.#kept = Buffer.alloc(0);
        }
      }
    }
    if (this.#depth > 1) this.#kept = Buffer.concat([this.#kept, chunk.subarray(start)]);
  }

  end(): void {
    if (!this.#isDone) throw this.#invalid('expected JSON, found its end within a list; the file may be cut');
  }

  #parse(bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch (cause) {
      throw this.#invalid(`expected JSON, found ${(cause as Error).message}`, cause);
    }
  }

  #invalid(what: string, cause?: unknown): BdcError {
    return new BdcError('dataset', {
      code: 'DATASET_TABLE_INVALID',
      message: `${this.#path}: ${what}`,
      cause,
    });
  }
}
