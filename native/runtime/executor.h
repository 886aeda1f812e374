#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "graph/memory_plan.h"
#include "kernels/kernels.h"
#include "ops/projection.h"
#include "runtime/aligned_buffer.h"
#include "runtime/isa.h"
#include "runtime/thread_pool.h"

namespace bdc {

/// One network ready to run. Not reentrant: of Stage…, SetRig and Run one call at a time; only Abort may come
/// from another thread meanwhile. Frames allocate nothing after the first.
class Executor {
 public:
  /// Plans the memory, brings the constants into the form they are computed with, and starts the threads.
  /// `residual`: how streams between fused binary layers are stored.
  Executor(Graph graph, Isa isa, int threads, EngineMode mode, StreamType residual = StreamType::kFloat32,
           const ThreadSchedule& schedule = {});

  const Graph& graph() const { return graph_; }
  Isa isa() const { return kernels_.isa; }
  int threads() const { return pool_.size(); }
  EngineMode mode() const { return mode_; }
  /// What the system refused of the schedule.
  const std::vector<std::string>& warnings() const { return pool_.warnings(); }
  /// Of all tensors that live between operations, and of scratch.
  int64_t arena_bytes() const { return ThreadScratchOffset() + threads() * thread_scratch_bytes_; }
  /// Of what operations keep between frames, 0 for most networks; twice, as a frame reads one and writes the
  /// other.
  int64_t history_bytes() const { return history_bytes_; }

  /// Whether SetRig needs RigRays::parameters.
  bool uses_calibration() const;
  /// Builds the projection of each lift_splat. Throws a camera error if the rig doesn't fit the network.
  void SetRig(const RigRays& rig);

  /// Copies the frame's images in: RGB bytes [height][width][3] each.
  void StageImages(std::span<const std::span<const uint8_t>> images);
  /// Copies graph input `index` in: floats of `shape`, four sizes.
  void StageTensor(int index, std::span<const int64_t> shape, std::span<const float> values);

  /// Images of graph output `index` in a frame of `cameras` cameras.
  int OutputBatch(int index, int cameras) const;
  int64_t OutputBytes(int index, int cameras) const;

  /// Runs what was staged. `cameras`: the rig camera of each staged image, ascending. `outputs[i]` receives
  /// OutputBytes(i, cameras.size()). Throws AbortedError after Abort, between two operations.
  /// `motion`: since the last frame that ended, whose features align_previous then uses; null, or no such
  /// frame: none is used. Either way this frame's are kept for the next, if it ends.
  void Run(std::span<const int> cameras, std::span<void* const> outputs, const RigidMotion* motion = nullptr);

  void Abort() { aborted_.store(true, std::memory_order_relaxed); }
  /// Forgets an Abort; called before a frame is handed to another thread, so that none is lost.
  void Rearm() { aborted_.store(false, std::memory_order_relaxed); }

  /// Of the last frame, in milliseconds: normalisation of the images (0 if tensors were staged), and each
  /// node.
  double normalize_milliseconds() const { return normalize_milliseconds_; }
  const std::vector<double>& node_milliseconds() const { return node_milliseconds_; }

 private:
  /// As large a page as Linux makes by itself on x86-64 and most 64-bit ARM.
  static constexpr size_t kHugePage = size_t{2} << 20;

  void PlanArena();
  void AllocateArena();
  /// Where the threads' own scratch begins in the arena.
  int64_t ThreadScratchOffset() const;
  void RunFrame(std::span<const int> cameras, std::span<void* const> outputs, const RigidMotion* motion);
  void CheckFrame(std::span<const int> cameras) const;
  void NormalizeImages(const Tensor& to);
  Tensor At(int tensor, int cameras);
  void RunNode(size_t index, std::span<const int> cameras, const RigidMotion* motion);

  Graph graph_;
  EngineMode mode_;
  const KernelSet& kernels_;
  ThreadPool pool_;

  MemoryPlan plan_;                   // one place for each tensor of the graph, then the scratch of each node
  int64_t thread_scratch_bytes_ = 0;  // of each thread
  /// The plan, then the threads' own scratch.
  AlignedBuffer<std::byte, kHugePage> arena_;
  std::vector<uint8_t> staged_images_;
  std::vector<int> staged_batch_;  // of each graph input; −1 = not staged
  bool images_staged_ = false;
  AlignedBuffer<float> normalized_;  // [3][256]: (value − mean) / std
  AlignedBuffer<int8_t> quantized_;  // the same as int8, where the images are

  int rig_cameras_ = 0;
  std::vector<std::unique_ptr<const Projection>> projections_;  // of each node; null where none is needed
  std::vector<float> camera_parameters_;
  std::vector<Tensor> node_inputs_, node_outputs_;

  /// Of each node: what the last frame that ended has left, and room for what this one leaves.
  std::vector<AlignedBuffer<float>> previous_, next_;
  bool has_history_ = false;
  int64_t history_bytes_ = 0;

  std::atomic<bool> aborted_{false};
  double normalize_milliseconds_ = 0;
  std::vector<double> node_milliseconds_;
};

}  // namespace bdc
