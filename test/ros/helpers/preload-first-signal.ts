import { register } from 'node:module';

/** Loaded before the node's program: SIGINT comes the moment that the program proper begins to be read, long before there is a node. */
const hooks = `
export function load(url, context, nextLoad) {
  if (url.endsWith('/cli/program.js')) process.kill(process.pid, 'SIGINT');
  return nextLoad(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
