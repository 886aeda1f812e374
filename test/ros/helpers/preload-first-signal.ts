/** Loaded before the node's program: SIGINT comes the moment that somebody listens to it, long before there is a node. */
const interrupt = (event: string | symbol): void => {
  if (event !== 'SIGINT') return;
  process.off('newListener', interrupt);
  // the listener is added after this event
  setImmediate(() => process.kill(process.pid, 'SIGINT'));
};
process.on('newListener', interrupt);
