#include "graph/stored_tensors.h"

#include <algorithm>
#include <map>

#include "runtime/error.h"

namespace bdc {
namespace {

/// Bytes of a value, by safetensors' names.
const std::map<std::string, int64_t, std::less<>> kValueBytes = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"I16", 2}, {"U16", 2}, {"F16", 2}, {"BF16", 2},
    {"I32", 4},  {"U32", 4}, {"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8},
};

[[noreturn]] void Fail(const std::string& code, const TensorEntry& entry, const std::string& message) {
  throw Error(ErrorKind::kModel, code, "tensor \"" + entry.name + "\": " + message);
}

/// Bytes that type and shape ask for; at most `limit`, which they may exceed without overflowing.
int64_t ExpectedBytes(const TensorEntry& entry, int64_t limit) {
  const auto value_bytes = kValueBytes.find(entry.dtype);
  if (value_bytes == kValueBytes.end()) {
    Fail("MODEL_TENSOR_TYPE", entry,
         "dtype: expected one of safetensors' types, found \"" + entry.dtype + "\"");
  }
  int64_t bytes = value_bytes->second;
  for (int64_t size : entry.shape) {
    if (size < 0 || (size > 0 && bytes > limit / size)) {
      Fail("MODEL_TENSOR_SHAPE", entry,
           "shape: expected sizes of 0 or more that fit into the file, found " + ToString(entry.shape));
    }
    bytes *= size;
  }
  return bytes;
}

}  // namespace

StoredTensors LocateTensors(const std::vector<TensorEntry>& entries, std::span<const std::byte> file,
                            int64_t data_offset) {
  const auto file_bytes = static_cast<int64_t>(file.size());
  if (data_offset < 0 || data_offset > file_bytes) {
    throw Error(ErrorKind::kModel, "MODEL_TRUNCATED",
                "the header should end at byte " + std::to_string(data_offset) + ", but the file has only " +
                    std::to_string(file_bytes));
  }
  const int64_t available = file_bytes - data_offset;
  std::vector<const TensorEntry*> by_begin;
  for (const TensorEntry& entry : entries) {
    if (entry.begin < 0 || entry.end < entry.begin) {
      Fail("MODEL_TENSOR_OFFSETS", entry,
           "data_offsets: expected 0 ≤ begin ≤ end, found " + ToString({entry.begin, entry.end}));
    }
    if (entry.end > available) {
      Fail("MODEL_TRUNCATED", entry,
           "data_offsets: ends at byte " + std::to_string(entry.end) +
               " of the data, but the file holds only " + std::to_string(available) +
               "; it was cut short or its header is wrong: fetch it again");
    }
    const int64_t expected = ExpectedBytes(entry, available);
    if (entry.end - entry.begin != expected) {
      Fail("MODEL_TENSOR_OFFSETS", entry,
           "data_offsets: expected " + std::to_string(expected) + " bytes for " + entry.dtype + " " +
               ToString(entry.shape) + ", found " + std::to_string(entry.end - entry.begin));
    }
    if (expected > 0) by_begin.push_back(&entry);
  }
  std::sort(by_begin.begin(), by_begin.end(),
            [](const TensorEntry* a, const TensorEntry* b) { return a->begin < b->begin; });
  for (size_t i = 1; i < by_begin.size(); ++i) {
    if (by_begin[i]->begin < by_begin[i - 1]->end) {
      Fail("MODEL_TENSOR_OVERLAP", *by_begin[i],
           "data_offsets: overlaps tensor \"" + by_begin[i - 1]->name + "\"");
    }
  }
  StoredTensors stored;
  for (const TensorEntry& entry : entries) {
    const auto bytes = file.subspan(data_offset + entry.begin, entry.end - entry.begin);
    if (!stored.emplace(entry.name, StoredTensor{entry.dtype, entry.shape, bytes}).second) {
      Fail("MODEL_TENSOR_TWICE", entry, "comes twice");
    }
  }
  return stored;
}

}  // namespace bdc
