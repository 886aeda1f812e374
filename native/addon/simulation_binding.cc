#include "addon/simulation_binding.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "addon/guarded.h"
#include "addon/native_job.h"
#include "simulation/camera.h"
#include "simulation/labels.h"
#include "simulation/lidar.h"
#include "simulation/voxelizer.h"
#include "simulation/world.h"

namespace bdc {

namespace {

using namespace simulation;
using WorldPointer = std::shared_ptr<const World>;

/// Floats that one record takes in the packed arrays of src/simulation/native.ts.
constexpr size_t kPrimitiveFloats = 32, kRoadFloats = 12, kPatchFloats = 11, kGroundFloats = 16,
                 kEnvironmentFloats = 19;
constexpr size_t kPoseFloats = 12, kSensorFloats = 7;
constexpr napi_type_tag kWorldTag = {0x6264635f6f63635fULL, 0x73696d5f776f726cULL};

Napi::TypeError BadArgument(Napi::Env env, const std::string& name, const std::string& expected) {
  return Napi::TypeError::New(env, "simulation: " + name + " must be " + expected);
}

Napi::Object TakeOptions(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) throw BadArgument(info.Env(), "the argument", "an object");
  return info[0].As<Napi::Object>();
}

/// `multiple`: the array's length must be a multiple of it; `exact`: it must be equal.
Napi::Float32Array TakeFloats(const Napi::Object& options, const char* name, size_t size, bool exact) {
  const Napi::Value value = options.Get(name);
  const bool typed =
      value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array;
  const size_t length = typed ? value.As<Napi::TypedArray>().ElementLength() : 0;
  if (!typed || (exact ? length != size : length % size != 0)) {
    throw BadArgument(options.Env(), name,
                      "a Float32Array of " + std::string(exact ? "" : "a multiple of ") +
                          std::to_string(size) + " numbers");
  }
  return value.As<Napi::Float32Array>();
}

double TakeNumber(const Napi::Object& options, const char* name, double low, double high) {
  const Napi::Value value = options.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : low - 1;
  if (!(number >= low && number <= high)) {
    throw BadArgument(options.Env(), name,
                      "a number in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
  }
  return number;
}

WorldPointer TakeWorld(const Napi::Object& options) {
  const Napi::Value value = options.Get("world");
  if (!value.IsExternal() || !value.As<Napi::External<WorldPointer>>().CheckTypeTag(&kWorldTag)) {
    throw BadArgument(options.Env(), "world", "what buildWorld returned");
  }
  return *value.As<Napi::External<WorldPointer>>().Data();
}

/// Reads floats one after the other.
struct Reader {
  const float* at;
  float Next() { return *at++; }
  Vec3 NextVec() {
    const Vec3 v = {at[0], at[1], at[2]};
    at += 3;
    return v;
  }
  template <typename Enum>
  Enum NextEnum(int count) {
    const float value = Next();
    return static_cast<Enum>(value >= 0 && value < static_cast<float>(count) ? static_cast<int>(value) : 0);
  }
};

Pose TakePose(const Napi::Object& options, const char* name) {
  const Napi::Float32Array floats = TakeFloats(options, name, kPoseFloats, true);
  Pose pose;
  std::memcpy(pose.rotation.m, floats.Data(), sizeof pose.rotation.m);
  pose.translation = {floats[9], floats[10], floats[11]};
  return pose;
}

Primitive ReadPrimitive(const float* record) {
  Reader r{record};
  Primitive p{};
  p.shape = r.NextEnum<Shape>(3);
  p.label = r.NextEnum<uint8_t>(kLabels);
  p.actor = static_cast<int32_t>(r.Next());
  p.center = r.NextVec();
  std::memcpy(p.local_from_world.m, r.at, sizeof p.local_from_world.m);
  r.at += 9;
  p.half = r.NextVec();
  p.taper_x = r.Next();
  p.taper_y = r.Next();
  p.material.texture = r.NextEnum<Texture>(kTextures);
  p.material.color = r.NextVec();
  p.material.accent = r.NextVec();
  p.material.scale = r.Next();
  p.material.seed = static_cast<uint32_t>(r.Next());
  return p;
}

Ground TakeGround(const Napi::Object& options) {
  Ground ground;
  const Napi::Float32Array roads = TakeFloats(options, "roads", kRoadFloats, false);
  for (size_t i = 0; i < roads.ElementLength(); i += kRoadFloats) {
    Road road{};
    static_assert(sizeof road == kRoadFloats * sizeof(float));
    std::memcpy(&road, roads.Data() + i, sizeof road);
    ground.roads.push_back(road);
  }
  const Napi::Float32Array patches = TakeFloats(options, "patches", kPatchFloats, false);
  for (size_t i = 0; i < patches.ElementLength(); i += kPatchFloats) {
    Reader r{patches.Data() + i};
    Patch patch{};
    patch.center_x = r.Next();
    patch.center_y = r.Next();
    patch.cos = r.Next();
    patch.sin = r.Next();
    patch.half_x = r.Next();
    patch.half_y = r.Next();
    patch.label = r.NextEnum<uint8_t>(kLabels);
    patch.style = r.NextEnum<PatchStyle>(kPatchStyles);
    patch.color = r.NextVec();
    ground.patches.push_back(patch);
  }
  Reader r{TakeFloats(options, "ground", kGroundFloats, true).Data()};
  ground.asphalt = r.NextVec();
  ground.sidewalk = r.NextVec();
  ground.terrain = r.NextVec();
  ground.mark = r.NextVec();
  ground.seed = static_cast<uint32_t>(r.Next());
  ground.hills.origin_x = r.Next();
  ground.hills.origin_y = r.Next();
  ground.hills.spacing = r.Next();
  const Napi::Float32Array heights = TakeFloats(options, "heights", 1, false);
  const size_t length = heights.ElementLength();
  auto side = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(length))));
  if (side < 2 || side * side != length || !(ground.hills.spacing > 0)) {
    throw BadArgument(options.Env(), "heights", "a square of at least 2 x 2 numbers, its spacing above 0");
  }
  ground.hills.side = static_cast<int>(side);
  ground.hills.heights.assign(heights.Data(), heights.Data() + length);
  return ground;
}

Environment TakeEnvironment(const Napi::Object& options) {
  Reader r{TakeFloats(options, "environment", kEnvironmentFloats, true).Data()};
  Environment environment;
  environment.to_sun = r.NextVec();
  environment.sun_color = r.NextVec();
  environment.ambient = r.NextVec();
  environment.zenith = r.NextVec();
  environment.horizon = r.NextVec();
  environment.haze_distance = r.Next();
  environment.clouds = r.Next();
  environment.wetness = r.Next();
  environment.seed = static_cast<uint32_t>(r.Next());
  return environment;
}

std::shared_ptr<Camera> TakeCamera(const Napi::Object& options) {
  auto camera = std::make_shared<Camera>();
  camera->world_from_camera = TakePose(options, "worldFromCamera");
  camera->width = static_cast<int>(TakeNumber(options, "width", 1, 8192));
  camera->height = static_cast<int>(TakeNumber(options, "height", 1, 8192));
  camera->samples_per_pixel = static_cast<int>(TakeNumber(options, "samplesPerPixel", 1, 64));
  if (options.Has("cornerRays")) {
    const size_t size = static_cast<size_t>(camera->width + 1) * (camera->height + 1) * 3;
    const Napi::Float32Array rays = TakeFloats(options, "cornerRays", size, true);
    camera->corner_rays.assign(rays.Data(), rays.Data() + size);
  } else {
    const Napi::Float32Array intrinsics = TakeFloats(options, "intrinsics", 4, true);
    camera->fx = intrinsics[0];
    camera->fy = intrinsics[1];
    camera->cx = intrinsics[2];
    camera->cy = intrinsics[3];
  }
  Reader sensor{TakeFloats(options, "sensor", kSensorFloats, true).Data()};
  camera->sensor.exposure = sensor.Next();
  camera->sensor.white_balance = sensor.NextVec();
  camera->sensor.noise = sensor.Next();
  camera->sensor.vignette = sensor.Next();
  camera->sensor.blur = sensor.Next();
  camera->sensor.seed = static_cast<uint32_t>(TakeNumber(options, "seed", 0, 4294967295.0));
  return camera;
}

template <typename Array, typename Element>
Array ToTypedArray(Napi::Env env, const std::vector<Element>& values) {
  Array array = Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(Element));
  return array;
}

/// Starts a job whose promise is what `wrap` makes of the result of `work`.
template <typename Work, typename Wrap>
Napi::Promise StartJob(Napi::Env env, Work work, Wrap wrap) {
  auto result = std::make_shared<std::invoke_result_t<const Work&>>();
  return NativeJob::Start(
      env, [result, work = std::move(work)] { *result = work(); },
      [result, wrap](Napi::Env event_loop) -> Napi::Value { return wrap(event_loop, *result); });
}

Napi::Value BuildWorld(const Napi::CallbackInfo& info) {
  const Napi::Object options = TakeOptions(info);
  const Napi::Float32Array packed = TakeFloats(options, "primitives", kPrimitiveFloats, false);
  std::vector<Primitive> primitives;
  for (size_t i = 0; i < packed.ElementLength(); i += kPrimitiveFloats) {
    primitives.push_back(ReadPrimitive(packed.Data() + i));
  }
  return StartJob(
      info.Env(),
      [primitives = std::move(primitives), ground = TakeGround(options),
       environment = TakeEnvironment(options)] {
        return WorldPointer(std::make_shared<const World>(primitives, ground, environment));
      },
      [](Napi::Env env, WorldPointer& world) -> Napi::Value {
        auto held = std::make_unique<WorldPointer>(std::move(world));
        auto external = Napi::External<WorldPointer>::New(
            env, held.get(), [](Napi::Env, WorldPointer* pointer) { delete pointer; });
        held.release();
        external.TypeTag(&kWorldTag);
        return external;
      });
}

Napi::Value RenderCamera(const Napi::CallbackInfo& info) {
  const Napi::Object options = TakeOptions(info);
  return StartJob(
      info.Env(),
      [world = TakeWorld(options), camera = TakeCamera(options)] { return Render(*world, *camera); },
      [](Napi::Env env, Image& image) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("rgb", ToTypedArray<Napi::Uint8Array>(env, image.rgb));
        result.Set("depth", ToTypedArray<Napi::Float32Array>(env, image.depth));
        result.Set("labels", ToTypedArray<Napi::Uint8Array>(env, image.labels));
        result.Set("actors", ToTypedArray<Napi::Int32Array>(env, image.actors));
        return result;
      });
}

Napi::Value ScanLidar(const Napi::CallbackInfo& info) {
  const Napi::Object options = TakeOptions(info);
  auto lidar = std::make_shared<Lidar>();
  lidar->world_from_lidar = TakePose(options, "worldFromLidar");
  lidar->rings = static_cast<int>(TakeNumber(options, "rings", 1, 256));
  lidar->columns = static_cast<int>(TakeNumber(options, "columns", 1, 65536));
  const size_t size = static_cast<size_t>(lidar->rings) * lidar->columns * 3;
  const Napi::Float32Array directions = TakeFloats(options, "directions", size, true);
  lidar->directions.assign(directions.Data(), directions.Data() + size);
  lidar->seed = static_cast<uint32_t>(TakeNumber(options, "seed", 0, 4294967295.0));
  return StartJob(
      info.Env(), [world = TakeWorld(options), lidar] { return Scan(*world, *lidar); },
      [](Napi::Env env, LidarScan& scan) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("points", ToTypedArray<Napi::Float32Array>(env, scan.points));
        result.Set("labels", ToTypedArray<Napi::Uint8Array>(env, scan.labels));
        result.Set("actors", ToTypedArray<Napi::Int32Array>(env, scan.actors));
        return result;
      });
}

/// What voxelize reads, copied so that JavaScript may do with its arrays what it likes meanwhile.
struct VoxelizeJob {
  WorldPointer world;
  Grid grid;
  std::vector<std::shared_ptr<Camera>> cameras;
  std::vector<std::vector<float>> depths;
  Pose world_from_lidar;
  LidarScan scan;
};

Napi::Value VoxelizeWorld(const Napi::CallbackInfo& info) {
  const Napi::Object options = TakeOptions(info);
  auto job = std::make_shared<VoxelizeJob>();
  job->world = TakeWorld(options);
  job->grid.world_from_ego = TakePose(options, "worldFromEgo");
  Reader grid{TakeFloats(options, "grid", 9, true).Data()};  // min, cell size, shape
  job->grid.min = grid.NextVec();
  job->grid.cell = grid.NextVec();
  const Vec3 shape = grid.NextVec();
  for (int axis = 0; axis < 3; ++axis) {
    if (!(shape[axis] >= 1 && shape[axis] <= 1024))
      throw BadArgument(info.Env(), "grid", "of 1 to 1024 voxels a side");
  }
  job->grid.nx = static_cast<int>(shape.x);
  job->grid.ny = static_cast<int>(shape.y);
  job->grid.nz = static_cast<int>(shape.z);
  const Napi::Value cameras = options.Get("cameras");
  if (!cameras.IsArray()) throw BadArgument(info.Env(), "cameras", "an array");
  for (uint32_t i = 0; i < cameras.As<Napi::Array>().Length(); ++i) {
    const auto entry = cameras.As<Napi::Array>().Get(i).As<Napi::Object>();
    auto camera = TakeCamera(entry);
    const size_t pixels = static_cast<size_t>(camera->width) * camera->height;
    const Napi::Float32Array depth = TakeFloats(entry, "depth", pixels, true);
    job->depths.emplace_back(depth.Data(), depth.Data() + pixels);
    job->cameras.push_back(std::move(camera));
  }
  job->world_from_lidar = TakePose(options, "worldFromLidar");
  const Napi::Float32Array points = TakeFloats(options, "points", 5, false);
  job->scan.points.assign(points.Data(), points.Data() + points.ElementLength());
  job->scan.labels.resize(points.ElementLength() / 5);
  return StartJob(
      info.Env(),
      [job] {
        std::vector<CameraView> views;
        for (size_t i = 0; i < job->cameras.size(); ++i)
          views.push_back({job->cameras[i].get(), job->depths[i].data()});
        return Voxelize(*job->world, job->grid, views, job->world_from_lidar, job->scan);
      },
      [](Napi::Env env, VoxelTruth& truth) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("semantics", ToTypedArray<Napi::Uint8Array>(env, truth.semantics));
        result.Set("maskCamera", ToTypedArray<Napi::Uint8Array>(env, truth.mask_camera));
        result.Set("maskLidar", ToTypedArray<Napi::Uint8Array>(env, truth.mask_lidar));
        return result;
      });
}

}  // namespace

void RegisterSimulation(Napi::Env env, Napi::Object exports) {
  Napi::Object simulation = Napi::Object::New(env);
  AddFunction<BuildWorld>(simulation, "buildWorld");
  AddFunction<RenderCamera>(simulation, "renderCamera");
  AddFunction<ScanLidar>(simulation, "scanLidar");
  AddFunction<VoxelizeWorld>(simulation, "voxelize");
  exports.Set("simulation", simulation);
}

}  // namespace bdc
