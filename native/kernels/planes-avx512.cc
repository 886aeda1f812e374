#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesAvx512 = kPlaneLoops;

}  // namespace bdc
