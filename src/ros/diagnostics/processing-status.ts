import type { FrameStatistics, PeriodStatistics } from '../frame-statistics.js';
import { ERROR, OK, WARN } from './status.js';
import type { ComponentStatus } from './status.js';

/** Whether the machine keeps up: rates, times of each stage, age of results, and frames dropped for lack of time. */
export function processingStatus(
  { total, droppedInARow }: FrameStatistics,
  period: PeriodStatistics,
  overrunLimit: number,
): ComponentStatus {
  const { seconds, processed, dropped, failed, stages } = period;
  const rate = processed / seconds;
  const values = {
    'frames per second': rate,
    'frames received': total.received,
    'frames processed': total.processed,
    'frames dropped': total.dropped,
    'frames failed': total.failed,
    'frames abandoned': total.abandoned,
    'dropped in a row': droppedInARow,
    ...Object.fromEntries(
      Object.entries(stages).flatMap(([stage, { p50, p99, max }]) => [
        [`${stage} ms p50`, p50],
        [`${stage} ms p99`, p99],
        [`${stage} ms max`, max],
      ]),
    ),
  };
  const status = (level: ComponentStatus['level'], message: string): ComponentStatus => ({
    component: 'processing',
    level,
    message,
    values,
  });
  const overrun = `frames come faster than they can be processed: ${dropped} dropped in ${seconds.toFixed(1)} s, ${droppedInARow} since there last was a pause`;
  if (dropped > 0) return status(droppedInARow >= overrunLimit ? ERROR : WARN, overrun);
  if (failed > 0) return status(WARN, `${failed} ${failed === 1 ? 'frame' : 'frames'} failed`);
  return status(OK, `${rate.toFixed(1)} frames a second`);
}
