import assert from 'node:assert/strict';
import { overridesFor } from '../../src/ros/parameter-overrides.js';

const INTEGER = 2;
const entry = (name: string, value: number, parameter = 'threads') => ({
  name,
  parameters: [{ name: parameter, type: INTEGER, value }],
});
const valueFor = (fullName: string, ...keys: string[]): unknown =>
  overridesFor(
    fullName,
    keys.map((key, i) => entry(key, i)),
  ).get('threads');

describe('overridesFor', () => {
  it("takes a node's full name, and wildcards for one or any number of its parts", () => {
    for (const key of ['/a/b/node', '/**', '/**/node', '/a/*/node', '/*/*/*', '/a/**', 'a/b/node']) {
      assert.equal(valueFor('/a/b/node', key), 0n, key);
    }
  });

  it('leaves other nodes alone', () => {
    for (const key of [
      '/node',
      'node',
      '/a/b/other',
      '/*/node',
      '/a/b/node/more',
      '/a/b/nodes',
      '/a.b/node',
    ]) {
      assert.equal(valueFor('/a/b/node', key), undefined, key);
    }
  });

  it('lets the last one of several win', () => {
    assert.equal(valueFor('/node', '/**', '/node', '/other'), 1n);
    assert.equal(valueFor('/node', '/node', '/**'), 1n);
  });

  it('keeps integers apart from doubles, which look alike', () => {
    const parameters = [{ name: 'max_spread_ms', type: 3, value: 50 }];
    assert.equal(overridesFor('/node', [{ name: '/node', parameters }]).get('max_spread_ms'), 50);
  });
});
