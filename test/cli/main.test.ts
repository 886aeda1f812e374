import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.js';

describe('bdc-occ', function () {
  this.timeout(60_000);

  it('lists its commands, and each has its help', async () => {
    const { code, stdout, stderr } = await runProgram('--help');
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const commands = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name!);
    assert.ok(
      ['replay', 'node', 'frame', 'inspect'].every((name) => commands.includes(name)),
      commands.join(', '),
    );
    for (const command of commands.filter((name) => name !== 'help')) {
      const help = await runProgram(command, '--help');
      assert.equal(help.code, 0, command);
      assert.match(help.stdout, new RegExp(`^Usage: bdc-occ ${command}`));
    }
  });

  it('tells its version', async () => {
    const { code, stdout } = await runProgram('--version');
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  for (const [what, args, message] of [
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['replay', 'a.mcap', '-o', 'b.mcap', '--fast'], /unknown option '--fast'/],
    ['a missing option', ['replay', 'a.mcap'], /expected --out FILE, --expect FILE or both, found neither/],
    ['a missing argument', ['inspect'], /missing required argument 'model'/],
    ['a wrong number', ['replay', 'a.mcap', '-o', 'b.mcap', '--limit', '0'], /whole number above 0/],
    ['a wrong seed', ['demo', '--seed', 'seven'], /whole number from 0 to 4294967295, found "seven"/],
    ['a negative spread', ['replay', 'a.mcap', '-o', 'b.mcap', '--max-spread', '-1'], /number of 0 or more/],
    [
      'a band upside down',
      ['replay', 'a.mcap', '-o', 'b.mcap', '--grid-min-height', '3'],
      /--grid-min-height: expected less than --grid-max-height \(2\), found 3/,
    ],
    [
      "a data set's option for a frame",
      ['evaluate', '--frame', 'a.json', '--no-ray-iou'],
      /'--frame <file>' cannot be used with option '--no-ray-iou'/,
    ],
    ['a wrong choice', ['replay', 'a.mcap', '-o', 'b.mcap', '--isa', 'mmx'], /Allowed choices are portable/],
  ] as const) {
    it(`refuses ${what} with code 2 and nothing on standard output`, async () => {
      const { code, stdout, stderr } = await runProgram(...args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    });
  }

  it('reports bad input as one line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bdc-cli-'));
    try {
      const path = join(folder, 'garbage.mcap');
      await writeFile(path, 'no bag');
      const { code, stdout, stderr } = await runProgram(
        'replay',
        path,
        '-o',
        join(folder, 'out.mcap'),
        '--json',
      );
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^error: expected .*garbage\.mcap to be a bag of ROS 2 .* \[BAG_NOT_ROS2\]\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
