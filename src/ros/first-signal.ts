let signalled: Promise<NodeJS.Signals> | undefined;

/**
 * The first SIGINT or SIGTERM from the first call on; a second one ends the process at once, as usual. The node's program calls it before it
 * reads anything else, since that takes its time; other programs never do, and signals end them.
 */
export function firstSignal(): Promise<NodeJS.Signals> {
  signalled ??= new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
  return signalled;
}
