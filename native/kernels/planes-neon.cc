#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesNeon = kPlaneLoops;

}  // namespace bdc
