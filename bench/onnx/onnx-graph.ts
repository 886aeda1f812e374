import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** TensorProto.DataType of the ONNX format. */
const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type OnnxType = keyof typeof DATA_TYPES;

/** Operators as of opset 17, which every onnxruntime since 1.12 reads. */
const IR_VERSION = 8;
const OPSET_VERSION = 17;
/** Domain of onnxruntime's own operators. */
export const MICROSOFT = 'com.microsoft';

const schema = protobuf.loadSync(fileURLToPath(new URL('onnx.proto', import.meta.url)));
const ModelProto = schema.lookupType('onnx.ModelProto');

export type OnnxAttribute = number | string | readonly number[];

function attributeProto(name: string, value: OnnxAttribute): object {
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (typeof value === 'number') return { name, type: 2, i: value };
  return { name, type: 7, ints: value };
}

/** Collects nodes, constants, inputs and outputs of one ONNX graph and encodes them as a model file. */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];

  input(name: string, type: OnnxType, shape: readonly number[]): string {
    const dim = shape.map((size) => ({ dimValue: size }));
    this.#inputs.push({ name, type: { tensorType: { elemType: DATA_TYPES[type], shape: { dim } } } });
    return name;
  }

  /** A graph output; its shape is left to onnxruntime's own inference. */
  output(name: string, type: OnnxType): void {
    this.#outputs.push({ name, type: { tensorType: { elemType: DATA_TYPES[type] } } });
  }

  constant(
    name: string,
    type: OnnxType,
    dims: readonly number[],
    data: Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array,
  ): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name, dims, dataType: DATA_TYPES[type], rawData });
    return name;
  }

  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = '',
  ): void {
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push({ input: inputs, output: outputs, name: outputs[0], opType, attribute, domain });
  }

  encode(): Uint8Array {
    const model = {
      irVersion: IR_VERSION,
      producerName: 'bdc_occ',
      opsetImport: [
        { domain: '', version: OPSET_VERSION },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name: 'graph',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    };
    return ModelProto.encode(ModelProto.fromObject(model)).finish();
  }
}
