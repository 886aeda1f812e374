import { freeSpaceScan } from '../../messages/free-space-scan.js';
import { topicOutput } from './topic-output.js';

export const freeSpace = topicOutput('free_space', ({ grid, selection }) =>
  freeSpaceScan(grid, selection.freeSpaceBeams),
);
