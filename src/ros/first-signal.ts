/**
 * The first SIGINT or SIGTERM from when this is loaded; a second one ends the process at once, as usual. The program loads it before
 * everything else, since reading the rest takes its time.
 */
export const firstSignal: Promise<NodeJS.Signals> = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
});
