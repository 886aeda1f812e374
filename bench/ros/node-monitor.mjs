/**
 * Loaded into the node before its program: measures how long its event loop was blocked, and notes which image was taken when. SIGUSR2
 * begins anew; the result is written to $BDC_NODE_MONITOR when the process ends.
 */
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
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
  delay.reset();
  taken = {};
});
process.on('exit', () => {
  // a timer that comes in time is counted with its own interval
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const loop = {
    max: ms(delay.max),
    p50: ms(delay.percentile(50)),
    p95: ms(delay.percentile(95)),
    p99: ms(delay.percentile(99)),
  };
  writeFileSync(process.env.BDC_NODE_MONITOR, JSON.stringify({ loop, taken }));
});
