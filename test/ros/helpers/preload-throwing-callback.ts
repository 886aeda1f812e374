/** Loaded before the node's program: SIGUSR2 makes a timer's callback throw, which nobody catches. */
process.on('SIGUSR2', () => {
  setTimeout(() => {
    throw new Error('thrown by the test');
  });
});
