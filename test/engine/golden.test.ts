import assert from 'node:assert/strict';
import { loadEngine } from '../../src/engine/load-engine.js';
import { supportedIsas } from '../../src/engine/native.js';
import type { NetworkEngine } from '../../src/engine/network-engine.js';
import { ISAS, type EngineOptions, type EngineOutput } from '../../src/engine/types.js';
import {
  framesOf,
  goldenFixtures,
  type FixtureTensor,
  type GoldenFixture,
  type GoldenFrame,
} from './golden-fixture.js';

const TOLERANCE = 1e-4; // of the largest value of an output
/** Of streams in half precision: an fp16 has 11 bits, and a unit adds up a few of them. */
const HALF_TOLERANCE = 2e-3;
/** Outputs that are integers: any difference is an error. */
const EXACT = new Set(['exact', 'labels', 'occupancy_labels']);

async function setRig(engine: NetworkEngine, { tensors }: GoldenFixture): Promise<void> {
  const rays = tensors.get('rays');
  const origins = tensors.get('origins');
  const parameters = tensors.get('parameters');
  if (rays && origins) {
    await engine.setRig({
      cameras: origins.shape[0]!,
      rays: rays.data as Float32Array,
      origins: origins.data as Float32Array,
      ...(parameters && { parameters: parameters.data as Float32Array }),
    });
  }
}

async function runFrame(engine: NetworkEngine, { tensors, motion }: GoldenFrame): Promise<EngineOutput> {
  const images = tensors.get('input.images');
  if (images?.data instanceof Uint8Array) {
    const mask = tensors.get('input.camera_mask')?.data ?? new Uint8Array(images.shape[0]!).fill(1);
    const bytes = images.data;
    const size = bytes.length / mask.length;
    return engine.run(
      [...mask].map((live, i) => (live ? bytes.subarray(i * size, (i + 1) * size) : undefined)),
      motion && { motion },
    );
  }
  const inputs = [...tensors].filter(([name]) => name.startsWith('input.'));
  return engine.runTensors(
    Object.fromEntries(
      inputs.map(([name, { shape, data }]) => [
        name.slice('input.'.length),
        { shape, data: data as Float32Array },
      ]),
    ),
    motion && { motion },
  );
}

function assertClose(
  actual: FixtureTensor,
  expected: FixtureTensor,
  role: string,
  relative = TOLERANCE,
): void {
  assert.deepEqual(actual.shape, expected.shape, `${role}: shape`);
  const largest = Math.max(...Array.from(expected.data, Math.abs));
  const tolerance = EXACT.has(role) ? 0 : relative * largest;
  let worst = -1;
  let difference = 0;
  for (const [i, value] of expected.data.entries()) {
    const here = Object.is(actual.data[i], value) ? 0 : Math.abs(actual.data[i]! - value);
    if (!(here <= difference)) [worst, difference] = [i, here];
  }
  assert(
    difference <= tolerance,
    `${role}[${worst}]: expected ${expected.data[worst]} ± ${tolerance}, found ${actual.data[worst]}`,
  );
}

const fixtures = goldenFixtures();
const here = supportedIsas();
const absent = ISAS.filter((isa) => !here.includes(isa));
const variants: (EngineOptions & { readonly title: string })[] = [
  { title: 'reference', mode: 'reference', isa: 'portable' },
  ...here.map((isa) => ({ title: isa, mode: 'fast' as const, isa, residual: 'fp32' as const })),
];

describe(`Golden fixtures on ${variants.map(({ title }) => title).join(', ')} (not on this CPU: ${absent.join(', ')})`, () => {
  it('are there', () => assert(fixtures.length > 50, `${fixtures.length} fixtures`));
  for (const { title, ...options } of variants) {
    describe(title, () => {
      for (const fixture of fixtures) {
        it(fixture.name, async () => {
          const engine = await loadEngine(fixture.model, { threads: 2, ...options });
          try {
            await setRig(engine, fixture);
            for (const frame of framesOf(fixture)) {
              const { tensors } = await runFrame(engine, frame);
              const roles = [...frame.tensors].filter(([name]) => name.startsWith('output.'));
              assert(roles.length > 0);
              for (const [name, expected] of roles) {
                const role = name.slice('output.'.length);
                const actual = tensors.get(role);
                assert(actual, `output ${role} is missing`);
                assertClose(actual, expected, role);
              }
            }
          } finally {
            engine.dispose();
          }
        });
      }
      for (const fixture of fixtures.filter(({ name }) => name.startsWith('network'))) {
        it(`${fixture.name} without logits`, async () => {
          const engine = await loadEngine(fixture.model, { threads: 2, ...options, logits: false });
          try {
            await setRig(engine, fixture);
            for (const frame of framesOf(fixture)) {
              const { tensors } = await runFrame(engine, frame);
              assert(!tensors.has('occupancy_logits'));
              for (const role of ['occupancy_labels', 'occupancy_confidence']) {
                assertClose(tensors.get(role)!, frame.tensors.get(`output.${role}`)!, role);
              }
            }
          } finally {
            engine.dispose();
          }
        });
      }
    });
  }

  // Whole networks are left out: a stream's rounding turns signs over, and with random weights that changes everything behind.
  const units = fixtures.filter(({ name }) => name.startsWith('unit-residual-block'));
  for (const isa of here) {
    for (const fixture of units) {
      it(`${fixture.name} with streams in half precision on ${isa}`, async () => {
        const engine = await loadEngine(fixture.model, { threads: 2, isa, residual: 'fp16' });
        try {
          for (const frame of framesOf(fixture)) {
            const { tensors } = await runFrame(engine, frame);
            assertClose(
              tensors.get('output')!,
              frame.tensors.get('output.output')!,
              'output',
              HALF_TOLERANCE,
            );
          }
        } finally {
          engine.dispose();
        }
      });
    }
  }
});
