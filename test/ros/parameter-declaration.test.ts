import assert from 'node:assert/strict';
import { checkedValue } from '../../src/ros/parameter-declaration.js';
import type { ParameterDeclaration } from '../../src/ros/parameter-declaration.js';

const common = { name: 'p', description: '', readOnly: false, group: '' };
const double: ParameterDeclaration = { ...common, type: 'double', defaultValue: 0, range: [-1, 1] };
const integer: ParameterDeclaration = { ...common, type: 'integer', defaultValue: 0, range: [0, 8] };
const choice: ParameterDeclaration = { ...common, type: 'string', defaultValue: 'a', choices: ['a', 'b'] };
const list: ParameterDeclaration = { ...common, type: 'string_array', defaultValue: [] };

describe('checkedValue', () => {
  it('takes what fits', () => {
    assert.equal(checkedValue(double, 0.5), 0.5);
    assert.equal(checkedValue(double, 1n), 1);
    assert.equal(checkedValue(integer, 8n), 8);
    assert.equal(checkedValue(choice, 'b'), 'b');
    assert.deepEqual(checkedValue(list, ['x', 'y']), ['x', 'y']);
  });

  const refusals: readonly (readonly [string, ParameterDeclaration, unknown, RegExp])[] = [
    ['a value out of range', double, 1.5, /expected a number from -1 to 1, found 1\.5/],
    ['NaN', double, NaN, /expected a number from -1 to 1, found NaN/],
    ['a double for an integer', integer, 2, /expected a whole number, found 2/],
    ['a negative count', integer, -1n, /expected a whole number from 0 to 8, found -1/],
    ['a boolean', integer, true, /expected a whole number, found true/],
    ['a word that is no choice', choice, 'c', /expected one of "a", "b", found "c"/],
    ['a number for a text', choice, 1n, /expected a text, found 1/],
    ['a list of numbers', list, [1, 2], /expected a list of texts, found \[1,2\]/],
    ['no value', list, undefined, /expected a list of texts, found undefined/],
  ];
  for (const [what, declaration, value, reason] of refusals) {
    it(`refuses ${what}`, () => {
      assert.throws(() => checkedValue(declaration, value), { name: 'RangeError', message: reason });
    });
  }
});
