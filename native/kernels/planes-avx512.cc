#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesAvx512 = kPlaneLoops<FloatAvx512>;

}  // namespace bdc
