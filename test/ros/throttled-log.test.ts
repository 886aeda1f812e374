import assert from 'node:assert/strict';
import sinon from 'sinon';
import { thrownCondition, ThrottledLog } from '../../src/ros/throttled-log.js';

describe('ThrottledLog', () => {
  let clock: sinon.SinonFakeTimers;
  let lines: string[];
  let log: ThrottledLog;

  beforeEach(() => {
    clock = sinon.useFakeTimers();
    lines = [];
    const write = (message: string): boolean => lines.push(message) > 0;
    log = new ThrottledLog({ info: write, warn: write, error: write }, { repeatMs: 1000 });
  });

  afterEach(() => clock.restore());

  it('says a condition at once and then once in a while, however often it comes', () => {
    for (let ms = 0; ms < 2000; ms += 100) {
      log.warn('too hot', `${ms} ms`);
      clock.tick(100);
    }
    assert.deepEqual(lines, ['0 ms', '1000 ms']);
  });

  it('tells conditions apart', () => {
    log.warn('a', 'a');
    log.error('b', 'b');
    log.info('a', 'a again');
    assert.deepEqual(lines, ['a', 'b']);
  });

  it('takes what the same line throws for one condition, whatever its message says', () => {
    const thrown = (count: number): unknown =>
      new TypeError(`message ${count} cannot be read\n at ${count} s`);
    for (let i = 0; i < 10; i++) log.error(thrownCondition(thrown(i)), `failure ${i}`);
    log.error(thrownCondition(new TypeError('from elsewhere')), 'failure elsewhere');
    log.error(thrownCondition(new RangeError('of another kind')), 'failure of another kind');
    for (const text of ['no error', 'no error either']) log.error(thrownCondition(text), text);
    assert.deepEqual(lines, ['failure 0', 'failure elsewhere', 'failure of another kind', 'no error']);
  });
});
