#include "simulation/world.h"

#include <algorithm>
#include <limits>

namespace bdc::simulation {

namespace {
constexpr float kColumn = 4;  // metres; a compromise between empty steps and repeated tests
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Where a ray enters a box, possibly below 0; +infinity when it misses it or leaves it behind. `inverse`: 1
/// / direction.
inline float EnterBox(Vec3 low, Vec3 high, Vec3 origin, Vec3 inverse) {
  const float ax = (low.x - origin.x) * inverse.x, bx = (high.x - origin.x) * inverse.x;
  const float ay = (low.y - origin.y) * inverse.y, by = (high.y - origin.y) * inverse.y;
  const float az = (low.z - origin.z) * inverse.z, bz = (high.z - origin.z) * inverse.z;
  const float enter = std::max(std::max(std::min(ax, bx), std::min(ay, by)), std::min(az, bz));
  const float leave = std::min(std::min(std::max(ax, bx), std::max(ay, by)), std::max(az, bz));
  return enter <= leave && leave >= 0 ? enter : kInfinity;
}

}  // namespace

World::World(std::vector<Primitive> primitives, Ground ground, Environment environment)
    : primitives_(std::move(primitives)),
      ground_(std::move(ground)),
      environment_(environment),
      steepest_(ground_.hills.SteepestSlope()) {
  float max_x = -kInfinity, max_y = -kInfinity;
  min_x_ = min_y_ = kInfinity;
  bounds_.reserve(primitives_.size());
  for (const Primitive& primitive : primitives_) {
    const Vec3 extent = AlignedHalfExtents(primitive);
    const Bounds bounds = {primitive.center - extent, primitive.center + extent};
    min_x_ = std::min(min_x_, bounds.low.x);
    min_y_ = std::min(min_y_, bounds.low.y);
    max_x = std::max(max_x, bounds.high.x);
    max_y = std::max(max_y, bounds.high.y);
    highest_ = std::max(highest_, bounds.high.z);
    bounds_.push_back(bounds);
  }
  if (primitives_.empty()) min_x_ = min_y_ = max_x = max_y = 0;
  columns_x_ = static_cast<int>((max_x - min_x_) / kColumn) + 1;
  columns_y_ = static_cast<int>((max_y - min_y_) / kColumn) + 1;

  const auto columns = static_cast<size_t>(columns_x_) * columns_y_;
  const auto for_each_column = [&](size_t i, auto&& visit) {
    const auto& [low, high] = bounds_[i];
    const int x0 = static_cast<int>((low.x - min_x_) / kColumn),
              y0 = static_cast<int>((low.y - min_y_) / kColumn);
    const int x1 = std::min(static_cast<int>((high.x - min_x_) / kColumn), columns_x_ - 1);
    const int y1 = std::min(static_cast<int>((high.y - min_y_) / kColumn), columns_y_ - 1);
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) visit(static_cast<size_t>(y) * columns_x_ + x, high.z);
    }
  };
  first_.assign(columns + 1, 0);
  top_.assign(columns, -kInfinity);
  for (size_t i = 0; i < primitives_.size(); ++i) {
    for_each_column(i, [&](size_t column, float top) {
      ++first_[column + 1];
      top_[column] = std::max(top_[column], top);
    });
  }
  for (size_t c = 0; c < columns; ++c) first_[c + 1] += first_[c];
  members_.resize(first_[columns]);
  std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
  for (size_t i = 0; i < primitives_.size(); ++i) {
    for_each_column(i, [&](size_t column, float) { members_[next[column]++] = static_cast<uint32_t>(i); });
  }
}

template <typename Visitor>
void World::Walk(Vec3 origin, Vec3 direction, float t_max, Visitor&& visit) const {
  float t_enter = 0, t_leave = t_max;
  if (direction.z > 0) t_leave = std::min(t_leave, (highest_ - origin.z) / direction.z);
  const float low[2] = {min_x_, min_y_};
  const float high[2] = {min_x_ + columns_x_ * kColumn, min_y_ + columns_y_ * kColumn};
  for (int axis = 0; axis < 2; ++axis) {
    if (direction[axis] == 0) {
      if (origin[axis] < low[axis] || origin[axis] >= high[axis]) return;
      continue;
    }
    const float a = (low[axis] - origin[axis]) / direction[axis],
                b = (high[axis] - origin[axis]) / direction[axis];
    t_enter = std::max(t_enter, std::min(a, b));
    t_leave = std::min(t_leave, std::max(a, b));
  }
  if (t_enter >= t_leave) return;

  const Vec3 start = origin + direction * t_enter;
  int cell[2], step[2];
  const int cells[2] = {columns_x_, columns_y_};
  float next[2], delta[2];
  for (int axis = 0; axis < 2; ++axis) {
    cell[axis] =
        std::clamp(static_cast<int>(std::floor((start[axis] - low[axis]) / kColumn)), 0, cells[axis] - 1);
    step[axis] = direction[axis] > 0 ? 1 : -1;
    if (direction[axis] == 0) {
      next[axis] = delta[axis] = kInfinity;
    } else {
      const float border = low[axis] + (cell[axis] + (step[axis] > 0 ? 1 : 0)) * kColumn;
      next[axis] = (border - origin[axis]) / direction[axis];
      delta[axis] = kColumn / std::abs(direction[axis]);
    }
  }
  const Vec3 inverse = {1 / direction.x, 1 / direction.y, 1 / direction.z};
  // A primitive is tested in the column where the ray enters its bounds, so that each is tested once; the
  // slack is for rounding.
  constexpr float kSlack = 1e-3F;
  float t = t_enter, not_before = -kInfinity;
  while (t < t_leave) {
    const int axis = next[0] < next[1] ? 0 : 1;
    const float leave = std::min(next[axis], t_leave);
    const size_t column = static_cast<size_t>(cell[1]) * columns_x_ + cell[0];
    const float lowest = origin.z + direction.z * (direction.z > 0 ? t : leave);
    if (lowest <= top_[column]) {
      for (uint32_t m = first_[column]; m < first_[column + 1]; ++m) {
        const uint32_t member = members_[m];
        const float enter = EnterBox(bounds_[member].low, bounds_[member].high, origin, inverse);
        if (enter >= not_before && enter <= leave + kSlack && visit(primitives_[member])) return;
      }
      if (visit.DoneBefore(leave)) return;
    }
    cell[axis] += step[axis];
    if (cell[axis] < 0 || cell[axis] >= cells[axis]) return;
    t = next[axis];
    not_before = t - kSlack;
    next[axis] += delta[axis];
  }
}

namespace {

struct NearestVisitor {
  Vec3 origin, direction;
  float t_max;
  const Primitive* primitive = nullptr;
  Entry entry = {};

  bool operator()(const Primitive& candidate) {
    if (Intersect(candidate, origin, direction, 0, t_max, &entry)) {
      t_max = entry.t;
      primitive = &candidate;
    }
    return false;
  }
  bool DoneBefore(float t) const { return primitive != nullptr && t_max <= t; }
};

struct AnyVisitor {
  Vec3 origin, direction;
  float t_max;
  bool found = false;

  bool operator()(const Primitive& candidate) {
    Entry entry;
    return found = Intersect(candidate, origin, direction, 0, t_max, &entry);
  }
  bool DoneBefore(float) const { return false; }
};

}  // namespace

float World::CastGround(Vec3 origin, Vec3 direction, float t_max) const {
  const HeightField& hills = ground_.hills;
  const float run = std::sqrt(direction.x * direction.x + direction.y * direction.y);
  // The height above the ground shrinks no faster than this, so a step of height / rate never passes the
  // ground.
  const float rate = steepest_ * run - direction.z;
  const float above = origin.z - hills.At(origin.x, origin.y);
  if (rate <= 0 || above <= 0) return t_max;
  constexpr float kClose = 2e-3F;  // metres
  constexpr int kMostSteps = 96;
  float t = above / rate;
  for (int step = 0; step < kMostSteps && t < t_max; ++step) {
    const float height =
        origin.z + direction.z * t - hills.At(origin.x + direction.x * t, origin.y + direction.y * t);
    if (height < kClose) return t;
    t += height / rate;
  }
  // Out of steps: a ray that skims the ground, which is as good as there.
  return std::min(t, t_max);
}

bool World::Cast(Vec3 origin, Vec3 direction, float t_max, Hit* hit) const {
  const float t_ground = CastGround(origin, direction, t_max);
  const bool ground = t_ground < t_max;
  t_max = t_ground;
  NearestVisitor nearest = {origin, direction, t_max};
  Walk(origin, direction, t_max, nearest);
  if (nearest.primitive != nullptr) {
    const Primitive& p = *nearest.primitive;
    const Vec3 normal = p.local_from_world.TransposeTimes(nearest.entry.local_normal);
    *hit = {nearest.t_max,
            &p,
            origin + direction * nearest.t_max,
            normal,
            nearest.entry.local,
            nearest.entry.local_normal};
    return true;
  }
  if (!ground) return false;
  const Vec3 point = origin + direction * t_max;
  *hit = {t_max, nullptr, point, ground_.hills.Normal(point.x, point.y), {}, {}};
  return true;
}

bool World::Occluded(Vec3 origin, Vec3 direction, float t_max) const {
  AnyVisitor any = {origin, direction, t_max};
  Walk(origin, direction, t_max, any);
  return any.found;
}

}  // namespace bdc::simulation
