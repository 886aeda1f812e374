/**
 * Loaded into the node before its program: measures how long its event loop was blocked. SIGUSR2 begins anew; the result is written to
 * $BDC_LOOP_MONITOR when the process ends.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('SIGUSR2', () => delay.reset());
process.on('exit', () => {
  // a timer that comes in time is counted with its own interval
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const result = { max: ms(delay.max), p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)) };
  writeFileSync(process.env.BDC_LOOP_MONITOR, JSON.stringify(result));
});
