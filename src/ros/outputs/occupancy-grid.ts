import { topicOutput } from './topic-output.js';

export const occupancyGridOutput = topicOutput('occupancy_grid', ({ grid }) => grid);
