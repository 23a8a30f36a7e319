#include "isolation/setup.h"

namespace weir::isolation {

const char* step_name(Step step) {
  constexpr const char* kNames[] = {"create", "prepare", "start",   "pause",  "resume",
                                    "drain",  "stop",    "destroy", "limits", "restore"};
  return kNames[static_cast<size_t>(step)];
}

std::string Setup::written() const {
  Writer writer;
  writer.text(library).text(component).text(gateway_id).number(network).number(files);
  return writer.number(memory_bytes).number(ring_bytes).number(data_call_limit.count()).bytes();
}

Setup Setup::read(std::string_view body) {
  Reader reader(body);
  Setup setup;
  setup.library = reader.text();
  setup.component = reader.text();
  setup.gateway_id = reader.text();
  setup.network = reader.number<bool>();
  setup.files = reader.number<bool>();
  setup.memory_bytes = reader.number<uint64_t>();
  setup.ring_bytes = reader.number<uint64_t>();
  setup.data_call_limit = base::Duration(reader.number<int64_t>());
  return setup;
}

}  // namespace weir::isolation
