#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesAvx2 = kPlaneLoops;

}  // namespace bdc
