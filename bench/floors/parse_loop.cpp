#include "floors/floors.h"
#include "weir/mapping/event_json.h"

namespace weir::bench {

Floor run_parse_loop(const std::vector<std::string>& bodies, uint32_t events_per_body, Seconds duration) {
  using Clock = std::chrono::steady_clock;
  Floor floor;
  // As the HTTP source does: the bytes behind the document are readable, so nothing is copied.
  std::vector<std::string> padded = bodies;
  for (std::string& body : padded) body.append(mapping::kJsonPadding, ' ');
  mapping::EventParser parser;
  sdk::BatchBuilder builder;
  mapping::ParseFault fault;
  uint64_t documents = 0;
  double cpu_before = thread_cpu_seconds();
  Clock::time_point start = Clock::now();
  Clock::time_point now = start;
  while (now - start < duration) {
    for (size_t i = 0; i < padded.size(); ++i, ++documents) {
      if (!parser.parse_padded(std::string_view(padded[i]).substr(0, bodies[i].size()), builder, &fault)) {
        floor.problem = "the generator's own body is refused: " + fault.message;
        return floor;
      }
      builder.finish();
    }
    now = Clock::now();
  }
  double cpu = thread_cpu_seconds() - cpu_before;
  auto events = static_cast<double>(documents * events_per_body);
  floor.events_per_second = events / Seconds(now - start).count();
  floor.cpu_us_per_event = cpu * 1e6 / events;
  return floor;
}

}  // namespace weir::bench
