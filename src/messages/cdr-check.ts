import type { MessageDefinition, MessageField } from './definitions.js';

const SIZES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

/**
 * Walks over a CDR message (plain XCDR1, either byte order) without building it: the decoding library trusts lengths, and would read
 * beyond the message into what lies behind it in the same buffer, or allocate what a corrupt length says.
 *
 * Rules (OMG DDS-XTypes 1.3, 7.4.1): four bytes of encapsulation header; primitives aligned to their size counted from behind that
 * header; strings and sequences start with a uint32 length, that of a string counts its terminating zero.
 */
export class CdrCheck {
  readonly #definitions: ReadonlyMap<string, readonly MessageField[]>;
  readonly #root: readonly MessageField[];

  constructor(definitions: readonly MessageDefinition[]) {
    this.#definitions = new Map(definitions.map(({ name, definitions: fields }) => [name ?? '', fields]));
    this.#root = definitions[0]!.definitions;
  }

  /** Bytes of the message, header included. @throws RangeError that names the field at fault */
  measure(bytes: Uint8Array): number {
    if (bytes.byteLength < 4) throw new RangeError(`${bytes.byteLength} bytes are too few for a CDR header`);
    const [first, kind] = bytes as unknown as readonly [number, number];
    if (first !== 0 || kind > 1) {
      throw new RangeError(
        `encapsulation ${hex(first)} ${hex(kind)} is not plain CDR (00 00 or 00 01), as ROS 2 writes it`,
      );
    }
    const cursor = new Cursor(bytes, kind === 1);
    this.#fields(this.#root, cursor, '');
    return cursor.offset;
  }

  #fields(fields: readonly MessageField[], cursor: Cursor, path: string): void {
    for (const field of fields) {
      if (field.isConstant) continue;
      const name = `${path}${field.name}`;
      if (!field.isArray) {
        this.#one(field, cursor, name);
        continue;
      }
      const count = field.arrayLength ?? cursor.length(name);
      const size = SIZES[field.type];
      if (size !== undefined) {
        if (count > 0) cursor.skip(size, count, name);
        continue;
      }
      // each element has at least one byte, so this refuses absurd counts before any loop
      cursor.require(count, name, `${count} elements`);
      for (let i = 0; i < count; i++) this.#one(field, cursor, `${name}[${i}]`);
    }
  }

  #one(field: MessageField, cursor: Cursor, name: string): void {
    const size = SIZES[field.type];
    if (size !== undefined) cursor.skip(size, 1, name);
    else if (field.type === 'time' || field.type === 'duration') cursor.skip(4, 2, name);
    else if (field.isComplex) this.#fields(this.#definitions.get(field.type)!, cursor, `${name}.`);
    else cursor.string(name);
  }
}

class Cursor {
  offset = 4;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = littleEndian;
  }

  require(bytes: number, name: string, what: string): void {
    const left = this.#view.byteLength - this.offset;
    if (bytes > left)
      throw new RangeError(`field ${name} says ${what}, but ${Math.max(left, 0)} bytes are left`);
  }

  skip(size: number, count: number, name: string): void {
    this.offset += -(this.offset - 4) & (size - 1);
    this.require(size * count, name, `${count} × ${size} bytes`);
    this.offset += size * count;
  }

  length(name: string): number {
    this.skip(4, 1, name);
    return this.#view.getUint32(this.offset - 4, this.#littleEndian);
  }

  string(name: string): void {
    const length = this.length(name);
    this.require(length, name, `a string of ${length} bytes`);
    if (length > 0 && this.#view.getUint8(this.offset + length - 1) !== 0) {
      throw new RangeError(`field ${name} says a string of ${length} bytes, but it does not end in a zero`);
    }
    this.offset += length;
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
