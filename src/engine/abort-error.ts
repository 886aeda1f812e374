/** A frame that was given up: its signal fired, or its engine was disposed. Named and coded as Node's own. */
export class AbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';
}
