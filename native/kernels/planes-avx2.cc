#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesAvx2 = kPlaneLoops<FloatAvx2>;

}  // namespace bdc
