#include "graph_tester.h"

namespace bdc {

std::map<std::string, std::vector<float>> RunModel(const ModelBuilder& model, const std::vector<Feed>& inputs,
                                                   EngineMode mode, Isa isa, int threads, const RigRays* rig,
                                                   const std::vector<int>& cameras, StreamType residual) {
  Executor executor(model.Build(), isa, threads, mode, residual);
  if (rig) executor.SetRig(*rig);
  for (size_t i = 0; i < inputs.size(); ++i) {
    executor.StageTensor(static_cast<int>(i), inputs[i].shape, inputs[i].values);
  }
  const auto& roles = executor.graph().outputs();
  std::vector<std::vector<float>> values;
  std::vector<void*> places;
  for (size_t i = 0; i < roles.size(); ++i) {
    values.emplace_back(executor.OutputBytes(static_cast<int>(i), static_cast<int>(cameras.size())) /
                        sizeof(float));
  }
  for (auto& output : values) places.push_back(output.data());
  executor.Run(cameras, places);
  std::map<std::string, std::vector<float>> outputs;
  for (size_t i = 0; i < roles.size(); ++i) outputs[roles[i].role] = values[i];
  return outputs;
}

}  // namespace bdc
