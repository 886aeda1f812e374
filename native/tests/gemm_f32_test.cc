#include <gtest/gtest.h>

#include <cmath>

#include "kernel_tester.h"

namespace bdc {
namespace {

/// One matrix product against sums in double precision.
class GemmTester {
 public:
  GemmTester(int rows, int depth, int columns)
      : rows_(rows), depth_(depth), columns_(columns), end_(columns) {}

  GemmTester& gaps(int b, int c) { return b_gap_ = b, c_gap_ = c, *this; }
  GemmTester& without_bias() { return with_bias_ = false, *this; }
  GemmTester& columns(int begin, int end) { return begin_ = begin, end_ = end, *this; }

  void Check() const {
    const int64_t b_stride = columns_ + b_gap_, c_stride = columns_ + c_gap_;
    const uint32_t seed = static_cast<uint32_t>(rows_ * 3 + depth_ * 5 + columns_);
    const std::vector<float> a = RandomFloats(static_cast<size_t>(rows_) * depth_, seed);
    const std::vector<float> b = RandomFloats(depth_ * b_stride, seed + 1);
    const std::vector<float> bias = RandomFloats(rows_, seed + 2);
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<float> c(rows_ * c_stride, kUntouched);
      kernels.gemm_f32({a.data(), b.data(), with_bias_ ? bias.data() : nullptr, c.data(), rows_, depth_,
                        b_stride, c_stride},
                       begin_, end_);
      for (int m = 0; m < rows_; ++m) {
        for (int n = 0; n < c_stride; ++n) {
          const float found = c[m * c_stride + n];
          if (n < begin_ || n >= end_) {
            ASSERT_EQ(found, kUntouched) << "row " << m << " column " << n << ", " << Shape();
            continue;
          }
          double sum = with_bias_ ? bias[m] : 0.0, size = std::abs(sum);
          for (int k = 0; k < depth_; ++k) {
            const double product = static_cast<double>(a[m * depth_ + k]) * b[k * b_stride + n];
            sum += product;
            size += std::abs(product);
          }
          // Rounding error of a float sum in any order: each of depth_ + 1 steps rounds by at most 2^-24 of
          // the terms' size.
          ASSERT_NEAR(found, sum, (depth_ + 1) * 0x1p-24 * size)
              << "row " << m << " column " << n << ", " << Shape();
        }
      }
    });
  }

 private:
  static constexpr float kUntouched = -12345.0f;

  std::string Shape() const {
    return std::to_string(rows_) + "x" + std::to_string(depth_) + "x" + std::to_string(columns_);
  }

  int rows_, depth_, columns_;
  int begin_ = 0, end_;
  int b_gap_ = 0, c_gap_ = 0;
  bool with_bias_ = true;
};

TEST(GemmF32Test, AnyNumberOfRows) {
  for (int rows = 1; rows <= 33; ++rows) GemmTester(rows, 9, 40).Check();
}

TEST(GemmF32Test, AnyNumberOfColumns) {
  for (int columns = 1; columns <= 70; ++columns) GemmTester(5, 9, columns).Check();
  for (int columns : {127, 128, 129, 255, 300}) GemmTester(17, 9, columns).Check();
}

TEST(GemmF32Test, AnyDepth) {
  for (int depth : {1, 2, 3, 27, 63, 127, 128, 129, 255, 256, 257, 1000}) GemmTester(13, depth, 37).Check();
}

TEST(GemmF32Test, MatricesMayHaveGapsBetweenRows) { GemmTester(14, 30, 45).gaps(3, 7).Check(); }

TEST(GemmF32Test, BiasMayBeAbsent) { GemmTester(14, 30, 45).without_bias().Check(); }

TEST(GemmF32Test, WritesOnlyTheColumnsAskedFor) {
  GemmTester(9, 20, 100).columns(0, 0).Check();
  GemmTester(9, 20, 100).columns(3, 4).Check();
  GemmTester(9, 20, 100).columns(17, 83).Check();
  GemmTester(9, 140, 300).columns(33, 300).gaps(1, 2).Check();
}

}  // namespace
}  // namespace bdc
