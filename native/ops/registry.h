#pragma once

#include <memory>

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Makes and checks the operation that the manifest calls `op`; an unknown one is a model error. A new
/// operation is added here.
std::unique_ptr<Operation> MakeOperation(const std::string& op, OperationReader& reader);

}  // namespace bdc
