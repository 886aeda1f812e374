#include "runtime/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace bdc {
namespace {

/// Sets BDC_ISA for one test (nullptr: unset) and puts back what was there.
class ScopedBdcIsa {
 public:
  explicit ScopedBdcIsa(const char* value) {
    if (const char* before = std::getenv("BDC_ISA")) before_ = before;
    Set(value);
  }
  ~ScopedBdcIsa() { Set(before_ ? before_->c_str() : nullptr); }

 private:
  static void Set(const char* value) {
    if (value != nullptr) {
      setenv("BDC_ISA", value, 1);
    } else {
      unsetenv("BDC_ISA");
    }
  }
  std::optional<std::string> before_;
};

std::string ErrorOf(std::optional<std::string> wanted) {
  try {
    ChooseIsa(std::move(wanted));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

bool Supported(Isa isa) {
  const std::vector<Isa> isas = SupportedIsas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

/// An instruction set of the architecture this test does not run on.
std::string ForeignIsa() { return Supported(Isa::kNeon) ? "avx2" : "neon"; }

TEST(IsaTest, NamesParseBackToTheirIsa) {
  for (Isa isa :
       {Isa::kPortable, Isa::kNeon, Isa::kNeonDotprod, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAmx}) {
    EXPECT_EQ(ParseIsa(IsaName(isa)), isa);
  }
  EXPECT_EQ(ParseIsa("AVX2"), std::nullopt);
  EXPECT_EQ(ParseIsa(""), std::nullopt);
}

TEST(IsaTest, PortableIsAlwaysSupportedAndFirst) { EXPECT_EQ(SupportedIsas().front(), Isa::kPortable); }

TEST(IsaTest, FastestIsChosenWithoutAWish) {
  ScopedBdcIsa unset(nullptr);
  EXPECT_EQ(ChooseIsa(std::nullopt), SupportedIsas().back());
  ScopedBdcIsa empty("");
  EXPECT_EQ(ChooseIsa(std::nullopt), SupportedIsas().back());
}

TEST(IsaTest, EnvironmentDecidesWithoutAWish) {
  ScopedBdcIsa portable("portable");
  EXPECT_EQ(ChooseIsa(std::nullopt), Isa::kPortable);
}

TEST(IsaTest, WishGoesBeforeEnvironment) {
  ScopedBdcIsa unknown("no-such-set");
  EXPECT_EQ(ChooseIsa("portable"), Isa::kPortable);
}

TEST(IsaTest, UnknownNameIsRefusedWithWhatTheCpuSupports) {
  const std::string error = ErrorOf("sse9");
  EXPECT_NE(error.find("'sse9' is unknown"), std::string::npos) << error;
  for (Isa isa : SupportedIsas()) EXPECT_NE(error.find(IsaName(isa)), std::string::npos) << error;
}

TEST(IsaTest, UnknownNameInTheEnvironmentIsRefusedNamingTheVariable) {
  ScopedBdcIsa unknown("sse9");
  EXPECT_NE(ErrorOf(std::nullopt).find("BDC_ISA 'sse9' is unknown"), std::string::npos);
}

TEST(IsaTest, SetOfAnotherArchitectureIsRefused) {
  const std::string error = ErrorOf(ForeignIsa());
  EXPECT_NE(error.find(ForeignIsa()), std::string::npos) << error;
  EXPECT_NE(error.find("does not run here; this CPU supports portable"), std::string::npos) << error;
}

}  // namespace
}  // namespace bdc
