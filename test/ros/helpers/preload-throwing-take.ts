/** Loaded before the node's program: SIGUSR2 makes the next message fail inside rclnodejs's executor. */
type Take = (subscription: unknown) => unknown;
const dlopen = process.dlopen.bind(process) as (module: { exports: object }, ...rest: unknown[]) => void;

process.dlopen = (module: { exports: { rclTakeRaw?: Take } }, ...rest: unknown[]) => {
  dlopen(module, ...rest);
  const take = module.exports.rclTakeRaw;
  if (take === undefined) return;
  let failures = 0;
  process.on('SIGUSR2', () => failures++);
  module.exports.rclTakeRaw = (subscription) => {
    if (failures === 0) return take(subscription);
    failures--;
    throw new Error('thrown by the test');
  };
};
