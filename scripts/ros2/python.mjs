import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { NotAvailable } from './not-available.mjs';
import { output } from './step.mjs';

/** The wheels exist for these. */
const MINORS = [11, 12, 10, 13];

const QUESTION = `
import json, os, platform, sys, sysconfig
import ensurepip, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
print(json.dumps({"version": platform.python_version(), "minor": sys.version_info[1], "major": sys.version_info[0],
                  "executable": os.path.realpath(sys.executable), "headers": os.path.exists(header)}))
`;

function candidates() {
  const named = process.env.BDC_ROS2_PYTHON;
  if (named) return [named];
  const pyenv = path.join(homedir(), '.pyenv', 'versions');
  const versions = existsSync(pyenv) ? readdirSync(pyenv) : [];
  return [
    '/usr/bin/python3',
    'python3',
    ...MINORS.flatMap((minor) => [
      `python3.${minor}`,
      ...versions
        .filter((version) => version.startsWith(`3.${minor}.`))
        .map((version) => path.join(pyenv, version, 'bin', 'python3')),
    ]),
  ];
}

/**
 * A Python 3.10 to 3.13 with venv and headers, the first of: $BDC_ROS2_PYTHON, the system's, the shell's, pyenv's.
 * @returns {{version: string, executable: string}}
 */
export function findPython() {
  const rejected = [];
  for (const candidate of candidates()) {
    const answer = output(candidate, ['-c', QUESTION]);
    if (answer === undefined) {
      rejected.push(`${candidate}: absent, or without the venv module`);
      continue;
    }
    const { version, major, minor, executable, headers } = JSON.parse(answer);
    if (major !== 3 || !MINORS.includes(minor)) rejected.push(`${candidate}: ${version}`);
    else if (!headers) rejected.push(`${candidate}: ${version} without Python.h`);
    else return { version, executable };
  }
  throw new NotAvailable(
    'ROS 2 from PyPI needs a Python 3.10 to 3.13 with venv and headers ' +
      `(Debian, Ubuntu: apt install python3-venv python3-dev), found:\n  ${rejected.join('\n  ')}`,
  );
}
