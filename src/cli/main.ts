#!/usr/bin/env node
// a node must end in order from its first moment on, and reading the program takes a while
if (process.argv[2] === 'node') void (await import('../ros/first-signal.js')).firstSignal();
const { runProgram } = await import('./program.js');
await runProgram();
