#include "addon/image_binding.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "addon/guarded.h"
#include "addon/js_reader.h"
#include "addon/native_job.h"
#include "images/remap.h"
#include "images/unpack.h"

namespace bdc {
namespace {

constexpr int kMaxSide = 1 << 15;

PixelLayout LayoutOf(Napi::Env env, const std::string& kind) {
  if (kind == "packed") return PixelLayout::kPacked;
  if (kind == "yuv422") return PixelLayout::kYuv422;
  if (kind == "yuv420") return PixelLayout::kYuv420;
  if (kind == "bayer") return PixelLayout::kBayer8;
  throw Napi::TypeError::New(env, "image.layout: expected packed, yuv422, yuv420 or bayer");
}

/// Refuses all that would make Unpack read or write outside of the image.
RawImage ReadImage(const JsReader& value, const Napi::Uint8Array& data) {
  RawImage image{};
  image.data = data.Data();
  image.layout = LayoutOf(data.Env(), value.Get("layout").String());
  image.width = static_cast<int>(value.Get("width").Int(1, kMaxSide));
  image.height = static_cast<int>(value.Get("height").Int(1, kMaxSide));
  const bool packed = image.layout == PixelLayout::kPacked;
  const bool pairs = image.layout == PixelLayout::kYuv422;
  image.pixel_bytes = packed ? static_cast<int>(value.Get("pixelBytes").Int(1, 4)) : pairs ? 2 : 1;
  const int row_bytes = image.width * image.pixel_bytes;
  image.step = static_cast<size_t>(value.Get("step").Int(row_bytes, 1 << 30));
  const bool planes = image.layout == PixelLayout::kYuv420;
  const std::vector<int64_t> at = value.Get("at").Ints(0, packed ? image.pixel_bytes - 1 : planes ? 1 : 3);
  if (at.size() != (packed ? 3u : pairs ? 4u : 2u)) {
    throw Napi::TypeError::New(data.Env(), "image.at: expected 3 places (packed), 4 (yuv422) or 2");
  }
  std::copy(at.begin(), at.end(), image.at.begin());
  const size_t rows = static_cast<size_t>(planes ? image.height / 2 * 3 : image.height);
  if ((!packed && (image.width % 2 != 0 || image.height % 2 != 0)) ||
      data.ByteLength() != rows * image.step) {
    throw Napi::TypeError::New(data.Env(), "image: size, step and length of data do not belong together");
  }
  return image;
}

/// unpack({data, width, height, step, layout, pixelBytes?, at}): Promise<{data, width, height}>. The bytes
/// must not change until the promise settles.
Napi::Value UnpackImage(const Napi::CallbackInfo& info) {
  const JsReader value(info[0], "image");
  const Napi::Uint8Array data = value.Get("data").Bytes();
  struct Job {
    RawImage image;
    Napi::Reference<Napi::Uint8Array> data;  // keeps the bytes
    Napi::Reference<Napi::Uint8Array> rgb;
    uint8_t* to;
  };
  auto job = std::make_shared<Job>();
  job->image = ReadImage(value, data);
  job->data = Napi::Persistent(data);
  const auto [width, height] = UnpackedSize(job->image);
  auto rgb = Napi::Uint8Array::New(info.Env(), static_cast<size_t>(width) * height * 3);
  job->to = rgb.Data();
  job->rgb = Napi::Persistent(rgb);
  return NativeJob::Start(
      info.Env(), [job] { Unpack(job->image, job->to); },
      [job](Napi::Env env) -> Napi::Value {
        const auto [width, height] = UnpackedSize(job->image);
        const Napi::Object result = Napi::Object::New(env);
        result.Set("data", job->rgb.Value());
        result.Set("width", width);
        result.Set("height", height);
        return result;
      },
      [job] { job->data.Reset(); });
}

/// remap({data, width, height}, at, fill): Promise<Uint8Array>, the places' pixels. The bytes and places must
/// not change until the promise settles.
Napi::Value RemapImage(const Napi::CallbackInfo& info) {
  const JsReader value(info[0], "image");
  const Napi::Uint8Array data = value.Get("data").Bytes();
  const int width = static_cast<int>(value.Get("width").Int(1, kMaxSide));
  const int height = static_cast<int>(value.Get("height").Int(1, kMaxSide));
  if (data.ByteLength() != static_cast<size_t>(width) * height * 3) {
    throw Napi::TypeError::New(info.Env(), "image: expected width · height · 3 bytes of data");
  }
  const Napi::Float32Array at = JsReader(info[1], "at").Floats();
  if (at.ElementLength() % 2 != 0) throw Napi::TypeError::New(info.Env(), "at: expected pairs of x and y");
  const std::vector<int64_t> fill = JsReader(info[2], "fill").Ints(0, 255);
  if (fill.size() != 3) throw Napi::TypeError::New(info.Env(), "fill: expected red, green and blue");
  struct Job {
    RgbImage image;
    const float* at;
    size_t count;
    std::array<uint8_t, 3> fill;
    uint8_t* to;
    Napi::Reference<Napi::Uint8Array> data, rgb;  // keep the bytes …
    Napi::Reference<Napi::Float32Array> places;   // … and the places
  };
  auto job = std::make_shared<Job>();
  job->image = {data.Data(), width, height};
  job->at = at.Data();
  job->count = at.ElementLength() / 2;
  for (int c = 0; c < 3; ++c) job->fill[c] = static_cast<uint8_t>(fill[c]);
  job->data = Napi::Persistent(data);
  job->places = Napi::Persistent(at);
  auto rgb = Napi::Uint8Array::New(info.Env(), job->count * 3);
  job->to = rgb.Data();
  job->rgb = Napi::Persistent(rgb);
  return NativeJob::Start(
      info.Env(), [job] { Remap(job->image, job->at, job->count, job->fill, job->to); },
      [job](Napi::Env) -> Napi::Value { return job->rgb.Value(); },
      [job] {
        job->data.Reset();
        job->places.Reset();
      });
}

/// release(data): frees the memory behind an array at once, not at some garbage collection; the array is
/// empty afterwards. Whatever has a pointer into it must be done with it.
void ReleaseImage(const Napi::CallbackInfo& info) {
  Napi::ArrayBuffer memory = JsReader(info[0], "data").Bytes().ArrayBuffer();
  if (!memory.IsDetached()) memory.Detach();
}

}  // namespace

void RegisterImages(Napi::Env env, Napi::Object exports) {
  Napi::Object images = Napi::Object::New(env);
  AddFunction<UnpackImage>(images, "unpack");
  AddFunction<RemapImage>(images, "remap");
  AddFunction<ReleaseImage>(images, "release");
  exports.Set("images", images);
}

}  // namespace bdc
