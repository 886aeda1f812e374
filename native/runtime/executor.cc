#include "runtime/executor.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "ops/planes.h"
#include "ops/quantization.h"
#include "runtime/error.h"
#include "runtime/flush_denormals.h"

namespace bdc {
namespace {

// More than any camera network needs; a larger plan comes from a manifest that lies.
constexpr int64_t kMaxArenaBytes = int64_t{16} << 30;
constexpr int64_t kPageBytes = 4096;

using Clock = std::chrono::steady_clock;

int64_t RoundedUp(int64_t bytes, int64_t step) { return (bytes + step - 1) / step * step; }

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

[[noreturn]] void FailCamera(const std::string& code, const std::string& message) {
  throw Error(ErrorKind::kCamera, code, message);
}

}  // namespace

Executor::Executor(Graph graph, Isa isa, int threads, EngineMode mode, StreamType residual,
                   const ThreadSchedule& schedule)
    : graph_(std::move(graph)),
      mode_(mode),
      kernels_(SelectKernels(isa)),
      pool_(threads, OnOwnCores(schedule, threads)) {
  if (mode == EngineMode::kFast) graph_.Fuse(residual);
  graph_.LoadConstants(mode, kernels_);
  PlanArena();
  staged_batch_.assign(graph_.inputs().size(), -1);
  projections_.resize(graph_.nodes().size());
  node_milliseconds_.resize(graph_.nodes().size());
  for (const GraphNode& node : graph_.nodes()) history_bytes_ += 2 * node.operation->HistoryBytes();
  normalized_ = AlignedBuffer<float>(3 * 256);
  quantized_ = AlignedBuffer<int8_t>(3 * 256);
  const ImageSpec& images = graph_.images();
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      const int i = channel * 256 + value;
      normalized_[i] = (static_cast<float>(value) - images.mean[channel]) / images.std[channel];
      quantized_[i] = static_cast<int8_t>(Quantized(normalized_[i], graph_.image_factor()));
    }
  }
}

void Executor::PlanArena() {
  std::vector<MemoryRequest> requests;
  for (const GraphTensor& tensor : graph_.tensors()) {
    const int64_t images =
        tensor.spec.batch == TensorSpec::kPerCamera ? graph_.max_cameras() : tensor.spec.batch;
    const bool has_memory = tensor.is_needed && tensor.whole < 0;
    const int64_t bytes = has_memory ? tensor.spec.ImageBytes() * images : 0;
    requests.push_back({bytes, tensor.producer, tensor.last_use});
  }
  const auto& nodes = graph_.nodes();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int step = static_cast<int>(i);
    const int64_t scratch = mode_ == EngineMode::kFast ? nodes[i].operation->ScratchBytes(pool_.size())
                                                       : nodes[i].operation->ReferenceScratchBytes();
    requests.push_back({scratch, step, step});
    if (mode_ == EngineMode::kFast) {
      thread_scratch_bytes_ = std::max(thread_scratch_bytes_, nodes[i].operation->ThreadScratchBytes());
    }
  }
  // No two threads' on one page, which processors fetch ahead within.
  thread_scratch_bytes_ = RoundedUp(thread_scratch_bytes_, kPageBytes);
  for (const MemoryRequest& request : requests) {
    if (request.bytes > kMaxArenaBytes) {
      throw Error(ErrorKind::kModel, "MODEL_TOO_LARGE",
                  "graph: expected tensors of at most 16 GiB, found one of " + std::to_string(request.bytes) +
                      " bytes");
    }
  }
  plan_ = PlanMemory(requests);
  if (arena_bytes() > kMaxArenaBytes) {
    throw Error(ErrorKind::kModel, "MODEL_TOO_LARGE",
                "graph: expected tensors of at most 16 GiB at a time, found " +
                    std::to_string(arena_bytes()) + " bytes");
  }
}

int64_t Executor::ThreadScratchOffset() const {
  // Convolutions may read (and drop) a few values past the last tensor.
  return RoundedUp(plan_.bytes + int64_t{kConvSlack} * static_cast<int64_t>(sizeof(float)), kPageBytes);
}

void Executor::AllocateArena() {
  if (arena_.size() != 0) return;
  AlignedBuffer<std::byte, kHugePage> arena(static_cast<size_t>(RoundedUp(arena_bytes(), kHugePage)));
#if defined(__linux__)
  // A frame's tensors lie on hundreds of pages, and kernels go from plane to plane.
  madvise(arena.data(), arena.size(), MADV_HUGEPAGE);
#endif
  std::vector<AlignedBuffer<float>> previous, next;
  for (const GraphNode& node : graph_.nodes()) {
    const size_t values = static_cast<size_t>(node.operation->HistoryBytes()) / sizeof(float);
    previous.emplace_back(values);
    next.emplace_back(values);
  }
  // All or nothing: where memory runs out on the way, the next frame tries again.
  previous_ = std::move(previous);
  next_ = std::move(next);
  arena_ = std::move(arena);
}

bool Executor::uses_calibration() const {
  const auto& nodes = graph_.nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const GraphNode& node) { return node.operation->UsesCalibration(); });
}

void Executor::SetRig(const RigRays& rig) {
  if (rig.cameras < 1 || rig.cameras > graph_.max_cameras()) {
    FailCamera("RIG_CAMERAS", "expected a rig of 1…" + std::to_string(graph_.max_cameras()) +
                                  " cameras (the model's input.cameras), found " +
                                  std::to_string(rig.cameras));
  }
  const LiftSplat* first = graph_.lift_splat();
  if (first && (rig.height != first->feature_height() || rig.width != first->feature_width())) {
    FailCamera("RIG_SIZE", "expected rays of " + std::to_string(first->feature_height()) + "×" +
                               std::to_string(first->feature_width()) + " feature cells, found " +
                               std::to_string(rig.height) + "×" + std::to_string(rig.width));
  }
  const size_t cells = static_cast<size_t>(rig.cameras) * rig.height * rig.width;
  if (rig.rays.size() != cells * 3 || rig.origins.size() != static_cast<size_t>(rig.cameras) * 3) {
    FailCamera("RIG_SIZE", "expected " + std::to_string(cells * 3) + " ray and " +
                               std::to_string(rig.cameras * 3) + " origin coordinates, found " +
                               std::to_string(rig.rays.size()) + " and " +
                               std::to_string(rig.origins.size()));
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(rig.origins.begin(), rig.origins.end(), is_finite)) {
    FailCamera("RIG_ORIGIN", "expected finite camera origins, found NaN or infinity");
  }
  if (uses_calibration() && (rig.parameters.size() != static_cast<size_t>(rig.cameras) * kCameraParameters ||
                             !std::all_of(rig.parameters.begin(), rig.parameters.end(), is_finite))) {
    FailCamera("RIG_CALIBRATION", "expected " + std::to_string(rig.cameras * kCameraParameters) +
                                      " finite camera parameters, which this network uses, found " +
                                      std::to_string(rig.parameters.size()) +
                                      (rig.parameters.empty() ? "" : ", or some that are not finite"));
  }
  std::vector<std::unique_ptr<const Projection>> projections(graph_.nodes().size());
  for (size_t i = 0; i < projections.size(); ++i) {
    const auto* lift_splat = dynamic_cast<const LiftSplat*>(graph_.nodes()[i].operation.get());
    if (lift_splat) projections[i] = lift_splat->Project(rig);
  }
  projections_ = std::move(projections);
  camera_parameters_ = rig.parameters;
  rig_cameras_ = rig.cameras;
}

void Executor::StageImages(std::span<const std::span<const uint8_t>> images) {
  if (graph_.image_input() < 0 || graph_.inputs().size() != 1) {
    throw Error(ErrorKind::kConfiguration, "MODEL_NO_IMAGES",
                "expected a model whose only input is \"images\"; this one is fed with tensors");
  }
  const size_t bytes = static_cast<size_t>(graph_.images().width) * graph_.images().height * 3;
  if (images.empty() || images.size() > static_cast<size_t>(graph_.max_cameras())) {
    FailCamera("IMAGE_COUNT", "expected 1…" + std::to_string(graph_.max_cameras()) + " images, found " +
                                  std::to_string(images.size()));
  }
  for (size_t i = 0; i < images.size(); ++i) {
    if (images[i].size() != bytes) {
      FailCamera("IMAGE_SIZE", "image " + std::to_string(i) + ": expected " + std::to_string(bytes) +
                                   " bytes (height × width × RGB), found " +
                                   std::to_string(images[i].size()));
    }
  }
  staged_images_.resize(bytes * graph_.max_cameras());
  for (size_t i = 0; i < images.size(); ++i) std::memcpy(&staged_images_[i * bytes], images[i].data(), bytes);
  staged_batch_[graph_.image_input()] = static_cast<int>(images.size());
  images_staged_ = true;
}

void Executor::StageTensor(int index, std::span<const int64_t> shape, std::span<const float> values) {
  const GraphTensor& tensor = graph_.tensors()[graph_.inputs()[index]];
  const TensorSpec& spec = tensor.spec;
  const auto fail = [&](const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::kConfiguration, "INPUT_SHAPE",
                "input \"" + tensor.name + "\": expected " + expected + ", found " + found);
  };
  const std::vector<int64_t> sizes(shape.begin(), shape.end());
  const bool per_camera = spec.batch == TensorSpec::kPerCamera;
  const bool batch_fits = sizes.size() == 4 && (per_camera ? sizes[0] >= 1 && sizes[0] <= graph_.max_cameras()
                                                           : sizes[0] == spec.batch);
  if (!batch_fits || sizes[1] != spec.channels || sizes[2] != spec.height || sizes[3] != spec.width) {
    const std::string batch =
        per_camera ? "1…" + std::to_string(graph_.max_cameras()) : std::to_string(spec.batch);
    fail("the shape [" + batch + ", " + std::to_string(spec.channels) + ", " + std::to_string(spec.height) +
             ", " + std::to_string(spec.width) + "]",
         ToString(sizes));
  }
  const int64_t count = sizes[0] * sizes[1] * sizes[2] * sizes[3];
  if (static_cast<int64_t>(values.size()) != count) {
    fail(std::to_string(count) + " values", std::to_string(values.size()));
  }
  AllocateArena();
  std::byte* const place = arena_.data() + plan_.offsets[graph_.inputs()[index]];
  if (spec.type == ElementType::kInt8) {
    std::transform(values.begin(), values.end(), reinterpret_cast<int8_t*>(place),
                   [&](float value) { return static_cast<int8_t>(Quantized(value, graph_.image_factor())); });
  } else {
    std::memcpy(place, values.data(), values.size_bytes());
  }
  staged_batch_[index] = static_cast<int>(sizes[0]);
  images_staged_ = false;
}

int Executor::OutputBatch(int index, int cameras) const {
  const TensorSpec& spec = graph_.tensors()[graph_.outputs()[index].tensor].spec;
  return spec.batch == TensorSpec::kPerCamera ? cameras : spec.batch;
}

int64_t Executor::OutputBytes(int index, int cameras) const {
  return graph_.tensors()[graph_.outputs()[index].tensor].spec.ImageBytes() * OutputBatch(index, cameras);
}

void Executor::CheckFrame(std::span<const int> cameras) const {
  for (size_t i = 0; i < staged_batch_.size(); ++i) {
    const GraphTensor& tensor = graph_.tensors()[graph_.inputs()[i]];
    const bool per_camera = tensor.spec.batch == TensorSpec::kPerCamera;
    if (staged_batch_[i] < 0 || (per_camera && staged_batch_[i] != static_cast<int>(cameras.size()))) {
      throw Error(ErrorKind::kConfiguration, "INPUT_MISSING",
                  "input \"" + tensor.name + "\": expected " +
                      (per_camera ? std::to_string(cameras.size()) + " images" : "a tensor") + ", found " +
                      (staged_batch_[i] < 0 ? "none" : std::to_string(staged_batch_[i])));
    }
  }
  if (!graph_.lift_splat() && !uses_calibration()) return;
  if (rig_cameras_ == 0) {
    throw Error(ErrorKind::kConfiguration, "RIG_MISSING",
                "expected a camera rig before the first frame, found none: call setRig first");
  }
  for (size_t i = 0; i < cameras.size(); ++i) {
    if (cameras[i] < (i ? cameras[i - 1] + 1 : 0) || cameras[i] >= rig_cameras_) {
      FailCamera("CAMERA_INDEX", "expected ascending camera indices below " + std::to_string(rig_cameras_) +
                                     ", the rig's size, found " + std::to_string(cameras[i]));
    }
  }
}

Tensor Executor::At(int tensor, int cameras) {
  const TensorSpec& spec = graph_.tensors()[tensor].spec;
  const Graph::Place place = graph_.PlaceOf(tensor);
  const int64_t offset = place.first_channel * PlaneBytes(spec.type, spec.Plane());
  return {arena_.data() + plan_.offsets[place.tensor] + offset,
          spec.batch == TensorSpec::kPerCamera ? cameras : spec.batch,
          spec.channels,
          spec.height,
          spec.width,
          spec.type,
          graph_.tensors()[place.tensor].spec.channels};
}

void Executor::NormalizeImages(const Tensor& to) {
  const auto normalize = [&](const auto* values, auto* images) {
    const int64_t rows = int64_t{to.batch} * to.height;
    pool_.ParallelFor(0, rows, Grain(int64_t{to.width} * 3), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const uint8_t* from = &staged_images_[row * to.width * 3];
        auto* out = images + row / to.height * to.image() + row % to.height * to.width;
        for (int channel = 0; channel < 3; ++channel, out += to.plane()) {
          const auto* table = values + channel * 256;
          for (int x = 0; x < to.width; ++x) out[x] = table[from[x * 3 + channel]];
        }
      }
    });
  };
  if (to.type == ElementType::kInt8) {
    normalize(quantized_.data(), to.s8());
  } else {
    normalize(normalized_.data(), to.f32());
  }
}

void Executor::RunNode(size_t index, std::span<const int> cameras, const RigidMotion* motion) {
  const GraphNode& node = graph_.nodes()[index];
  const int batch = static_cast<int>(cameras.size());
  node_inputs_.clear();
  node_outputs_.clear();
  for (int tensor : node.inputs) node_inputs_.push_back(At(tensor, batch));
  for (int tensor : node.outputs) node_outputs_.push_back(At(tensor, batch));
  std::byte* scratch = arena_.data() + plan_.offsets[graph_.tensors().size() + index];
  History history;
  if (next_[index].size() != 0) {
    history.next = next_[index].data();
    if (motion) history.previous = previous_[index].data(), history.motion = motion;
  }
  const RunContext context{pool_,
                           kernels_,
                           scratch,
                           arena_.data() + ThreadScratchOffset(),
                           thread_scratch_bytes_,
                           cameras,
                           projections_[index].get(),
                           camera_parameters_,
                           history};
  if (mode_ == EngineMode::kFast) {
    node.operation->Run(context, node_inputs_, node_outputs_);
  } else {
    node.operation->RunReference(context, node_inputs_, node_outputs_);
  }
}

void Executor::Run(std::span<const int> cameras, std::span<void* const> outputs, const RigidMotion* motion) {
  CheckFrame(cameras);
  const auto frame = [&] { RunFrame(cameras, outputs, motion); };
  pool_.Lead(std::cref(frame));
}

void Executor::RunFrame(std::span<const int> cameras, std::span<void* const> outputs,
                        const RigidMotion* motion) {
  const FlushDenormals flush;
  if (!has_history_) motion = nullptr;
  AllocateArena();
  const bool from_images = images_staged_;
  std::fill(staged_batch_.begin(), staged_batch_.end(), -1);  // its memory is reused
  images_staged_ = false;
  auto start = Clock::now();
  if (from_images) {
    NormalizeImages(At(graph_.inputs()[graph_.image_input()], static_cast<int>(cameras.size())));
  }
  normalize_milliseconds_ = from_images ? MillisecondsSince(start) : 0;
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    if (aborted_.load(std::memory_order_relaxed)) throw AbortedError();
    start = Clock::now();
    RunNode(i, cameras, motion);
    node_milliseconds_[i] = MillisecondsSince(start);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int index = static_cast<int>(i), batch = static_cast<int>(cameras.size());
    std::memcpy(outputs[i], At(graph_.outputs()[i].tensor, batch).data, OutputBytes(index, batch));
  }
  previous_.swap(next_);
  has_history_ = true;
}

}  // namespace bdc
