import assert from 'node:assert/strict';
import { BdcError } from '../../src/errors.js';
import { loadEngine } from '../../src/engine/load-engine.js';
import { readManifest } from '../../src/engine/model-file.js';
import { saveModel, serialize, smallNetwork, type ModelParts } from './model-builder.js';

async function assertRejected(model: ModelParts | Uint8Array, code: string, message: RegExp): Promise<void> {
  const path = await saveModel(model);
  await assert.rejects(loadEngine(path, { threads: 1 }), (error: unknown) => {
    assert(error instanceof BdcError, String(error));
    assert.equal(error.kind, 'model');
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert(error.message.includes(path), 'names the file');
    return true;
  });
}

function spoiled(spoil: (model: ModelParts) => void): ModelParts {
  const model = smallNetwork();
  spoil(model);
  return model;
}

const operation = (model: ModelParts, name: string) =>
  model.manifest.graph.operations.find((entry) => entry.name === name) as unknown as {
    op: string;
    module: string;
    inputs: string[];
    outputs: string[];
    attributes: Record<string, unknown>;
    tensors: Record<string, string>;
  };

describe('loadEngine', () => {
  it('loads a sound model and says what it is', async () => {
    const engine = await loadEngine(await saveModel(smallNetwork()), { threads: 2, isa: 'portable' });
    assert.equal(engine.isa, 'portable');
    assert.equal(engine.threads, 2);
    assert.equal(engine.mode, 'fast');
    assert.deepEqual(engine.featureSize, [4, 6]);
    assert.equal(engine.manifest.name, 'small');
    engine.dispose();
  });

  describe('refuses a file that', () => {
    it('is not there', async () => {
      await assert.rejects(loadEngine('/no/such/model.safetensors'), { code: 'MODEL_NOT_FOUND' });
    });
    it('is empty', () => assertRejected(new Uint8Array(), 'MODEL_TRUNCATED', /at least 8 bytes, found 0/));
    it('is something else', () =>
      assertRejected(
        new TextEncoder().encode('%PDF-1.7 is not a model'),
        'MODEL_HEADER',
        /safetensors header/,
      ));
    it('is cut within the header', () =>
      assertRejected(serialize(smallNetwork()).subarray(0, 900), 'MODEL_TRUNCATED', /cut short/));
    it('is cut within the data', () =>
      assertRejected(
        serialize(smallNetwork()).slice(0, -40),
        'MODEL_TRUNCATED',
        /tensor "head\..*cut short/,
      ));
    it('has a header that is not JSON', () => {
      const file = serialize(smallNetwork());
      file[9] = 0x7b;
      return assertRejected(file, 'MODEL_HEADER', /not JSON/);
    });
    it('has another format version', () =>
      assertRejected(
        spoiled(({ manifest }) => (manifest.format_version = 2)),
        'MODEL_VERSION',
        /version 1, found 2/,
      ));
    it('breaks the schema', () =>
      assertRejected(
        spoiled(({ manifest }) => (manifest.input['width'] = -4)),
        'MODEL_MANIFEST',
        /input\.width must be >= 1 \(found -4\)/,
      ));
    it('has a grid without extent', () =>
      assertRejected(
        spoiled(({ manifest }) => (manifest.grid['max'] = [4, -3, 1])),
        'MODEL_MANIFEST',
        /grid\.min\[1\]/,
      ));
    it('names a free class that is not there', () =>
      assertRejected(
        spoiled(({ manifest }) => (manifest.occupancy.free = 3)),
        'MODEL_MANIFEST',
        /occupancy\.free.*found 3/,
      ));
  });

  describe('refuses tensors', () => {
    const header = (spoilHeader: NonNullable<ModelParts['spoilHeader']>): ModelParts => ({
      ...smallNetwork(),
      spoilHeader,
    });
    it('that overlap', () =>
      assertRejected(
        header(
          (entries) =>
            (entries['head.bias']!.data_offsets = entries['sign.threshold']!.data_offsets.map(
              (offset, i) => offset + (i ? 24 - 280 : 0),
            ) as [number, number]),
        ),
        'MODEL_TENSOR_OVERLAP',
        /overlaps/,
      ));
    it('whose offsets go backwards', () =>
      assertRejected(
        header((entries) => entries['head.bias']!.data_offsets.reverse()),
        'MODEL_TENSOR_OFFSETS',
        /head\.bias/,
      ));
    it('whose offsets lie outside the file', () =>
      assertRejected(
        header((entries) => (entries['head.bias']!.data_offsets = [2 ** 50, 2 ** 50 + 24])),
        'MODEL_TRUNCATED',
        /head\.bias/,
      ));
    it('whose shape does not fit their bytes', () =>
      assertRejected(
        header((entries) => (entries['head.bias']!.shape = [7])),
        'MODEL_TENSOR_OFFSETS',
        /head\.bias.*expected 28 bytes.*found 24/,
      ));
    it('whose shape overflows', () =>
      assertRejected(
        header((entries) => (entries['head.bias']!.shape = [2 ** 40, 2 ** 40])),
        'MODEL_TENSOR_SHAPE',
        /head\.bias/,
      ));
    it('of a type nobody knows', () =>
      assertRejected(
        header((entries) => (entries['head.bias']!.dtype = 'F8')),
        'MODEL_TENSOR_TYPE',
        /F8/,
      ));
    it('of another type than the operation wants', () =>
      assertRejected(
        header((entries) => (entries['head.bias']!.dtype = 'I32')),
        'MODEL_TENSOR_TYPE',
        /"head" \(conv2d\): tensors\.bias: expected F32, found I32/,
      ));
    it('of another shape than the operation wants', () =>
      assertRejected(
        header((entries) => (entries['head.weight']!.shape = [10, 3, 3, 3])),
        'MODEL_TENSOR_SHAPE',
        /"head".*tensors\.weight: expected \[10, 5, 3, 3\], found \[10, 3, 3, 3\]/,
      ));
    it('that the file does not hold', () =>
      assertRejected(
        spoiled((model) => delete model.tensors['binary.scale']),
        'MODEL_TENSOR_MISSING',
        /"binary" \(binary_conv2d\): tensors\.scale.*"binary\.scale"/,
      ));
    it('with ones in the padding bits', () =>
      assertRejected(
        spoiled((model) => ((model.tensors['binary.weight']!.data as BigUint64Array)[1] = 1n << 6n)),
        'MODEL_TENSOR_VALUE',
        /zero bits after channel 69/,
      ));
    it('with a direction that is neither +1 nor -1', () =>
      assertRejected(
        spoiled((model) => (model.tensors['sign.direction']!.data[5] = 0)),
        'MODEL_TENSOR_VALUE',
        /direction: expected \+1 or -1, found 0 at index 5/,
      ));
    it('with NaN in the weights', () =>
      assertRejected(
        spoiled((model) => (model.tensors['stem.weight']!.data[3] = NaN)),
        'MODEL_TENSOR_VALUE',
        /stem.*weight.*nan at index 3/,
      ));
  });

  describe('refuses a graph', () => {
    const refuses = (
      what: string,
      spoil: (model: ModelParts) => void,
      code: string,
      message: RegExp,
    ): void => {
      it(what, () => assertRejected(spoiled(spoil), code, message));
    };
    refuses(
      'with an unknown operation',
      (model) => (operation(model, 'stem').op = 'conv3d'),
      'MODEL_UNKNOWN_OPERATION',
      /operations\[0\].*one of add, .*found "conv3d"/,
    );
    refuses(
      'with an input that nothing makes',
      (model) => (operation(model, 'head').inputs = ['splatt']),
      'MODEL_UNKNOWN_INPUT',
      /"splatt"/,
    );
    refuses(
      'with a cycle',
      (model) => (operation(model, 'stem').inputs = ['head']),
      'MODEL_ORDER',
      /"stem".*cycle or is out of order/,
    );
    refuses(
      'that defines a tensor twice',
      (model) => (operation(model, 'context').outputs = ['softmax']),
      'MODEL_TENSOR_REDEFINED',
      /"softmax"/,
    );
    refuses(
      'whose image size is not that of the input',
      (model) => (model.manifest.graph.inputs[0]!.shape = ['cameras', 3, 9, 12]),
      'MODEL_SHAPE',
      /graph\.inputs\[0\]\.shape.*input\.height = 8/,
    );
    refuses(
      'whose argmax does not fit the grid',
      (model) => (operation(model, 'argmax').attributes = { classes: 2 }),
      'MODEL_SHAPE',
      /"argmax".*expected \[1, 4, 3, 4\].*found \[1, 6, 3, 4\]/,
    );
    refuses(
      'whose outputs do not fit the classes',
      (model) => model.manifest.occupancy.classes.push({ name: 'x', color: [0, 0, 0], traversable: false }),
      'MODEL_OUTPUT',
      /occupancy_logits: expected f32 \[1, 8, 3, 4\].*found f32 \[1, 6, 3, 4\]/,
    );
    refuses(
      'that gives bits to a real operation',
      (model) => (operation(model, 'depth').inputs = ['sign']),
      'MODEL_INPUT_TYPE',
      /expected real, found bits/,
    );
    refuses(
      'with a stride of 0',
      (model) => (operation(model, 'stem').attributes['stride'] = [0, 2]),
      'MODEL_ATTRIBUTE',
      /attributes\.stride: expected an integer in 1…255, found 0/,
    );
    refuses(
      'with an attribute of another type',
      (model) => (operation(model, 'stem').attributes['stride'] = 'two'),
      'MODEL_ATTRIBUTE',
      /attributes\.stride: expected two integers/,
    );
    refuses(
      'with an attribute that no operation has',
      (model) => (operation(model, 'stem').attributes['stride'] = { h: 2 }),
      'MODEL_MANIFEST',
      /attributes\.stride: expected a number, a string or an array/,
    );
    refuses(
      'with an attribute that the operation does not know',
      (model) => (operation(model, 'stem').attributes['groups'] = 2),
      'MODEL_ATTRIBUTE',
      /attributes\.groups: expected nothing/,
    );
    refuses(
      'without an attribute that the operation needs',
      (model) => delete operation(model, 'splat').attributes['depths'],
      'MODEL_ATTRIBUTE',
      /attributes\.depths/,
    );
    refuses(
      'whose depths do not fit the depth bins',
      (model) => (operation(model, 'splat').attributes['depths'] = [1, 2]),
      'MODEL_ATTRIBUTE',
      /depths: expected one number for each of the 3 channels/,
    );
    refuses(
      'with an output that nothing makes',
      (model) => (model.manifest.graph.outputs['bev'] = 'nothing'),
      'MODEL_UNKNOWN_OUTPUT',
      /graph\.outputs\.bev.*"nothing"/,
    );
    refuses(
      'with "cameras" as a height',
      (model) => (model.manifest.graph.inputs[0]!.shape = ['cameras', 3, 'cameras', 12]),
      'MODEL_MANIFEST',
      /"cameras" may only be the first size/,
    );
  });

  describe('refuses options:', () => {
    const refuses = (what: string, options: object, message: RegExp): void => {
      it(what, async () => {
        const path = await saveModel(smallNetwork());
        await assert.rejects(loadEngine(path, options), {
          kind: 'configuration',
          code: 'ENGINE_OPTION',
          message,
        });
      });
    };
    refuses('no thread', { threads: 0 }, /1…1024, found 0/);
    refuses('half a thread', { threads: 0.5 }, /found 0\.5/);
    refuses('an unknown instruction set', { isa: 'mmx' }, /mmx.*portable/);
    refuses('an unknown mode', { mode: 'magic' }, /fast or reference, found magic/);
    refuses('an unknown precision of streams', { residual: 'fp8' }, /fp16 or fp32, found fp8/);
  });

  describe('takes the environment', () => {
    const withEnvironment = async (name: string, value: string, use: (path: string) => Promise<void>) => {
      const before = process.env[name];
      process.env[name] = value;
      try {
        await use(await saveModel(smallNetwork()));
      } finally {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      }
    };
    it('BDC_ENGINE=reference', () =>
      withEnvironment('BDC_ENGINE', 'reference', async (path) => {
        const engine = await loadEngine(path, { threads: 1 });
        assert.equal(engine.mode, 'reference');
        engine.dispose();
      }));
    it('BDC_ENGINE that is neither', () =>
      withEnvironment('BDC_ENGINE', 'slow', (path) =>
        assert.rejects(loadEngine(path), { code: 'ENGINE_OPTION', message: /BDC_ENGINE/ }),
      ));
    it('BDC_ISA=portable', () =>
      withEnvironment('BDC_ISA', 'portable', async (path) => {
        const engine = await loadEngine(path, { threads: 1 });
        assert.equal(engine.isa, 'portable');
        engine.dispose();
      }));
    it('BDC_ISA that the CPU lacks', () =>
      withEnvironment('BDC_ISA', 'neon-dotprodd', (path) =>
        assert.rejects(loadEngine(path), { code: 'ENGINE_OPTION', message: /BDC_ISA/ }),
      ));
  });
});

describe('readManifest', () => {
  it('reads the manifest without the tensors', async () => {
    const file = serialize(smallNetwork());
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    const manifest = await readManifest(await saveModel(file.slice(0, 8 + headerBytes)));
    assert.equal(manifest.name, 'small');
  });
  it('refuses what loadEngine refuses', async () => {
    await assert.rejects(readManifest(await saveModel(new Uint8Array(20))), { code: 'MODEL_HEADER' });
  });
});
