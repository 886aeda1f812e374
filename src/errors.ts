/**
 * Which part of the input is at fault. One class, one stable `code` per fault: callers switch on `kind` or `code`, people read the
 * message, which says what was expected, what was found and what to do.
 */
export type FaultKind =
  'model' | 'camera' | 'transform' | 'message' | 'bag' | 'dataset' | 'configuration' | 'environment';

export interface Fault {
  /** Stable identifier, for example `MODEL_TRUNCATED`. */
  readonly code: string;
  /** What was expected, what was found, and what to do, in one or two sentences. */
  readonly message: string;
  readonly cause?: unknown;
}

/** An error caused by what the user handed in (never by a defect of this program). */
export class BdcError extends Error {
  readonly kind: FaultKind;
  readonly code: string;

  constructor(kind: FaultKind, fault: Fault) {
    super(fault.message, fault.cause === undefined ? undefined : { cause: fault.cause });
    this.name = `${kind[0]!.toUpperCase()}${kind.slice(1)}Error`;
    this.kind = kind;
    this.code = fault.code;
  }
}
