/** The last core that a cpu_set_t has room for. */
export const MAX_CORE = 1023;

/**
 * Core numbers as `taskset --cpu-list` takes them: `0,2-3`; none for an empty text.
 * @throws RangeError saying what was found
 */
export function parseCoreList(text: string): readonly number[] {
  if (text.trim() === '') return [];
  const cores = text.split(',').flatMap((part) => {
    const [, first, last] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    if (!(from <= to && to <= MAX_CORE)) throw refusal(text);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  if (new Set(cores).size < cores.length) throw refusal(text);
  return cores;
}

const refusal = (text: string): RangeError =>
  new RangeError(
    `expected different cores from 0 to ${MAX_CORE} such as 0,2-3, found ${JSON.stringify(text)}`,
  );
