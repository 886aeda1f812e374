#include "ops/plane_maker.h"

#include "ops/sweep.h"

namespace bdc {

const float* PlaneMaker::PlaneOf(const RunContext& context, const Tensor& x, int64_t plane,
                                 std::byte* made) const {
  if (x.type != ElementType::kFloat16) return x.f32() + x.PlaneStart(plane);
  auto* const values = reinterpret_cast<float*>(made);
  context.kernels.planes.widen(x.f16() + x.PlaneStart(plane), x.plane(), values);
  return values;
}

void PlaneMaker::FinishPlane(const RunContext& context, int64_t plane, const float* made,
                             Tensors outputs) const {
  const Tensor& y = outputs[0];
  const int64_t image = plane / y.channels;
  const auto channel = static_cast<int>(plane % y.channels);
  const BlockRange all{0, BlocksOf(y.plane()), 0, 1};
  SweepArgs args{{made, StreamType::kFloat32, y.plane()}, y.plane(), 1, {}};
  bool has_to_store = y.type == ElementType::kFloat16;
  for (size_t i = 0; i < signs().size(); ++i) {
    const PlacedSign placed = signs()[i].Within(channel, 1);
    if (placed.channels == 0) continue;
    const int sign_channel = channel - signs()[i].first_channel;
    args.epilogue.signs = SignsOf(outputs[1 + i].Channels(sign_channel, 1), image);
    args.epilogue.threshold = placed.sign->threshold() + placed.first_threshold;
    args.epilogue.direction = placed.sign->direction() + placed.first_threshold;
    args.epilogue.stream = has_to_store ? StreamOut(y.Channels(channel, 1), image) : OutputStream{};
    context.kernels.sweep(args, all);
    has_to_store = false;
  }
  if (has_to_store) context.kernels.planes.narrow(made, y.plane(), y.f16() + y.PlaneStart(plane));
}

}  // namespace bdc
