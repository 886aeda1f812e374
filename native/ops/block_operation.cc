#include "ops/block_operation.h"

#include "ops/sweep.h"

namespace bdc {

BlockEpilogue BlockOperation::EpilogueFor(int64_t image, Tensors inputs, Tensors outputs) const {
  const Tensor& y = outputs[0];
  BlockEpilogue epilogue;
  if (has_residual_) epilogue.residual = StreamIn(inputs[1], image);
  if (y.type == ElementType::kInt8) {
    epilogue.quantized = y.s8() + image * y.image();
    epilogue.quantized_factor = quantized_factor_;
  } else {
    epilogue.stream = StreamOut(y, image);
  }
  if (sign_) {
    epilogue.signs = SignsOf(outputs[1], image);
    epilogue.threshold = sign_->threshold();
    epilogue.direction = sign_->direction();
  }
  return epilogue;
}

}  // namespace bdc
