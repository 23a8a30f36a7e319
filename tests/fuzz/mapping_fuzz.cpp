// Mapping documents and payloads of any bytes: the input is a document, a NUL, and a payload. A document that is
// taken may make nothing but valid batches; what is refused says why and leaves nothing behind.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "event/validate.h"
#include "weir/mapping/mapping.h"

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static weir::mapping::MappedParser parser;
  static weir::sdk::BatchBuilder batch;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t border = input.find('\0');
  if (border == std::string_view::npos) return 0;
  weir::mapping::MappingFault wrong;
  const auto mapping = weir::mapping::Mapping::compile(input.substr(0, border), {}, &wrong);
  if (mapping == nullptr) {
    require(!wrong.message.empty(), "a refused document says why");
    return 0;
  }
  const std::vector<std::string_view> values(mapping->variables().size(), "value");
  weir::mapping::PayloadFault fault;
  if (!parser.parse(*mapping, input.substr(border + 1), {values, 1'700'000'000'000'000'000}, batch, &fault)) {
    require(batch.count() == 0, "a refused payload leaves nothing");
    require(!fault.message.empty(), "a fault says why");
    return 0;
  }
  if (batch.count() == 0) return 0;
  const weir_batch* block = batch.finish();
  require(!weir::event::validate(block, block->total_size, weir::event::Check::kFromSource), "the batch is valid");
  return 0;
}
