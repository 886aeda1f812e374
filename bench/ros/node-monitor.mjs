/**
 * Loaded into the node before its program: measures how late its event loop was, and notes which image was taken when. The first SIGUSR2
 * ends the start-up and begins the steady state, the second one ends that. What was seen is written to $BDC_NODE_MONITOR when the process ends.
 *
 * The loop is late for two reasons: something kept it (callbacks, garbage collection, waiting for a lock), or its thread was ready and all
 * processors were busy with other threads. /proc/self/schedstat counts the second one for the main thread, in nanoseconds
 * (Documentation/scheduler/sched-stats.rst); the rest is what kept the loop.
 */
import { subscribe } from 'node:diagnostics_channel';
import { openSync, readSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';

const TICK_MS = 2;

const schedstat = openSync('/proc/self/schedstat', 'r');
const text = Buffer.alloc(64);

/** How long the thread has waited for a processor so far, in milliseconds. */
function waitedMs() {
  const length = readSync(schedstat, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

/** Milliseconds beyond the tick, and those of them that something kept the loop. */
const newWindow = () => ({ late: [], kept: [] });
const windows = { startUp: newWindow(), steady: newWindow(), shutdown: newWindow() };
let window = windows.startUp;
let [lastTick, lastWaited] = [performance.now(), waitedMs()];

function note() {
  const [now, waited] = [performance.now(), waitedMs()];
  const late = Math.max(0, now - lastTick - TICK_MS);
  window.late.push(late);
  window.kept.push(Math.max(0, late - (waited - lastWaited)));
  [lastTick, lastWaited] = [now, waited];
}

function tick() {
  note();
  setTimeout(tick, TICK_MS).unref();
}
tick();

/** By topic: stamp in nanoseconds, as text, and the time of taking in milliseconds since the epoch. */
let taken = {};

subscribe('bdc_occ.message-taken', ({ topic, cdr }) => {
  if (!topic.endsWith('/image')) return;
  // an image begins with a Header, and that with its stamp, behind four bytes of encapsulation
  const view = new DataView(cdr.buffer, cdr.byteOffset, 12);
  const stamp = BigInt(view.getInt32(4, true)) * 1_000_000_000n + BigInt(view.getUint32(8, true));
  (taken[topic] ??= []).push([String(stamp), performance.timeOrigin + performance.now()]);
});
process.on('SIGUSR2', () => {
  if (window === windows.startUp) {
    window = windows.steady;
    taken = {};
  } else window = windows.shutdown;
});
process.on('exit', () => {
  note();
  const spread = (values) => {
    const sorted = Float64Array.from(values).sort();
    const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  };
  const loop = Object.fromEntries(
    Object.entries(windows).map(([name, { late, kept }]) => [
      name,
      { late: spread(late), kept: spread(kept) },
    ]),
  );
  writeFileSync(process.env.BDC_NODE_MONITOR, JSON.stringify({ loop, taken }));
});
