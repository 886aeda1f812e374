#include "kernels/float-portable.h"
#include "kernels/kernel-list.h"
#include "kernels/plane-loops.h"

namespace bdc {

const PlaneKernels kPlanesPortable = kPlaneLoops<FloatPortable>;

}  // namespace bdc
