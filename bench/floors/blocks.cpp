#include "floors/blocks.h"

#include <cstdio>
#include <cstdlib>

#include "weir/mapping/event_json.h"

namespace weir::bench {

std::vector<std::string> make_blocks(const std::vector<std::string>& bodies) {
  mapping::EventParser parser;
  sdk::BatchBuilder builder;
  std::vector<std::string> blocks;
  for (const std::string& body : bodies) {
    mapping::ParseFault fault;
    if (!parser.parse(body, builder, &fault)) {
      std::fprintf(stderr, "bench: the generator's own body is refused: %s: %s\n", fault.field.c_str(),
                   fault.message.c_str());
      std::abort();
    }
    const weir_batch* batch = builder.finish();
    blocks.emplace_back(reinterpret_cast<const char*>(batch), batch->total_size);
  }
  return blocks;
}

}  // namespace weir::bench
