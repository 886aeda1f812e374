#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernels.h"
#include "ops/tensor.h"
#include "runtime/thread_pool.h"

namespace bdc {

class Projection;

/// Numbers that describe a camera's calibration (docs/model-format.md, camera_parameters).
inline constexpr int kCameraParameters = 27;

/// kFast calls kernels; kReference computes the same plainly and is its oracle.
enum class EngineMode { kFast, kReference };

/// How the multiply-adds of an operation are counted.
enum class Arithmetic { kNone, kReal, kInt8, kBinary, kBinaryWeightInt8Input, kBinaryWeightRealInput };

struct OperationCost {
  Arithmetic arithmetic = Arithmetic::kNone;
  int64_t macs = 0;  // of one image
  int64_t parameters = 0;
  int64_t binary_parameters = 0;  // of them, those of one bit
};

/// How the robot moved since the previous frame: the 3×4 matrix, row by row, that takes (x, y, z, 1) of the
/// base frame now into the base frame then; metres.
struct RigidMotion {
  double previous_from_current[12];
};

/// What an operation keeps from frame to frame; HistoryBytes() each.
struct History {
  /// What the previous frame wrote to `next`, with the motion since; both null where there is none to use.
  const float* previous = nullptr;
  const RigidMotion* motion = nullptr;
  /// For the next frame. Null for an operation that keeps nothing.
  float* next = nullptr;
};

/// What an operation may use while it runs.
struct RunContext {
  ThreadPool& pool;
  const KernelSet& kernels;
  /// ScratchBytes(pool.size()) or ReferenceScratchBytes() of the operation, from a cache line on.
  std::byte* scratch;
  /// Room of thread_scratch_bytes for each of the pool's threads, at the same place in every operation: a
  /// thread finds it in its own cache.
  std::byte* thread_scratch;
  int64_t thread_scratch_bytes;
  /// Rig camera of each image of the batch, ascending.
  std::span<const int> cameras;
  /// Where feature cells land; set for lift_splat.
  const Projection* projection;
  /// kCameraParameters numbers of each rig camera; set for operations that use the calibration.
  std::span<const float> camera_parameters;
  History history;

  std::byte* ThreadScratch(int64_t thread) const { return thread_scratch + thread * thread_scratch_bytes; }
};

using Tensors = std::span<const Tensor>;

/// One step of the network with its constants. Its shapes were checked when it was made.
class Operation {
 public:
  virtual ~Operation() = default;

  /// Copies the constants out of the model file and brings them into the form that `mode` and its kernels
  /// compute with.
  virtual void Load(EngineMode mode, const KernelSet& kernels) {
    static_cast<void>(mode);
    static_cast<void>(kernels);
  }
  /// What all threads share, or what threads have their parts of.
  virtual int64_t ScratchBytes(int threads) const {
    static_cast<void>(threads);
    return 0;
  }
  /// The same of RunReference.
  virtual int64_t ReferenceScratchBytes() const { return 0; }
  /// What each thread needs for itself.
  virtual int64_t ThreadScratchBytes() const { return 0; }
  /// Of what the operation keeps for the next frame.
  virtual int64_t HistoryBytes() const { return 0; }
  /// Whether it needs RunContext::camera_parameters.
  virtual bool UsesCalibration() const { return false; }
  virtual void Run(const RunContext& context, Tensors inputs, Tensors outputs) const = 0;
  /// An operation whose plain loop is the fast one has no other.
  virtual void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
    Run(context, inputs, outputs);
  }

  /// Whoever makes the first input may hand it over as int8: clamp(round(x · factor), ±127), this being the
  /// factor; 0: it may not.
  virtual float InputFactor() const { return 0.0f; }
  /// Makes one of the outputs int8 of that factor, if it can.
  virtual bool TakeQuantizer(float factor) {
    static_cast<void>(factor);
    return false;
  }
  /// Whether Run reads each value of that input only for the same value of the first output, before it writes
  /// it: the output may lie where the input does.
  virtual bool MayOverwrite(size_t input) const {
    static_cast<void>(input);
    return false;
  }

  OperationCost cost;
};

}  // namespace bdc
