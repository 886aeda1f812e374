import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { eventually, repeatUntil, WaitLimitError, withDeadline } from './waiting.js';

const never = new Promise<never>(() => undefined);

describe('the waits of the graph tests', () => {
  it('withDeadline gives what came, and says at the limit what did not', async () => {
    assert.equal(await withDeadline(Promise.resolve(1), () => 'a number', 10), 1);
    await assert.rejects(
      withDeadline(never, () => 'the end of time', 10),
      new WaitLimitError('waited 0.01 s in vain for the end of time'),
    );
  });

  it('repeatUntil acts until what it is to bring about has come, and fails with the deadline of that', async () => {
    let acts = 0;
    let come!: (acts: number) => void;
    const third = new Promise<number>((resolve) => (come = resolve));
    const act = (): Promise<void> => Promise.resolve(++acts === 3 ? come(acts) : undefined);
    assert.equal(await repeatUntil(third, act, 1), 3);
    assert.equal(acts, 3);
    const inVain = withDeadline(never, () => 'an answer', 30);
    await assert.rejects(
      repeatUntil(inVain, () => setTimeout(1), 1),
      /in vain for an answer/,
    );
  });

  it('repeatUntil fails with what an act throws', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('no such topic'));
    await assert.rejects(repeatUntil(never, fail), /no such topic/);
  });

  it('eventually looks until what it finds is accepted, and says what it found last', async () => {
    let looks = 0;
    const look = (): Promise<number> => Promise.resolve(++looks);
    assert.equal(await eventually(look, (found) => found === 2), 2);
    await assert.rejects(
      eventually(look, (found) => found < 0, 10),
      /in vain for .*found ?< ?0, found \d+$/,
    );
  });
});
