#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesNeon = kPlaneLoops<FloatNeon>;

}  // namespace bdc
