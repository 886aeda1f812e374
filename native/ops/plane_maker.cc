#include "ops/plane_maker.h"

#include "ops/sweep.h"

namespace bdc {

void PlaneMaker::MakeSigns(const RunContext& context, int64_t plane, Tensors outputs) const {
  const Tensor& y = outputs[0];
  const int64_t image = plane / y.channels;
  const auto channel = static_cast<int>(plane % y.channels);
  for (size_t i = 0; i < signs().size(); ++i) {
    const PlacedSign placed = signs()[i].Within(channel, 1);
    if (placed.channels == 0) continue;
    const int sign_channel = channel - signs()[i].first_channel;
    SweepArgs args{StreamIn(y.Channels(channel, 1), image), y.plane(), 1, {}};
    args.epilogue.signs = SignsOf(outputs[1 + i].Channels(sign_channel, 1), image);
    args.epilogue.threshold = placed.sign->threshold() + placed.first_threshold;
    args.epilogue.direction = placed.sign->direction() + placed.first_threshold;
    context.kernels.sweep(args, {0, BlocksOf(y.plane()), 0, 1});
  }
}

}  // namespace bdc
