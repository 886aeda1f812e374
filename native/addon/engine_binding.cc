#include "addon/engine_binding.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/guarded.h"
#include "addon/js_reader.h"
#include "addon/native_job.h"
#include "graph/graph.h"
#include "kernels/peaks.h"
#include "runtime/error.h"
#include "runtime/executor.h"

namespace bdc {
namespace {

/// What JavaScript holds of an engine. The executor is shared with the job in flight, so that dispose can't
/// pull it away from under a frame.
struct EngineHandle {
  std::shared_ptr<Executor> executor;  // null once disposed
  bool busy = false;                   // a job is in flight; touched on the event loop only
};
using HandlePointer = std::shared_ptr<EngineHandle>;

/// The last core that a cpu_set_t has room for.
constexpr int64_t kMaxCore = 1023;

constexpr napi_type_tag kEngineTag = {0x6264635f6f63635fULL, 0x656e67696e655f31ULL};

HandlePointer TakeHandle(const Napi::CallbackInfo& info) {
  const Napi::Value value = info[0];
  if (!value.IsExternal() || !value.As<Napi::External<HandlePointer>>().CheckTypeTag(&kEngineTag)) {
    throw Napi::TypeError::New(info.Env(), "engine: expected what load resolved with");
  }
  return *value.As<Napi::External<HandlePointer>>().Data();
}

/// The engine, free to start a job.
std::shared_ptr<Executor> TakeIdle(const HandlePointer& handle) {
  if (!handle->executor)
    throw Error(ErrorKind::kConfiguration, "ENGINE_DISPOSED", "the engine has been disposed");
  if (handle->busy) throw Error(ErrorKind::kConfiguration, "ENGINE_BUSY", "the engine runs another job");
  return handle->executor;
}

/// Starts a job of the engine, which is busy until it has settled; free still where no job can be started.
Napi::Promise StartJob(Napi::Env env, const HandlePointer& handle, NativeJob::Work work,
                       NativeJob::Finish finish) {
  const Napi::Promise promise =
      NativeJob::Start(env, std::move(work), std::move(finish), [handle] { handle->busy = false; });
  handle->busy = true;
  return promise;
}

const char* NameOf(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kReal:
      return "real";
    case Arithmetic::kInt8:
      return "int8";
    case Arithmetic::kBinary:
      return "binary";
    case Arithmetic::kBinaryWeightInt8Input:
      return "binary_weight_int8_input";
    case Arithmetic::kBinaryWeightRealInput:
      return "binary_weight_real_input";
    case Arithmetic::kNone:
      break;
  }
  return "none";
}

Napi::Array ToShape(Napi::Env env, const TensorSpec& spec, int batch) {
  const Napi::Array shape = Napi::Array::New(env, 4);
  const int sizes[] = {batch, spec.channels, spec.height, spec.width};
  for (uint32_t i = 0; i < 4; ++i) shape.Set(i, sizes[i]);
  return shape;
}

/// Operations and tensors as the checked graph knows them; a batch of cameras is 0.
Napi::Object Describe(Napi::Env env, const Executor& executor) {
  const Graph& graph = executor.graph();
  const Napi::Object description = Napi::Object::New(env);
  description.Set("isa", std::string(IsaName(executor.isa())));
  description.Set("threads", executor.threads());
  const Napi::Array warnings = Napi::Array::New(env);
  for (const std::string& warning : executor.warnings()) warnings.Set(warnings.Length(), warning);
  description.Set("warnings", warnings);
  description.Set("arenaBytes", static_cast<double>(executor.arena_bytes()));
  description.Set("historyBytes", static_cast<double>(executor.history_bytes()));
  description.Set("usesCalibration", executor.uses_calibration());
  if (const LiftSplat* lift_splat = graph.lift_splat()) {
    const Napi::Array size = Napi::Array::New(env, 2);
    size.Set(0u, lift_splat->feature_height());
    size.Set(1u, lift_splat->feature_width());
    description.Set("featureSize", size);
  }
  const Napi::Array operations = Napi::Array::New(env);
  for (const auto& [cost, output] : graph.operations()) {
    const Napi::Object operation = Napi::Object::New(env);
    operation.Set("arithmetic", NameOf(cost.arithmetic));
    operation.Set("macs", static_cast<double>(cost.macs));
    operation.Set("parameters", static_cast<double>(cost.parameters));
    operation.Set("binaryParameters", static_cast<double>(cost.binary_parameters));
    operation.Set("outputShape", ToShape(env, output, output.batch));
    operations.Set(operations.Length(), operation);
  }
  description.Set("operations", operations);
  const Napi::Array steps = Napi::Array::New(env);
  for (const GraphNode& node : graph.nodes()) {
    const OperationCost& cost = node.operation->cost;
    const auto bytes_of = [&](const std::vector<int>& tensors) {
      double bytes = 0;
      for (int tensor : tensors) {
        const TensorSpec& spec = graph.tensors()[tensor].spec;
        bytes += static_cast<double>(spec.ImageBytes()) *
                 (spec.batch == TensorSpec::kPerCamera ? graph.max_cameras() : spec.batch);
      }
      return bytes;
    };
    const TensorSpec& output = graph.tensors()[node.outputs[0]].spec;
    const Napi::Object step = Napi::Object::New(env);
    step.Set("name", node.name);
    step.Set("op", node.op);
    step.Set("module", node.module);
    step.Set("arithmetic", NameOf(cost.arithmetic));
    step.Set("macs", static_cast<double>(cost.macs));
    step.Set("bytes", bytes_of(node.inputs) + bytes_of(node.outputs));
    step.Set("outputShape", ToShape(env, output, output.batch));
    steps.Set(steps.Length(), step);
  }
  description.Set("steps", steps);
  const Napi::Array outputs = Napi::Array::New(env);
  for (const Graph::Output& output : graph.outputs()) {
    const TensorSpec& spec = graph.tensors()[output.tensor].spec;
    const Napi::Object entry = Napi::Object::New(env);
    entry.Set("role", output.role);
    entry.Set("type", spec.type == ElementType::kUint8 ? "u8" : "f32");
    entry.Set("shape", ToShape(env, spec, spec.batch));
    outputs.Set(outputs.Length(), entry);
  }
  description.Set("outputs", outputs);
  return description;
}

/// supportedIsas(): string[], slowest first.
Napi::Value ListIsas(const Napi::CallbackInfo& info) {
  const Napi::Array names = Napi::Array::New(info.Env());
  for (Isa isa : SupportedIsas()) names.Set(names.Length(), std::string(IsaName(isa)));
  return names;
}

/// measurePeaks(isa, threads): {binary, real}, 10⁹ multiply-adds a second of all of them.
Napi::Value Measure(const Napi::CallbackInfo& info) {
  const MachinePeaks peaks = MeasurePeaks(ChooseIsa(JsReader(info[0], "isa").String()),
                                          static_cast<int>(JsReader(info[1], "threads").Int(1, 1024)));
  const Napi::Object result = Napi::Object::New(info.Env());
  result.Set("binary", peaks.binary);
  result.Set("real", peaks.real);
  return result;
}

/// load(file: Uint8Array, model, {isa?, threads, affinity, nice?, realtimePriority?, mode, residual}):
/// Promise<{handle, …Describe}>. The file's bytes must not change until the promise settles.
Napi::Value Load(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array file = JsReader(info[0], "file").Bytes();
  const JsReader options(info[2], "options");
  struct Loading {
    ModelDescription model;
    std::span<const std::byte> bytes;
    Napi::Reference<Napi::Uint8Array> file;  // keeps the bytes
    std::optional<std::string> isa;
    int threads;
    ThreadSchedule schedule;
    EngineMode mode;
    StreamType residual;
    std::shared_ptr<Executor> executor;
  };
  auto loading = std::make_shared<Loading>();
  loading->model = ReadModelDescription(JsReader(info[1], "model"));
  loading->bytes = {reinterpret_cast<const std::byte*>(file.Data()), file.ByteLength()};
  loading->file = Napi::Persistent(file);
  if (options.Has("isa")) loading->isa = options.Get("isa").String();
  loading->threads = static_cast<int>(options.Get("threads").Int(1, 1024));
  for (int64_t core : options.Get("affinity").Ints(0, kMaxCore)) {
    loading->schedule.cores.push_back(static_cast<int>(core));
  }
  if (options.Has("nice")) loading->schedule.nice = static_cast<int>(options.Get("nice").Int(-20, 19));
  if (options.Has("realtimePriority")) {
    loading->schedule.realtime_priority = static_cast<int>(options.Get("realtimePriority").Int(1, 99));
  }
  loading->mode = options.Get("mode").String() == "reference" ? EngineMode::kReference : EngineMode::kFast;
  loading->residual =
      options.Get("residual").String() == "fp32" ? StreamType::kFloat32 : StreamType::kFloat16;
  return NativeJob::Start(
      info.Env(),
      [loading] {
        loading->executor =
            std::make_shared<Executor>(Graph(loading->model, loading->bytes), ChooseIsa(loading->isa),
                                       loading->threads, loading->mode, loading->residual, loading->schedule);
      },
      [loading](Napi::Env env) -> Napi::Value {
        Napi::Object engine = Describe(env, *loading->executor);
        auto handle = std::make_unique<HandlePointer>(std::make_shared<EngineHandle>());
        (*handle)->executor = std::move(loading->executor);
        auto external = Napi::External<HandlePointer>::New(
            env, handle.get(), [](Napi::Env, HandlePointer* pointer) { delete pointer; });
        handle.release();
        external.TypeTag(&kEngineTag);
        engine.Set("handle", external);
        return engine;
      },
      [loading] { loading->file.Reset(); });
}

/// setRig(handle, {cameras, height, width, rays, origins, parameters?}): Promise<void>
Napi::Value SetRig(const Napi::CallbackInfo& info) {
  const HandlePointer handle = TakeHandle(info);
  auto executor = TakeIdle(handle);
  auto rays = std::make_shared<const RigRays>(ReadRigRays(JsReader(info[1], "rig")));
  return StartJob(
      info.Env(), handle, [executor, rays] { executor->SetRig(*rays); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

/// Copies the frame's inputs into the engine: `images` (RGB bytes, one for each of `cameras`) or `tensors`.
void StageInputs(Executor& executor, const JsReader& frame) {
  if (frame.Has("images")) {
    std::vector<std::span<const uint8_t>> images;
    frame.Get("images").ForEach([&](const JsReader& image) {
      const Napi::Uint8Array bytes = image.Bytes();
      images.emplace_back(bytes.Data(), bytes.ByteLength());
    });
    executor.StageImages(images);
    return;
  }
  const int inputs = static_cast<int>(executor.graph().inputs().size());
  frame.Get("tensors").ForEach([&](const JsReader& tensor) {
    const int index = static_cast<int>(tensor.Get("input").Int(0, inputs - 1));
    const auto shape = tensor.Get("shape").Ints(0, 1 << 30);
    const Napi::Float32Array data = tensor.Get("data").Floats();
    executor.StageTensor(index, shape, {data.Data(), data.ElementLength()});
  });
}

struct FrameJob {
  std::vector<int> cameras;
  std::optional<RigidMotion> motion;
  std::vector<Napi::Reference<Napi::ArrayBuffer>>
      buffers;  // one for each output; the engine writes into them
  std::vector<void*> places;
};

Napi::Value FrameResult(Napi::Env env, const Executor& executor, const FrameJob& job) {
  const Napi::Array outputs = Napi::Array::New(env);
  for (size_t i = 0; i < job.buffers.size(); ++i) {
    const int index = static_cast<int>(i);
    const TensorSpec& spec = executor.graph().tensors()[executor.graph().outputs()[i].tensor].spec;
    const Napi::Object output = Napi::Object::New(env);
    output.Set("shape",
               ToShape(env, spec, executor.OutputBatch(index, static_cast<int>(job.cameras.size()))));
    output.Set("data", job.buffers[i].Value());
    outputs.Set(static_cast<uint32_t>(i), output);
  }
  const auto& milliseconds = executor.node_milliseconds();
  Napi::Float64Array nodes = Napi::Float64Array::New(env, milliseconds.size());
  std::copy(milliseconds.begin(), milliseconds.end(), nodes.Data());
  const Napi::Object result = Napi::Object::New(env);
  result.Set("outputs", outputs);
  result.Set("normalizeMilliseconds", executor.normalize_milliseconds());
  result.Set("milliseconds", nodes);
  return result;
}

/// run(handle, {cameras: number[], motion?, images? | tensors?}): Promise<{outputs: {shape, data:
/// ArrayBuffer}[], normalizeMilliseconds, milliseconds}>. The inputs are copied before it returns.
Napi::Value Run(const Napi::CallbackInfo& info) {
  const HandlePointer handle = TakeHandle(info);
  auto executor = TakeIdle(handle);
  const JsReader frame(info[1], "frame");
  auto job = std::make_shared<FrameJob>();
  for (int64_t camera : frame.Get("cameras").Ints(0, kMaxCameras - 1)) {
    job->cameras.push_back(static_cast<int>(camera));
  }
  if (job->cameras.size() > static_cast<size_t>(executor->graph().max_cameras())) {
    throw Error(ErrorKind::kCamera, "IMAGE_COUNT",
                "expected at most " + std::to_string(executor->graph().max_cameras()) + " cameras, found " +
                    std::to_string(job->cameras.size()));
  }
  if (frame.Has("motion")) job->motion = ReadRigidMotion(frame.Get("motion"));
  StageInputs(*executor, frame);
  for (size_t i = 0; i < executor->graph().outputs().size(); ++i) {
    const int64_t bytes = executor->OutputBytes(static_cast<int>(i), static_cast<int>(job->cameras.size()));
    auto buffer = Napi::ArrayBuffer::New(info.Env(), static_cast<size_t>(bytes));
    job->places.push_back(buffer.Data());
    job->buffers.push_back(Napi::Persistent(buffer));
  }
  executor->Rearm();
  return StartJob(
      info.Env(), handle,
      [executor, job] { executor->Run(job->cameras, job->places, job->motion ? &*job->motion : nullptr); },
      [executor, job](Napi::Env env) -> Napi::Value { return FrameResult(env, *executor, *job); });
}

/// abort(handle): gives up the frame in flight, if there is one.
void Abort(const Napi::CallbackInfo& info) {
  const HandlePointer handle = TakeHandle(info);
  if (handle->executor) handle->executor->Abort();
}

/// dispose(handle): frees the engine, at once or when the frame in flight has given up.
void Dispose(const Napi::CallbackInfo& info) {
  const HandlePointer handle = TakeHandle(info);
  if (handle->executor) handle->executor->Abort();
  handle->executor.reset();
}

}  // namespace

void RegisterEngine(Napi::Env env, Napi::Object exports) {
  Napi::Object engine = Napi::Object::New(env);
  AddFunction<ListIsas>(engine, "supportedIsas");
  AddFunction<Measure>(engine, "measurePeaks");
  AddFunction<Load>(engine, "load");
  AddFunction<SetRig>(engine, "setRig");
  AddFunction<Run>(engine, "run");
  AddFunction<Abort>(engine, "abort");
  AddFunction<Dispose>(engine, "dispose");
  exports.Set("engine", engine);
}

}  // namespace bdc
